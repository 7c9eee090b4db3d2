"""Downloads, against mirrors on 127.0.0.1 that misbehave in every way there is."""

import gzip
import hashlib
import random
import re
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from mirror import Reply, refusing, running

from mlpcli.data.builtin import download, paced, transport
from mlpcli.data.builtin.parts import find_part, part_path
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
from mlpcli.errors import DownloadError

CONTENT = gzip.compress(random.Random(0).randbytes(5000), mtime=0)
SIZE, HALF = len(CONTENT), len(CONTENT) // 2
OTHER = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
FILE = RemoteFile("digits.gz", SIZE, hashlib.sha256(CONTENT).hexdigest())
PAGE = b"<!DOCTYPE html>\n<html><title>Hotel</title>\x1b[31m<p>Please log in, r\xc3\xa4um</html>"

CUT = Reply(sent=HALF)
HTML = Reply(content=PAGE, headers=(("Content-Type", "text/html; charset=utf-8"),))


def redirect(location):
    """Return a reply that leads elsewhere."""
    return Reply(302, b"moved", headers=(("Location", location),))


class Scene(NamedTuple):
    """What mirrors do, and what comes of it."""

    scripts: dict
    """The replies of each mirror, in order; the last one is repeated."""
    requests: list
    """What is asked for: mirrors, and where in the file if not at the start."""
    said: str = ""
    """A regular expression for what the error says of the mirrors; "" if the last one delivers."""
    kept: int = 0
    """How many bytes are kept for the next time."""
    silence: float = 10
    """After so many seconds a mirror is late."""
    by: int = -1
    """Which mirror delivers."""


def broken(status=200, **options):
    """Return the scene of one reply to the rest of a file of which half has come."""
    return Scene({"a": [CUT, Reply(status, **options), Reply()]}, ["a", f"a {HALF}", "a"])


def failing(reply, said, times=1, kept=0, silence=10):
    """Return the scene of one mirror that always gives one reply."""
    return Scene({"a": [reply]}, ["a"] * times, said, kept, silence)


