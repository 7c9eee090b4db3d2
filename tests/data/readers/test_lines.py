"""Lines of text: decoded, and bounded."""

import io

import pytest

from mlpcli.data.readers import lines
from mlpcli.errors import DataError


def test_endless_blank_lines(monkeypatch):
    """More blank lines in a row than anybody writes are refused at the first that is too many."""
    monkeypatch.setattr(lines, "MOST_BLANK", 9)
    ten = b"a\n" + b" \r\n" * 9 + b"b\n" + b"\n" * 9
    assert len(list(lines.decode_lines(io.BytesIO(ten), "-"))) == 20
    with pytest.raises(DataError, match=r"^-:21: is blank, as are 9 lines before it"):
        list(lines.decode_lines(io.BytesIO(ten + b"\n"), "-"))
