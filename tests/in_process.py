"""Runs `mlp` in this process, for tests that need no process of their own."""

import io
import os
import signal
import subprocess
import sys
from unittest.mock import patch

# Those that mlp handles.
SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_mlp(*args, input=b""):  # noqa: A002 - as subprocess.run calls it
    """Run `mlp` with these words and this standard input; return how it ended and what it wrote."""
    from mlpcli.cli.main import main

    words = ["mlp", *map(str, args)]
    content = input if isinstance(input, bytes) else input.encode()
    stdin, stdout, stderr = (
        io.TextIOWrapper(io.BytesIO(text), encoding="utf-8") for text in (content, b"", b"")
    )
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    changed = {"argv": words, "stdin": stdin, "stdout": stdout, "stderr": stderr}
    try:
        # --threads changes the environment.
        with patch.multiple(sys, **changed), patch.dict(os.environ):
            main()
    except SystemExit as ended:
        shown = [stream.buffer.getvalue().decode() for stream in (stdout, stderr)]
        return subprocess.CompletedProcess(words, ended.code, *shown)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
