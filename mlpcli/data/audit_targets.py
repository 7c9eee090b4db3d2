"""What targets that are quantities or several labels say before anything is trained."""

from collections.abc import Iterator

import numpy as np

from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Dataset
from mlpcli.data.quantities import decode_quantities
from mlpcli.errors import join_names

# Examples so many standard deviations from the mean decide a squared error alone.
FAR = 8.0


def inspect_targets(dataset: Dataset) -> Iterator[Fact | Finding]:
    """Yield what there is to know about quantities or labels, and what may be wrong with them."""
    look = _quantities if dataset.encoding.task == "regression" else _labels
    yield from look(dataset)


def _quantities(dataset: Dataset) -> Iterator[Fact | Finding]:
    encoding, names = dataset.encoding, dataset.encoding.class_names
    value = {n: q._asdict() for n, q in zip(names, encoding.quantities, strict=True)}
    text = "; ".join(
        f"{name} from {q.low:g} to {q.high:g}, mean {q.mean:.5g}"
        for name, q in zip(names[:5], encoding.quantities, strict=False)
    )
    yield Fact("quantities", value, text + ("; ..." if len(names) > 5 else ""))
    split = "train" if dataset.test is None else "test"
    truth = decode_quantities(encoding, (dataset.test or dataset.train).labels)
    errors = np.sqrt(np.square(truth - encoding.target_means).mean(axis=0)).tolist()
    shown = join_names([f"{error:.5g}" for error in errors], 5)
    yield Fact(
        "baseline",
        {"rmse": dict(zip(names, errors, strict=True))},
        f"always saying the mean has {split} RMSE {shown}",
    )
    for j, name in enumerate(names):
        far = np.abs(dataset.train.labels[:, j]) > FAR
        if far.any():
            yield Finding(
                "far-targets",
                f"{int(far.sum())} training examples have a {name} more than {FAR:g} standard "
                "deviations from the mean",
                "check them; write loss: huber, or learn the logarithm",
            )


def _labels(dataset: Dataset) -> Iterator[Fact | Finding]:
    names, labels = dataset.encoding.class_names, dataset.train.labels
    counts = labels.sum(axis=0, dtype=np.int64).tolist()
    per_example = sum(counts) / len(labels)
    rarest, commonest = int(np.argmin(counts)), int(np.argmax(counts))
    text = (
        f"{len(names)}, from {counts[rarest]} training examples ({names[rarest]}) to "
        f"{counts[commonest]} ({names[commonest]}), {per_example:.3g} per example"
    )
    yield Fact("labels", dict(zip(names, counts, strict=True)), text)
    combinations, how_often = np.unique(labels, axis=0, return_counts=True)
    usual = combinations[how_often.argmax()]
    split, judged = ("train", labels) if dataset.test is None else ("test", dataset.test.labels)
    accuracy = float((judged == usual).all(axis=1).mean())
    had = [name for name, has in zip(names, usual.tolist(), strict=True) if has]
    text = f"always saying {join_names(had, 5) or 'no label'} has {split} subset accuracy "
    yield Fact("majority", {"labels": had, "accuracy": accuracy}, f"{text}{accuracy:.4f}")
    same = [n for n, count in zip(names, counts, strict=True) if count in (0, len(labels))]
    if same:
        yield Finding(
            "constant-labels",
            f"all training examples agree on {join_names(same, 5)}, which cannot be learned",
            "add examples, or leave it out of target",
        )
