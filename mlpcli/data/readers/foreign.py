"""Files of other programs that are often taken for data: told by how they begin."""

import re

# How many bytes tell what a file is: a tar file says so after the name of its first member.
HEAD = 262
ARCHIVE = "unpack it, and give what is in it"
TABLE = "save it as CSV, or the arrays in it with np.savez"
FOREIGN = (
    (rb"\x89HDF\r\n\x1a\n", "is an HDF5 file", TABLE),
    (rb"MATLAB \d", "is a MATLAB file", TABLE),
    (rb"SQLite format 3\0", "is an SQLite database", "save the table as CSV"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office file", "save the table as CSV"),
    (rb"%PDF-", "is a PDF", "give a table, an array or a folder of images"),
    (rb"\x80[\x02-\x05]", "is a Python pickle, which could run code", TABLE),
    (rb"7z\xbc\xaf|Rar!|BZh\d|\xfd7zXZ\0|.{257}ustar", "is a packed archive", ARCHIVE),
)


def foreign(head: bytes) -> tuple[str, str] | None:
    """Return what a file is that no reader takes, and what to do; None where none is known.

    Args:
        head: its first `HEAD` bytes.
    """
    return next(
        ((what, remedy) for pattern, what, remedy in FOREIGN if re.match(pattern, head, re.DOTALL)),
        None,
    )


def foreign_archive(names: list[str]) -> tuple[str, str]:
    """Return what a zip file without arrays is, and what to do, by the names of what is in it."""
    if any(name.startswith("xl/") for name in names):
        return "is an Excel workbook", "save its sheet as CSV"
    if "content.xml" in names:
        return "is an OpenDocument file", "save its sheet as CSV"
    return "is a zip file without arrays", ARCHIVE
