"""No output is a file that the command reads, or its other output: nothing of the user's is lost.

Each case is tried on a copy of all inputs, and nothing in the folder may change.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("place")

ROWS = "a,b,kind\n" + "".join(f"{i},{i % 3},{'xy'[i % 2]}\n" for i in range(40))
CONFIG = """\
structure: [2, 2, 2]
eta: 0.1
epochs: 1
bt_size: 4
data: {train: d.csv, test: t.csv}
validation: v.csv
"""


@pytest.fixture
def place(run_mlp):
    """Lay out inputs of every kind in the current folder."""
    for name in ("d.csv", "t.csv", "v.csv", "p.csv"):
        Path(name).write_text(ROWS, encoding="utf-8")
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")
    x = np.random.default_rng(0).random((40, 2))
    np.save("x.npy", x)
    np.save("y.npy", np.arange(40) % 2)
    Path("labels.csv").write_text("x\ny\n" * 20, encoding="utf-8")
    text = CONFIG.replace("validation: v.csv\n", "")
    Path("array.yaml").write_text(
        text.replace("train: d.csv, test: t.csv", "train: x.npy"), encoding="utf-8"
    )
    Path("beside.yaml").write_text(
        text.replace("train: d.csv, test: t.csv", "train: x.npy, target: labels.csv"),
        encoding="utf-8",
    )
    for i in range(12):
        folder = Path(f"img/{'ab'[i % 2]}")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((1, 2), i * 20, np.uint8)).save(folder / f"{i}.png")
    assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
    Path("link.csv").symlink_to("d.csv")
    Path("hard.csv").hardlink_to("d.csv")
    Path("dangling.csv").symlink_to("new.csv")
    Path("sub").mkdir()


def contents():
    """Return all files here with their bytes."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


TRAIN = ["train", "c.yaml", "-q", "--overwrite"]
CASES = {
    "history over the training data": ([*TRAIN, "--history", "d.csv"], "d.csv", "--history"),
    "through a link": ([*TRAIN, "--history", "link.csv"], "link.csv", "--history"),
    "through a hard link": ([*TRAIN, "--history", "hard.csv"], "hard.csv", "--history"),
    "by another path": ([*TRAIN, "--history", "sub/../t.csv"], "sub/../t.csv", "--history"),
    "validation": ([*TRAIN, "--history", "v.csv"], "v.csv", "--history"),
    "output over the configuration": ([*TRAIN, "-o", "c.yaml"], "c.yaml", "-o"),
    "output over the data": ([*TRAIN, "-o", "d.csv"], "d.csv", "-o"),
    "output over the start": ([*TRAIN, "-o", "w.npy", "--from", "w.npy"], "w.npy", "-o"),
    "output over an array": (["train", "array.yaml", "--overwrite", "-o", "x.npy"], "x.npy", "-o"),
    "labels found by name": (["train", "array.yaml", "--overwrite", "-o", "y.npy"], "y.npy", "-o"),
    "labels by target": (
        ["train", "beside.yaml", "--overwrite", "--history", "labels.csv"],
        "labels.csv",
        "--history",
    ),
    "without --overwrite": (["train", "c.yaml", "-q", "--history", "d.csv"], "d.csv", "--history"),
    "an image of a folder": (
        ["train", "c.yaml", "-o", "img/a/0.png", "--overwrite", "--set", "data.train=img"],
        "img/a/0.png",
        "-o",
    ),
    "predictions over the input": (
        ["predict", "--weights", "w.npy", "-o", "p.csv", "p.csv"], "p.csv", "-o"
    ),
    "predictions over the weights": (
        ["predict", "--weights", "w.npy", "-o", "w.npy", "p.csv"], "w.npy", "-o"
    ),
    "predictions over an image": (
        ["predict", "--weights", "w.npy", "-o", "img/b/1.png", "img"], "img/b/1.png", "-o"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "output", "option"), CASES.values(), ids=CASES)
