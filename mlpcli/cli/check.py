"""`mlp check`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.cli import console, options
from mlpcli.cli.threads import choose
from mlpcli.errors import MlpError

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.audit import Fact, Finding
    from mlpcli.data.dataset import Dataset


@click.command(epilog="Example: mlp check configs/mnist.yaml --strict")
@click.argument("config", type=options.PATH)
@options.data_dir
@click.option("--strict", is_flag=True, help="End with exit code 1 if anything was found.")
@options.as_json
def check(config: Path, data_dir: Path, strict: bool, as_json: bool) -> None:
    """Look for mistakes in the YAML experiment CONFIG and its data before time is spent on them.

    Shows the experiment with every default, the data, and what training will cost; checks the
    gradient; tries to overfit one mini-batch. Each finding is one line that says what to
    do. Nothing is written.
    """
    from mlpcli.config.load import load_experiment
    from mlpcli.config.yaml_core import to_yaml

    experiment = load_experiment(config)
    # Before anything imports NumPy, and as training will have it.
    threads = choose(experiment)
    threads.use()
    from mlpcli.checkpoint.limits import check_size
    from mlpcli.data.audit import Fact, Finding
    from mlpcli.data.load import fit_structure, load_data

    dataset = load_data(experiment, data_dir)
    experiment = fit_structure(experiment, dataset.encoding)
    check_size(experiment)
    seen = [*_look(experiment, dataset), Fact("threads", threads.number, str(threads))]
    facts = [part for part in seen if isinstance(part, Fact)]
    findings = [part for part in seen if isinstance(part, Finding)]
    count = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
    if as_json:
        console.result_json(
            {
                "config": str(config),
                "experiment": experiment.to_mapping(),
                "facts": {fact.name: fact.value for fact in facts},
                "findings": [finding._asdict() for finding in findings],
            }
        )
    else:
        console.result(console.styled(str(config), bold=True))
        console.result(to_yaml(experiment.to_mapping()).rstrip())
        width = max(len(fact.name) for fact in facts)
        lines = (f"{fact.name.replace('_', ' '):{width}}  {fact.text}" for fact in facts)
        console.section("facts", *lines)
        console.section(
            count if findings else "no findings",
            *((console.styled(f.name, fg="yellow"), f": {f}") for f in findings),
        )
    if strict and findings:
        raise MlpError(config, count, "see above, correct it, or leave out --strict")


def _look(experiment: "Experiment", dataset: "Dataset") -> Iterator["Fact | Finding"]:
    """Look at the data, then at what trials on them show, as far as there is any sense in them."""
    from mlpcli.data import audit, audit_leaks, audit_targets
    from mlpcli.model import count_parameters
    from mlpcli.training import cost, sanity

    finite = True
    for part in audit.inspect(experiment, dataset):
        finite &= part.name != "not-finite"
        yield part
    if dataset.encoding.task != "classification":
        yield from audit_targets.inspect_targets(dataset)
    if not finite:
        return
    yield from audit_leaks.inspect_leaks(experiment, dataset)
    parameters = count_parameters(experiment, dataset.encoding)
    yield audit.Fact("parameters", parameters, f"{parameters:,}")
    if finding := cost.too_large(experiment, len(dataset.train.labels)):
        yield finding
        return
    yield from sanity.sanity_checks(experiment, dataset)
    yield from cost.estimate_cost(experiment, dataset)
