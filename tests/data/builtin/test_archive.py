"""EMNIST: one archive for six datasets, of which each takes its own members."""

import gzip
import hashlib
import io
import struct
import zipfile

import numpy as np
import pytest
from mirror import Reply, running

from mlpcli.data.builtin import archive
from mlpcli.data.builtin.datasets import load_builtin, open_builtin_split
from mlpcli.data.builtin.registry import DATASETS, EMNIST, IDX_FILES, RemoteFile
from mlpcli.data.dataset import Preparation
from mlpcli.errors import DataError

N = 7
LETTERS = DATASETS["emnist-letters"]


def idx(array):
    """Return an array of bytes as a compressed IDX file."""
    shape = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes(), mtime=0)


def images(split, part):
    """Return images, upright, and the classes, of one split."""
    rng = np.random.default_rng([len(split), len(EMNIST[split]), len(part)])
    labels = rng.integers(len(EMNIST[split]), size=N, dtype=np.uint8)
    return rng.integers(256, size=(N, 28, 28), dtype=np.uint8), labels


def packed(**options):
    """Return a small archive of all splits, images transposed, as NIST's are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as opened:
        opened.writestr("../evil.gz", b"climbs out")
        for split in EMNIST:
            for part in ("train", "test"):
                x, y = images(split, part)
                first = f"gzip/emnist-{split}-{part}"
                opened.writestr(f"{first}-images-idx3-ubyte.gz", idx(x.transpose(0, 2, 1)))
                opened.writestr(f"{first}-labels-idx1-ubyte.gz", idx(y + (split == "letters")))
    return buffer.getvalue()


def put(data_dir, content):
    """Put an archive where it is kept."""
    path = data_dir / "emnist" / "gzip.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def names(folder):
    """Return what is below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def data_dir(tmp_path):
    """Return a data directory."""
    return tmp_path / "data"


@pytest.mark.parametrize("split", EMNIST)
def test_images_are_upright(data_dir, split):
    """Each dataset has its own images, rows and columns in their places, and classes from 0."""
    put(data_dir, packed())
    dataset = load_builtin(f"emnist-{split}", Preparation(), data_dir, "data")
    for part, found in (("train", dataset.train), ("test", dataset.test)):
        x, y = images(split, part)
        np.testing.assert_array_equal(found.features, x.reshape(N, -1))
        np.testing.assert_array_equal(found.labels, y)
    assert dataset.encoding.class_names == EMNIST[split]


def test_letters_are_a_to_z(data_dir):
    """The label 1 of `letters` is class 0, A; a label 0 or 27 is none."""
    folder = put(data_dir, packed()).parent.parent / "emnist-letters"
    folder.mkdir()
    labels = np.array([1, 26, 1, 1, 1, 1, 1], np.uint8)
    for label, problem in ((1, ""), (0, "row 1 has label 0"), (27, "row 1 has label 27")):
        labels[1] = label
        (folder / IDX_FILES[1]).write_bytes(idx(labels))
        if problem:
            with pytest.raises(DataError, match=problem.replace("row", "example")):
                load_builtin("emnist-letters", Preparation(), data_dir, "data")
        else:
            train = load_builtin("emnist-letters", Preparation(), data_dir, "data").train
            assert train.labels.tolist() == [0] * N
    assert LETTERS.class_names[0] == "A"


def test_only_what_is_read_is_unpacked(data_dir):
    """Opening the test split of a dataset takes its two files from the archive, and no others."""
    put(data_dir, packed())
    encoding = load_builtin("emnist-digits", Preparation(), data_dir, "data").encoding
    assert (
        open_builtin_split("emnist-mnist", "test", encoding, "float32", data_dir, "data")
        is not None
    )
    digits = [f"emnist-digits/{name}" for name in sorted(IDX_FILES)]
    mnist = [f"emnist-mnist/{name}" for name in sorted(IDX_FILES[2:])]
    assert names(data_dir) == [*digits, *mnist, "emnist/gzip.zip"]
    assert sorted(names(data_dir.parent)) == sorted(f"data/{name}" for name in names(data_dir))


