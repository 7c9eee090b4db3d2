"""Ranks without MPI: shares, draws, and what they say of one another."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.cli import console
from mlpcli.cli.mpi import watch_ranks
from mlpcli.cli.threads import PACE_STEPS
from mlpcli.errors import MlpError
from mlpcli.nn.dropout import draw_masks
from mlpcli.rng import Part
from mlpcli.training.augment import distorter
from mlpcli.training.ranks import MpiRanks


class Comm:
    """Stands for a communicator whose ranks all say what this one is told."""

    def __init__(self, rank=0, size=1, others=()):
        self.rank, self.size, self.others = rank, size, others

    def Ibarrier(self):  # noqa: N802 - MPI's name
        """Have all come already."""
        return SimpleNamespace(Test=lambda: True)

    def allgather(self, own):
        """Return what this rank and the others say."""
        return [own, *self.others]


def ranks_of(*args, **options):
    """Return ranks that speak through such a communicator."""
    return MpiRanks(SimpleNamespace(IN_PLACE=None, COMM_WORLD=Comm(*args, **options)))


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@given(sizes, st.integers(1, 12))
def test_shares_are_all_of_every_mini_batch(sizes, number):
    """Each example is learned by one rank, and shares of a mini-batch differ by one at most."""
    order = np.arange(sum(sizes))
    shares = [ranks_of(rank, number).share(order, sizes) for rank in range(number)]
    seen = np.concatenate([share.positions for share in shares])
    assert sorted(seen) == order.tolist()
    of_all = np.array([share.sizes for share in shares])
    assert of_all.sum(axis=0).tolist() == sizes
    assert (of_all.max(axis=0) - of_all.min(axis=0) <= 1).all()
    assert of_all.max() <= ranks_of(0, number).largest(sizes)


@given(sizes, st.integers(0, 5), st.integers(0, 5), st.integers(0, 99))
def test_the_share_of_a_part_is_what_it_has(sizes, start, length, seed):
    """Where a rank has a part of the examples, it learns these whenever their turn comes."""
    order = np.random.default_rng(seed).permutation(sum(sizes))
    ranks = ranks_of(1, 2)
    ranks.part = range(start, start + length)
    share = ranks.share(order, sizes)
    assert sorted(order[share.positions]) == [i for i in ranks.part if i < len(order)]
    part = share.part(0, 1)
    assert part.total == sizes[0]
    assert part.positions.tolist() == [p for p in range(sizes[0]) if order[p] in ranks.part]


def test_draws_do_not_depend_on_who_makes_them():
    """A part of a mini-batch is dropped and distorted as it is in the whole."""
    positions = np.array([0, 3, 31, 32, 70, 71])
    part, all_of_it = Part(80, positions), Part(80, np.arange(80))
    whole, own = np.empty((80, 5)), np.empty((6, 5))
    draw_masks([whole], [0.4], np.random.default_rng(1))
    draw_masks([own], [0.4], np.random.default_rng(1), part)
    assert (own == whole[positions]).all()
    images = np.random.default_rng(2).integers(0, 256, (80, 36), np.uint8)
    some = images[positions]
    settings = {"rotate": 30, "elastic": {"sigma": 1.5, "alpha": 9}}
    distort = distorter((6, 6), settings, images.shape, images.dtype)
    distort(images, np.random.default_rng(3), all_of_it)
    distort(some, np.random.default_rng(3), part)
    assert (some == images[positions]).all()


def test_parameters_that_differ_are_an_error():
    """What one rank computes otherwise than the first is found after the epoch."""
    theta = np.ones(3)
    ranks_of().check_same(theta, 4)
    with pytest.raises(MlpError, match="epoch 4: the parameters of rank 1 are not those of rank 0"):
        ranks_of(others=[b"other"]).check_same(theta, 4)


@pytest.mark.parametrize(("adding", "says"), [(0.6, True), (0.4, False)])
def test_ranks_that_do_not_pay_are_told(monkeypatch, adding, says):
    """With two ranks, one process is faster where more than half of a step is adding up."""
    clock, lines = iter(range(1000)), []
    monkeypatch.setattr("mlpcli.cli.mpi.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr(console, "note", lines.append)
    ranks = SimpleNamespace(number=2, reducing=0.0)
    watch = watch_ranks(ranks)
    for _ in range(2 * PACE_STEPS):
        ranks.reducing += adding
        watch()
    assert len(lines) == says
    assert all("one process is faster here, or a larger bt_size" in line for line in lines)
