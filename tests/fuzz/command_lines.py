"""Command lines with every option, values that nobody means, and an environment of nonsense."""

import contextlib
import functools
import json
import os
import random
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import click
from builders import VALUES
from in_process import run_mlp
from ordeals import MLP

from mlpcli.cli.main import COMMANDS

NAMES = ("in_process", "process")
CODES = (0, 1, 2, 3, 4)
CONFIG = "".join(f"{key}: {value}\n" for key, value in (VALUES | {"epochs": 1}).items())
ROWS = "a,b,kind\n" + "".join(f"{i},{i * i % 7},{'xy'[i % 2]}\n" for i in range(12))
# Where a command may write: nothing outside the folder that it starts in.
PATHS = (
    "c.yaml", "t.yaml", "w.npy", "t.csv", "r.json", "new", "new.npy", "new.csv", "-", "", ".",
    "folder", "link", "loop", "fifo", "no/such/folder/file", "~nosuchuser/x", "new\nline",
    "\x1b[31m", "\udcff", "\u202e", "x" * 300, "a/" * 2000, " ", "*", "$HOME", "=", "w.npy/x",
    "--help", "--", "file:///x", "http://127.0.0.1:1/x", "parity", "mnist", "empty", "secret",
)  # fmt: skip
OUTSIDE = ("/", "//", "..", "/dev/null", "/dev/zero", "/dev/full", "/dev/stdin", "/proc/self", "~",
           "../" * 50 + "etc/passwd")  # fmt: skip
WRITTEN = ("output", "history", "data_dir", "storage")
VALUES_ = (
    "0", "1", "2", "-1", "1e999", "nan", "inf", "9" * 5000, "0x10", "1_0", "\u0661", "", " ",
    "a\nb", "\x1b[2J", "\udc80", "x" * 9999, "[" * 999, "eta=0.1", "eta=", "=", "eta", "epochs=2",
    "structure=[10,2]", "structure=[10,999999999999,2]", "bt_size=1000000000000", "epochs=0",
    "eta=1e300", "data=mnist", "data.train=/etc/passwd", "data={train: fifo}", "a.b.c=1", ".=1",
    'eta="\\UFFFFFFFF"', "validation=0.5", "compat=article", "accuracy>=0.9", "accuracy>=1e999",
    "recall[x]>0", "support[odd]<=1e999", "recall[]>0", "f1[\x1b[31m]>=0", "error<=", "",
    "top_2_accuracy>0", "accuracy", "accuracy>=nan", "test", "train", "text", "csv", "jsonl", "npy",
    "kind", "-3", "y.npy",
)  # fmt: skip
ENVIRONMENT = {
    "MLP_DATA_DIR": PATHS, "XDG_CACHE_HOME": PATHS, "HOME": PATHS, "NO_COLOR": ("", "1", "\udcff"),
    "COLUMNS": ("0", "-1", "x", "9" * 99, "1"), "LANG": ("C", "nonsense", "xx_YY.UTF-16"),
    "LC_ALL": ("C", "POSIX", "nonsense"), "TQDM_NCOLS": ("x", "-1"), "TQDM_DISABLE": ("x", "1"),
    "TQDM_MININTERVAL": ("x",), "OPENBLAS_NUM_THREADS": ("\u00b2", "-1", "x", "9" * 30, ""),
    "OMP_NUM_THREADS": ("0", "x"), "MLP_DEBUG": ("1",), "PAGER": ("x",), "TERM": ("", "dumb", "x"),
    "TMPDIR": ("/nowhere", "t.csv"), "PYTHONWARNINGS": ("always",), "LINES": ("x",),
}  # fmt: skip

STDIN = ("", ROWS, "1,2\n", '[1, 2]\n{"a": 1}\n', "\x00" * 99, "x" * 9999, "\n" * 99)


def make(_: str, rng: random.Random) -> bytes:
    """Return the words of a command, its standard input, and what it has in its environment."""
    name = rng.choice(list(COMMANDS))
    command = getattr(import_module(f"mlpcli.cli.{name}"), name)
    # Else a search has forty trials.
    words = [name, *(["--trials", "2"] if name == "tune" else [])]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            words += [
                rng.choice(likely(parameter.name, rng)) for _ in range(rng.choice((1, 1, 1, 0, 2)))
            ]
            continue
        often = 0.8 if parameter.required else 0.15
        for _ in range(rng.choice((1, 1, 2)) if rng.random() < often else 0):
            words.append(rng.choice(parameter.opts))
            if not getattr(parameter, "is_flag", False):
                words.append(rng.choice(likely(parameter.name, rng)))
    if rng.random() < 0.1:
        words.append(rng.choice(("--nonsense", "-q", "--", "--json", "extra")))
    chosen = rng.sample(list(ENVIRONMENT), rng.choice((0, 0, 1, 3)))
    environment = {key: rng.choice((None, *ENVIRONMENT[key])) for key in chosen}
    return json.dumps([words, rng.choice(STDIN), environment]).encode()


