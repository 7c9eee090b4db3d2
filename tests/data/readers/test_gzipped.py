"""Files that may be compressed: the same content either way, and damage is said."""

import gzip

import pytest

from mlpcli.data.readers.gzipped import open_maybe_gzipped
from mlpcli.errors import DataError

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def path(tmp_path):
    """Return where a file may be."""
    return tmp_path / "file"


@pytest.mark.parametrize("content", [b"", b"\x1f", CONTENT], ids=["empty", "a byte", "long"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gz"])
def test_content(path, pack, content):
    """A file's content comes out whole, with whether it was compressed."""
    path.write_bytes(pack(content))
    with open_maybe_gzipped(path) as (stream, compressed):
        assert (stream.read(), compressed) == (content, pack is gzip.compress)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-1],
        lambda packed: packed[:5],
        lambda packed: packed[:-8] + bytes(8),
        lambda packed: packed[:10] + b"\xff" + packed[11:],
        lambda packed: packed + b"x",
    ],
    ids=["cut off", "in the header", "checksum", "deflated data", "goes on"],
)
def test_damage(path, spoil):
    """Compressed data that do not unpack are damage, named with the file."""
    path.write_bytes(spoil(gzip.compress(CONTENT)))
    with (
        pytest.raises(DataError, match="file: is damaged: it cannot be unpacked"),
        open_maybe_gzipped(path) as (stream, _),
    ):
        stream.read()