AT_HALF = f"a {HALF}"
ASKED_AGAIN = 1 + transport.RETRIES
SHA = hashlib.sha256(OTHER).hexdigest()
SCENES = {
    # Good in various ways
    "good": Scene({"a": [Reply()]}, ["a"]),
    "unsized": Scene({"a": [Reply(sized=False)]}, ["a"]),
    "chunked": Scene({"a": [Reply(chunked=True)]}, ["a"]),
    "encoding claimed": Scene({"a": [Reply(headers=(("Content-Encoding", "gzip"),))]}, ["a"]),
    "file called a page": Scene({"a": [Reply(headers=(("Content-Type", "text/html"),))]}, ["a"]),
    # Status
    "404": failing(Reply(404, b""), "HTTP status 404"),
    "403": failing(Reply(403, PAGE), "HTTP status 403"),
    "204": failing(Reply(204, b""), "HTTP status 204"),
    "206 unasked": failing(Reply(206), "HTTP status 206"),
    "503 once": Scene({"a": [Reply(503, b""), Reply()]}, ["a", "a"]),
    "500 for ever": failing(Reply(500, b"sorry"), "HTTP status 500", ASKED_AGAIN),
    "429, be patient": Scene(
        {"a": [Reply(429, b"", headers=(("Retry-After", "0"),)), Reply()]}, ["a", "a"]
    ),
    "503, come tomorrow": failing(
        Reply(503, b"", headers=(("Retry-After", "86400"),)), "HTTP status 503"
    ),
    "503, nonsense": Scene(
        {"a": [Reply(503, b"", headers=(("Retry-After", "soon"),)), Reply()]}, ["a", "a"]
    ),
    # Going on
    "half": Scene({"a": [CUT, Reply()]}, ["a", AT_HALF]),
    "half, then half of the rest": Scene(
        {"a": [CUT, Reply(sent=100), Reply()]}, ["a", AT_HALF, f"a {HALF + 100}"]
    ),
    "half, chunked": Scene({"a": [Reply(chunked=True, sent=HALF), Reply()]}, ["a", AT_HALF]),
    "half, 503": Scene({"a": [CUT, Reply(503, b""), Reply()]}, ["a", AT_HALF, AT_HALF]),
    "half, 503, changed": Scene(
        {"a": [CUT, Reply(503, b""), Reply(etag='"v2"')]}, ["a", AT_HALF, AT_HALF]
    ),
    "half, changed, half": Scene(
        {"a": [CUT, Reply(etag='"v2"', sent=9), Reply(etag='"v2"')]}, ["a", AT_HALF, "a 9"]
    ),
    "half, ranges ignored": Scene({"a": [CUT, Reply(ranges=False)]}, ["a", AT_HALF]),
    "half, 416": broken(416, content=b""),
    "half, no Content-Range": broken(206),
    "half, wrong Content-Range": broken(206, headers=(("Content-Range", f"bytes 0-9/{SIZE}"),)),
    "half, nonsense Content-Range": broken(206, headers=(("Content-Range", "bytes x"),)),
    "half, another length": broken(
        206, headers=(("Content-Range", f"bytes {HALF}-{SIZE}/{SIZE + 1}"),)
    ),
    "half, 206 of another version": broken(
        206, etag='"v2"', headers=(("Content-Range", f"bytes {HALF}-{SIZE - 1}/{SIZE}"),)
    ),
    "half, wrong rest": broken(
        206, content=OTHER[HALF:],
        headers=(("Content-Range", f"bytes {HALF}-{SIZE - 1}/{SIZE}"),),
    ),
    "no validator": Scene({"a": [CUT._replace(etag=""), Reply()]}, ["a", "a"]),
    "weak validator": Scene({"a": [CUT._replace(etag='W/"v1"'), Reply()]}, ["a", "a"]),
    "Last-Modified": Scene(
        {"a": [Reply(etag="", sent=sent, headers=(("Last-Modified", "Mon, 01 Jan 2024"),))
               for sent in (HALF, None)]},
        ["a", AT_HALF],
    ),
    "always half": Scene(
        {"a": [CUT, Reply(sent=0)]}, ["a", *[AT_HALF] * (download.TRIES - 1)],
        "the connection broke off", HALF,
    ),
    "half, another mirror": Scene({"a": [CUT, Reply(404, b"")], "b": [Reply()]},
                                  ["a", AT_HALF, f"b {HALF}"]),
    "half, another mirror's own version": Scene(
        {"a": [CUT, Reply(404, b"")], "b": [Reply(etag='"b"')]}, ["a", AT_HALF, f"b {HALF}"]
    ),
    # Not the file
    "page": failing(
        HTML, r'sent a page, text/html; charset=utf-8: "Hotel \[31m Please log in, räum"'
    ),
    "page in disguise": failing(Reply(content=PAGE), 'sent a page, application/gzip: "Hotel .*"'),
    "page that is packed": failing(
        HTML._replace(content=gzip.compress(PAGE, mtime=0),
                      headers=(*HTML.headers, ("Content-Encoding", "gzip"))),
        r"announces \d+ bytes \(text/html; charset=utf-8, Content-Encoding gzip\), and \d+ are .*",
    ),
    "packed again": failing(
        Reply(content=gzip.compress(CONTENT), headers=(("Content-Encoding", "gzip"),)),
        r"announces \d+ bytes \(application/gzip, Content-Encoding gzip\), and \d+ are published",
    ),
    "short": failing(Reply(content=CONTENT[:-1]), f"announces {SIZE - 1} bytes .*"),
    "short, unsized": failing(Reply(content=CONTENT[:-1], sized=False, etag=""),
                              f"sent {SIZE - 1} bytes of {SIZE}", download.TRIES, SIZE - 1),
    "length of 5000 digits": failing(
        Reply(headers=(("Content-Length", "9" * 5000),)), r"announces 9{18}\.\. bytes .*"
    ),
    "empty": failing(Reply(content=b""), "announces 0 bytes .*"),
    "long": failing(Reply(content=CONTENT + b"x"), f"announces {SIZE + 1} bytes .*"),
    "long, unsized": failing(Reply(content=CONTENT * 99, sized=False), "sent more than the .*"),
    "long, chunked": failing(Reply(content=CONTENT + b"x", chunked=True), "sent more than .*"),
    "wrong": failing(Reply(content=OTHER), f"sent what has SHA-256 {SHA}, and {FILE.sha256} .*"),
    # Elsewhere
    "redirect": Scene({"a": [redirect("../b/digits.gz")]}, ["a", "b"], by=0),
    "redirect amid": Scene(
        {"a": [redirect("/b/digits.gz")], "b": [CUT, Reply()]},
        ["a", "b", AT_HALF, f"b {HALF}"], by=0,
    ),
    "redirect for ever": failing(redirect("digits.gz"), "redirects more than 10 times", 11),
    "redirect to a file": failing(
        redirect("file:///etc/passwd"), "redirects to file:///etc/passwd, which is no address"
    ),
    "redirect to FTP": failing(redirect("ftp://host/f"), "redirects to ftp://host/f, which .*"),
    "redirect to nowhere": failing(redirect("http://"), "redirects more than 10 times", 11),
    "redirect to half an address": failing(redirect("http://[::1/f"),
                                        r"redirects to http://\[::1/f, which is no address"),
    "redirect to no port": failing(redirect("http://host:99999/"), "redirects .* is no address"),
    "redirect to a name too long": failing(redirect(f"http://{'a' * 70}.com/"), ".*"),
    "redirect with an escape": failing(redirect("x:\x1b[31m"), r"redirects to x: \[31m, which .*"),
    "redirect to malformed, next mirror": Scene(
        {"a": [redirect("http://[")], "b": [Reply()]}, ["a", "b"]
    ),
    # Connections
    "closed": Scene({"a": [Reply(raw=b""), Reply()]}, ["a", "a"]),
    "closed for ever": failing(Reply(raw=b""), "the connection broke off", ASKED_AGAIN),
    "not HTTP": failing(Reply(raw=b"SSH-2.0-OpenSSH\r\n"), "the connection broke off", ASKED_AGAIN),
    "late": failing(Reply(raw=b"", stalls=True), "no answer in time", ASKED_AGAIN, silence=0.2),
    "late once": Scene({"a": [Reply(raw=b"", stalls=True), Reply()]}, ["a", "a"], silence=0.5),
    "stalled": Scene({"a": [CUT._replace(stalls=True), Reply()]}, ["a", AT_HALF], silence=0.5),
    "stalled for ever": Scene(
        {"a": [CUT._replace(stalls=True), Reply(sent=0, stalls=True)]},
        ["a", *[AT_HALF] * (download.TRIES - 1)], "no answer in time", HALF, 0.2,
    ),
    # In a row
    "page, truncated, fine": Scene(
        {"a": [HTML], "b": [CUT, Reply(content=CONTENT[:-1])], "c": [Reply()]},
        ["a", "b", f"b {HALF}", f"c {HALF}"],
    ),
    "page, 404, wrong": Scene(
        {"a": [HTML], "b": [Reply(404, b"")], "c": [Reply(content=OTHER)]}, ["a", "b", "c"],
        'sent a page, .*", .*/b/: HTTP status 404, .*/c/: sent what has SHA-256 .*',
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for nothing, and go straight to 127.0.0.1."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(transport, "BACKOFF_SECONDS", 0)


@pytest.fixture
def server():
    """Run mirrors that have one file."""
    with running({FILE.name: CONTENT}) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    """Return the folder that a file is fetched into."""
    path = tmp_path / "data"
    path.mkdir()
    return path


def listing(folder):
    """Return the content of every file of a folder, hidden ones included."""
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths}


def fetch(mirrors, folder):
    """Fetch the file; return the mirror that delivered."""
    return download.fetch(FILE, mirrors, folder)


@pytest.mark.parametrize("name", SCENES)
def test_scene(server, run_mlp, monkeypatch, tmp_path, name):
    """Exit code, message, requests and what is on disk are those of the scene."""
    scene = SCENES[name]
    monkeypatch.setattr(transport, "SILENCE_SECONDS", scene.silence)
    mirrors = server.play(**scene.scripts)
    entry = DATASETS["mnist"]._replace(files=(FILE,), mirrors=mirrors)
    monkeypatch.setitem(DATASETS, "mnist", entry)
    path = tmp_path / "mnist" / FILE.name
    run = run_mlp("download", "mnist", "--data-dir", tmp_path)
    assert server.requests == scene.requests
    if not scene.said:
        line = f"{path} fetched from {mirrors[scene.by]}\n"
        assert (run.returncode, run.stdout, run.stderr) == (0, line, "")
        assert listing(path.parent) == {FILE.name: CONTENT}
        return
    assert (run.returncode, run.stdout) == (1, "")
    pattern = rf"mlp: error: \S*{FILE.name}: no mirror delivered it \(\S*/a/: {scene.said}\); "
    assert re.fullmatch(pattern + "check the connection and run the same command again\n",
                        run.stderr), run.stderr  # fmt: skip
    assert [len(content) for content in listing(path.parent).values()] == [scene.kept] * bool(
        scene.kept
    )
    assert not path.exists()


def test_https_is_not_left():
    """A redirect may lead from http to https, and not back."""
    redirected = transport._redirected
    assert redirected("http://a/f", "https://b/g") == "https://b/g"
    assert redirected("https://a/x/f", "/g") == "https://a/g"
    with pytest.raises(transport.TransferError, match="redirects from https to http://b/g"):
        redirected("https://a/f", "http://b/g")


@pytest.mark.parametrize(
    "reply", [Reply(drip=0.01), Reply(raw=b"HTTP/1.1 200 OK\r\nX: ", drip=0.01)]
)
def test_dripping(server, monkeypatch, folder, reply):
    """A server that sends a byte now and then, in the body or the headers, is left for the next."""
    monkeypatch.setattr(paced, "WINDOW_SECONDS", 0.2)
    monkeypatch.setattr(paced, "WINDOW_BYTES", 1000)
    mirrors = server.play(slow=[reply], fine=[Reply()])
    assert fetch(mirrors, folder) == mirrors[1]
    with pytest.raises(DownloadError, match=r"less than 1000 bytes in 0\.2 s"):
        server.play(slow=[reply])
        fetch(mirrors[:1], folder / "alone")


ENDLESS = [
    Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    Reply(503, b"x" * 100_000, sized=False),
    Reply(302, b"x" * 100_000, headers=(("Location", "/a/digits.gz"),)),
    Reply(404, b"x" * 100_000),
    Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 5000),
]


