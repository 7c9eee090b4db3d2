"""Files of data of every format, damaged."""

import gzip
import io
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from fuzz.mutations import mutate
from fuzz.outcome import check_error
from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.data.files import load_files
from mlpcli.errors import MlpError
from mlpcli.prediction.inputs import read_input

FILES = {
    "csv": "x.csv", "csv.gz": "x.csv.gz", "tsv": "x.tsv", "jsonl": "-", "npy": "x.npy",
    "npz": "x.npz", "idx": "x-images-idx3", "idx.gz": "x-images-idx3.gz", "parquet": "x.parquet",
    "png": "d/a/1.png", "jpeg": "d/a/1.jpg", "bmp": "d/a/1.bmp",
    "gif": "d/a/1.gif", "webp": "d/a/1.webp", "tiff": "d/a/1.tiff", "pgm": "d/a/1.pgm",
    "labels": "y.csv", "labels.npy": "y.npy", "labels.idx": "y.idx",
}  # fmt: skip
NAMES = tuple(FILES)
NUMBERS = np.arange(24, dtype=np.float32).reshape(6, 4) / 8
LABELS = np.arange(6, dtype=np.uint8) % 2
CELLS = (
    b",", b";", b"\t", b'"', b'""', b"\n", b"\r", b"\r\n", b"\0", b"NA", b"nan", b"inf", b"-1e999",
    b"1e308", b"9" * 400, b"\xef\xbb\xbf", b"\xff", b"\x1b[31m", b"\xe2\x80\xae", b" ", b"?", b"_1",
    b"1_0", b"0x10", b"\xd9\xa1", b"true", b"\xc2\x85",
)  # fmt: skip
JSON = (
    b"[", b"]", b"{", b"}", b'"', b"null", b"true", b"NaN", b"Infinity", b"1e999", b"9" * 5000,
    b"\\ud800", b"\\u0000", b"[" * 3000, b'{"a":' * 1000, b"\n", b"\xff", b"-0",
)  # fmt: skip
NPY = (
    b"'descr': '|O'", b"'<f8'", b"'<U9'", b"'<M8[s]'", b"'<V8'", b"(0,)", b"(6, 4, 0)", b"(-1,)",
    b"4611686018427387904", b"True", b"[('a', '<f4')]", b"\x93NUMPY\x03\0", b"(" * 200, b"\0",
    b"'<f4,<i4'", b"1" * 5000, b"'<c8'",
)  # fmt: skip


# --- Files without a defect


def table(delimiter: str = ",") -> bytes:
    """Return a table of numbers, text and classes."""
    rows = [["a", "b", "colour", "kind"]]
    rows += [[str(i), f"{i / 7:g}", '"re,d"' if i % 2 else "blue", "xy"[i % 2]] for i in range(8)]
    return "\n".join(map(delimiter.join, rows)).encode()


def json_lines() -> bytes:
    """Return JSON lines in the units of `ENCODING`."""
    return b"".join(b'{"0": %d, "1": 2.5, "2": 0, "3": 1}\n' % i for i in range(4))


def npy(array: np.ndarray = NUMBERS) -> bytes:
    """Return an array as np.save writes it."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def idx(array: np.ndarray) -> bytes:
    """Return an array of bytes as IDX."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.tobytes()


