"""Configurations, damaged and hostile, as files and as values of --set."""

import random
from pathlib import Path

from fuzz.mutations import mutate
from fuzz.outcome import check_error
from mlpcli.config.load import load_experiment
from mlpcli.errors import MlpError

NAMES = ("file", "override")
SOUND = b"""\
data: {train: x.csv, test: 0.25, target: kind, ignore: [id, 3], missing: mean}
structure: [4, 8, 2]
activation: sigmoid
optimizer: adam
schedule: {name: step, every: 3, factor: 0.5}
eta: 0.3
bt_size: 8
epochs: 5
"""
WORDS = (
    b"[" * 3000, b"{a: " * 3000, b"- " * 3000, b"? " * 1000, b"- [" * 500, b"!!python/name:os.x",
    b"!!python/object/apply:os.system ['touch pwned']", b"!!binary aGk=", b"!!set {a, b}",
    b"!!timestamp 2020-01-01", b"!!int x", b"!!float []", b"!!bool 3", b"!!null 3", b"!<tag:x>",
    b"9" * 5000, b"0x" + b"f" * 5000, b"1e999", b".nan", b"-.inf", b"1_0", b"10:30", b"10" * 6,
    b"&a [*a]", b"*a", b"&a ", b"<<: {eta: 1}", b"<<: *a", b"\0", b"\x1b", b"\xef\xbb\xbf", b"\xff",
    b"\xff\xfe", b"\n---\n", b"\n...\n", b"\n%YAML 9.9\n", b"%TAG ! tag:x:\n", b"\t", b"\r", b"\n",
    b'"\\UFFFFFFFF"', b'"\\uD800"', b"'", b'"', b"|\n", b">9\n", b"# ", b": ", b", ", b"]", b"}",
    b"eta: 0.1\n", b"a" * 9999, b"\xe2\x80\xa8", b"\xc2\x85", b"@", b"`", b"%", b"~", b"null", b"=",
)  # fmt: skip
KEYS = (b"eta", b"structure", b"data.train", b"optimizer.name", b"a.b.c", b"seed", b"augment.shift")


def make(name: str, rng: random.Random) -> bytes:
    """Return a file, or KEY=VALUE."""
    if name == "override":
        value = rng.choice((b"0.3", b"[1, 2]", b"{name: adam}"))
        return rng.choice(KEYS) + b"=" + mutate(value, rng, WORDS)
    if rng.random() < 0.05:
        return bomb(rng)
    return mutate(SOUND, rng, WORDS)


def bomb(rng: random.Random) -> bytes:
    """Return aliases of aliases, which stand for more than any memory holds."""
    lines = [b"a0: &a0 [1, 1]"]
    lines += [b"a%d: &a%d [%s]" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12)]
    last = rng.choice((b"structure: *a11", b"data: {train: *a11}", b"eta: *a9"))
    return b"\n".join([*lines, last, b""])


def check(name: str, case: bytes) -> str:
    """Load a configuration."""
    path, overrides = Path("c.yaml"), ()
    path.write_bytes(SOUND if name == "override" else case)
    if name == "override":
        overrides = (case.decode(errors="surrogateescape"),)
    try:
        experiment = load_experiment(path, overrides)
        experiment.to_mapping()
    except MlpError as error:
        assert error.exit_code == 2, error
        return check_error(error)
    finally:
        assert not Path("pwned").exists()
    return "read"