@pytest.mark.parametrize("reply", ENDLESS)
def test_endless_answers(server, monkeypatch, folder, reply):
    """Headers, trailers and bodies that do not end are not read on, whatever the status."""
    monkeypatch.setattr(paced, "MOST_BYTES", 10_000)
    monkeypatch.setattr(paced, "MOST_OTHER_BYTES", 10_000)
    read = []
    readinto = paced._Paced.readinto

    def counted(self, buffer):
        read.append(readinto(self, buffer))
        return read[-1]

    monkeypatch.setattr(paced._Paced, "readinto", counted)
    with pytest.raises(DownloadError, match=r"it does not end|HTTP status|redirects more than"):
        fetch(server.play(a=[reply]), folder)
    # A buffer of 64 KiB is the most that is read at once.
    assert sum(read) / len(server.requests) <= 10_000 + (1 << 16)


def test_refused_connections(server, folder):
    """Where nobody listens, the next mirror is asked, and the error says so if there is none."""
    mirrors = (refusing(), *server.play(a=[Reply()]))
    assert fetch(mirrors, folder / "d") == mirrors[1]
    with pytest.raises(DownloadError, match=r"/refused/: no connection\)"):
        fetch(mirrors[:1], folder / "e")


def test_waits(server, monkeypatch, folder):
    """Waits grow and differ from time to time; where Retry-After says how long, it is that."""
    waits = []
    monkeypatch.setattr(transport, "BACKOFF_SECONDS", 1)
    monkeypatch.setattr("time.sleep", waits.append)
    patient = Reply(503, b"", headers=(("Retry-After", "7"),))
    fetch(server.play(a=[Reply(503, b""), Reply(502, b""), patient, Reply()]), folder)
    first, second = waits
    assert 2 <= first <= 4
    assert second == 7
    waits.clear()
    fetch(server.play(a=[CUT, CUT._replace(sent=9), CUT._replace(sent=9), Reply()]), folder / "d")
    assert 1 <= waits[0] <= 2 <= waits[1] <= 4 <= waits[2] <= 8


