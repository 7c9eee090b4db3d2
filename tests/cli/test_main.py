"""The `mlp` program: help, exit codes, and errors that are one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import train_parity

from mlpcli import __version__
from mlpcli.checkpoint import store
from mlpcli.cli import main as cli

MISSING = ["evaluate", "--weights", "none.npy"]
MISSING_LINE = (
    "mlp: error: none.npy: cannot be read: no such file or directory; "
    "give a file that mlp train wrote\n"
)


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)], ids=" ".join)
def test_help(run_mlp, command, option):
    """`mlp` and every command explain themselves, with an example."""
    run = run_mlp(*command, option)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(" ".join(["Usage: mlp", *command]) + " ")
    assert " ".join(["Example: mlp", *command]) in run.stdout
    assert "-h, --help" in run.stdout


def test_help_lists_every_command(run_mlp):
    """`mlp --help` names each command with a sentence about it."""
    text = run_mlp("--help").stdout
    _, _, listed = text.partition("Commands:\n")
    rows = [line.split(maxsplit=1) for line in listed.partition("\n\n")[0].splitlines()]
    modules = Path(cli.__file__).parent.glob("*.py")
    decorated = re.compile(r"^@click\.(command|group)\(\s*epilog", re.MULTILINE)
    assert [name for name, _ in rows] == sorted(
        path.stem for path in modules if decorated.search(path.read_text(encoding="utf-8"))
    )
    assert all(len(sentence) > 20 for _, sentence in rows)


def test_version(run_mlp):
    """`mlp --version` prints the package's version."""
    run = run_mlp("--version")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"mlp, version {__version__}\n", "")


def test_python_m(run_mlp):
    """`python -m mlpcli` is `mlp`, down to its name in the usage."""
    command = [sys.executable, "-m", "mlpcli", "train", "--help"]
    run = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    assert run.stdout == run_mlp("train", "--help").stdout


def test_help_imports_no_command():
    """`mlp --help` costs little more than importing Click: the commands stay unread."""
    script = "import sys; from mlpcli.cli.main import mlp; mlp(['--help'], standalone_mode=False); "
    script += "print([name for name in sys.modules if name.startswith('mlpcli.')])"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert (
        run.stdout.splitlines()[-1]
        == "['mlpcli.cli', 'mlpcli.errors', 'mlpcli.signals', 'mlpcli.cli.main']"
    )


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"], ["train"]])
def test_help_is_instant(words):
    """What computes nothing imports neither NumPy nor any library but Click."""
    script = f"""
import atexit, sys
from mlpcli.cli.main import main
heavy = {{"numpy", "yaml", "tqdm", "requests", "urllib3", "ssl"}}
atexit.register(lambda: print("imported", sorted(heavy & set(sys.modules)), file=sys.stderr))
sys.argv = ["mlp", *{words}]
main()
"""
    run = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, encoding="utf-8"
    )
    assert run.stderr.splitlines()[-1] == "imported []"


# What was typed, which help it leads to, and what the error must mention; the words are Click's.
USAGE = [
    ("fly", "mlp", "there is no command fly;"),
    ("--fly", "mlp", "--fly"),
    ("train", "mlp train", "CONFIG"),
    ("train a.yaml b.yaml", "mlp train", "b.yaml"),
    ("train a.yaml --fly", "mlp train", "--fly"),
    ("train a.yaml -o", "mlp", "-o"),
    ("evaluate", "mlp evaluate", "--weights"),
    ("evaluate --weights a.npy --split all", "mlp evaluate", "'test', 'train'"),
    ("predict --weights a.npy", "mlp predict", "INPUT..."),
    ("predict -", "mlp predict", "--weights"),
    ("download", "mlp download", "NAME"),
]


@pytest.mark.parametrize(("words", "command", "mentions"), USAGE)
def test_usage_errors_are_one_line(run_mlp, words, command, mentions):
    """A command that cannot be understood ends with 2 and one line that says where help is."""
    run = run_mlp(*words.split())
    assert (run.returncode, run.stdout) == (2, "")
    pattern = f"mlp: error: {command}: [^A-Z].*; see {command} --help\n"
    assert re.fullmatch(pattern, run.stderr)
    assert mentions in run.stderr


def test_mlp_alone_shows_the_help(run_mlp):
    """Without a subcommand the help goes to standard error, and the exit code is 2."""
    run = run_mlp()
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == run_mlp("--help").stdout


