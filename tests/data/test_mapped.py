"""Arrays that stand in a file."""

import numpy as np
import pytest

from mlpcli.data.mapped import MappedFile, mapped_file
from mlpcli.errors import DataError


def test_a_mapped_file_is_opened_again_as_it_is():
    """An array in a file is found there, but no slice or copy; a missing file is an error."""
    np.save("a.npy", np.arange(12.0).reshape(3, 2, 2))
    array = np.load("a.npy", mmap_mode="r").reshape(3, 4)
    found = mapped_file(np.asarray(array))
    assert found.open().tolist() == array.tolist()
    assert mapped_file(array[1:]) is mapped_file(array.copy()) is None
    with pytest.raises(DataError, match="put it there on all machines"):
        MappedFile("none.npy", found.dtype, 0, (3, 4)).open()