def test_progress_renews_patience(server, monkeypatch, folder):
    """However often a connection breaks, a mirror is kept to as long as the file grows."""
    monkeypatch.setattr(download, "PROGRESS_BYTES", 10)
    mirrors = server.play(a=[*[Reply(sent=100)] * 20, Reply()])
    assert fetch(mirrors, folder) == mirrors[0]
    assert server.requests == ["a", *[f"a {100 * i}" for i in range(1, 21)]]


def test_progress_is_told(server, folder):
    """Bytes are told as they come, with where the transfer began; a new start is told, too."""
    seen = []

    def fetch_told(mirrors):
        seen.clear()
        download.fetch(FILE, mirrors, folder, lambda *there: seen.append(there))
        (folder / FILE.name).unlink()
        return set(seen)

    assert (SIZE, 0) in fetch_told(server.play(a=[Reply()]))
    assert {(HALF, 0), (SIZE, HALF)} <= fetch_told(server.play(a=[CUT, Reply()]))
    assert {(HALF, 0), (SIZE, 0)} <= fetch_told(server.play(a=[CUT, Reply(etag='"v2"')]))


def test_no_request_for_what_is_there(server, folder):
    """A valid file, and one that lacks only its name, are not asked for; nothing stays beside."""
    mirrors = server.play(a=[Reply()])
    part = part_path(folder / FILE.name, '"v1"')
    for name in (FILE.name, part.name):
        (folder / name).write_bytes(CONTENT)
        part.write_bytes(CONTENT)
        (folder / f".{FILE.name}.0123abcd.tmp").write_bytes(b"of an older version")
        fetch(mirrors, folder)
        assert listing(folder) == {FILE.name: CONTENT}
        (folder / FILE.name).unlink()
    assert server.requests == []