def likely(name: str | None, rng: random.Random) -> tuple[str, ...]:
    """Return values for a parameter: often what it is meant to take."""
    usual = {
        "config": ("c.yaml", "t.yaml"), "weights": ("w.npy",), "inputs": ("t.csv", "-"),
        "data": ("t.csv", "parity"), "verify": ("w.npy",), "start": ("w.npy",), "name": ("mnist",),
        "baseline": ("r.json",), "output": ("new.npy",), "history": ("new.csv",),
        "storage": ("new.journal",), "ranges": ("eta=0.1..1", "eta=0.1,0.2"), "trials": ("2",),
        "jobs": ("1",),
    }.get(name or "", VALUES_)  # fmt: skip
    if rng.random() < 0.6:
        return usual
    return PATHS + VALUES_ + (() if name in WRITTEN else OUTSIDE)


def warm_up() -> None:
    """Compile, once, what the trainings of the cases run."""
    folder = workshop()
    with contextlib.chdir(folder):
        for config in ("c.yaml", "t.yaml"):
            assert run_mlp("train", config, "-q", "-o", "compiled.npy").returncode == 0
            Path("compiled.npy").unlink()


@functools.cache
def workshop() -> Path:
    """Make, once, the folder that every command starts in a copy of."""
    folder = Path("workshop").absolute()
    folder.mkdir()
    (folder / "c.yaml").write_text(CONFIG)
    (folder / "t.yaml").write_text(
        "data: {train: t.csv}\nstructure: [2, 2, 2]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
    )
    (folder / "t.csv").write_text(ROWS)
    (folder / "secret").write_text("s3cr3t,1\n")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    with contextlib.chdir(folder):
        assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
        Path("r.json").write_text(run_mlp("evaluate", "--weights", "w.npy", "--json").stdout)
    return folder


def check(name: str, case: bytes) -> str:
    """Run a command where each kind of path is found; see what it says and what it leaves."""
    words, stdin, environment = json.loads(case)
    # The system takes no such words.
    words = [word.replace("\0", "") for word in words]
    made = workshop()
    shutil.rmtree("room", ignore_errors=True)
    shutil.copytree(made, "room", symlinks=True)
    os.mkfifo("room/fifo")
    before = contents(Path("room"))
    changed = {key: value for key, value in environment.items() if value is not None}
    with contextlib.chdir("room"), patch.dict(os.environ, changed):
        for key in environment.keys() - changed:
            os.environ.pop(key, None)
        run = start(name, words, stdin)
    check_run(run, words)
    # A search keeps its trials, whatever became of it.
    if run.returncode and words[0] != "tune":
        after = contents(Path("room"))
        assert after == before, f"{words} wrote {set(after) ^ set(before)}"
    return f"exit {run.returncode}"


def start(name: str, words: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
    """Run a command, in this process or in one of its own."""
    # A rank that fails ends its process.
    if name == "in_process" and "--mpi" not in words:
        return run_mlp(*words, input=stdin)
    run = subprocess.run(
        [MLP, *(word.encode(errors="surrogateescape") for word in words)],
        check=False, input=stdin.encode(), capture_output=True, timeout=60,
    )  # fmt: skip
    shown = (stream.decode(errors="replace") for stream in (run.stdout, run.stderr))
    return subprocess.CompletedProcess(words, run.returncode, *shown)


def check_run(run: subprocess.CompletedProcess[str], words: list[str]) -> None:
    """Make sure that a command ended as documented."""
    said = f"{words}: {run.returncode}: {run.stderr}"[:1500]
    assert run.returncode in CODES, said
    for mark in ("internal:", "Traceback", "Warning", "\x1b"):
        assert mark not in run.stderr.replace(" ".join(words), ""), said
    assert "s3cr3t" not in run.stderr + run.stdout or "secret" in words, said
    if run.returncode == 0:
        return
    # Click's help for a command without arguments has several.
    if not run.stderr.startswith("Usage:"):
        last = run.stderr.rstrip("\n").split("\n")[-1]
        assert last.startswith("mlp: error: "), said
        assert len(last) < 12_000, said
    if run.returncode in (1, 2) and "--strict" not in words:
        assert not run.stdout, f"{said} -> {run.stdout[:200]}"


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the files that a folder holds, with modes and times."""
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in files}
