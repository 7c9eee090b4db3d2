"""Lines in blocks: those that are read one by one, wherever the blocks end."""

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.data.readers import blocks
from mlpcli.data.readers.blocks import blocks_of, read_blocks
from mlpcli.data.readers.lines import read_lines
from mlpcli.errors import DataError

ENDS = [b"\n", b"\r\n", b"\r"]
PARTS = [b"1", b",", b'"', b" ", b"\t", b"\x0b", b"\xe2\x82\xac", b"\x85", b"\xff", b"\xef\xbb\xbf"]
content = st.lists(st.sampled_from(ENDS + PARTS), max_size=40).map(b"".join)


def outcome(lines, path):
    """Return all lines, or the error that ends them."""
    try:
        return list(lines(path))
    except DataError as error:
        return repr(error)


def lines_of_blocks(path):
    """Yield the lines of all blocks."""
    for block in read_blocks(path):
        assert len(block.numbers) == len(block.lines)
        yield from block.lines


def unix(found):
    """Return lines whose ends are line feeds, or an error."""
    if isinstance(found, str):
        return found
    return [(line.number, line.text.removesuffix("\n").removesuffix("\r")) for line in found]


@given(content, st.integers(1, 50), st.sampled_from([bytes, gzip.compress]))
@example(b'1\n"a\n\rb"\n2\n', 1, bytes)
@example(b'"\n""\n""\n"\n1\n', 6, bytes)
@example(b"1\r\n\r\n2", 2, bytes)
def test_lines_are_those_read_one_by_one(data, size, pack):
    """Whatever a file holds, lines, their numbers and errors are the same."""
    path = Path("t.csv")
    path.write_bytes(pack(data))
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(blocks, "BLOCK_BYTES", size)
        found = outcome(lines_of_blocks, path)
    assert unix(found) == unix(outcome(read_lines, path))


@given(st.lists(st.sampled_from(["1,2", '"a\nb",c', "x"]), max_size=9), st.integers(0, 10))
def test_a_block_without_its_first_lines(cells, count):
    """What is left are the other lines, and their text."""
    path = Path("t.csv")
    path.write_text("".join(f"{cell}\n" for cell in cells))
    for block in read_blocks(path):
        rest = block.after(count)
        assert [*rest.lines] == [*block.lines][count:]
        assert rest.data.decode() == "".join(line.text for line in rest.lines)


def test_blocks_have_about_so_many_characters():
    """Lines come as they are, and none waits for one that is not needed."""
    lines = iter([*read_lines(_written("1,2\n" * 10))])
    first = next(blocks_of(lines, 6))
    assert first.data == b"1,2\n1,2\n"
    assert next(lines).number == 3


def test_memory_is_bounded(monkeypatch):
    """A table takes no more memory than some blocks of it, with quotes or without."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 12)
    for row in ("1,2,3\n", '"1",2,3\n'):
        path = _written(row * 200_000)
        tracemalloc.start()
        assert sum(len(block.numbers) for block in read_blocks(path)) == 200_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 18


def _written(text):
    path = Path("t.csv")
    path.write_text(text)
    return path
