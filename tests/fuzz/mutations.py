"""Damage to bytes, drawn from a generator: what a disk, a network or an attacker may do to them."""

import random
import struct
from collections.abc import Callable

INTERESTING = (0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 65535, 65536, 2**24)
INTERESTING_LARGE = (2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def mutate(content: bytes, rng: random.Random, words: tuple[bytes, ...] = ()) -> bytes:
    """Return content damaged in one to four places; words are those that the format knows."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(MUTATIONS)(damaged, rng, words)
    return bytes(damaged)


def flip(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """Turn a bit over."""
    if damaged:
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)


def replace(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """Write another byte."""
    if damaged:
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)


def number(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """Write a number at which counters overflow, in either byte order."""
    form = rng.choice("BHIQ")
    bits = 8 * struct.calcsize(form)
    value = rng.choice(INTERESTING + INTERESTING_LARGE) % (1 << bits)
    packed = struct.pack(rng.choice("<>") + form, value)
    at = rng.randrange(len(damaged) + 1)
    damaged[at : at + len(packed)] = packed


def cut(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """End early."""
    del damaged[rng.randrange(len(damaged) + 1) :]


def remove(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """Leave out a piece."""
    at = rng.randrange(len(damaged) + 1)
    del damaged[at : at + rng.choice((1, 2, 4, 16, 64))]


def repeat(damaged: bytearray, rng: random.Random, _: tuple[bytes, ...]) -> None:
    """Write a piece again, up to a hundred times, somewhere else."""
    at = rng.randrange(len(damaged) + 1)
    piece = damaged[at : at + rng.choice((1, 2, 8, 64))] * rng.choice((1, 1, 2, 100))
    where = rng.randrange(len(damaged) + 1)
    damaged[where:where] = piece


def insert(damaged: bytearray, rng: random.Random, words: tuple[bytes, ...]) -> None:
    """Put a word of the format, or noise, where it does not belong."""
    where = rng.randrange(len(damaged) + 1)
    damaged[where:where] = rng.choice(words) if words else rng.randbytes(rng.choice((1, 4, 32)))


def overwrite(damaged: bytearray, rng: random.Random, words: tuple[bytes, ...]) -> None:
    """Write a word of the format, or noise, over what is there."""
    word = rng.choice(words) if words else rng.randbytes(rng.choice((1, 4, 32)))
    where = rng.randrange(len(damaged) + 1)
    damaged[where : where + len(word)] = word


MUTATIONS: tuple[Callable[[bytearray, random.Random, tuple[bytes, ...]], None], ...] = (
    flip, replace, number, cut, remove, repeat, insert, overwrite,
)  # fmt: skip
