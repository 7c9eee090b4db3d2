"""`mlp show`."""

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options, text_tables
from mlpcli.cli.sparkline import sparkline
from mlpcli.errors import ConfigError, join_names

if TYPE_CHECKING:
    from mlpcli.checkpoint.meta import Meta
    from mlpcli.data.encoding import Encoding
    from mlpcli.model import Model


@click.command(epilog="Example: mlp show mnist.npy --history > mnist.csv")
@click.argument("weights", type=options.PATH, metavar="W.npy")
@click.option("--history", is_flag=True, help="Print the epochs as CSV instead.")
@click.option("--config", is_flag=True, help="Print YAML that trains the same file instead.")
@options.as_json
def show(weights: Path, history: bool, config: bool, as_json: bool) -> None:
    """Show what the checkpoint W.npy holds: layers, experiment, data, classes, metrics, versions.

    No dataset is needed.
    """
    if history + config + as_json > 1:
        problem = "--history, --config and --json exclude one another"
        raise ConfigError("mlp show", problem, "choose one")
    from mlpcli.checkpoint import store
    from mlpcli.config.yaml_core import to_yaml

    model, meta = store.load_with_meta(weights)
    if history:
        console.result(_csv(meta.history))
    elif config:
        console.result(_yaml(meta))
    else:
        found = {"weights": str(weights), "bytes": weights.stat().st_size, **_summary(model, meta)}
        if as_json:
            console.result_json(found)
        else:
            _show(found, to_yaml(found["experiment"]), [row["error"] for row in meta.history])


def _summary(model: "Model", meta: "Meta") -> dict[str, Any]:
    from mlpcli.data.encoding import TARGETS_CALLED

    network, encoding = model.network, meta.encoding
    layers = [
        {"layer": i, "W": list(W.shape), "b": list(b.shape), "parameters": W.size + b.size}
        for i, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), 2)
    ]
    extras = {name: list(view.shape) for name, view in network.extras.items()}
    best = meta.best or {"epoch": None}
    return {
        "layers": layers,
        **({"extras": extras} if extras else {}),
        "parameters": len(network.theta),
        "experiment": meta.experiment.to_mapping(),
        TARGETS_CALLED[encoding.task]: list(encoding.class_names),
        **_targets(encoding),
        "data": {
            "name": meta.experiment.data.name,
            "features": encoding.features,
            "scale": encoding.scale,
            "fingerprint": meta.fingerprint or None,
        },
        "task": encoding.task,
        "start": {"sha256": meta.start} if meta.start else None,
        "source": meta.source or None,
        "epochs": len(meta.history),
        "complete": meta.complete,
        "best_epoch": best["epoch"],
        "metrics": {name: value for name, value in best.items() if name != "epoch"},
        "versions": meta.versions,
    }


def _targets(encoding: "Encoding") -> dict[str, Any]:
    """Return what is known of the quantities of a regression, by name."""
    rows = zip(encoding.class_names, encoding.quantities, strict=False)
    found = {name: quantity._asdict() for name, quantity in rows}
    return {"targets": found} if found else {}


def _targets_text(targets: dict[str, dict[str, float]]) -> dict[str, str]:
    return {
        f"target {text_tables.truncate(name, 20)}": f"mean {q['mean']:.5g}, standard deviation "
        f"{q['std']:.5g}, from {q['low']:g} to {q['high']:g} in training"
        for name, q in targets.items()
    }


def _yaml(meta: "Meta") -> str:
    """Return YAML that trains the same file again, with comments on what else that takes."""
    from mlpcli.config.presets import closed_keys
    from mlpcli.config.yaml_core import to_yaml

    experiment, lost = _from_here(meta)
    experiment |= dict.fromkeys(closed_keys(meta.experiment))
    comments = []
    if meta.start:
        comments.append(f"# Train with --from the weights with SHA-256 {meta.start}")
    if lost:
        # A checkpoint does not know in which folder its configuration was.
        comments.append(
            "# Paths are relative to the folder of the configuration that was trained: write this "
            f"into the folder from which {', '.join(lost)} can be found"
        )
    return "\n".join([*comments, to_yaml(experiment).rstrip()])


def _from_here(meta: "Meta") -> tuple[dict[str, Any], list[str]]:
    """Return an experiment with paths relative to the current folder, and those not found."""
    from mlpcli.data.readers.source import candidates

    experiment, lost = meta.experiment.to_mapping(), []
    data, columns = experiment["data"], [column.name for column in meta.encoding.columns]
    paths = [(data, "train"), (data, "test"), (data, "test_target"), (experiment, "validation")]
    if data.get("target") not in columns:
        paths.append((data, "target"))
    for mapping, name in paths:
        path = mapping.get(name)
        # A fraction or a column's position is no path.
        if not isinstance(path, str):
            continue
        places = candidates(path, meta.experiment.search_paths)
        found = next((place for place in places if place.exists()), None)
        if found and found != places[0]:
            mapping[name] = os.path.relpath(found)
        elif not found and name != "target":  # which may be an array of an archive
            lost.append(path)
    return experiment, lost


def _csv(history: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in history for name in row)) or ["epoch", "error"]
    return text_tables.csv_text(columns, history)


def _show(found: dict[str, Any], experiment: str, errors: Sequence[float]) -> None:
    rows = [
        [f"{row['layer']}", f"{tuple(row['W'])}", f"({row['b'][0]},)", f"{row['parameters']:,}"]
        for row in found["layers"]
    ]
    for name, shape in found.get("extras", {}).items():
        rows.append([name, f"{tuple(shape)}", "", f"{math.prod(shape):,}"])
    rows.append(["all", "", "", f"{found['parameters']:,}"])
    from mlpcli.data.encoding import TARGETS_CALLED

    called = TARGETS_CALLED[found["task"]]
    data, start, names = found["data"], found["start"], found[called]
    metrics = [f"{name} {value:.5g}" for name, value in found["metrics"].items()]
    facts = {
        "data": f"{data['name']}, {data['features']} features, scale {data['scale']}",
        **({"sha256": data["fingerprint"]} if data["fingerprint"] else {}),
        called: f"{len(names)}: {join_names(names)}",
        **_targets_text(found.get("targets", {})),
        **({"started from": f"weights with SHA-256 {start['sha256']}"} if start else {}),
        **({"source": f"{found['source']}: converted weights"} if found["source"] else {}),
        "epochs": f"{found['epochs']}, {'complete' if found['complete'] else 'incomplete'}",
        **({"best epoch": " ".join([str(found["best_epoch"]), *metrics])} if metrics else {}),
        **_curve(errors),
        "versions": ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
    }
    console.result(f"{found['weights']}, {found['bytes']:,} bytes")
    console.section(*text_tables.table(["layer", "W", "b", "parameters"], rows, left=3))
    console.section("training", *text_tables.definitions(facts))
    console.section("experiment", *experiment.splitlines())


def _curve(errors: Sequence[float]) -> dict[str, str]:
    """Return the error of every epoch as a line to look at; nothing before there are two."""
    if len(errors) < 2:
        return {}
    drawn = sparkline(errors, sys.stdout.encoding if sys.stdout else None)
    return {"error": f"{drawn} from {errors[0]:.5g} to {errors[-1]:.5g}"}