@pytest.mark.parametrize("content", [OTHER, CONTENT + b"x", OTHER[:HALF]])
def test_damaged_parts(server, folder, content):
    """A part that turns out to be wrong is thrown away, and the file is asked for as a whole."""
    part_path(folder / FILE.name, '"v1"').write_bytes(content[::-1])
    fetch(server.play(a=[Reply()]), folder)
    assert listing(folder) == {FILE.name: CONTENT}
    assert server.requests[-1] == "a"


@pytest.mark.parametrize("token", ["AAAAA", "Cg", "_-", "AAAA"])
def test_parts_of_nobody(server, folder, token):
    """A name that no download wrote is no validator, and no request is spoiled by it."""
    (folder / f".{FILE.name}.{token}.part").write_bytes(CONTENT[:HALF])
    fetch(server.play(a=[Reply()]), folder)
    assert listing(folder) == {FILE.name: CONTENT}


def test_parts_of_others_stay(server, folder):
    """What belongs to another file, whatever its name, is left alone."""
    others = {".digits.gz.x.part.gz", ".digits.part", ".digits.gz.npy.AAAA.part", "digits.gz.part"}
    for name in others:
        (folder / name).write_bytes(b"other")
    fetch(server.play(a=[CUT, Reply()]), folder)
    assert {*listing(folder)} == {FILE.name, *others}


@pytest.mark.parametrize("validator", ['"' + "e" * 300 + '"', '"\xe4"', '"v 1"'])
def test_odd_validators(server, folder, validator):
    """A validator that no name can hold costs a new start, and no other an error."""
    script = [Reply(etag=validator, sent=HALF), Reply(etag=validator)]
    fetch(server.play(a=script), folder)
    assert listing(folder) == {FILE.name: CONTENT}
    assert find_part(folder / FILE.name) is None


def test_failure_keeps_what_was_there(server, folder):
    """A file of that name, even a bad one, is replaced only by the right one."""
    (folder / FILE.name).write_bytes(b"old")
    with pytest.raises(DownloadError):
        fetch(server.play(a=[Reply(content=OTHER)]), folder)
    assert listing(folder) == {FILE.name: b"old"}
    fetch(server.play(a=[Reply()]), folder)
    assert listing(folder) == {FILE.name: CONTENT}