def archive(method: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive of arrays, compressed in one way or another."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        file.writestr("x.npy", npy())
        file.writestr("y.npy", npy(LABELS))
    return stream.getvalue()


def columns(compression: str = "none") -> bytes:
    """Return a table as Parquet."""
    stream = io.BytesIO()
    values = {
        "a": pa.array([1.5, None, 2.5, 4.0]),
        "c": pa.array(["u", "v", "u", None]).dictionary_encode(),
        "n": pa.array([1, 2, 3, 4], pa.int8()),
        "kind": ["x", "y", "x", "y"],
    }
    parquet.write_table(pa.table(values), stream, compression=compression)
    return stream.getvalue()


def image(form: str, **options: object) -> bytes:
    """Return a small image."""
    stream = io.BytesIO()
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def camera() -> bytes:
    """Return a JPEG with what a camera writes into it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8769] = 6, "maker", {0x9003: "2020:01:01", 0x927C: b"x" * 9}
    return image("JPEG", exif=exif)


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
SOUND: dict[str, tuple[bytes, ...]] = {
    "csv": (table(), table(";"), b"1,2,0\n3,4,1\n" * 4, table().decode().encode("utf-16")),
    "csv.gz": (table(),),
    "tsv": (table("\t"),),
    "jsonl": (json_lines(), b"[1, 2, 3, 4]\n" * 3, b"1,2,3,4\n" * 3),
    "npy": (npy(), npy(np.asfortranarray(NUMBERS.astype(">f8"))), npy(LABELS)),
    "npz": tuple(map(archive, METHODS)),
    "idx": (idx(np.arange(60, dtype=np.uint8).reshape(6, 5, 2)),),
    "parquet": (columns(), columns("snappy"), columns("gzip"), columns("zstd")),
    "png": (image("PNG"), image("PNG", bits=1)),
    "jpeg": (image("JPEG"), camera()),
    "bmp": (image("BMP"),),
    "gif": (image("GIF"),),
    "webp": (image("WEBP"), image("WEBP", lossless=True)),
    "tiff": (image("TIFF"), image("TIFF", compression="tiff_lzw")),
    "pgm": (image("PPM"),),
    "labels": (b"a\nb\n" * 3,),
    "labels.npy": (npy(LABELS), npy(np.array(["a", "b"] * 3))),
    "labels.idx": (idx(LABELS),),
}
SOUND["idx.gz"] = SOUND["idx"]
WORDS = {"csv": CELLS, "tsv": CELLS, "labels": CELLS, "jsonl": CELLS + JSON, "npy": NPY}


# --- Damage that the format's own checks do not see


def make(name: str, rng: random.Random) -> bytes:
    """Return a damaged file; half of those that have checksums have right ones."""
    content = rng.choice(SOUND[name])
    words = WORDS.get(name.split(".", maxsplit=1)[0], ())
    if name.endswith(".gz"):
        if rng.random() < 0.5:
            return gzip.compress(mutate(content, rng, words), 1, mtime=0)
        return mutate(gzip.compress(content, 1, mtime=0), rng)
    if rng.random() < 0.5 and name in RESEAL:
        return RESEAL[name](content, rng)
    return mutate(content, rng, words)


def reseal_npz(_: bytes, rng: random.Random) -> bytes:
    """Return an archive of a damaged array, or one whose directory lies."""
    method = rng.choice(METHODS)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file, patch("warnings.warn"):
        for name in rng.choice((("x", "y"), ("x", "x"), ("x", "y", "y"), ("x/../y", "y"), ("y",))):
            array = NUMBERS if name == "x" else LABELS
            inside = mutate(npy(array), rng, NPY) if rng.random() < 0.5 else npy(array)
            file.writestr(f"{name}.npy", inside)
    content = bytearray(stream.getvalue())
    # Of a central header: versions, flags, method, sizes, attributes, offset.
    for _ in range(rng.randrange(3)):
        start = content.find(b"PK\1\2", rng.randrange(len(content)))
        at = start + rng.choice((4, 6, 8, 10, 16, 20, 24, 28, 30, 32, 34, 38, 42))
        if start >= 0:
            struct.pack_into("<H", content, at, rng.choice((0, 1, 8, 9, 12, 14, 93, 99, 0xFFFF)))
    return bytes(content)


def reseal_png(content: bytes, rng: random.Random) -> bytes:
    """Return a PNG with damaged chunks, each with a right checksum."""
    at, chunks = 8, []
    while at + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    chunks.insert(rng.randrange(1, len(chunks)), rng.choice(CHUNKS))
    i = rng.randrange(len(chunks))
    chunks[i] = chunks[i][0], mutate(chunks[i][1], rng)
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


CHUNKS = (
    (b"tEXt", b"Comment\0x"), (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 20))),
    (b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"x" * 999)), (b"iCCP", b"p\0\0" + zlib.compress(b"")),
    (b"eXIf", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"), (b"acTL", bytes(8)),
    (b"PLTE", bytes(6)), (b"tRNS", bytes(2)), (b"gAMA", bytes(4)), (b"fcTL", bytes(26)),
    (b"pHYs", bytes(9)), (b"cHRM", bytes(32)), (b"sRGB", b"\0"), (b"fdAT", bytes(8)),
)  # fmt: skip


def reseal_jpeg(_: bytes, rng: random.Random) -> bytes:
    """Return a JPEG whose EXIF data are damaged, and nothing else."""
    content = camera()
    at = content.index(b"Exif\0\0") + 6
    (size,) = struct.unpack_from(">H", content, content.index(b"Exif\0\0") - 2)
    inside = mutate(content[at : at + size - 8], rng)[:60_000]
    marker = rng.choice((b"\xff\xe1", b"\xff\xe1", b"\xff\xe2"))
    kind = b"Exif\0\0" if marker == b"\xff\xe1" else b"MPF\0"
    block = marker + struct.pack(">H", len(kind) + len(inside) + 2) + kind + inside
    return content[:2] + block + content[at + size - 8 :]


RESEAL: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "npz": reseal_npz,
    "png": reseal_png,
    "jpeg": reseal_jpeg,
}

# --- Checks

ENCODING = Encoding(4, "none", ("a", "b"))


def check(name: str, case: bytes) -> str:
    """Train on a file and predict from it, as far as it can be read."""
    prepare(name)
    path = Path(FILES[name])
    if name == "jsonl":
        return predict("-", case)
    path.write_bytes(case)
    outcome = train(path)
    if not name.startswith("labels"):
        where = path.parent.parent if path.parts[0] == "d" else path
        outcome = max(outcome, predict(str(where)), key=("refused", "read").index)
    return outcome


def prepare(name: str) -> None:
    """Write what stands beside the file."""
    Path("x.npy").write_bytes(npy())
    if name.startswith("idx"):
        Path("x-labels-idx1").write_bytes(idx(LABELS))
        Path("x-labels-idx1.gz").write_bytes(gzip.compress(idx(LABELS)))
    if name == "npy":
        Path("y.npy").write_bytes(npy(LABELS))
    if FILES[name].startswith("d/") and not Path("d").exists():
        for folder in ("d/a", "d/b"):
            Path(folder).mkdir(parents=True)
            Path(folder, "0.png").write_bytes(image("PNG"))


def train(path: Path) -> str:
    """Make a dataset of a file."""
    if path.name.startswith("y."):
        files = Files("x.npy", target=str(path))
    else:
        files = Files("d" if path.parts[0] == "d" else str(path), missing="mean")
    try:
        dataset = load_files(files, Preparation())
    except (MlpError, OSError) as error:
        return check_error(error)
    assert len(dataset.train.features) == len(dataset.train.labels)
    assert len(dataset.encoding.class_names) > dataset.train.labels.max()
    return "read"


def predict(name: str, content: bytes = b"") -> str:
    """Read what a network of four inputs would be given."""
    encoding = ENCODING
    if name == "d":
        encoding = Encoding(30, "unit", ("a", "b"), (5, 6))
    try:
        with patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(content))):
            for _, features in read_input(name, encoding):
                assert features.ndim == 2
                assert np.isfinite(features).all()
    except (MlpError, OSError) as error:
        return check_error(error)
    return "read"
