"""`mlp train`: the article's table, what is shown, and what is never overwritten."""

import json
import os
import pty
import shlex
import signal
import subprocess
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS
from ordeals import MLP

from mlpcli.checkpoint import store
from mlpcli.cli.main import mlp
from mlpcli.cli.train import train
from mlpcli.cli.train_end import resume_command
from mlpcli.data import load
from mlpcli.data.load import load_data
from mlpcli.training.run import start_run

PARITY = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
# The article's §7.1, epoch by epoch; 999 is printed truncated there.
ARTICLE = {
    0: "0.48236", 1: "0.3234", 2: "0.16235", 3: "0.075001", 4: "0.040232",
    5: "0.025256", 6: "0.017793", 7: "0.013523", 8: "0.010801", 9: "0.0089463",
    998: "4.031e-05", 999: "4.0268e-05",
}  # fmt: skip
RESULT = (
    "weights {}\ntrain accuracy 1.0000 (700 of 700)\ntest accuracy 1.0000 (324 of 324)\n"
    "always the commonest: test accuracy 0.5000\n"
)


@pytest.fixture
def config():
    """Return the name of a parity experiment of ten epochs, alone in the current folder."""
    return write_config("epochs: 1000", "epochs: 10")


def write_config(old="", new="", name="short.yaml"):
    """Write configs/parity.yaml, one line changed, into the current folder."""
    assert old in PARITY
    Path(name).write_text(PARITY.replace(old, new), encoding="utf-8")
    return name


def names():
    """Return what the current folder holds, hidden files included."""
    return sorted(path.name for path in Path().iterdir())


def test_parity_is_the_articles_table(parity):
    """The installed program prints the article's errors to the digit, and the accuracy 1.0."""
    lines = parity.stderr.splitlines()
    assert len(lines) == 1000
    assert {i: lines[i] for i in ARTICLE} == {
        i: f"epoch {i} error {error}" for i, error in ARTICLE.items()
    }
    assert parity.stdout == RESULT.format("parity.npy")


def test_parity_checkpoint_is_an_ordinary_array(parity):
    """Anyone can read the weights with `np.load`, in the article's shapes."""
    record = np.load(parity.weights)
    assert record["W2"].shape == (3, 10)
    assert json.loads(record["meta"].tobytes())["epoch"] == 1000
    assert list(parity.weights.parent.iterdir()) == [parity.weights]


def test_json_is_one_object(run_mlp, config):
    """`--json` prints weights, epochs, error, seconds, counts and a baseline, and nothing else."""
    run = run_mlp("train", config, "--json", "-q", "-o", "out.npy")
    result = json.loads(run.stdout)
    assert result.pop("seconds") > 0
    assert f"{result.pop('error'):.5g}" == ARTICLE[9]
    assert result == {
        "weights": "out.npy",
        "epochs": 10,
        "best_epoch": 9,
        "train": {"accuracy": 1.0, "correct": 700, "examples": 700},
        "test": {"accuracy": 1.0, "correct": 324, "examples": 324},
        "baseline": {"accuracy": 0.5},
    }
    assert run.stdout.count("\n") == 1
    assert names() == ["out.npy", config]


@pytest.mark.parametrize(
    ("options", "lines", "second"),
    [
        ([], 10, "epoch 1 error 0.3234"),
        (["-q"], 0, None),
        (["-q", "-v"], 0, None),
        # 700 examples of which the article merges the last 8 + 4: 87 steps, and the epoch's line.
        (["-v"], 1 + 10 * 88, "epoch 0 step 0 error 0."),
    ],
)
def test_progress_as_plain_lines(run_mlp, config, options, lines, second):
    """Off a terminal, stderr has a line per epoch, with -v one per step and for threads."""
    run = run_mlp("train", config, *options)
    assert run.stdout == RESULT.format("short.npy")
    shown = run.stderr.splitlines()
    assert len(shown) == lines
    assert second is None or shown[1].startswith(second)


