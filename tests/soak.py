"""The long proofs that nothing is lost, by hand: `make soak`. Prints the figures it reached.

What `make test` does a little of, at length; two to four minutes on two cores. Exits with a
traceback at the first promise that is not kept.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# A process with one thread can be forked, and runs are compared to the byte.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import ordeals

PARITY = Path(__file__).parent.parent / "configs" / "parity.yaml"
EPOCHS = 1000
RUNS = {
    "article": (),
    "adam, cosine, dropout, validation, patience": (
        "compat: article",
        "optimizer: adam\nschedule: cosine\ndropout: 0.2\nvalidation: 0.2\npatience: 1000\n"
        "init: he",
    ),
}


def interruptions(
    folder: Path, change: tuple[str, ...], times: int, seed: int
) -> tuple[dict[str, int], int]:
    """Interrupt a run so many times, and resume it.

    A run that is over is compared with an uninterrupted one, and another begun.

    Returns:
        How often each signal ended it, and how many runs it took.
    """
    text = PARITY.read_text(encoding="utf-8").replace("1000", str(EPOCHS))
    text = text.replace(*change) if change else text
    (folder / "c.yaml").write_text(f"{text}\ncheckpoint_every: 0.1\n", encoding="utf-8")
    config, whole, resumed = (folder / name for name in ("c.yaml", "whole.npy", "resumed.npy"))
    histories = {path: path.with_suffix(".csv") for path in (whole, resumed)}

    def words(path: Path) -> list:
        return ["train", config, "-o", path, "--history", histories[path]]

    subprocess.run([ordeals.MLP, *words(whole), "-q"], check=True, stdout=subprocess.DEVNULL)
    rng, ended = random.Random(seed), {"SIGTERM": 0, "SIGKILL": 0}
    runs = 1
    while sum(ended.values()) < times:
        name = rng.choice(list(ended))
        lines = rng.randint(0, 60)
        # Some moments are of the start: loading, the lock, the proof that the path can be written.
        if ordeals.interrupt(
            [*words(resumed), "--resume", "-v"],
            getattr(signal, name),
            lines,
            rng.uniform(0, 0.4) if rng.random() < 0.2 else None,
        ):
            ended[name] += 1
        else:
            compare(words(resumed), whole, resumed, histories)
            resumed.unlink()
            runs += 1
    compare(words(resumed), whole, resumed, histories)
    return ended, runs


def compare(words: list, whole: Path, resumed: Path, histories: dict[Path, Path]) -> None:
    """End a run, and compare it with the whole one."""
    subprocess.run([ordeals.MLP, *words, "--resume", "-q"], check=True, stdout=subprocess.DEVNULL)
    assert resumed.read_bytes() == whole.read_bytes(), "other bytes"
    assert ordeals.timeless(histories[resumed]) == ordeals.timeless(histories[whole])
    found = {path.name for path in whole.parent.iterdir()}
    assert found == {"c.yaml", "whole.npy", "resumed.npy", "whole.csv", "resumed.csv"}, found


def main() -> None:
    """Put saves and runs through everything."""
    begun = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - begun:4.0f} s  {text}", flush=True)

    def fresh() -> Path:
        return Path(tempfile.mkdtemp(dir=root)) / "w.npy"

    with tempfile.TemporaryDirectory() as root:
        for name in ordeals.ERRORS:
            calls = ordeals.fail_every_call(fresh(), name)
            say(f"{name} at each of {calls} system calls of a save: old or new file, whole")
        calls = ordeals.kill_every_call(fresh())
        say(f"SIGKILL at each of {calls} system calls of a save: old or new file, whole")
        left = ordeals.kill_at_random(fresh(), 200)
        say(f"SIGKILL at 200 random moments, {left} of them within a save: old or new file, whole")
        reads = ordeals.crowd(fresh(), 16, 50)
        say(f"16 processes × 50 saves to one path, read {reads} times meanwhile: always whole")
        for seed, (name, change) in enumerate(RUNS.items()):
            ended, runs = interruptions(fresh().parent, change, 50, seed)
            counts = " and ".join(f"{n} {number}" for number, n in ended.items())
            say(
                f"{runs} run{'s' * (runs > 1)} ({name}) interrupted 50 times, by {counts}: "
                "byte-identical"
            )


if __name__ == "__main__":
    main()
