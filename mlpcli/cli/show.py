"""`mlp show`."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options, text_tables
from mlpcli.errors import ConfigError

if TYPE_CHECKING:
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
    from mlpcli.checkpoint import format as checkpoint
    from mlpcli.checkpoint import store
    from mlpcli.config.yaml_core import to_yaml

    shown, meta = store.load(weights), checkpoint.read(weights).meta
    if history:
        console.result(_csv(meta["history"]))
    elif config:
        console.result(to_yaml(shown.experiment.to_mapping()).rstrip())
    else:
        found = {
            "weights": str(weights),
            "bytes": weights.stat().st_size,
            **_summary(shown, meta),
        }
        if as_json:
            console.result_json(found)
        else:
            _show(found, to_yaml(found["experiment"]))


def _summary(shown: "Model", meta: dict[str, Any]) -> dict[str, Any]:
    network, encoding = shown.network, shown.encoding
    layers = [
        {"layer": i, "W": list(W.shape), "b": list(b.shape), "parameters": W.size + b.size}
        for i, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), 2)
    ]
    history = meta["history"]
    best_epoch = meta.get("best_epoch", len(history) - 1)
    metrics = dict(history[best_epoch])
    del metrics["epoch"]
    return {
        "layers": layers,
        "parameters": len(network.theta),
        "experiment": shown.experiment.to_mapping(),
        "classes": list(encoding.class_names),
        "data": {
            "name": shown.experiment.data.name,
            "features": encoding.features,
            "scale": encoding.scale,
            "fingerprint": shown.fingerprint,
        },
        "epochs": len(history),
        "complete": meta["complete"],
        "best_epoch": best_epoch,
        "metrics": metrics,
        "versions": meta["versions"],
    }


def _csv(history: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue().rstrip("\n")


def _show(found: dict[str, Any], experiment: str) -> None:
    rows = [
        [f"{row['layer']}", f"{tuple(row['W'])}", f"({row['b'][0]},)", f"{row['parameters']:,}"]
        for row in found["layers"]
    ]
    rows.append(["all", "", "", f"{found['parameters']:,}"])
    data, names = found["data"], found["classes"]
    metrics = [f"{name} {value:.5g}" for name, value in found["metrics"].items()]
    facts = {
        "data": f"{data['name']}, {data['features']} features, scale {data['scale']}",
        "sha256": data["fingerprint"],
        "classes": f"{len(names)}: {', '.join(names)}",
        "epochs": f"{found['epochs']}, {'complete' if found['complete'] else 'incomplete'}",
        "best epoch": " ".join([str(found["best_epoch"]), *metrics]),
        "versions": ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
    }
    console.result(f"{found['weights']}, {found['bytes']:,} bytes")
    console.section(*text_tables.table(["layer", "W", "b", "parameters"], rows, left=3))
    lines = (f"{name:10}  {fact}" for name, fact in facts.items())
    console.section("training", *(text_tables.truncate(line, text_tables.WIDTH) for line in lines))
    console.section("experiment", *experiment.splitlines())
