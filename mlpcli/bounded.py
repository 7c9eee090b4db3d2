"""Small files read whole, whatever their names turn out to be."""

import errno
import os
from pathlib import Path


def read_bytes(path: Path, most: int) -> bytes:
    """Return the content of a file, a pipe or a device, if it is not too large.

    Args:
        path: the file.
        most: how many bytes it may have.

    Raises:
        OSError: if it cannot be read, or goes on after so many bytes.
    """
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content
