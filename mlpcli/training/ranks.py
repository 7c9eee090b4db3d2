"""The processes that train one network: one alone, or the ranks of an MPI job."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.mapped import MappedFile, mapped_file
from mlpcli.errors import ConfigError, MlpError
from mlpcli.model import Model, loss_of
from mlpcli.nn.activations import Array
from mlpcli.nn.inference import Evaluation, evaluate
from mlpcli.signals import SIGNALS
from mlpcli.training.shares import Share, share_of

if TYPE_CHECKING:
    from mlpcli.training.run import Run

# How often others are looked for before a rank sleeps, and then how long, in seconds. While MPI
# itself waits, it keeps its processor busy: where others want it, too, adding up 600,000 numbers
# took 160 ms instead of 8.
LOOKS = 1000
SLEEP = 1e-4
# Less than what another rank waits before it speaks.
SPEAK_SECONDS = 0.1

T = TypeVar("T")
Signals = list[Any]
Rows = NDArray[np.integer]
Row = dict[str, float]
# Of a run, beside its vectors.
STATE = ("history", "best_epoch", "finished", "step", "error_sum", "rng_state", "start")


_yield: Callable[[], None] = getattr(os, "sched_yield", lambda: time.sleep(0))


class Ranks:
    """What the ranks of a job do together; here, the only one there is.

    All of them call the same methods in the same order.
    """

    rank = 0
    """Which one this is. The first alone judges, shows and writes."""
    number = 1
    """How many there are."""
    launcher: tuple[str, ...] = ()
    """The words before a command that start it on as many."""

    def once(self, compute: Callable[[], T]) -> T:
        """Compute something on the first rank alone; all return it."""
        return compute()

    def judge(self, compute: Callable[[], Row], examples: int) -> Row:  # noqa: ARG002 - for several
        """Return means over the examples that the first rank has, or that all have of parts."""
        return compute()

    def share(self, order: Rows, sizes: Sequence[int]) -> Share | None:  # noqa: ARG002 - for several
        """Return what this rank learns of an epoch; None for all of it.

        Args:
            order: (n,) the examples, by their row.
            sizes: how many are in each mini-batch.
        """
        return None

    def largest(self, sizes: Sequence[int]) -> int:
        """Return the most examples of a mini-batch that this rank may be given."""
        return max(sizes)

    def gradient(self, theta: Array) -> Array | None:  # noqa: ARG002 - for several
        """Return room for the gradient, (p,), for `add_up`; None where any will do."""
        return None

    def add_up(self, error: float) -> float:
        """Add up the gradient over all ranks, in place; return the sum of their errors."""
        return error

    def check_same(self, theta: Array, epoch: int) -> None:
        """Make sure that all ranks have the same parameters.

        Raises:
            MlpError: naming a rank that has others.
        """

    def agree(self, received: Signals) -> Signals:
        """Return a list that signals of any rank are put into, on all ranks at the same step."""
        return received


ALONE = Ranks()


class MpiRanks(Ranks):
    """The ranks of an MPI job: each learns its share of every mini-batch.

    Args:
        mpi: the module `mpi4py.MPI`.
    """

    def __init__(self, mpi: Any) -> None:
        self._in_place, self._comm = mpi.IN_PLACE, mpi.COMM_WORLD
        self.rank, self.number = self._comm.rank, self._comm.size
        self.launcher = ("mpiexec", "-n", str(self.number))
        self.received: Signals = []
        self.agreed: Signals = []
        self.part: range | None = None
        """Which examples this rank has the features of, where each has a part."""
        self.reducing = 0.0
        """Seconds in `add_up`, waiting for others included."""

    def once(self, compute: Callable[[], T]) -> T:  # noqa: D102
        computed = None if self.rank else compute()
        self.wait()
        found: T = self._comm.bcast(computed)
        return found

    def judge(self, compute: Callable[[], Row], examples: int) -> Row:  # noqa: D102
        if self.part is None:
            return self.once(compute)
        found = self.gather((examples, compute() if examples else {}))
        rows = [(n, row) for n, row in found if n]
        total = sum(n for n, _ in rows)
        return {name: sum(n * row[name] for n, row in rows) / total for name in rows[0][1]}

    def share(self, order: Rows, sizes: Sequence[int]) -> Share:  # noqa: D102
        if self.part is not None:
            own = (order >= self.part.start) & (order < self.part.stop)
            return share_of(np.flatnonzero(own), sizes)
        each = np.array(sizes)
        low, high = each * self.rank // self.number, each * (self.rank + 1) // self.number
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        mine = (np.repeat(low, each) <= within) & (within < np.repeat(high, each))
        return share_of(np.flatnonzero(mine), sizes)

    def largest(self, sizes: Sequence[int]) -> int:  # noqa: D102
        return max(sizes) if self.part else -(-max(sizes) // self.number)

    def gradient(self, theta: Array) -> Array:  # noqa: D102
        # After the gradient, the error, and how many ranks have received each signal: one message.
        self._message = np.zeros(len(theta) + 1 + len(SIGNALS), theta.dtype)
        self._beside = self._message[len(theta) :]
        return self._message[: len(theta)]

    def add_up(self, error: float) -> float:  # noqa: D102
        begun = time.perf_counter()
        self._beside[:] = 0
        self._beside[0] = error
        for number in self.received:
            self._beside[1 + SIGNALS.index(number)] = 1
        _finish(self._comm.Iallreduce(self._in_place, self._message))
        total, *counts = self._beside.tolist()
        self.agreed += [number for number, n in zip(SIGNALS, counts, strict=True) if n]
        self.reducing += time.perf_counter() - begun
        return float(total)

    def check_same(self, theta: Array, epoch: int) -> None:  # noqa: D102
        digests = self.gather(hashlib.sha256(theta.data).digest())
        for rank, digest in enumerate(digests):
            if digest != digests[0]:
                raise MlpError(
                    f"epoch {epoch}",
                    f"the parameters of rank {rank} are not those of rank 0",
                    "use the same processors and versions on all machines",
                )

    def agree(self, received: Signals) -> Signals:  # noqa: D102
        self.received = received
        return self.agreed

    def send_data(
        self, experiment: Experiment | None = None, dataset: Dataset | None = None
    ) -> tuple[Experiment, Dataset]:
        """Give all ranks the experiment and the training examples that the first one has.

        Files that it has mapped into memory are mapped by all; other examples are sent.

        Raises:
            DataError: if such a file is not there.
        """
        if experiment is None or dataset is None:
            self.wait()
            experiment, dataset, source = self._comm.bcast(None)
            features = source.open() if isinstance(source, MappedFile) else np.empty(*source)
        else:
            features = dataset.train.features
            source = mapped_file(features) or (features.shape, features.dtype)
            self.wait()
            self._comm.bcast((experiment, _without_features(dataset), source))
        if not isinstance(source, MappedFile):
            self._comm.Bcast(features.reshape(-1).view(np.uint8))
        train = dataset.train._replace(features=features)
        return experiment, dataset._replace(train=train)

    def send_run(self, run: "Run") -> None:
        """Give all ranks the run that the first one has; it is changed in place."""
        for vector in run.vectors:
            self._comm.Bcast(vector)
        state = self.once(lambda: {name: getattr(run, name) for name in STATE})
        for name, value in state.items():
            setattr(run, name, value)

    def evaluate_parts(self, model: Model, dataset: Dataset) -> Evaluation:
        """Evaluate the first rank's model on the training examples, of which each has a part."""
        self._comm.Bcast(model.network.theta)
        features, labels = dataset.train
        own = labels if self.part is None else labels[self.part.start : self.part.stop]
        found = self.gather(evaluate(model.network, loss_of(model.experiment), features, own))
        confusion = np.sum([each.confusion for each in found], axis=0)
        error = sum(each.examples * each.error for each in found) / len(labels)
        return Evaluation(confusion, error)

    def gather(self, own: T) -> list[T]:
        """Give all ranks what each has, in their order."""
        self.wait()
        found: list[T] = self._comm.allgather(own)
        return found

    def wait(self) -> None:
        """Wait for all others."""
        _finish(self._comm.Ibarrier())

    def abort(self, code: int) -> None:
        """End all ranks at once, if there are others: MPI adds a line of its own."""
        if self.number > 1:
            # What was said has to reach mpiexec, which passes nothing on afterwards.
            time.sleep(SPEAK_SECONDS)
            self._comm.Abort(code)


def _finish(request: Any) -> None:
    """Wait for what all ranks do together, and leave the processor to others meanwhile."""
    looks = 0
    while not request.Test():
        looks += 1
        if looks < LOOKS:
            _yield()
        else:
            time.sleep(SLEEP)


def connect() -> MpiRanks:
    """Return the ranks of the job that this process is started in.

    Raises:
        ConfigError: if there is no MPI.
    """
    try:
        import mpi4py

        # One thread speaks for all.
        mpi4py.rc(thread_level="funneled")
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        remedy = "pip install 'mlpcli[mpi]', and an MPI (pip install mpich)"
        raise ConfigError("--mpi", f"there is no MPI: {error}", remedy) from None
    return MpiRanks(MPI)


def _without_features(dataset: Dataset) -> Dataset:
    """Return what other ranks need of a dataset; validation and test are the first one's."""
    train = dataset.train
    nothing = Examples(train.features[:0], train.labels[:0])
    return dataset._replace(
        train=nothing._replace(labels=train.labels),
        test=None,
        validation=None if dataset.validation is None else nothing,
        validation_weights=None,
    )
