"""Finished runs by setting: their means over seeds, and whether a difference is noise."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from mlpcli.checkpoint import store
from mlpcli.checkpoint.meta import Meta
from mlpcli.config.data_files import Files
from mlpcli.config.differences import differing_keys, shown
from mlpcli.config.other_data import EvaluationData
from mlpcli.config.schema import VALIDATION_METRICS, Experiment
from mlpcli.data.encoding import TARGETS_CALLED, Encoding
from mlpcli.errors import ConfigError, DataError, join_names
from mlpcli.evaluation import evaluate
from mlpcli.evaluation.gates import LOWER_IS_BETTER, Metric, check_metric
from mlpcli.evaluation.intervals import Interval, interval_of_mean
from mlpcli.model import Model

# Keys that make no other setting: runs of one differ in their draws and in when they are saved.
OF_A_RUN = ("seed", "checkpoint_every")
# Squares of larger numbers have no value.
LARGEST = 1e150


class SavedRun(NamedTuple):
    """A finished run, and its checkpoint."""

    path: Path
    meta: Meta
    model: Model | None = None
    """Where it is needed again: many take memory."""

    @property
    def experiment(self) -> Experiment:
        """What was trained."""
        return self.meta.experiment


class Outcome(NamedTuple):
    """What a run came to."""

    run: SavedRun
    value: float
    """Of the metric."""


class Difference(NamedTuple):
    """How much more of a metric one setting has than another, over the seeds that both have."""

    seeds: int
    mean: float | None
    interval: Interval | None

    @property
    def within_noise(self) -> bool | None:
        """Whether there may be none; None where that is not known."""
        return self.interval and self.interval.low <= 0 <= self.interval.high


@dataclass(frozen=True)
class Setting:
    """Runs that differ in nothing but the seed."""

    name: str
    """What their files have in common."""
    keys: dict[str, Any]
    """What sets it apart from the others: values by KEY or KEY.PART, None where it is not given."""
    outcomes: dict[int, Outcome]
    """By seed."""

    @property
    def values(self) -> list[float]:
        """One per seed."""
        return [outcome.value for outcome in self.outcomes.values()]

    @property
    def mean(self) -> float:
        """Over seeds."""
        return mean(self.values)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the mean; None of one seed."""
        return interval_of_mean(self.values)

    def minus(self, other: "Setting") -> Difference:
        """Return the difference of the means, paired over seeds."""
        seeds = [seed for seed in self.outcomes if seed in other.outcomes]
        gaps = [self.outcomes[seed].value - other.outcomes[seed].value for seed in seeds]
        return Difference(len(gaps), mean(gaps) if gaps else None, interval_of_mean(gaps))


def check_same_task(tasks: Sequence[tuple[Path, str]]) -> None:
    """Make sure that models are of one task.

    Args:
        tasks: each checkpoint, with its task.

    Raises:
        ConfigError: naming the first that is not of the first one's.
    """
    (first, expected), *others = tasks
    for path, task in others:
        if task != expected:
            problem = f"is of task {task}, but {first} of {expected}"
            raise ConfigError(path, problem, "compare models of one task")


def check_comparable(runs: Sequence[SavedRun], split: str, metric: str) -> None:
    """Make sure that a metric of runs is of the same kind and examples.

    Args:
        runs: one or more.
        split: `validation`, `test` or `train`.
        metric: the metric's name.

    Raises:
        ConfigError: naming the first run that differs from the first of all.
    """
    first = runs[0]
    check_same_task([(run.path, run.meta.encoding.task) for run in runs])
    called = TARGETS_CALLED[first.meta.encoding.task]
    for run in runs:
        if _targets(run.meta.encoding) != _targets(first.meta.encoding):
            problem = f"predicts other {called} than {first.path}"
            raise ConfigError(run.path, problem, "compare models of the same target")
        _check_same_examples(run, first, split)
        error, expected = run.experiment.error_name, first.experiment.error_name
        if metric == "error" and error != expected:
            problem = f"its error is of {error}, but that of {first.path} of {expected}"
            raise ConfigError(run.path, problem, "compare by another --metric")


def common_split(runs: Sequence[SavedRun]) -> str:
    """Return `validation` where all runs were validated on the same examples, otherwise `test`."""
    validated = [examples_of(run.experiment, "validation") for run in runs]
    chosen = [_chosen_by(run.experiment, "validation") for run in runs]
    is_one = len(set(validated)) == 1 and all(each == chosen[0] for each in chosen)
    return "validation" if is_one and validated[0] else "test"


def _check_same_examples(run: SavedRun, first: SavedRun, split: str) -> None:
    found, expected = (examples_of(each.experiment, split) for each in (run, first))
    if not found:
        raise ConfigError(run.path, f"has no {split} examples", "choose another --split")
    problem = f"its {split} examples are {found}, but those of {first.path} {expected}"
    if found == expected:
        chosen, expected_by = (_chosen_by(each.experiment, split) for each in (run, first))
        name = next((name for name in chosen if chosen[name] != expected_by[name]), None)
        if name is None:
            return
        values = f"data.{name} is {shown(chosen[name])}, there {shown(expected_by[name])}"
        problem = f"its {split} examples are not those of {first.path}: {values}"
    raise ConfigError(run.path, problem, "compare runs on the same examples")


