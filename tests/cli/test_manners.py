"""The manners of a Unix program: `mlp` as a process, in all the places where things are odd.

Of each: the exit code, what is said, and what is on disk afterwards.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import CONFIGS
from ordeals import MLP

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store

PARITY = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
LINUX = sys.platform == "linux"
# Root may do anything, unless it lays down its capabilities.
MORTAL = "setpriv --bounding-set=-all --inh-caps=-all " if os.geteuid() == 0 else ""
OWN_DISK = "unshare --map-root-user --mount "
# Python would make UTF-8 of the locale C.
ASCII = "env PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C "
EPOCHS = r"(epoch \d+ error \S+\n)"
RESULT = (
    "weights w.npy\ntrain accuracy {0} (700 of 700)\ntest accuracy {0} (324 of 324)\n"
    "always the commonest: test accuracy 0.5000\n"
).format("1.0000")
DONE = 5


class Manner(NamedTuple):
    """An odd place: a script of the shell's, and what comes of it."""

    script: str
    """With $mlp for the program; run in a folder with short.yaml, long.yaml and huge.yaml."""
    code: int
    stderr: str = ""
    """A regular expression."""
    stdout: str = RESULT
    epochs: int | None = DONE
    """How many w.npy has afterwards; None if there must be no file, -1 for some but not all."""
    needs: str = "true"
    """A command that succeeds where the place can be had."""


TRAIN = "$mlp train short.yaml -q -o w.npy"
LONG = "$mlp train long.yaml -o w.npy"


def refused(problem, remedy="choose another place with -o"):
    """Return the line that says that w.npy cannot be written."""
    return rf"mlp: error: w\.npy: {problem}; {remedy}\n"


FULL = "mlp: error: input or output: no space left on device; check the path and the disk\n"
STOPPED = (
    r"{}: stopped in epoch \d+ after \d+ steps; "
    r"mlp train long\.yaml -o w\.npy --resume goes on from there\n"
)
MANNERS = {
    # Streams
    "closed stdin": Manner(f"{TRAIN} <&-", 0),
    "closed stdout": Manner(f"{TRAIN} >&-", 0, stdout=""),
    "closed stderr": Manner("$mlp train short.yaml -o w.npy 2>&-", 0),
    "all closed": Manner(f"{TRAIN} <&- >&- 2>&-", 0, stdout=""),
    "full stdout": Manner(f"{TRAIN} >/dev/full", 1, FULL, "", needs="test -c /dev/full"),
    # The run ends, and what it had learned is there to go on from.
    "full stderr": Manner(f"{LONG} 2>/dev/full", 1, "", "", -1, needs="test -c /dev/full"),
    "head": Manner(f"{LONG} 2>&1 | head -n 1; exit ${{PIPESTATUS[0]}}", 141,
                   stdout="epoch 0 error 0.48236\n", epochs=-1),
    "head, every step": Manner(f"{LONG} -v 2>&1 | head -n 0; exit ${{PIPESTATUS[0]}}", 141,
                               stdout="", epochs=None),
    "nobody reads the result": Manner(
        f"{{ sleep 0.1; {TRAIN}; }} | true; exit ${{PIPESTATUS[0]}}", 141, stdout=""
    ),
    # Signals
    "SIGHUP": Manner(f"{LONG} 2>err & until [ -s err ]; do sleep 0.02; done; kill -HUP $!; "
                     "wait $!; code=$?; cat err >&2; rm err; exit $code", 129,
                     f"(.* line 1: .*\n)?{EPOCHS}+{STOPPED.format('SIGHUP')}", "", -1),
    "nohup": Manner(f"nohup {LONG} 2>err & until [ -s err ]; do sleep 0.02; done; kill -HUP $!; "
                    "sleep 0.1; kill -TERM $!; wait $!; code=$?; tail -n 1 err >&2; rm err; "
                    "exit $code", 143, STOPPED.format("SIGTERM"), "", -1),
    "Ctrl-C ends the reader, too": Manner(
        f"mkfifo p; exec 3<>p; {LONG} -q --set checkpoint_every=1 2>p 3>&- & exec 3>&-; "
        "until [ -e w.npy ]; do sleep 0.02; done; kill -TERM $!; wait $!; code=$?; rm p; "
        "exit $code", 143, "", "", -1),
    "SIGTERM amid predictions": Manner(
        f"{TRAIN}; mkfifo p; $mlp predict --weights w.npy -o out.csv - <p & exec 3>p; "
        "until ls -A | grep -q tmp; do sleep 0.02; done; kill -TERM $!; wait $!; code=$?; rm p; "
        "exit $code", 143),
    # Places
    "output is a folder": Manner("mkdir w.npy; trap 'rmdir w.npy' EXIT; " + TRAIN, 1,
                                 refused("is not a regular file"), "", None),
    "output is a device": Manner("$mlp train short.yaml -o /dev/full", 1,
                                 "mlp: error: /dev/full: is not a regular file; choose another "
                                 "place with -o\n", "", None, "test -c /dev/full"),
    "read-only folder": Manner(f"chmod 555 .; {MORTAL}{TRAIN}", 1,
                               refused("cannot be written: permission denied"), "", None,
                               f"{MORTAL}true"),
    "read-only folder and home, output elsewhere": Manner(
        f"d=$PWD; mkdir -m 555 home; cd home; HOME=$PWD {MORTAL}$mlp train ../short.yaml -q "
        "-o ../w.npy; code=$?; rmdir ../home; exit $code", 0,
        stdout=RESULT.replace("w.npy", "../w.npy"), needs=f"{MORTAL}true"),
    "no home": Manner(f"HOME=/nonexistent {TRAIN}", 0),
    "history that cannot be": Manner(
        f"{TRAIN} --history no/h.csv", 1,
        "mlp: error: no/h.csv: cannot be written: no such file or directory; choose another place "
        "with --history\n", "", None
    ),
    "history on a full disk": Manner(
        f"ln -s /dev/full h.csv; {TRAIN} --history h.csv; code=$?; rm h.csv; exit $code", 1,
        "mlp: error: h.csv: cannot be written: no space left on device; check the disk\n", "",
        None, "test -c /dev/full"),
    # Limits
    "full disk": Manner(
        f"mkdir d; {OWN_DISK} bash -c 'mount -t tmpfs -o size=64k none d && $mlp train long.yaml "
        "-o d/w.npy; code=$?; ls -A d; exit $code'; code=$?; rmdir d; exit $code", 1,
        refused("cannot be written: no space left on device").replace("w\\", "d/w\\"), "", None,
        f"mkdir d && {OWN_DISK} mount -t tmpfs none d && rmdir d"),
    # 1 is 1024 bytes.
    "file-size limit": Manner(f"ulimit -f 1; {TRAIN}", 1,
                              refused("cannot be written: file too large"), "", None),
    # Only the finished run's file would be larger: 5000 epochs of 200 bytes.
    "file-size limit, later": Manner(f"ulimit -f 500; {LONG}", 1,
                                     refused("cannot be written: file too large"), "", None),
    # 3 · 13 · 18e6 · 8 bytes of parameters, and 3 · 8 · 18e6 · 8 for mini-batches of 8
    "memory limit": Manner("ulimit -v 2600000; OPENBLAS_NUM_THREADS=1 $mlp train huge.yaml -o "
                           "w.npy", 1,
                           "mlp: error: huge.yaml:3: structure: there is not enough memory: "
                           r"training takes more than 9\.1 GB beside the data; write a smaller "
                           "structure or bt_size\n", "", None, f"{str(LINUX).lower()}"),
    # Two at once
    "two runs on one output": Manner(
        f"{LONG} 2>err & until [ -s err ]; do sleep 0.02; done; {TRAIN} --overwrite; code=$?; "
        "kill $!; wait $!; [ $? = 143 ] && rm err; exit $code", 1,
        refused("is being written by another run", "wait for it, or choose another place with -o"),
        "", -1),
    # Languages and clocks
    "time zone and locale": Manner(
        f"$mlp train short.yaml -q -o other.npy >/dev/null; TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 "
        f"LC_ALL=de_DE.ISO-8859-1 PYTHONHASHSEED=7 {TRAIN}; cmp w.npy other.npy && rm other.npy",
        0),
    "ASCII, and a name that is not": Manner(
        f"mv short.yaml $'caf\\xe9.yaml'; {ASCII}$mlp train $'caf\\xe9.yaml' -q; code=$?; "
        "mv $'caf\\xe9.npy' w.npy; rm $'caf\\xe9.yaml'; exit $code", 0,
        stdout=r"weights caf\udce9.npy" + RESULT[len("weights w.npy"):],
        needs="touch $'caf\\xe9' && rm $'caf\\xe9'"),
    "UTF-8, and a name that is not": Manner(
        "$mlp train $'caf\\xe9.yaml'", 2, r"mlp: error: caf\\udce9\.yaml: no such file or "
        "directory; give the path of a YAML experiment\n", "", None),
}  # fmt: skip