NOT_FOUND = [
    ("trian a.yaml", "mlp: there is no command trian; did you mean train?"),
    ("train a.yaml", "a.yaml: no such file or directory; give the path of a YAML experiment"),
    ("train .", ".: is a directory; give the path of a YAML experiment"),
    (
        "download cats",
        "mlp download: there is no dataset cats; the datasets are mnist, fashion-mnist, kmnist, "
        "emnist-byclass, emnist-bymerge, emnist-balanced, emnist-letters, emnist-digits, "
        "emnist-mnist",
    ),
]


@pytest.mark.parametrize(("words", "line"), NOT_FOUND)
def test_what_cannot_be_found_is_one_line(run_mlp, words, line):
    """A command, config or dataset that does not exist ends with 2 and one line that names it."""
    run = run_mlp(*words.split())
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"mlp: error: {line}\n")


def test_debug_adds_the_traceback(run_mlp):
    """`mlp --debug` shows the traceback of a failure, and still ends with the one line."""
    assert run_mlp(*MISSING).stderr == MISSING_LINE
    run = run_mlp("--debug", *MISSING)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("Traceback (most recent call last):\n")
    assert run.stderr.endswith("\n" + MISSING_LINE)


@pytest.fixture
def fail_with(monkeypatch, run_mlp):
    """Return a function that runs `mlp evaluate`, failing inside as told."""

    def run(error, *options):
        def broken(_):
            raise error

        monkeypatch.setattr(store, "load", broken)
        ended = run_mlp(*options, *MISSING)
        assert ended.stdout == ""
        return ended.returncode, ended.stderr

    return run


INTERNAL = "internal: {}; run mlp --debug and report what it prints"
UNEXPECTED = [
    (ZeroDivisionError("a\nb"), INTERNAL.format(r"ZeroDivisionError('a\nb')")),
    (MemoryError(), "memory: there is not enough of it; "
                    "use a smaller bt_size, structure or dataset"),
    (OSError(28, "No space left on device"), "input or output: no space left on device; "
                                             "check the path and the disk"),
    (PermissionError(13, "Permission denied", "x.npy"), "x.npy: permission denied; "
                                                        "check the path and the disk"),
    (OSError("odd"), "input or output: odd; check the path and the disk"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "line"), UNEXPECTED, ids=lambda value: type(value).__name__)
def test_unexpected_failures_are_one_line(fail_with, error, line):
    """Whatever goes wrong inside, the user sees one line, and the exit code is 1."""
    assert fail_with(error) == (1, f"mlp: error: {line}\n")


def test_debug_shows_unexpected_failures(fail_with):
    """`mlp --debug` shows where an unexpected failure came from."""
    code, shown = fail_with(ZeroDivisionError("gone"), "--debug")
    assert code == 1
    assert "in broken\n" in shown
    assert shown.endswith(f"mlp: error: {INTERNAL.format(repr(ZeroDivisionError('gone')))}\n")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return the checkpoint of one epoch of configs/parity.yaml."""
    return train_parity(tmp_path_factory.mktemp("weights"), 1)


def shell(script, weights):
    """Run a script in which $MLP is this package's program and $W a checkpoint."""
    variables = {"MLP": f"{sys.executable} -m mlpcli", "W": str(weights)}
    return subprocess.run(
        ["bash", "-c", script],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | variables,
        timeout=120,
    )


FULL = "mlp: error: input or output: no space left on device; check the path and the disk\n"
BROKEN = {
    "full": ('$MLP evaluate --weights "$W" > /dev/full', 1, FULL),
    "full, json": ('$MLP evaluate --json --weights "$W" > /dev/full', 1, FULL),
    "full, help": ("$MLP --help > /dev/full", 1, FULL),
    "full, both": ('$MLP evaluate --weights "$W" > /dev/full 2>&1', 1, ""),
    "full stderr": ("$MLP fly 2> /dev/full", 2, ""),
    "closed": ('$MLP evaluate --weights "$W" >&-', 0, ""),
    "closed, failing": ("$MLP evaluate --weights none.npy >&-", 1, MISSING_LINE),
    "closed, both": ("$MLP fly >&- 2>&-", 2, ""),
    "pipe": ('$MLP evaluate --weights "$W" | exit 7; exit "${PIPESTATUS[1]}"', 7, ""),
}


@pytest.mark.parametrize(("script", "code", "stderr"), BROKEN.values(), ids=BROKEN)
def test_broken_streams(weights, script, code, stderr):
    """A full disk is one line and exit 1; a closed stream hides neither exit code nor message."""
    if "/dev/full" in script and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    run = shell(script, weights)
    assert (run.returncode, run.stdout, run.stderr) == (code, "", stderr)
