"""`mlp download`: where files go, what is shown, and what is left alone."""

import hashlib
import io
import json
import random
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mirror import Reply, running

from mlpcli.cli.main import mlp
from mlpcli.data.builtin import transport
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


def test_a_failure_leaves_no_empty_folders(server, capsys):
    """Folders that were made for nothing are gone; one that was there stays."""
    server.files.clear()
    Path("mine").mkdir()
    for folder in ("new/data", "mine"):
        with pytest.raises(DownloadError):
            download("mnist", "--data-dir", folder)
    assert [path.name for path in Path().iterdir()] == ["mine"]
    assert list(Path("mine").iterdir()) == []
    capsys.readouterr()


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


def test_bar_of_a_new_start(server, monkeypatch):
    """A bar that went on from a part, and then starts anew, ends at the file's size, too."""
    monkeypatch.setattr(transport, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    server.play(m=[Reply(sent=400), Reply(sent=300), Reply(etag='"v2"')])
    download("mnist", "--data-dir", "data")
    assert "1.00k/1.00k" in sys.stderr.getvalue()
    assert not re.search(r"-[\d.]+[kMG]?B/s|<-", sys.stderr.getvalue())


def test_quiet(server, run_mlp, monkeypatch):
    """-q shows nothing where all goes well, even on a terminal, and the error where not."""
    damaged = Path("data/mnist/file2.gz")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"!")
    run = run_mlp("download", "mnist", "--data-dir", "data", "-q")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    damaged.unlink()
    monkeypatch.setattr(sys, "stderr", Terminal())
    download("mnist", "--data-dir", "data", "-q")
    assert sys.stderr.getvalue() == ""
    damaged.unlink()
    server.files.clear()
    run = run_mlp("download", "mnist", "--data-dir", "data", "-q")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)


def test_list(server, run_mlp):
    """--list shows every dataset in a line, and whether it is there; --json says all of it."""
    lines = run_mlp("download", "--list", "--data-dir", "data").stdout.splitlines()
    assert lines[0].split() == ["name", "size", "classes", "present", "source"]
    assert [line.split()[0] for line in lines[1:]] == [*DATASETS]
    assert lines[1].split() == ["mnist", "0.0", "MB", "10", "no", "127.0.0.1"]
    assert lines[4].split() == ["emnist-byclass", "561.8", "MB", "62", "no", "biometrics.nist.gov"]
    assert max(map(len, lines)) <= 80
    download("mnist", "--data-dir", "data", "-q")
    run = run_mlp("download", "--list", "--json", "mnist", "kmnist", "--data-dir", "data")
    mnist, kmnist = json.loads(run.stdout)
    assert mnist == {
        "name": "mnist", "bytes": 4000, "classes": [*"0123456789"], "sources": [server.url("m")],
        "present": True, "folder": "data/mnist",
    }  # fmt: skip
    assert (kmnist["present"], kmnist["classes"][0]) == (False, "お")
    (Path("data/mnist") / "file1.gz").write_bytes(b"short")
    assert " no " in run_mlp("download", "--list", "mnist", "--data-dir", "data").stdout


def test_json_of_a_download(server, run_mlp):
    """--json says of every file where it came from, null where it was there."""
    Path("data/mnist").mkdir(parents=True)
    Path("data/mnist/file3.gz").write_bytes(CONTENTS["file3.gz"])
    run = run_mlp("download", "mnist", "--data-dir", "data", "--json")
    assert json.loads(run.stdout) == [
        {"dataset": "mnist", "file": f"data/mnist/{name}",
         "from": None if name == "file3.gz" else server.url("m")}
        for name in CONTENTS
    ]  # fmt: skip