@pytest.fixture
def shell():
    """Return a function that runs a script of bash's, with $mlp for the installed program."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("there is no bash")

    def run(script, **options):
        return subprocess.run(
            [bash, "-c", script], check=False, capture_output=True, encoding="utf-8", timeout=120,
            errors="backslashreplace", env=os.environ | {"mlp": str(MLP)}, **options
        )  # fmt: skip

    return run


def cases():
    """Yield the manners; where files are limited, coverage cannot write its own."""
    for name, manner in MANNERS.items():
        marks = [pytest.mark.unmeasured] if "ulimit -f" in manner.script else []
        yield pytest.param(manner, id=name, marks=marks)


@pytest.mark.parametrize("manner", list(cases()))
def test_manners(shell, manner):
    """In an odd place `mlp` ends with its exit code, says why in a line, and leaves whole files."""
    for name, old, new in (
        ("short", "epochs: 1000", f"epochs: {DONE}"),
        ("long", "epochs: 1000", "epochs: 5000"),
        ("huge", "[10, 3, 2]", "[10, 18000000, 2]"),
    ):
        Path(f"{name}.yaml").write_text(PARITY.replace(old, new), encoding="utf-8")
    if shell(manner.needs).returncode:
        pytest.skip(f"needs {manner.needs}")
    run = shell(manner.script)
    Path().chmod(0o755)
    assert (run.returncode, run.stdout) == (manner.code, manner.stdout), run.stderr
    assert re.fullmatch(manner.stderr, run.stderr), run.stderr
    left = {str(path) for path in Path().iterdir()} - {"short.yaml", "long.yaml", "huge.yaml"}
    assert left == (set() if manner.epochs is None else {"w.npy"})
    if manner.epochs is not None:
        _, meta = store.load_with_meta(Path("w.npy"))
        assert meta.complete == (manner.epochs == DONE)
        assert meta.epoch == DONE or manner.epochs < 0


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_class_names_that_the_locale_cannot_write(mlp_process, parity_weights, encoding):
    """A class called お😀 is shown in every locale as best it can be, and in JSON as it is."""
    record = checkpoint.read(parity_weights)
    record.meta["class_names"] = ["odd", "お😀"]
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    run = mlp_process("show", "w.npy", env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert ("お😀" if encoding != "latin-1" else r"\u304a\U0001f600") in run.stdout
    run = mlp_process("show", "w.npy", "--json", env=environment)
    assert json.loads(run.stdout)["classes"] == ["odd", "お😀"]
