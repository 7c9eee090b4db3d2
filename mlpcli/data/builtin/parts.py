"""What has arrived of a file, kept beside its target from one try, and one run, to the next."""

import base64
import re
from pathlib import Path
from typing import NamedTuple

LONGEST_NAME = 255


class Part(NamedTuple):
    """The first bytes of a file."""

    path: Path
    validator: str
    """The ETag or Last-Modified of what they are a part of; "" if the server gave none."""
    size: int
    """In bytes."""


def part_path(target: Path, validator: str) -> Path:
    """Return where a part is kept: the name tells the target and the validator.

    So the two cannot contradict each other, whenever the process is killed. A validator too long
    for a name is left out.
    """
    token = base64.urlsafe_b64encode(validator.encode("latin-1", "replace")).decode().rstrip("=")
    name = f".{target.name}.{token}.part"
    if not token or len(name) > LONGEST_NAME:
        name = f".{target.name}.part"
    return target.with_name(name)


def find_part(target: Path) -> Part | None:
    """Return the part of a target that is there; None if none is, or it is empty."""
    parts = []
    for path in _paths(target):
        token = path.name.removeprefix(f".{target.name}.").removesuffix("part").removesuffix(".")
        parts.append(Part(path, _validator(token), path.stat().st_size))
    best = max(parts, key=lambda part: (bool(part.validator), part.size), default=None)
    return best if best and best.size else None


def remove_parts(target: Path) -> None:
    """Remove whatever part of a target is there."""
    for path in _paths(target):
        path.unlink(missing_ok=True)


def _validator(token: str) -> str:
    """Return what a name tells, or "" if nobody of ours has written it."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("latin-1")
    except ValueError:
        return ""
    return text if text.isprintable() else ""


def _paths(target: Path) -> list[Path]:
    """Return the parts of a target, and of no other."""
    if not target.parent.is_dir():
        return []
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(?:[A-Za-z0-9_-]{{2,}}\.)?part")
    return [path for path in target.parent.iterdir() if pattern.fullmatch(path.name)]
