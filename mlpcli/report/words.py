"""A report in words: what a network is for, how good it is, and what to beware of."""

from collections.abc import Iterator
from typing import Any

from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.errors import join_names
from mlpcli.evaluation.importance import METRIC
from mlpcli.report.findings import Findings

# A probability from which on a prediction is called sure.
SURE = 0.9
# What metrics are called, and what they mean.
METRICS = {
    "accuracy": ("accuracy", "share of the examples that are put into their class"),
    "balanced_accuracy": ("balanced accuracy", "mean recall: rare classes count like common ones"),
    "macro_f1": ("macro F1", "mean F1 of the classes or labels, however common they are"),
    "micro_f1": ("micro F1", "F1 of all labels of all examples together"),
    "roc_auc": (
        "ROC AUC",
        "how often the right class gets more than in another example; chance 0.5",
    ),
    "log_loss": ("log loss", "how surprised the probabilities are by the truth; 0 is best"),
    "brier_score": ("Brier score", "squared distance of the probabilities to the truth; 0 is best"),
    "calibration_error": (
        "calibration error",
        "how far the probabilities are from how often they are right",
    ),
    "error": ("mean error", "of the loss that the network was trained on"),
    "rmse": ("RMSE", "root of the mean squared difference, in the target's unit"),
    "mae": ("MAE", "mean absolute difference, in the target's unit"),
    "median_absolute_error": ("median", "half of the absolute differences are smaller"),
    "r2": ("R²", "share of the target's variation that is explained; 1 is best"),
}


def percent(share: float) -> str:
    """Return a share in per cent, with as many digits as matter."""
    return f"{100 * share:.1f} %"


def summary(found: Findings) -> Iterator[str]:
    """Yield sentences on a model for a reader who knows nothing of networks."""
    data, split = found.report["data"], found.report["split"]
    if found.task == "regression":
        yield from _of_quantities(found)
    elif found.task == "multilabel":
        yield from _of_labels(found)
    else:
        yield from _of_classes(found)
    yield from _of_inputs(found)
    if split == "train":
        yield f"These are examples of {data} that it learned from: on new ones it will do worse."
    if not found.meta.complete:
        yield "The training was stopped before its end and can be resumed."


def _of_classes(found: Findings) -> Iterator[str]:
    said, names = found.report, found.model.encoding.class_names
    low, high = found.intervals["accuracy"]
    yield (
        f"This network tells {len(names)} classes of {said['data']} apart: {join_names(names, 12)}."
    )
    yield (
        f"It puts {said['correct']:,.10g} of {said['examples']:,.10g} examples into the right "
        f"class, {percent(said['accuracy'])}. With as many others of the same kind, expect from "
        f"{percent(low)} to {percent(high)}. Always saying the commonest class would be right "
        f"for {percent(said['majority_accuracy'])}."
    )
    recalls = [(row["recall"], name) for name, row in said["classes"].items() if row["support"]]
    if len(recalls) > 2:
        (worst, bad), (best, good) = min(recalls), max(recalls)
        yield (
            f"It finds {percent(best)} of the class {good}, but only {percent(worst)} of {bad}."
            if worst < best
            else f"It finds {percent(best)} of every class."
        )
    if wrong := _commonest_confusion(said):
        count, truth, taken = wrong
        yield f"The commonest mistake is to take {truth} for {taken}, {_times(count)}."
    yield from _of_confidence(found)


def _commonest_confusion(said: dict[str, Any]) -> tuple[float, str, str] | None:
    names = list(said["classes"])
    pairs = (
        (count, names[i], names[j])
        for i, row in enumerate(said["confusion"])
        for j, count in enumerate(row)
        if count and i != j
    )
    return max(pairs, key=lambda pair: pair[0], default=None)


def _times(count: float) -> str:
    return "once" if count == 1 else f"{count:,.10g} times"


def _of_confidence(found: Findings) -> Iterator[str]:
    sure = [part for part in found.reliability if part.confidence >= SURE]
    n, all_examples = (sum(part.examples for part in parts) for parts in (sure, found.reliability))
    if n:
        right = sum(part.right * part.examples for part in sure) / n
        yield (
            f"Where it is at least about {100 * SURE:.0f} % sure, as for "
            f"{percent(n / all_examples)} of the examples, {percent(right)} are right."
        )


def _of_quantities(found: Findings) -> Iterator[str]:
    said = found.report
    yield f"This network predicts {join_names([*said['targets']], 12)} of {said['data']}."
    for name, row in said["targets"].items():
        low, high = found.intervals[f"rmse[{name}]"]
        explained = "" if row["r2"] is None else f", and {percent(row['r2'])} of what differs"
        explained += "" if row["r2"] is None else " between examples is explained"
        yield (
            f"Half of {said['examples']:,.10g} predictions of {name} are off by less than "
            f"{row['median_absolute_error']:.4g}. The root mean squared error is {row['rmse']:.4g} "
            f"(from {low:.4g} to {high:.4g} with as many others of the same kind); always saying "
            f"the mean would give {row['baseline']['rmse']:.4g}{explained}."
        )


def _of_labels(found: Findings) -> Iterator[str]:
    said, names = found.report, found.model.encoding.class_names
    low, high = found.intervals["accuracy"]
    yield (
        f"This network says which of {len(names)} labels an example of {said['data']} has: "
        f"{join_names(names, 12)}."
    )
    yield (
        f"For {said['correct']:,.10g} of {said['examples']:,.10g} examples all labels are right, "
        f"{percent(said['accuracy'])}. With as many others of the same kind, expect from "
        f"{percent(low)} to {percent(high)}."
    )


def _of_inputs(found: Findings) -> Iterator[str]:
    if found.model.encoding.image_shape:
        return
    ranked = sorted(found.importance, key=lambda each: -each.drop)
    matter = [each.name for each in ranked if each.low > 0][:3]
    if matter:
        metric = METRICS[METRIC[found.task]][0]
        matters = "matters" if len(matter) == 1 else "matter"
        yield f"For its {metric}, {_and(matter)} {matters} most."


def _and(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def title(found: Findings) -> str:
    """Return what a model is, in a few words."""
    names = found.meta.encoding.class_names
    what = join_names(names, 3)
    if found.task != "regression":
        what = f"{len(names)} {TARGETS_CALLED[found.task]}"
    return f"{found.meta.experiment.data.name}: {what}"