@pytest.mark.parametrize(
    ("options", "bar", "lines"), [([], True, 0), (["-q"], False, 0), (["-v"], False, 881)]
)
def test_progress_on_a_terminal(config, options, bar, lines):
    """A terminal gets a bar with error and speed, or with -v lines; stdout gets the result."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    command = [MLP, "train", config, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, text=True) as process:
        os.close(slave)
        shown = read_all(master)
        assert process.stdout.read() == RESULT.format("short.npy")
    assert shown.count("\n") - bar == lines
    assert ("10/10" in shown and "error 0.0089463" in shown and "examples/s" in shown) == bar


def read_all(master):
    """Return what was written to a terminal until its last writer left."""
    shown = b""
    try:
        while block := os.read(master, 4096):
            shown += block
    except OSError:  # Linux says so instead of the end of the file
        pass
    finally:
        os.close(master)
    return shown.decode()


@pytest.mark.parametrize("compat", ["compat: article", ""])
def test_same_seed_same_bytes(mlp_process, compat):
    """Two runs write the same bytes, whatever the hash seed, time zone, language and place."""
    text = PARITY.replace("epochs: 1000", "epochs: 3").replace("compat: article", compat)
    contents = []
    for hash_seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "tr_TR.UTF-8")):
        folder = Path(hash_seed)
        folder.mkdir()
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        variables = {"PYTHONHASHSEED": hash_seed, "TZ": zone, "LANG": language}
        run = mlp_process("train", "config.yaml", cwd=folder, env=os.environ | variables)
        assert run.returncode == 0
        contents.append((folder / "config.npy").read_bytes())
    assert contents[0] == contents[1]


def test_another_seed_other_bytes(run_mlp, config):
    """The seed matters: another one trains another network."""
    assert run_mlp("train", config).returncode == 0
    other = write_config("seed: 0", "seed: 1", "other.yaml")
    Path(other).write_text(Path(other).read_text().replace("1000", "10"))
    assert run_mlp("train", other).returncode == 0
    assert not np.array_equal(np.load("short.npy")["W2"], np.load("other.npy")["W2"])


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (None, "a run of parity with structure [10, 3, 2], 1000 epochs, error 4.0268e-05"),
        (b"my thesis", "no mlp checkpoint"),
        (b"", "no mlp checkpoint"),
    ],
)
def test_an_existing_file_is_kept(run_mlp, parity, config, content, held):
    """Without --overwrite, exit 2 says what the file holds, before training and untouched."""
    content = parity.weights.read_bytes() if content is None else content
    Path("short.npy").write_bytes(content)
    run = run_mlp("train", config)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        f"mlp: error: short.npy: exists and holds {held}; "
        "add --overwrite to replace it, --resume to go on with it, or -o for another name\n"
    )
    assert Path("short.npy").read_bytes() == content

    assert run_mlp("train", config, "--overwrite").returncode == 0
    assert len(store.load(Path("short.npy")).history) == 10


def test_a_checkpoint_without_epochs_is_described(run_mlp, parity, config):
    """A saved network that was never trained is named as such, not stumbled over."""
    model = store.load(parity.weights)
    run = start_run(model.experiment, model.network)
    store.save(Path("short.npy"), model, run)
    assert "[10, 3, 2], 0 epochs; add --overwrite" in run_mlp("train", config).stderr


FAILURES = {
    "directory": (["-o", "folder"], 1, "folder: is not a regular file"),
    "directory, overwrite": (["-o", "folder", "--overwrite"], 1, "folder: is not a regular file"),
    "device": (["-o", "/dev/null"], 1, "/dev/null: is not a regular file"),
    "no folder": (["-o", "no/x.npy"], 1, "no/x.npy: cannot be written: no such file or directory"),
    "long name": (["-o", "x" * 250], 1, "cannot be written: file name too long"),
    "inside a file": (["-o", "short.yaml/x.npy"], 1, "cannot be written: not a directory"),
}


@pytest.mark.parametrize(("options", "code", "message"), FAILURES.values(), ids=FAILURES)
def test_unwritable_output_is_found_before_training(run_mlp, config, options, code, message):
    """An output that cannot be written ends the run before its first epoch, naming the output."""
    Path("folder").mkdir()
    run = run_mlp("train", config, *options)
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith("mlp: error: ")
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
    assert names() == ["folder", config]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_read_only_folder_is_found_before_training(run_mlp, config):
    """A folder without write permission ends the run before its first epoch."""
    Path("folder").mkdir(mode=0o555)
    run = run_mlp("train", config, "-o", "folder/x.npy")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("mlp: error: folder/x.npy: cannot be written: permission denied;")


MISFITS = {
    "inputs": ("[10, 3, 2]", "[12, 3, 2]", 2,
               "short.yaml:3: structure: starts with 12 inputs, and parity has 10 features; "
               "write structure: [10, 3, 2]"),
    "outputs": ("[10, 3, 2]", "[10, 7, 5, 4]", 2,
                "short.yaml:3: structure: ends with 4 outputs, and parity has 2 classes; "
                "write structure: [10, 7, 5, 2]"),
    "one neuron": ("[10, 3, 2]", "[10, 3, 1]", 2,
                   "short.yaml:3: structure: the output layer has one neuron, but there must be "
                   "one per class; use two for a yes-or-no question: end the list with 2"),
    "article's batches": ("bt_size: 8", "bt_size: 600", 2,
                          "short.yaml:5: bt_size: 600 is more than half of 700 examples, where "
                          "the article's mini-batches lose some (compat: article); "
                          "write bt_size: 350 or less"),
    "no such dataset": ("data: parity", "data: pairity", 2,
                        "short.yaml:2: data: there is no dataset pairity; did you mean parity?"),
    "missing dataset": ("data: parity", "data: mnist", 1,
                        "data/mnist/train-images-idx3-ubyte.gz: there is no such file; "
                        "run mlp download mnist"),
    # 2·10⁸·(10 + 1) + (2·10⁸ + 1)·2 parameters of 8 bytes
    "endless layer": ("[10, 3, 2]", "[10, 200000000, 2]", 2,
                      "short.yaml:3: structure: has 2,600,000,002 parameters, whose checkpoint of "
                      "20,800,000,016 bytes is more than the 1,879,048,191 that the format holds; "
                      "write smaller layers"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "message"), MISFITS.values(), ids=MISFITS)
def test_what_cannot_be_trained_is_one_line(run_mlp, old, new, code, message):
    """An experiment that does not fit its data is one line with the remedy, and leaves nothing."""
    config = write_config(old, new)
    run = run_mlp("train", config, "-q", "--data-dir", "data")
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr == f"mlp: error: {message}\n"
    assert names() == [config]


def test_divergence_has_its_own_exit_code(run_mlp):
    """An eta beyond float32 ends the run with 3, one line and no file, instead of NaN weights."""
    text = PARITY.replace("compat: article", "").replace("eta: 0.3", "eta: 1e300")
    Path("wild.yaml").write_text(text, encoding="utf-8")
    run = run_mlp("train", "wild.yaml")
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr == (
        "mlp: error: wild.yaml:4: eta: training diverged at epoch 0, step 1: the error is nan; "
        "lower eta (now 1e+300), add warmup: 1 or clip_norm: 1, or check the data\n"
    )
    assert names() == ["wild.yaml"]


@pytest.mark.parametrize("bt_size", [1, 512, 700, 100_000])
def test_any_batch_size_is_ordinary(run_mlp, bt_size):
    """From one example per mini-batch to all of them and more, training works."""
    text = PARITY.replace("compat: article", "").replace("epochs: 1000", "epochs: 2")
    Path("c.yaml").write_text(text.replace("bt_size: 8", f"bt_size: {bt_size}"))
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\nepoch ")) == (0, 1)


@pytest.mark.parametrize(
    ("options", "shown"), [([], "\nno test split\n"), (["--json"], '"test": null, ')]
)
def test_no_test_split(monkeypatch, capsys, config, options, shown):
    """A dataset without test examples is trained on all the same, and the result says so."""
    opened = load_data
    monkeypatch.setattr(load, "load_data", lambda *args: opened(*args)._replace(test=None))
    mlp(["train", config, "-q", *options], standalone_mode=False)
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_as_that_signal(number):
    """Ctrl-C ends the process as SIGINT does, without a traceback, and leaves what was learned."""
    config = write_config("epochs: 1000", "epochs: 1000000")
    # A shell starts jobs in the background with SIGINT ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [MLP, "train", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stderr.readline() == f"epoch 0 error {ARTICLE[0]}\n"
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == -number
    assert stdout == ""
    *epochs, last = stderr.splitlines()
    assert all(line.startswith("epoch ") for line in epochs)
    done = len(store.load(Path("short.npy")).history)
    assert last.startswith(f"{signal.Signals(number).name}: stopped in epoch {done} after ")
    assert last.endswith("; mlp train short.yaml --resume goes on from there")
    assert names() == ["short.npy", config]


def test_the_message_names_the_whole_command():
    """The command that goes on has every option but those that --resume excludes or knows."""
    words = ["train", write_config(), "-o", "a b.npy", "--set", "epochs=9", "--set", "seed=1"]
    words += ["--data-dir", "d", "--history", "h.csv", "-q"]
    Path("w.npy").write_bytes(b"")
    given = [*words[1:], "--overwrite", "--from", "w.npy"]
    with train.make_context("train", given):
        line = resume_command()
    expected = shlex.join(["mlp", *words, "--resume"])
    assert sorted(shlex.split(line)) == sorted(shlex.split(expected))
    assert "'a b.npy'" in line


@pytest.mark.parametrize("options", [[], ["-q"]])
def test_the_message_has_a_line_of_its_own(options):
    """On a terminal Ctrl-C's message follows neither the bar nor the ^C that the terminal shows."""
    config = write_config("epochs: 1000", "epochs: 1000000\ncheckpoint_every: 1")
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 300))
    command = [MLP, "train", config, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=slave) as process:
        while not Path("short.npy").exists():
            time.sleep(0.02)
        os.write(slave, b"^C")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        os.close(slave)
        shown = read_all(master)
    assert process.returncode == -signal.SIGINT
    before, message, rest = shown.partition("SIGINT: stopped in epoch ")
    assert message
    assert before[-1] in "\r\n"
    assert rest.count("\n") == 1
    assert ("/1000000" in before.rpartition("\n")[0]) == (not options)