def _chosen_by(experiment: Experiment, split: str) -> dict[str, Any]:
    """Return what decides which examples of its file a split has, and how much each counts."""
    files = experiment.data.files or Files()
    parts = (files.test, experiment.validation if split == "validation" else None)
    # What is not divided is the same however it would be.
    is_divided = any(isinstance(part, float) for part in parts)
    return {
        "test": files.test if split != "test" and isinstance(files.test, float) else None,
        "time": files.time if is_divided else None,
        "group": files.group if is_divided else None,
        "weight": files.weight,
        "missing": "drop" if files.missing == "drop" else None,
    }


def examples_of(experiment: Experiment, split: str) -> str:
    """Return what the examples of a split are called: a dataset, a file or its share; or ""."""
    data = experiment.data
    test = data.files.test if data.files else data.name
    part = {"validation": experiment.validation, "test": test, "train": data.name}[split]
    return f"{part:g} of {data.name}" if isinstance(part, float) else part or ""


def changed_data(runs: Sequence[SavedRun]) -> Iterator[str]:
    """Yield lines on runs whose training examples are not an earlier run's, though named alike."""
    earlier: dict[str, SavedRun] = {}
    for run in runs:
        e = run.experiment
        read = {**e.data.to_mapping(), "scale": None}
        named = json.dumps([read, e.seed, e.dtype, e.task, e.embeddings])
        other = earlier.setdefault(named, run)
        if run.meta.fingerprint != other.meta.fingerprint:
            yield f"{run.path}: was trained on other examples of {e.data.name} than {other.path}"


def outcome(run: SavedRun, split: str, metric: Metric, data_dir: Path) -> Outcome:
    """Return what a run came to: on validation as it says itself, otherwise evaluated now.

    Args:
        run: a finished run.
        split: `validation`, `test` or `train`.
        metric: one that reports of its task have; on validation only what a history has.
        data_dir: the folder that has one sub-folder per downloaded dataset.

    Raises:
        ConfigError: if there is no such metric.
        DataError: if its data cannot be read, or the metric has no value there.
    """
    value = _value(run, split, metric, data_dir)
    if value is None or abs(value) > LARGEST:
        found = "no" if value is None else f"{value:.3g} for"
        problem = f"has {found} {metric} on {split}"
        raise DataError(run.path, problem, "leave it out, or choose another --metric")
    return Outcome(run, value)


def _value(run: SavedRun, split: str, metric: Metric, data_dir: Path) -> float | None:
    encoding = run.meta.encoding
    if split == "validation":
        kept = ("error", VALIDATION_METRICS[encoding.task])
        if str(metric) not in kept:
            problem = f"checkpoints keep only {join_names(kept)} of validation examples"
            raise ConfigError(f"--metric {metric}", problem, "choose one, or --split test")
        return (run.meta.best or {}).get(f"validation_{metric}")
    check_metric(metric, "--metric", encoding.class_names, None, encoding.task)
    model = run.model or store.load(run.path)
    table, examples = evaluate.open_evaluated(model, EvaluationData(data_dir, split))
    report = evaluate.report(model, examples, where=str(run.path), weights=table.weights)
    value = metric.of(report)
    return None if value is None else float(value)


def settings(outcomes: Sequence[Outcome], metric: Metric) -> list[Setting]:
    """Return the settings of runs, the one with the best mean first.

    Of two runs of one setting and seed the first counts.
    """
    groups: dict[tuple[str, str], dict[int, Outcome]] = {}
    for each in outcomes:
        group = groups.setdefault(_setting_of(each.run), {})
        group.setdefault(each.run.experiment.seed, each)
    members = list(groups.values())
    firsts = [next(iter(group.values())).run for group in members]
    apart = differing_keys([run.experiment for run in firsts], OF_A_RUN)
    starts = [run.meta.start[:16] or None for run in firsts]
    if len(set(starts)) > 1:
        apart["--from"] = starts
    names = _names([[each.run.path for each in group.values()] for group in members])
    found = [
        Setting(name, {key: values[i] for key, values in apart.items()}, group)
        for i, (name, group) in enumerate(zip(names, members, strict=True))
    ]
    sign = 1 if metric.name in LOWER_IS_BETTER else -1
    return sorted(found, key=lambda setting: sign * setting.mean)


def repeated(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield lines on runs that do not count, since an earlier one has their setting and seed."""
    earlier: dict[tuple[object, int], Path] = {}
    for run, _ in outcomes:
        other = earlier.setdefault((_setting_of(run), run.experiment.seed), run.path)
        if other != run.path:
            yield f"{run.path}: has the setting and the seed of {other}, which counts alone"


def _setting_of(run: SavedRun) -> tuple[str, str]:
    mapping = run.experiment.to_mapping()
    return json.dumps({k: v for k, v in mapping.items() if k not in OF_A_RUN}), run.meta.start


def _targets(encoding: Encoding) -> tuple[object, ...]:
    names = [column.name for column in encoding.columns if column.role == "target"]
    return encoding.class_names, names


def _names(groups: Sequence[Sequence[Path]]) -> list[str]:
    """Return what the files of each group have in common: `a-*` of a-1.npy and a-2.npy."""
    stems = [[str(path.with_suffix("")) for path in group] for group in groups]
    names = [
        # By characters, since names are no folders.
        group[0] if len(group) == 1 else commonprefix(group).rstrip("0123456789") + "*"  # noqa: RUF071
        for group in stems
    ]
    alike = len(set(names)) < len(names)
    return [join_names(group, 2) for group in stems] if alike else names