@pytest.mark.usefixtures("server")
def test_check(run_mlp):
    """--check names what is wrong and ends with 1; with no names it is about what is there."""
    assert run_mlp("download", "--check", "--data-dir", "data").returncode == 0
    run = run_mlp("download", "mnist", "--check", "--data-dir", "data")
    assert (run.returncode, run.stdout.count(" is missing\n")) == (1, 4)
    download("mnist", "--data-dir", "data", "-q")
    for words in (["mnist"], []):
        run = run_mlp("download", *words, "--check", "--data-dir", "data")
        assert (run.returncode, run.stdout.count(" is valid\n"), run.stderr) == (0, 4, "")
    Path("data/mnist/file1.gz").write_bytes(b"!" * 1000)
    run = run_mlp("download", "--check", "--data-dir", "data", "--json")
    assert [bool(file["problem"]) for file in json.loads(run.stdout)] == [False, True, False, False]
    assert (run.returncode, run.stderr) == (
        1,
        "mlp: error: mlp download --check: 1 of 4 files are not as published; "
        "run mlp download mnist\n",
    )


def test_print_urls(server, run_mlp):
    """--print-urls prints an address per file, once, and --json every mirror's and the checksum."""
    run = run_mlp("download", "--print-urls", "mnist", "emnist-letters", "emnist-digits")
    archive = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    assert run.stdout.splitlines() == [*(server.url("m") + name for name in CONTENTS), archive]
    run = run_mlp("download", "--print-urls", "fashion-mnist", "--json", "--data-dir", "data")
    first = json.loads(run.stdout)[0]
    assert first["file"] == "data/fashion-mnist/train-images-idx3-ubyte.gz"
    assert (len(first["urls"]), first["bytes"], first["sha256"][:4]) == (2, 26421880, "3aed")
    assert server.requests == []


@pytest.mark.parametrize("below", ["", "mnist"])
def test_from_a_folder(server, run_mlp, below):
    """--from takes files from a folder, or its sub-folder of that name, if they are right."""
    folder = Path("stick") / below
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    run = run_mlp("download", "mnist", "--from", "stick", "--data-dir", "data")
    assert (run.returncode, run.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in Path("data/mnist").iterdir()} == CONTENTS
    assert f"fetched from {folder}" in run.stdout

    (folder / "file2.gz").write_bytes(b"!" * 1000)
    run = run_mlp("download", "mnist", "--from", "stick", "--data-dir", "other")
    assert run.returncode == 1
    assert re.search(r"file2\.gz: no mirror delivered it \(stick.*: has SHA-256 ", run.stderr)
    assert sorted(path.name for path in Path("other/mnist").iterdir()) == ["file0.gz", "file1.gz"]
    assert server.requests == []


def test_from_another_mirror(server, run_mlp):
    """--from takes the files from an address, with or without a slash, and asks no other mirror."""
    server.play(n=[Reply()])
    run = run_mlp("download", "mnist", "--from", server.url("n").rstrip("/"), "--data-dir", "data")
    assert (run.returncode, run.stderr) == (0, "")
    assert server.requests == ["n"] * 4


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ("mnist --from ftp://host/", 2, "--from: ftp://host/ is no address; write http.*"),
        ("mnist --from http://", 2, "--from: http:// is no address; write http.*"),
        ("mnist --from http://[", 2, r"--from: http://\[ is no address; write http.*"),
        ("mnist --from nowhere", 1, "nowhere: there is no such folder; correct --from"),
        (
            "mnist --list --check",
            2,
            "mlp download: --list, --check, .* exclude one another; give.*",
        ),
        ("--print-urls", 2, "mlp download: missing argument 'NAME...'; see mlp download --help"),
        ("mnist mnits", 2, "mlp download: there is no dataset mnits; did you mean mnist.*"),
    ],
)
def test_options_that_make_no_sense(server, run_mlp, words, code, line):
    """Whatever cannot be meant is one line, before anything is asked for or made."""
    run = run_mlp("download", *words.split(), "--data-dir", "data")
    assert (run.returncode, run.stdout) == (code, "")
    assert re.fullmatch(f"mlp: error: {line}\n", run.stderr)
    assert not Path("data").exists()
    assert server.requests == []


