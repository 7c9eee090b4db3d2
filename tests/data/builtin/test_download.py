"""Downloads, against a server on 127.0.0.1 that misbehaves in every way there is."""

import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlpcli.data.builtin import download
from mlpcli.data.builtin.registry import RemoteFile
from mlpcli.errors import DownloadError

CONTENT = os.urandom(3 * download.BLOCK_BYTES + 17)
FILE = RemoteFile("digits.gz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
OTHER = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]


class Mirrors(BaseHTTPRequestHandler):
    """Every first folder of an address is a mirror with a habit of its own."""

    def do_GET(self):
        """Answer as the mirror does; `late` and `stalled` wait until the test is over."""
        mirror, name = self.path.strip("/").split("/")
        self.server.asked.append(mirror)
        if name != FILE.name or mirror == "missing":
            self.send_error(404)
            return
        if mirror == "late":
            self.server.over.wait()
            return
        body = {
            "short": CONTENT[:-1], "long": CONTENT + b"x", "longer": CONTENT * 3, "wrong": OTHER,
            "empty": b"", "broken": CONTENT[:1000], "stalled": CONTENT[:1000],
        }.get(mirror, CONTENT)  # fmt: skip
        self.send_response(200)
        if mirror != "unsized":
            claimed = FILE.size if mirror in ("broken", "stalled") else len(body)
            self.send_header("Content-Length", str(claimed))
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            return  # the client has seen enough
        if mirror == "stalled":
            self.server.over.wait()

    def log_message(self, *_):
        """Say nothing on stderr."""


@pytest.fixture
def server(monkeypatch):
    """Run the mirrors; `asked` lists those that were tried."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.3)
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirrors) as server:
        server.asked, server.over = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def mirror(server):
    """Return a function from a mirror's habit to its address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and not listening: connections are refused
        refused = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        yield (
            lambda name: (
                refused if name == "refused" else f"http://127.0.0.1:{server.server_port}/{name}/"
            )
        )


FAILURES = {
    "missing": "HTTP status 404",
    "short": f"sent {FILE.size - 1} bytes of {FILE.size}",
    "empty": f"sent 0 bytes of {FILE.size}",
    "broken": "the connection broke off",
    "long": f"sent more than the {FILE.size} bytes published",
    "longer": f"sent more than the {FILE.size} bytes published",
    "wrong": f"sent SHA-256 {hashlib.sha256(OTHER).hexdigest()}, and {FILE.sha256} is published",
    "refused": "no connection",
    "late": "no answer in time",
    "stalled": "no connection",
}


@pytest.mark.parametrize("habit", ["good", "unsized"])
def test_download(mirror, tmp_path, habit):
    """The file arrives in a folder made for it, nothing beside it, and every byte is counted."""
    counts, folder = [], tmp_path / "data" / "mnist"
    address = mirror(habit)
    assert download.fetch(FILE, (address,), folder, counts.append) == address
    assert [path.name for path in folder.iterdir()] == [FILE.name]
    assert (folder / FILE.name).read_bytes() == CONTENT
    assert download.is_valid(folder / FILE.name, FILE)
    assert sum(counts) == FILE.size
    assert min(counts) > 0


@pytest.mark.parametrize("habit", FAILURES)
def test_fallback(mirror, tmp_path, habit):
    """Whatever is wrong with the first mirror, the second delivers, and the count is right."""
    counts = []
    good = mirror("good")
    assert download.fetch(FILE, (mirror(habit), good), tmp_path / "d", counts.append) == good
    assert (tmp_path / "d" / FILE.name).read_bytes() == CONTENT
    assert sum(counts) == FILE.size


def test_all_mirrors_fail(mirror, tmp_path):
    """When none delivers, one line names each and what it did, and nothing is left behind."""
    counts, mirrors = [], tuple(map(mirror, FAILURES))
    with pytest.raises(DownloadError) as caught:
        download.fetch(FILE, mirrors, tmp_path / "d", counts.append)
    said = ", ".join(f"{mirror(habit)}: {reason}" for habit, reason in FAILURES.items())
    assert str(caught.value) == (
        f"{tmp_path / 'd' / FILE.name}: no mirror delivered it ({said}); "
        "check the connection and run the same command again"
    )
    assert list((tmp_path / "d").iterdir()) == []
    assert sum(counts) == 0


def test_failure_keeps_what_was_there(mirror, tmp_path):
    """A file of that name, even a bad one, is replaced only by the right one."""
    (tmp_path / FILE.name).write_bytes(b"old")
    with pytest.raises(DownloadError):
        download.fetch(FILE, (mirror("wrong"),), tmp_path, lambda _: None)
    assert (tmp_path / FILE.name).read_bytes() == b"old"
    download.fetch(FILE, (mirror("good"),), tmp_path, lambda _: None)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


def test_interruption_leaves_nothing(mirror, tmp_path):
    """Ctrl-C amid a transfer leaves no temporary file and tries no other mirror."""

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.fetch(FILE, (mirror("good"), mirror("good")), tmp_path / "d", interrupt)
    assert list((tmp_path / "d").iterdir()) == []


def test_order_of_mirrors(server, mirror, tmp_path):
    """Mirrors are tried in order, none after the one that delivers."""
    mirrors = tuple(map(mirror, ("missing", "wrong", "good", "unsized")))
    download.fetch(FILE, mirrors, tmp_path / "d", lambda _: None)
    assert server.asked == ["missing", "wrong", "good"]


def test_is_valid(tmp_path):
    """Only the published bytes are valid: not a flipped, missing or added one, nor a folder."""
    path = tmp_path / FILE.name
    assert not download.is_valid(path, FILE)
    for content in (OTHER, CONTENT[:-1], CONTENT + b"x", b""):
        path.write_bytes(content)
        assert not download.is_valid(path, FILE)
    path.write_bytes(CONTENT)
    assert download.is_valid(path, FILE)
    assert not download.is_valid(tmp_path, FILE)
