"""How many threads a run takes: what it is allowed, and one where more do not pay."""

import os

import pytest

from mlpcli.cli import threads
from mlpcli.config.load import from_mapping

BASE = {"data": "mnist", "eta": 0.1, "epochs": 1}


@pytest.fixture(autouse=True)
def four_processors(monkeypatch):
    """Let this process be allowed four processors, and no variable say otherwise."""
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(threads, "_cgroup_quota", lambda _: None)


@pytest.mark.parametrize(
    ("structure", "bt_size", "count"),
    [
        ([784, 32, 10], 256, 1),  # 6.4 million multiply-adds
        ([784, 128, 10], 128, 1),
        ([784, 256, 128, 10], 128, 4),  # 25.7 million
        ([10, 3, 2], 8, 1),
        ([784, 32, 10], 1024, 4),
    ],
)
def test_small_products_take_one_thread(structure, bt_size, count):
    """The largest product decides, and nothing that changes from run to run."""
    experiment = from_mapping(BASE | {"structure": structure, "bt_size": bt_size}, {})
    assert threads.choose(experiment).number == count


LARGE = from_mapping(BASE | {"structure": [784, 800, 10], "bt_size": 128}, {})


def test_what_is_said_counts(monkeypatch):
    """--threads wins over a variable of the environment, and that over the rule."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.choose(LARGE, 2) == (2, "as --threads says")
    assert threads.choose(LARGE) == (3, "as OMP_NUM_THREADS says")


@pytest.mark.parametrize("value", ["²", "x", "", "0", "-1", "1e3", "9" * 5000, " 2"])
def test_nonsense_in_the_environment_counts_for_nothing(monkeypatch, value):
    """A variable that is no number of threads is passed over."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", value)
    assert threads.choose(LARGE).number == 4


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, 1.5),
        # The group above allows less.
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000",
          "sys/fs/cgroup/a/cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000"}, 0.5),
        ({"proc/self/cgroup": "4:cpu,cpuacct:/x\n",
          "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "300000\n",
          "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n"}, 3),
        ({"proc/self/cgroup": "4:cpu:/x\n", "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n",
          "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n"}, None),
        ({"proc/self/cgroup": "garbage\n::\n\n0::/a\n", "sys/fs/cgroup/a/cpu.max": "5 0"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_quotas_of_control_groups(tmp_path, monkeypatch, files, quota):
    """A container's quota, of either version of control groups, limits the processors."""
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert threads._cgroup_quota(tmp_path) == quota
    expected = 4 if quota is None else max(1, int(quota))
    assert threads.allowed_processors(tmp_path) == expected


def test_it_is_decided_before_numpy_is_loaded(mlp_process):
    """The matrix library sees the number that is shown and recorded."""
    import json
    from pathlib import Path

    Path("c.yaml").write_text(
        "{data: parity, structure: [10, 3, 2], eta: 1, bt_size: 8, epochs: 1}"
    )
    env = {name: value for name, value in os.environ.items() if name not in threads.VARIABLES}
    run = mlp_process("train", "c.yaml", "-v", env=env)
    assert run.returncode == 0
    assert run.stderr.startswith("threads 1: ")
    shown = mlp_process("show", "c.npy", "--json", env=env)
    assert json.loads(shown.stdout)["versions"]["threads"] == 1
    checked = json.loads(mlp_process("check", "c.yaml", "--json", env=env).stdout)
    assert checked["facts"]["threads"] == 1


def test_threads_that_hinder_one_another_are_named(monkeypatch, capsys):
    """Steps three times as slow as with one thread are said once, and --threads 1 with them."""
    from mlpcli.training import cost

    clock = iter(range(1000))
    monkeypatch.setattr(threads.time, "perf_counter", lambda: float(next(clock)))
    for alone, said in ((0.5, 0), (0.2, 1)):
        monkeypatch.setattr(cost, "one_thread_seconds", lambda _, s=alone: s)
        watch = threads.watch_pace(LARGE)
        for _ in range(2 * threads.PACE_STEPS):
            watch()
        assert capsys.readouterr().err.count("--threads 1 is faster here") == said


def test_steps_that_are_told_of_together_are_timed(monkeypatch, capsys):
    """Of steps reported many at a time, their number and the time between reports count."""
    from mlpcli.training import cost

    now = [0.0]
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now[0])
    for alone, said in ((0.5, 0), (0.2, 1)):
        monkeypatch.setattr(cost, "one_thread_seconds", lambda _, s=alone: s)
        watch = threads.watch_pace(LARGE)
        for _ in range(5):
            now[0] += 40
            for _ in range(40):
                watch()
        assert capsys.readouterr().err.count("--threads 1 is faster here") == said


def test_one_thread_is_estimated():
    """The estimate grows with mini-batch and network, and is a time."""
    from mlpcli.training.cost import one_thread_seconds

    small = from_mapping(BASE | {"structure": [784, 32, 10], "bt_size": 1}, {})
    assert 0 < one_thread_seconds(small) < one_thread_seconds(LARGE) < 10


def test_a_limit_is_below_what_is_allowed(monkeypatch):
    """A command may take fewer threads than are allowed, but what the environment says holds."""
    with monkeypatch.context() as changed:
        for name in threads.VARIABLES:
            changed.setenv(name, "")
        threads.limit(1)
        assert {os.environ[name] for name in threads.VARIABLES} == {"1"}
        threads.limit(4)
        assert {os.environ[name] for name in threads.VARIABLES} == {"1"}