def test_light_imports():
    """Listing the datasets takes neither NumPy nor requests."""
    code = (
        "import sys; from mlpcli.cli.main import mlp; mlp(['download', '--list'], "
        "standalone_mode=False); print([m for m in ('numpy', 'requests') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.usefixtures("server")
def test_places_that_cannot_be_written(run_mlp):
    """A data directory that is a file, and a name that is taken by a folder, are one line."""
    Path("data").write_bytes(b"")
    Path("taken/mnist/file0.gz").mkdir(parents=True)
    for folder, problem in (("data", "cannot be written: .*"), ("taken", "is not a regular file")):
        run = run_mlp("download", "mnist", "--data-dir", folder)
        assert run.returncode == 1
        assert re.search(
            rf"file0\.gz: {problem}; choose another place with --data-dir\n$", run.stderr
        )


PROGRAM = """
import sys
from mlpcli.cli.main import main
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
file = RemoteFile("f.gz", {size}, {sha256!r})
DATASETS["mnist"] = DATASETS["mnist"]._replace(mirrors=({url!r},), files=(file,))
main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_run_again(server, number):
    """A killed download goes on where it was, from another process, and leaves no litter."""
    content = random.Random(0).randbytes(50_000)
    server.files["f.gz"] = content
    (url,) = server.play(m=[Reply(sent=20_000, stalls=True), Reply()])
    program = PROGRAM.format(size=50_000, sha256=hashlib.sha256(content).hexdigest(), url=url)
    command = [sys.executable, "-c", program, "download", "mnist", "--data-dir", "data"]
    folder = Path("data/mnist")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as killed:
        while sum(path.stat().st_size for path in folder.glob(".*.part")) < 20_000:
            assert killed.poll() is None
            time.sleep(0.02)
        killed.send_signal(number)
        assert killed.wait() == -number
    assert not (folder / "f.gz").exists()
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert run.stdout == f"{folder / 'f.gz'} fetched from {url}\n"
    assert server.requests == ["m", "m 20000"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"f.gz": content}


@pytest.mark.unmeasured
def test_full_disk(server):
    """Where a disk is full the file is named, and when there is room again the download goes on."""
    content = random.Random(0).randbytes(50_000)
    server.files["f.gz"] = content
    (url,) = server.play(m=[Reply()])
    program = PROGRAM.format(size=50_000, sha256=hashlib.sha256(content).hexdigest(), url=url)
    command = [sys.executable, "-c", program, "download", "mnist", "--data-dir", "data"]
    limited = ["bash", "-c", 'ulimit -f 10; exec "$@"', "-", *command]
    run = subprocess.run(limited, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert re.fullmatch(
        r"mlp: error: \S*data/mnist/f\.gz: cannot be written: file too large; "
        "choose another place with --data-dir\n",
        run.stderr,
    )
    assert subprocess.run(command, check=True, capture_output=True, text=True).stderr == ""
    assert server.requests == ["m", "m 10240"]
    assert {path.name: path.read_bytes() for path in Path("data/mnist").iterdir()} == {
        "f.gz": content
    }


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_certificates(server, monkeypatch, run_mlp):
    """SSL_CERT_FILE says whom to trust; nobody else is, and REQUESTS_CA_BUNDLE goes first."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    url = server.url("m").replace("http:", "https:")
    words = ("download", "mnist", "--from", url, "--data-dir", "data")
    run = run_mlp(*words)
    assert run.returncode == 1
    assert "certificate verify failed" in run.stderr
    monkeypatch.setenv("SSL_CERT_FILE", "cert.pem")
    run = run_mlp(*words)
    assert (run.returncode, run.stderr) == (0, "")
    Path("data/mnist/file0.gz").unlink()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "missing.pem")
    run = run_mlp(*words)
    assert run.returncode == 1
    assert "missing.pem" in run.stderr