def test_no_output_is_an_input(run_mlp, words, output, option):
    """An output that the command reads, by whatever name, is refused, and no byte changes."""
    before = contents()
    run = run_mlp(*words)
    line = f"mlp: error: {output}: is both input and output; choose another {option}\n"
    assert (run.returncode, run.stdout, run.stderr) == (2, "", line)
    assert contents() == before


@pytest.mark.parametrize(
    ("output", "history"),
    [("new.csv", "new.csv"), ("new.csv", "sub/../new.csv"), ("new.csv", "dangling.csv")],
)
def test_two_outputs_are_two_files(run_mlp, output, history):
    """-o and --history may not be one file, although it does not exist yet."""
    before = contents()
    run = run_mlp(*TRAIN, "-o", output, "--history", history)
    line = f"mlp: error: {history}: is both -o and --history; choose two names\n"
    assert (run.returncode, run.stderr) == (2, line)
    assert contents() == before


def test_predictions_over_standard_input(mlp_process):
    """A file that is standard input is not replaced by what is predicted of it."""
    before = contents()
    with Path("p.csv").open("rb") as stream:
        run = mlp_process("predict", "--weights", "w.npy", "-o", "p.csv", "-", stdin=stream)
    assert run.returncode == 2
    assert "is both input and output" in run.stderr
    assert contents() == before


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["train", "c.yaml", "-o", "-"], "-o"),
        (["train", "c.yaml", "-o", "n.npy", "--report", "-"], "--report"),
        (["report", "w.npy", "-o", "-"], "-o"),
        (["export", "w.npy", "--format", "c", "-o", "-"], "-o"),
        (["convert", "w.npy", "-"], "NEW.npy"),
        (["tune", "c.yaml", "-o", "-"], "-o"),
    ],
)
def test_what_is_a_file_is_not_written_to_standard_output(run_mlp, words, option):
    """`-` is no file of that name."""
    before = contents()
    run = run_mlp(*words)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.endswith(
        f"mlp: error: {option}: - is standard output, and this is written as a file; "
        "give it a name\n"
    )
    assert contents() == before


def test_verify_writes_no_history(run_mlp):
    """--verify with --history is refused: it writes nothing."""
    before = contents()
    run = run_mlp("train", "c.yaml", "-q", "--verify", "w.npy", "--history", "h.csv")
    assert run.returncode == 2
    assert run.stderr == "mlp: error: mlp train: --verify writes nothing; leave out --history\n"
    assert contents() == before


@pytest.mark.parametrize("name", ["notes.csv", "notes.jsonl"])
@pytest.mark.parametrize("text", ["precious,notes\n1,2\n", '{"epoch": 1}\n', "\n", "[" * 9999])
def test_history_replaces_no_foreign_file(run_mlp, name, text):
    """--history replaces what mlp train did not write only with --overwrite, resumed or not."""
    Path(name).write_text(text, encoding="utf-8")
    before = contents()
    for words in (["-o", "n.npy"], ["-o", "w.npy", "--resume"]):
        run = run_mlp("train", "c.yaml", "-q", *words, "--history", name)
        assert run.returncode == 2
        assert run.stderr == (
            f"mlp: error: --history {name}: exists and holds no history of mlp train; "
            "add --overwrite to replace it, or choose another name\n"
        )
        assert contents() == before
    assert run_mlp(*TRAIN, "-o", "n.npy", "--history", name).returncode == 0
    assert "precious" not in Path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["h.csv", "h.jsonl"])
def test_history_replaces_a_history(run_mlp, name):
    """A history that an earlier run wrote, or an empty file, is replaced as before."""
    Path(name).touch()
    for output in ("1.npy", "2.npy"):
        run = run_mlp("train", "c.yaml", "-q", "-o", output, "--history", name)
        assert run.returncode == 0, run.stderr
    assert len(Path(name).read_text(encoding="utf-8").splitlines()) == 1 + (name == "h.csv")
