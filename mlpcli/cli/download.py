"""`mlp download`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from mlpcli.cli import console, options
from mlpcli.cli.fetch import fetch_dataset
from mlpcli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from mlpcli.data.builtin.registry import BuiltinDataset

    Entries = dict[str, BuiltinDataset]


@click.command(epilog="Example: mlp download mnist kmnist --data-dir ~/datasets")
@click.argument("names", nargs=-1, metavar="NAME...")
@options.data_dir
@click.option(
    "--from",
    "source",
    metavar="DIR_OR_URL",
    help="Take the files from this folder or mirror, with the same checks.",
)
@click.option("--list", "listing", is_flag=True, help="Show the datasets, and which are there.")
@click.option("--check", is_flag=True, help="Verify what is there; fetch nothing.")
@click.option("--print-urls", is_flag=True, help="Print each file's address; fetch nothing.")
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
def download(
    names: tuple[str, ...],
    data_dir: Path,
    source: str | None,
    listing: bool,
    check: bool,
    print_urls: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fetch the datasets NAME..., verify them, and keep them in the data directory.

    Files that are there and valid are not fetched again, and a download that was interrupted goes
    on where it stopped. Without NAME, --list shows all datasets, and --check verifies all that are
    there.
    """
    if listing + check + print_urls + (source is not None) > 1:
        problem = "--list, --check, --print-urls and --from exclude one another"
        raise ConfigError("mlp download", problem, "give one")
    from mlpcli.data.builtin.registry import DATASETS, lookup
    from mlpcli.data.builtin.verify import is_there

    if not (names or listing or check):
        raise click.UsageError("Missing argument 'NAME...'.", click.get_current_context())
    if data_dir.parts[:1] == ("~",):
        problem = "there is no home directory to keep datasets in"
        raise ConfigError("mlp download", problem, "add --data-dir, or set MLP_DATA_DIR")
    entries = {name: lookup(name, "mlp download") for name in names or DATASETS}
    if listing:
        _list(entries, data_dir, as_json)
    elif print_urls:
        _print_urls(entries, data_dir, as_json)
    elif check:
        if not names:
            entries = {n: entry for n, entry in entries.items() if is_there(n, entry, data_dir)}
        _check(entries, data_dir, as_json, quiet)
    else:
        folder = None if source is None else _base(source)
        steps = []
        for name, entry in entries.items():
            for step in fetch_dataset(name, entry, data_dir, folder, quiet):
                steps.append({"dataset": name, "file": str(step.path), "from": step.source})
                if not (as_json or quiet):
                    console.result(step.line)
        if as_json:
            console.result_json(steps)


def _base(source: str) -> str | Path:
    """Return what --from names: an address that ends in a slash, or a folder."""
    if "://" in source:
        try:
            parts = urlsplit(source)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            valid = False
        if not valid:
            raise ConfigError("--from", f"{source} is no address", "write http:// or https://")
        return f"{source.rstrip('/')}/"
    if not Path(source).is_dir():
        raise DataError(source, "there is no such folder", "correct --from")
    return Path(source)


def _list(entries: "Entries", data_dir: Path, as_json: bool) -> None:
    from mlpcli.cli.text_tables import table
    from mlpcli.data.builtin.verify import is_present

    present = {name: is_present(name, entry, data_dir) for name, entry in entries.items()}
    sizes = {name: sum(file.size for file in entry.files) for name, entry in entries.items()}
    if as_json:
        listed = [
            {
                "name": name,
                "bytes": sizes[name],
                "classes": entry.class_names,
                "sources": entry.mirrors,
                "present": present[name],
                "folder": str(data_dir / entry.folder),
            }
            for name, entry in entries.items()
        ]
        console.result_json(listed)
        return
    rows = [
        [
            name,
            f"{sizes[name] / 1e6:.1f} MB",
            str(len(entry.class_names)),
            "yes" if present[name] else "no",
            str(urlsplit(entry.mirrors[0]).hostname),
        ]
        for name, entry in entries.items()
    ]
    for line in table(["name", "size", "classes", "present", "source"], rows, left=5):
        console.result(line)


def _print_urls(entries: "Entries", data_dir: Path, as_json: bool) -> None:
    files: list[dict[str, Any]] = [
        {
            "dataset": name,
            "urls": [mirror + file.name for mirror in entry.mirrors],
            "bytes": file.size,
            "sha256": file.sha256,
            "file": str(data_dir / entry.folder / file.name),
        }
        for name, entry in entries.items()
        for file in entry.files
    ]
    if as_json:
        console.result_json(files)
        return
    # One download of EMNIST serves all its datasets.
    for url in dict.fromkeys(file["urls"][0] for file in files):
        console.result(url)


def _check(entries: "Entries", data_dir: Path, as_json: bool, quiet: bool) -> None:
    """Verify datasets, and fail if anything is wrong."""
    problems = _problems(entries, data_dir)
    if as_json:
        found = [{"file": str(path), "problem": problem} for path, problem in problems.items()]
        console.result_json(found)
    elif not quiet:
        for path, problem in problems.items():
            console.result(f"{path} {problem or 'is valid'}")
        if not problems:
            console.note(f"{data_dir}: no dataset is there")
    if wrong := sum(map(bool, problems.values())):
        problem = f"{wrong} of {len(problems)} files are not as published"
        raise DataError("mlp download --check", problem, f"run mlp download {' '.join(entries)}")


def _problems(entries: "Entries", data_dir: Path) -> dict[Path, str | None]:
    """Return what is wrong with each file of some datasets, None for nothing."""
    from mlpcli.data.builtin import archive, verify

    problems: dict[Path, str | None] = {}
    for name, entry in entries.items():
        for file in entry.files:
            path = data_dir / entry.folder / file.name
            # One archive of EMNIST serves all its datasets.
            if path not in problems:
                problems[path] = verify.problem_of(path, file)
        if entry.members and problems[path] is None:
            for unpacked, same in archive.compare(path, entry, data_dir / name):
                if unpacked.exists():
                    problems[unpacked] = None if same else f"differs from what {path} holds"
    return problems