def test_interruption_keeps_the_part(server, folder):
    """Ctrl-C keeps what has come, tries no other mirror, and the next run goes on."""

    def interrupt(*_):
        raise KeyboardInterrupt

    mirrors = server.play(a=[Reply(sent=HALF, stalls=True)], b=[Reply()])
    with pytest.raises(KeyboardInterrupt):
        download.fetch(FILE, mirrors, folder, interrupt)
    assert server.requests == ["a"]
    assert [len(content) for content in listing(folder).values()] == [HALF]
    fetch(server.play(a=[Reply()]), folder)
    assert server.requests == [AT_HALF]
    assert listing(folder) == {FILE.name: CONTENT}


def test_two_at_once(server, folder):
    """Of two downloads of one file the second says that it waits, and finds the file valid."""
    told, results = [], []
    mirrors = server.play(a=[Reply(drip=0.0001)])

    def run():
        results.append(download.fetch(FILE, mirrors, folder, waiting=lambda: told.append("waits")))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["None", "None", "None", mirrors[0]]
    assert told == ["waits"] * 3
    assert server.requests == ["a"]
    assert listing(folder) == {FILE.name: CONTENT}


def test_proxy(server, monkeypatch, folder):
    """A proxy of the environment is asked for the whole address."""
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    server.play(there=[Reply()])
    assert fetch(("http://no.such.host.invalid/there/",), folder)
    monkeypatch.setenv("http_proxy", refusing())
    with pytest.raises(DownloadError, match="the proxy does not connect"):
        fetch(("http://no.such.host.invalid/there/",), folder / "d")


FAULTS = [
    CUT, CUT, Reply(sent=1), Reply(sent=SIZE - 1), Reply(sent=0), HTML, Reply(content=OTHER),
    Reply(content=OTHER, sent=HALF), Reply(content=CONTENT * 2, sized=False), Reply(503, b""),
    Reply(404, b""), Reply(429, b""), Reply(etag='"v2"'), Reply(etag='"v2"', sent=HALF),
    Reply(etag="", sent=HALF), Reply(416, b""), Reply(206, CONTENT[HALF:]), Reply(raw=b""),
    Reply(206, OTHER[HALF:], headers=(("Content-Range", f"bytes {HALF}-{SIZE - 1}/{SIZE}"),)),
    Reply(chunked=True, sent=HALF), Reply(chunked=True), Reply(ranges=False, sent=HALF),
    Reply(sized=False, sent=HALF), Reply(raw=b"HTTP/1.1 banana\r\n\r\n"), redirect("ftp://x/"),
    redirect("/a/digits.gz"), redirect("http://["), Reply(), Reply(ranges=False),
]  # fmt: skip
LEFT = [
    {},
    {FILE.name: b"old"},
    {FILE.name: OTHER},
    {".digits.gz.part": CONTENT[:HALF]},
    {part_path(Path("digits.gz"), '"v1"').name: OTHER[:HALF][::-1]},
]


@pytest.mark.parametrize("hundred", range(10))
def test_random_faults(server, tmp_path, hundred):
    """However faults follow one another, the end is the valid file, or an error and no new file."""
    rng = random.Random(hundred)
    outcomes = []
    for run in range(100):
        folder = tmp_path / str(run)
        folder.mkdir()
        before = rng.choice(LEFT)
        for name, content in before.items():
            (folder / name).write_bytes(content)
        path = folder / FILE.name
        for _ in range(rng.randint(1, 3)):
            scripts = {
                m: rng.choices(FAULTS, k=rng.randint(1, 5)) for m in "abc"[: rng.randint(1, 3)]
            }
            try:
                fetch(server.play(**scripts), folder)
                assert listing(folder) == {FILE.name: CONTENT}
                outcomes.append(True)
            except DownloadError as error:
                assert str(error).startswith(f"{path}: no mirror delivered it (http://127.0.0.1:")
                assert str(error).isprintable()
                assert not path.exists() or path.read_bytes() == before[FILE.name]
                outcomes.append(False)
    assert 20 < sum(outcomes) < len(outcomes) - 20
    assert len(server.requests) < 100
