"""Tables that are not UTF-8: UTF-16 by its mark, and what `data.encoding` says."""

import codecs
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import mlpcli
from mlpcli.config.load import load_experiment
from mlpcli.data.readers.charsets import as_utf8, likely_charset
from mlpcli.data.readers.lines import decode_lines

ROWS = "".join(f"{i % 7},{i % 3},{('röt', 'blau', 'grün')[i % 3]}\n" for i in range(60))
TEXT = f"größe,breite,farbe\n{ROWS}"
CONFIG = (
    "{data: {train: T, test: 0.25, target: farbe}, hidden: [4], eta: 0.1, bt_size: 8, epochs: 2}"
)


def weights_of(run_mlp, name, *words):
    """Train on a table; return the parameters."""
    Path("c.yaml").write_text(CONFIG.replace("T", name), encoding="utf-8")
    run = run_mlp("train", "c.yaml", "-q", "--overwrite", *words)
    assert run.returncode == 0, run.stderr
    return mlpcli.load("c.npy").network.theta


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_mark_tells_utf_16(run_mlp, charset, name):
    """UTF-16 and UTF-32 with a byte order mark train as UTF-8 does, and are predicted from."""
    Path("plain.csv").write_text(TEXT, encoding="utf-8")
    content = TEXT.replace("\n", "\r\n").encode(charset)
    Path(name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert np.array_equal(weights_of(run_mlp, name), weights_of(run_mlp, "plain.csv"))
    found = [run_mlp("predict", "--weights", "c.npy", n).stdout for n in (name, "plain.csv")]
    assert found[0] == found[1] != ""
    found.append(run_mlp("predict", "--weights", "c.npy", "-", input=TEXT.encode(charset)).stdout)
    assert found[2] == found[1]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_line_of_a_pipe_does_not_wait_for_the_next(charset):
    """What stands first tells the encoding of standard input, and is read with its line alone."""
    mark = b"\xfe\xff" if charset == "utf-16-be" else b""
    encoder = codecs.getincrementalencoder(charset)()
    there, here = os.pipe()
    with open(there, "rb") as stream, open(here, "wb", buffering=0) as writer:
        writer.write(mark + encoder.encode("5\n"))
        text, head = as_utf8(stream, "-")
        lines = decode_lines(text, "-", head=head)
        assert next(lines) == "5\n"
        writer.write(encoder.encode("größe\n"))
        assert next(lines) == "größe\n"


@pytest.mark.parametrize("order", ["le", "be"])
def test_damaged_utf_16(run_mlp, order):
    """What begins as UTF-16 and does not go on so is damaged, wherever it is read."""
    Path("plain.csv").write_text(TEXT, encoding="utf-8")
    mark = {"le": b"\xff\xfe", "be": b"\xfe\xff"}[order]
    Path("t.csv").write_bytes(mark + TEXT.encode(f"utf-16-{order}") + b"a")
    done = run_mlp("init", "t.csv")
    assert done.returncode == 1
    said = "is damaged: it begins as UTF-16 and does not go on so; convert it to UTF-8\n"
    assert f"t.csv: {said}" in done.stderr
    weights_of(run_mlp, "plain.csv")
    done = run_mlp("predict", "--weights", "c.npy", "-", input=Path("t.csv").read_bytes())
    assert (done.returncode, done.stderr) == (1, f"mlp: error: -: {said}")


def test_init_finds_what_windows_writes(run_mlp):
    """Init writes cp1252 where a table is not UTF-8; predict reads it, and UTF-8, alike."""
    Path("plain.csv").write_text(TEXT, encoding="utf-8")
    Path("t.csv").write_bytes(TEXT.encode("cp1252"))
    done = run_mlp("init", "t.csv")
    assert "encoding: cp1252, since it is not UTF-8" in done.stdout
    assert load_experiment(Path("t.yaml")).data.files.encoding == "cp1252"
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=2").returncode == 0
    found = [run_mlp("predict", "--weights", "t.npy", n).stdout for n in ("t.csv", "plain.csv")]
    assert found[0] == found[1]
    assert "röt" in run_mlp("show", "t.npy").stdout
    assert run_mlp("predict", "--weights", "t.npy", "-", input=ROWS.encode("cp1252")).stdout
    assert run_mlp("init", "plain.csv").returncode == 0
    assert load_experiment(Path("plain.yaml")).data.files.encoding is None


def test_other_encodings(run_mlp):
    """Any that has ASCII's characters is read, also where characters are several bytes."""
    text = TEXT.replace("röt", "赤い").translate(str.maketrans("ßöü", "sou"))
    Path("plain.csv").write_text(text, encoding="utf-8")
    Path("t.csv").write_bytes(text.encode("cp932"))
    words = ("--set", "data.encoding=cp932")
    assert np.array_equal(
        weights_of(run_mlp, "t.csv", *words), weights_of(run_mlp, "plain.csv", *words)
    )


def test_what_is_not_utf_8_is_refused(run_mlp):
    """Without a word in the configuration the line is named, and what to write."""
    Path("t.csv").write_bytes(TEXT.encode("cp1252"))
    Path("c.yaml").write_text(CONFIG.replace("T", "t.csv"), encoding="utf-8")
    done = run_mlp("train", "c.yaml")
    assert (done.returncode, "t.csv:1: is not UTF-8" in done.stderr) == (1, True)
    assert "say with encoding, under data" in done.stderr
    done = run_mlp("train", "c.yaml", "--set", "data.encoding=ascii")
    assert "t.csv:1: is neither UTF-8 nor ascii" in done.stderr


@pytest.mark.parametrize("name", ["utf-16", "klingon", "rot13", "utf-7", "5"])
def test_what_is_no_encoding_of_tables(run_mlp, name):
    """An encoding that nobody knows, or in which a comma is something else, is refused."""
    Path("c.yaml").write_text(CONFIG.replace("T", "t.csv"), encoding="utf-8")
    done = run_mlp("train", "c.yaml", "--set", f"data.encoding={name}")
    assert done.returncode == 2
    assert "data.encoding: must be the name of a text encoding" in done.stderr


def test_binary_files_are_no_text():
    """Bytes that are no text in any encoding are taken for none."""
    Path("t.csv").write_bytes(bytes(range(256)) * 10)
    assert likely_charset(Path("t.csv")) is None