def test_what_is_unpacked_needs_no_archive(data_dir):
    """A dataset opens without the archive once its files are there, and else says how to get it."""
    path = put(data_dir, packed())
    load_builtin("emnist-letters", Preparation(), data_dir, "data")
    path.unlink()
    load_builtin("emnist-letters", Preparation(), data_dir, "data")
    with pytest.raises(DataError, match="there is no such file; run mlp download emnist-digits"):
        load_builtin("emnist-digits", Preparation(), data_dir, "data")


def declared(content, member, size):
    """Change the size that an archive's directory declares for a member."""
    record = content.rindex(member.encode()) - 46
    assert content[record : record + 4] == b"PK\x01\x02"
    return content[: record + 24] + struct.pack("<I", size) + content[record + 28 :]


def flipped(content, member):
    """Change a bit of a member's content."""
    place = content.index(member.encode()) + len(member) + 40
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


FIRST = LETTERS.members[0]
HOSTILE = {
    "no zip": (lambda _: b"PK\x03\x04 but no more", "File is not a zip file"),
    "empty": (lambda _: b"", "File is not a zip file"),
    "truncated": (lambda zipped: zipped[:-50], ".*"),
    "missing": (lambda zipped: zipped.replace(FIRST.encode(), b"x" * len(FIRST)), "it has no .*"),
    "bomb": (lambda zipped: declared(zipped, FIRST, 2**31), "gzip/.* declares 2147483648 bytes"),
    "less than declared": (lambda zipped: declared(zipped, FIRST, 2**20),
                           r"gzip/.* declares 1048576 bytes, and holds \d+"),
    "more than declared": (lambda zipped: declared(zipped, FIRST, 10), "Bad CRC-32 for file .*"),
    "flipped": (lambda zipped: flipped(zipped, FIRST), "Bad CRC-32 for file .*"),
    "LZMA": (lambda _: packed(compression=zipfile.ZIP_LZMA), ".* is compressed by method 14"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(data_dir, name):
    """An archive that is not as it declares makes one error, no file, and nothing half."""
    change, problem = HOSTILE[name]
    path = put(data_dir, change(packed()))
    with pytest.raises(DataError, match=f"gzip.zip: is damaged: {problem}; fetch it again"):
        archive.unpack(path, LETTERS, data_dir / "emnist-letters")
    assert names(data_dir) == ["emnist/gzip.zip"]


def test_download(data_dir, run_mlp, monkeypatch):
    """One download serves all datasets; what was damaged afterwards is found and unpacked again."""
    content = packed(compression=zipfile.ZIP_DEFLATED)
    monkeypatch.setenv("no_proxy", "*")
    published = RemoteFile("gzip.zip", len(content), hashlib.sha256(content).hexdigest())
    with running({published.name: content}) as server:
        mirrors = server.play(nist=[Reply(sent=1000), Reply()])
        for split in EMNIST:
            entry = DATASETS[f"emnist-{split}"]._replace(mirrors=mirrors, files=(published,))
            monkeypatch.setitem(DATASETS, f"emnist-{split}", entry)
        words = ("download", "emnist-letters", "emnist-digits", "--data-dir", data_dir)
        run = run_mlp(*words)
        assert (run.returncode, run.stderr) == (0, "")
        assert server.requests == ["nist", "nist 1000"]
        zipped = data_dir / "emnist" / "gzip.zip"
        lines = [f"{zipped} fetched from {mirrors[0]}", f"{zipped} is there and valid"]
        unpacked = [
            data_dir / f"emnist-{split}" / name
            for split in ("letters", "digits")
            for name in IDX_FILES
        ]
        of = [f"{path} unpacked from {zipped}" for path in unpacked]
        assert run.stdout.splitlines() == [lines[0], *of[:4], lines[1], *of[4:]]
        assert run_mlp(*words, "-q", "--check").returncode == 0

        unpacked[0].write_bytes(b"damaged")
        check = run_mlp(*words, "--check")
        assert check.returncode == 1
        assert f"{unpacked[0]} differs from what {zipped} holds" in check.stdout.splitlines()
        again = run_mlp(*words)
        assert again.stdout.count("is there and valid") == 9
        assert again.stdout.count("unpacked from") == 1
        assert run_mlp("download", "--check", "--data-dir", data_dir).returncode == 0
        assert server.requests == ["nist", "nist 1000"]
