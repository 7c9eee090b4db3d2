"""Downloading: a file of 100 MB from a server on 127.0.0.1, by `mlp download` and by curl."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BYTES = 100_000_000
# `mlp download` of a dataset that is this one file, from its beginning.
PROGRAM = """
import os, sys
from pathlib import Path
from mlpcli.cli.main import main
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
name, size, sha256, url, data_dir = sys.argv[1:]
os.environ["no_proxy"] = "*"
Path(data_dir, "mnist", name).unlink(missing_ok=True)
file = RemoteFile(name, int(size), sha256)
DATASETS["mnist"] = DATASETS["mnist"]._replace(files=(file,), mirrors=(url,))
sys.argv[1:] = ["download", "mnist", "--data-dir", data_dir]
main()
"""


@contextmanager
def tasks(folder: Path, size: int = BYTES) -> Iterator[dict[str, dict[str, list[str]]]]:
    """Serve a file of random bytes; yield what to run, by task and contender."""
    served = folder / "served"
    served.mkdir()
    content = os.urandom(size)
    (served / "random.gz").write_bytes(content)
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        command, cwd=served, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as server:
        try:
            assert server.stdout is not None
            # Serving HTTP on 127.0.0.1 port N (http://127.0.0.1:N/) ...
            url = server.stdout.readline().split("(")[1].split(")")[0]
            facts = ["random.gz", str(size), hashlib.sha256(content).hexdigest(), url]
            contenders = {"mlp": [sys.executable, "-c", PROGRAM, *facts, str(folder / "data")]}
            if curl := shutil.which("curl"):
                contenders["curl"] = [curl, "-s", "--noproxy", "*", "-o", str(folder / "copy"),
                                      f"{url}random.gz"]  # fmt: skip
            yield {f"download {size / 1e6:g} MB": contenders}
        finally:
            server.terminate()
