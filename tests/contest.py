"""What `mlp init` writes, without edits, against scikit-learn on the same rows of tables.

Every seed trains on four fifths of a table and is judged on the rest, as `mlp train` divides it:
the same rows for all contenders. Scores are means over the seeds; so are the seconds of processor
time, of the whole command for `mlp` and of the fit alone for the others, with one thread each.
"""

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
os.environ |= dict.fromkeys(THREADS, "1")

import numpy as np  # noqa: E402 - after the number of threads
from in_process import run_mlp  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning  # noqa: E402

import mlpcli  # noqa: E402
from mlpcli.config.load import load_experiment  # noqa: E402
from mlpcli.data.dataset import Examples  # noqa: E402
from mlpcli.data.load import load_data  # noqa: E402
from mlpcli.model import Model  # noqa: E402

Array = NDArray[np.float64]
Table = tuple[Array, NDArray[Any]]
Scores = tuple[float, ...]
OURS = "mlp init"
# One thread, and nothing to compile.
QUIETLY = ("--quiet", "--threads", "1", "--engine", "numpy")


class Contest(NamedTuple):
    """Tables of one task, and who else learns them."""

    tables: Mapping[str, Callable[[], Table]]
    contenders: Mapping[str, Callable[[int], Any]]
    """Makes scikit-learn's estimator of a seed."""
    predict: Callable[[Any, Array], Array]
    """Returns the outputs of a fitted one, (n, n_L), as a model has them."""
    score: Callable[[Array, NDArray[Any]], Scores]
    """Returns one number for each of `columns`, of outputs and labels."""
    columns: tuple[str, ...]
    """What the scores are called; the larger the first, the better."""
    prefix: str = ""
    """Of the targets' cells: what makes them words."""


class Results(NamedTuple):
    """What a contest came to."""

    tables: dict[str, dict[str, Scores]]
    """By table and contender."""
    means: dict[str, Scores]
    """Over the tables, by contender."""

    def below(self, other: str) -> list[str]:
        """Return the tables where another contender has more of the first score."""
        return [n for n, found in self.tables.items() if found[OURS][0] < found[other][0] - 1e-9]


def hold(contest: Contest, usage: str) -> Results | None:
    """Measure what the command line asks for, and print a line per table and contender.

    Args:
        contest: what may be measured.
        usage: what the command line's help says.

    Returns:
        None where only a part was asked for, of which nothing is promised.
    """
    parser = argparse.ArgumentParser(description=usage.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="held-out fifths per table")
    parser.add_argument("--only", nargs="*", choices=contest.tables, help="tables")
    parser.add_argument(
        "--set", nargs="*", default=[], help="KEY=VALUE: measure mlp alone, with these changes"
    )
    arguments = parser.parse_args()
    print(_row("table", "contender", (*contest.columns, "seconds")))
    tables = {}
    for name in arguments.only or contest.tables:
        tables[name] = _measure(contest, name, arguments.seeds, arguments.set)
        for contender, scores in tables[name].items():
            print(_row(name, contender, scores), flush=True)
    contenders = next(iter(tables.values()))
    means = {c: _mean([found[c] for found in tables.values()]) for c in contenders}
    results = Results(tables, means)
    for contender, scores in means.items():
        print(_row("mean", contender, scores))
    for other in [contender for contender in means if contender != OURS]:
        names = results.below(other)
        print(f"{OURS} below {other} on {len(names)} of {len(tables)}: {', '.join(names)}")
    return None if arguments.only or arguments.set else results


def _row(table: str, contender: str, cells: Sequence[float | str]) -> str:
    shown = [f"{cell:.4f}" if isinstance(cell, float) else cell for cell in cells]
    return f"{table:15} {contender:21} " + " ".join(f"{cell:>8}" for cell in shown)


def _measure(contest: Contest, name: str, seeds: int, changes: Sequence[str]) -> dict[str, Scores]:
    """Return the scores and the seconds of every contender on one table."""
    found: dict[str, list[Scores]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        targets = _write_csv(folder / "t.csv", *contest.tables[name](), contest.prefix)
        _mlp("init", folder / "t.csv", "-o", folder / "t.yaml", *targets)
        for seed in range(seeds):
            train, test = _split(folder, seed, changes)
            model, seconds = _train(folder, seed, changes)
            outputs = np.concatenate([a.copy() for a in model.predict_batches(test.features)])
            found.setdefault(OURS, []).append((*contest.score(outputs, test.labels), seconds))
            for contender, make in {} if changes else contest.contenders.items():
                fitted, seconds = _fit(make(seed), train)
                outputs = contest.predict(fitted, test.features)
                scores = (*contest.score(outputs, test.labels), seconds)
                found.setdefault(contender, []).append(scores)
    return {contender: _mean(scores) for contender, scores in found.items()}


def _write_csv(path: Path, x: Array, y: NDArray[Any], prefix: str) -> list[str]:
    """Write a table with a header, its targets last; return the options that name several."""
    y = y.reshape(len(x), -1)
    names = [f"y{i}" for i in range(y.shape[1])]
    lines = [",".join([*(f"x{i}" for i in range(x.shape[1])), *names])]
    for features, targets in zip(x.tolist(), y.tolist(), strict=True):
        lines.append(",".join([*map(repr, features), *(f"{prefix}{t!r}" for t in targets)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [word for name in names for word in ("--target", name)] if len(names) > 1 else []


def _mlp(*words: str | Path) -> float:
    """Run a command; return its seconds. A failure ends the measurement with what it said."""
    start = time.process_time()
    done = run_mlp(*words)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return time.process_time() - start


def _split(folder: Path, seed: int, changes: Sequence[str]) -> tuple[Examples, Examples]:
    """Return the examples that `mlp train` with this seed learns from, and those it sets aside."""
    dataset = load_data(load_experiment(folder / "t.yaml", [f"seed={seed}", *changes]), folder)
    if dataset.test is None:
        sys.exit("t.yaml sets no examples aside")
    return dataset.train, dataset.test


def _train(folder: Path, seed: int, changes: Sequence[str]) -> tuple[Model, float]:
    """Train the configuration in a folder by the command line; return the model and seconds."""
    words = [word for change in (f"seed={seed}", *changes) for word in ("--set", change)]
    weights = folder / f"{seed}.npy"
    seconds = _mlp("train", folder / "t.yaml", *words, "-o", weights, *QUIETLY)
    return mlpcli.load(weights), seconds


def _fit(estimator: Any, train: Examples) -> tuple[Any, float]:
    """Fit one of scikit-learn's estimators; return it and its seconds."""
    start = time.process_time()
    with warnings.catch_warnings():
        for category in (ConvergenceWarning, DataConversionWarning):
            warnings.simplefilter("ignore", category)
        fitted = estimator.fit(train.features, train.labels)
    return fitted, time.process_time() - start


def _mean(scores: Sequence[Scores]) -> Scores:
    return tuple(np.mean(scores, axis=0).tolist())
