"""Run every target, or one, in processes of their own: a crash is a failure like another.

Each process may take another GiB of memory, and a case a few seconds of processor time. A case
that fails is written to a file, from which `--replay` runs it again.
"""

import argparse
import contextlib
import importlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

# Cases for each name of a module, but for those in `SLOW`; `make test` runs a fortieth.
COUNTS = {
    "readers": 5_000,
    "yaml_files": 2_500,
    "command_lines": 4_600,
    "checkpoints": 10_000,
    "checkpoint_bytes": 5_000,
}
# Starting a process takes longer than all that is tried in it.
SLOW = {"process": 400}
CPU_SECONDS = 5
WAIT_SECONDS = 60
MEMORY = 1 << 30
FAILED = "FAILED "


def main() -> int:
    """Run what the arguments say; return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="[default: a fresh one]")
    parser.add_argument("--share", type=int, default=1, help="run one case in SHARE")
    parser.add_argument("--module", choices=COUNTS, action="append")
    parser.add_argument("--name", help="one target alone")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), metavar="FOLDER")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        module, name, first, last = given.child
        return run_cases(module, name, given.seed, range(int(first), int(last)))
    if given.replay:
        module, name, *_ = given.replay.name.split("~")
        target = importlib.import_module(f"fuzz.{module}")
        case = given.replay.read_bytes()
        with room(target):
            print(attempt(target, name, case))
        return 0
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}")
    failed = 0
    for module in given.module or COUNTS:
        target = importlib.import_module(f"fuzz.{module}")
        for name in [given.name] if given.name else target.NAMES:
            count = SLOW.get(name, COUNTS[module]) // given.share
            counts, failures = supervise(module, name, seed, count)
            shown = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()))
            print(f"{module} {name}: {count} cases: {shown}", flush=True)
            failed += len(failures)
            for index, why in failures.items():
                keep(given.keep / f"{module}~{name}~{seed}~{index}", module, name, seed, index, why)
    return bool(failed)


def case_of(target: ModuleType, name: str, seed: int, index: int) -> bytes:
    """Return a case, which is decided by these alone."""
    return target.make(name, random.Random(f"{name} {seed} {index}"))


def keep(path: Path, module: str, name: str, seed: int, index: int, why: str) -> None:
    """Write a case that failed to a file, and say so."""
    path.parent.mkdir(exist_ok=True)
    target = importlib.import_module(f"fuzz.{module}")
    path.write_bytes(case_of(target, name, seed, index))
    print(f"{FAILED}{path}: {why}", flush=True)


def supervise(module: str, name: str, seed: int, count: int) -> tuple[Counter[str], dict[int, str]]:
    """Run cases in processes, a new one after each that crashed; return outcomes and failures."""
    counts: Counter[str] = Counter()
    failures: dict[int, str] = {}
    following = 0
    while following < count:
        begun = following
        command = [sys.executable, "-m", "fuzz", f"--seed={seed}", "--child", module, name]
        run = subprocess.run(
            [*command, str(begun), str(count)],
            check=False, capture_output=True, stdin=subprocess.DEVNULL,
            cwd=Path(__file__).parent.parent,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        for line in run.stdout.decode(errors="replace").splitlines():
            if line.startswith(FAILED):
                failures[following] = line
            counts["failed" if line.startswith(FAILED) else line] += 1
            following += 1
        if following == count and not run.returncode:
            break
        # It died on the way. Its last words are on standard error.
        said = run.stderr.decode(errors="replace").splitlines()[-1:]
        failures[following] = f"crashed with {run.returncode}: {said}"
        counts["crashed"] += 1
        following += 1
    return counts, failures


def run_cases(module: str, name: str, seed: int, indices: range) -> int:
    """Run cases in this process, a line for the outcome of each."""
    target = importlib.import_module(f"fuzz.{module}")
    out = os.fdopen(os.dup(1), "w", buffering=1)
    with room(target), tempfile.TemporaryFile() as stray:
        # What a library writes past Python is seen, too.
        os.dup2(stray.fileno(), 1)
        os.dup2(stray.fileno(), 2)
        limit_memory()
        for index in indices:
            outcome = attempt(target, name, case_of(target, name, seed, index))
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            if os.fstat(stray.fileno()).st_size:
                stray.seek(0)
                outcome = f"{FAILED}wrote {stray.read(300)!r}"
                stray.truncate(0)
                stray.seek(0)
            out.write(f"{outcome}\n")
    return 0


@contextlib.contextmanager
def room(target: ModuleType) -> Iterator[None]:
    """Be in a folder of its own, where nothing is fetched, and what compiles has been compiled."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.environ |= {"HOME": folder, "TMPDIR": folder}
        os.environ.setdefault("NUMBA_CACHE_DIR", folder)
        # No proxy is there.
        os.environ |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
        # Compiling takes longer than a case may.
        getattr(target, "warm_up", lambda: None)()
        yield


def limit_memory() -> None:
    """Let this process take so much more memory than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def attempt(target: ModuleType, name: str, case: bytes) -> str:
    """Return what came of a case, in one line."""
    # What waits for ever uses no processor time.
    signal.alarm(WAIT_SECONDS)
    seconds = int(time.process_time()) + 1 + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            outcome: str = target.check(name, case)
    except BaseException as error:  # noqa: BLE001 - whatever comes is a failure
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return f"{FAILED}{text} ({Path(where.filename).name}:{where.lineno})"
    return outcome


if __name__ == "__main__":
    sys.exit(main())
