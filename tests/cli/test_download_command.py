"""`mlp download`: where files go, what is shown, and what is left alone."""

import hashlib
import io
import re
import sys
from pathlib import Path

import pytest
from mirror import running

from mlpcli.cli.main import mlp
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
from mlpcli.errors import ConfigError, DownloadError

CONTENTS = {f"file{i}.gz": bytes([i]) * 1000 for i in range(4)}


@pytest.fixture
def server(monkeypatch):
    """Serve four small files in place of MNIST."""
    monkeypatch.setenv("no_proxy", "*")
    files = tuple(
        RemoteFile(name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    )
    with running(dict(CONTENTS)) as server:
        mnist = DATASETS["mnist"]._replace(mirrors=(server.url("m"),), files=files)
        monkeypatch.setitem(DATASETS, "mnist", mnist)
        yield server


def download(*args):
    """Run `mlp download` in this process."""
    mlp(["download", *args], standalone_mode=False)


def test_files_are_fetched_once(server, capsys):
    """The first run says where each file came from, and the second that it is there and valid."""
    url = DATASETS["mnist"].mirrors[0]
    folder = Path("data/mnist")
    download("mnist", "--data-dir", "data")
    assert capsys.readouterr() == (
        "".join(f"{folder / name} fetched from {url}\n" for name in CONTENTS),
        "",
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS

    server.requests.clear()
    download("mnist", "--data-dir", "data")
    assert capsys.readouterr() == (
        "".join(f"{folder / name} is there and valid\n" for name in CONTENTS),
        "",
    )
    assert server.requests == []


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"!" * 1000, "has SHA-256 [0-9a-f]{64}, and [0-9a-f]{64} is published"),
     (b"!", "holds 1 bytes, and 1000 are published")],
)  # fmt: skip
def test_a_damaged_file_is_fetched_again(capsys, content, problem):
    """A file of the right size and the wrong content does not pass for valid, and that is said."""
    damaged = Path("data/mnist/file2.gz")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(content)
    download("mnist", "--data-dir", "data")
    assert damaged.read_bytes() == CONTENTS["file2.gz"]
    shown = capsys.readouterr()
    assert shown.out.count("fetched from") == 4
    assert re.fullmatch(f"{damaged} {problem}: it is fetched again\n", shown.err)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        (["--data-dir", "a"], {"MLP_DATA_DIR": "b", "XDG_CACHE_HOME": "c"}, "a"),
        ([], {"MLP_DATA_DIR": "b", "XDG_CACHE_HOME": "c"}, "b"),
        ([], {"XDG_CACHE_HOME": "c"}, "c/mlp"),
        ([], {"HOME": "d"}, "d/.cache/mlp"),
        ([], {"HOME": "d", "MLP_DATA_DIR": "", "XDG_CACHE_HOME": ""}, "d/.cache/mlp"),
    ],
)
def test_data_directory(monkeypatch, options, variables, expected):
    """--data-dir beats MLP_DATA_DIR, which beats XDG_CACHE_HOME, which beats ~/.cache."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    download("mnist", *options)
    assert len(list(Path(expected, "mnist").iterdir())) == 4


def test_what_no_mirror_delivers_leaves_nothing(server):
    """Where all mirrors fail, the error names the file, and what was fetched before stays."""
    del server.files["file1.gz"]
    with pytest.raises(DownloadError, match=r"data/mnist/file1\.gz: no mirror delivered it"):
        download("mnist", "--data-dir", "data")
    assert [path.name for path in Path("data/mnist").iterdir()] == ["file0.gz"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "mlp download: there is no dataset mnits; did you mean mnist?"),
        (
            "parity",
            f"mlp download: there is no dataset parity; the datasets are {', '.join(DATASETS)}",
        ),
    ],
)
def test_unknown_dataset(name, message):
    """What cannot be downloaded is refused with the names of what can, and no folder is made."""
    with pytest.raises(ConfigError) as raised:
        download(name, "--data-dir", "data")
    assert str(raised.value) == message
    assert not Path("data").exists()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Pretend."""
        return True


@pytest.mark.usefixtures("server")
def test_bar_on_a_terminal(monkeypatch):
    """A terminal sees a bar that names each file."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    download("mnist", "--data-dir", "data")
    assert "file0.gz: 100%" in sys.stderr.getvalue()
    assert "1.00k/1.00k" in sys.stderr.getvalue()
