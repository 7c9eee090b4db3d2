"""Mirrors on 127.0.0.1 that misbehave as a test's script says."""

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Reply(NamedTuple):
    """What a mirror does with one request."""

    status: int = 200
    content: bytes | None = None
    """Of the body; None for the file that was asked for."""
    etag: str = '"v1"'
    ranges: bool = True
    """Whether Range and If-Range are heeded."""
    sent: int | None = None
    """Close the connection after so many bytes of the body; None for all."""
    stalls: bool = False
    """Do not close it, but send nothing more until the test is over."""
    drip: float = 0
    """Seconds before every byte of the body."""
    sized: bool = True
    """Whether the length is announced."""
    chunked: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    """More of them; those named here replace the usual ones, and "" leaves one out."""
    raw: bytes | None = None
    """Instead of all that: bytes for the socket."""


class Mirrors(ThreadingHTTPServer):
    """Many mirrors in one server: the first folder of an address is a mirror's name.

    Args:
        files: what they have, by name.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.scripts = {}
        """A mirror's replies, in order; the last one is given again and again."""
        self.requests = []
        """What was asked for: a mirror, and the first byte if that was not 0."""
        self.over = threading.Event()

    def url(self, mirror):
        """Return the address of a mirror's folder."""
        return f"http://127.0.0.1:{self.server_port}/{mirror}/"

    def play(self, **scripts):
        """Give each mirror its replies; return their addresses."""
        self.scripts = {mirror: list(replies) for mirror, replies in scripts.items()}
        self.requests.clear()
        return tuple(map(self.url, scripts))

    def handle_error(self, *_):
        """Let clients go away when they like."""


class Handler(BaseHTTPRequestHandler):
    """Plays the next reply of a script."""

    def do_GET(self):
        """Answer as the script of the mirror says."""
        mirror, name = self.path.rstrip("/").rsplit("/", 2)[-2:]
        asked = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        self.server.requests.append(mirror if asked == "0" else f"{mirror} {asked}")
        script = self.server.scripts.get(mirror) or [Reply()]
        reply = script.pop(0) if len(script) > 1 else script[0]
        if reply.raw is not None:
            self.write(reply.raw, reply.drip)
        elif name in self.server.files:
            self.send(reply, self.server.files[name], int(asked))
        else:
            self.send(Reply(404, b"no such file"), b"", 0)
        if reply.stalls:
            self.wfile.flush()
            self.server.over.wait()
        self.close_connection = True

    def send(self, reply, file, first):
        """Send headers and as much of the body as the reply says."""
        body = file if reply.content is None else reply.content
        headers = {"Content-Type": "application/gzip", "ETag": reply.etag}
        status = reply.status
        heeded = reply.ranges and reply.content is None and status == 200
        if (
            heeded
            and first
            and self.headers.get("If-Range") in dict([*headers.items(), *reply.headers]).values()
        ):
            status = 206
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            body = body[first:]
        if reply.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif reply.sized:
            headers["Content-Length"] = str(len(body))
        self.protocol_version = "HTTP/1.1" if reply.chunked else "HTTP/1.0"
        self.send_response(status)
        for header, value in {**headers, **dict(reply.headers)}.items():
            if value:
                self.send_header(header, value)
        self.end_headers()
        body = body[: reply.sent]
        if reply.chunked:
            whole = b"" if reply.sent else b"0\r\n\r\n"
            body = b"%x\r\n%s\r\n%s" % (len(body), body, whole)
        self.write(body, reply.drip)

    def write(self, body, drip):
        """Send bytes, at once or one by one."""
        for piece in (bytes([byte]) for byte in body) if drip else [body]:
            if drip:
                time.sleep(drip)
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, *_):
        """Say nothing on stderr."""


@contextmanager
def running(files):
    """Run the mirrors until the end of the block."""
    with Mirrors(files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def refusing():
    """Return the address of a port that nobody listens to."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/refused/"
