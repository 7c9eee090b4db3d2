"""Resuming: a run interrupted anywhere comes out as one that never was, to the byte."""

import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS
from ordeals import interrupt, timeless

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store
from mlpcli.checkpoint.resume import first_difference, load_run, resume_run
from mlpcli.config.load import from_mapping
from mlpcli.config.values import SCHEDULE_SETTINGS
from mlpcli.data.dataset import Dataset, Examples, Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.data.splits import divide, set_aside
from mlpcli.errors import CheckpointError, ConfigError, DivergedError
from mlpcli.model import new_model
from mlpcli.nn.optimizers import SETTINGS
from mlpcli.training import loop
from mlpcli.training.run import start_run

PARITY = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
# 97 images of which 10 are held out where there is validation: 10 or 9 steps, the last one short.
BASE = {
    "data": "images", "structure": [16, 12, 3], "activation": "relu", "output": "softmax",
    "loss": "cross_entropy", "eta": 0.05, "bt_size": 10, "epochs": 5,
}  # fmt: skip
JUDGED = {"validation": 0.1}
EVERYTHING = {
    "structure": [16, 12, 8, 3], "activation": ["gelu", "tanh"], "optimizer": "adamw",
    "schedule": "one_cycle", "warmup": 0.7, "dropout": [0.1, 0.2, 0.3],
    "augment": {"shift": 1, "rotate": 20, "elastic": {"sigma": 1, "alpha": 5}, "fill": "edge"},
    "class_weight": "balanced", "label_smoothing": 0.1, "weight_decay": 1e-3, "clip_norm": 1.0,
    "validation": 0.1, "monitor": "accuracy",
}  # fmt: skip
RUNS = {
    **{name: {"optimizer": name, "eta": 0.01} for name in SETTINGS},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    **{name: {"schedule": name, "warmup": 1.3} | JUDGED for name in SCHEDULE_SETTINGS},
    "plateau that falls": {
        "schedule": {"name": "plateau", "patience": 1}, "eta": 3.0, "clip_norm": 1.0
    } | JUDGED,
    "dropout": {"dropout": [0.2, 0.5]},
    "shift": {"augment": {"shift": 2}},
    "distortions": {"augment": {"rotate": 90, "scale": 0.3, "shear": 0.2}},
    "validation": JUDGED,
    "patience": {"patience": 2, "min_delta": 0.02, "epochs": 40} | JUDGED,
    "float64": {"dtype": "float64", "optimizer": "adam", "weight_decay": 0.01},
    "ntk": {"parametrization": "ntk", "optimizer": "adam", "clip_norm": 1.0},
    "ntk, learned scales, validation": {
        "parametrization": "ntk", "feature_scale": True, "optimizer": "adamw",
        "weight_decay": 0.01, "eta": 0.04, "schedule": "cosine_log", "calibrate": True,
    } | JUDGED,
    "learned scales": {"feature_scale": True, "momentum": 0.9},
    "ema": {"ema": 0.9},
    "ema, validation": {"ema": 0.9, "parametrization": "ntk"} | JUDGED,
    "members": {"members": 3, "dropout": [0.2, 0.5], "momentum": 0.9},
    "members, everything": EVERYTHING | {
        "members": 2, "ema": 0.9, "calibrate": True, "parametrization": "ntk",
        "feature_scale": True,
    },
    "everything": EVERYTHING,
    "one step": {"bt_size": 1000},
    "article": {
        "compat": "article", "activation": "sigmoid", "output": "sigmoid", "loss": "mse",
    },
}  # fmt: skip


class HaltError(Exception):
    """The end of the world, for a run."""


def images():
    """Return 97 small images of three classes."""
    rng = np.random.default_rng(5)
    features = rng.integers(0, 256, (97, 16), np.uint8)
    labels = (features.astype(int).sum(axis=1) % 3).astype(np.uint8)
    encoding = Encoding(16, "unit", ("a", "お", "c"), (4, 4))
    return Dataset("images", encoding, Examples(features, labels), None)


def opened(keys):
    """Return an experiment of these keys, and its data."""
    experiment, dataset = from_mapping(BASE | keys, {}), images()
    if isinstance(experiment.validation, float):
        wanted = Preparation(seed=experiment.seed, validation=experiment.validation)
        dataset = set_aside(dataset, divide(dataset.train.labels, wanted))
    return experiment, dataset


def train(experiment, dataset, model, run, steps=None):
    """Train to the end, or until so many steps are done."""
    left = steps

    def count(_):
        nonlocal left
        left = left and left - 1
        if left == 0:
            raise HaltError

    for _ in loop.train(experiment, run, dataset, count):
        pass
    return store.serialise(model, run)


def begun(experiment, dataset):
    """Return a new model and its run."""
    model = new_model(experiment, dataset)
    return model, start_run(experiment, model.network)


def whole(experiment, dataset):
    """Return the checkpoint's bytes and history of an uninterrupted run."""
    model, run = begun(experiment, dataset)
    return train(experiment, dataset, model, run), run.history


@pytest.mark.parametrize("keys", RUNS.values(), ids=RUNS)
def test_interruptions_leave_no_trace(keys):
    """Stopped, saved and loaded at random steps, every kind of run gives a whole one's bytes."""
    experiment, dataset = opened(keys)
    expected, history = whole(experiment, dataset)
    assert ("patience" in keys) == (len(history) < experiment.epochs)
    rng, path = np.random.default_rng(0), Path("w.npy")
    for _ in range(4):
        model, run = begun(experiment, dataset)
        stops = 0
        while not run.finished:
            try:
                train(experiment, dataset, model, run, int(rng.integers(1, 9)))
            except HaltError:
                stops += 1
            store.save(path, model, run)
            model, run = resume_run(path, experiment, dataset)
        assert stops >= 3 or keys == RUNS["one step"]
        assert path.read_bytes() == expected


@pytest.mark.parametrize("keys", [EVERYTHING, RUNS["article"]], ids=["everything", "article"])
def test_every_step_is_a_good_one_to_stop_at(keys):
    """Stopped after each step in turn, an epoch's last too, and resumed, the bytes are equal."""
    experiment, dataset = opened(keys | {"epochs": 2})
    expected, _ = whole(experiment, dataset)
    path = Path("w.npy")
    # 97 by 10 is 10 mini-batches, 9 if 10 are held out or the last two are one (compat: article).
    for steps in range(1, 2 * 9 + 1):
        model, run = begun(experiment, dataset)
        with pytest.raises(HaltError):
            train(experiment, dataset, model, run, steps)
        assert run.step == (steps - 1) % 9 + 1
        store.save(path, model, run)
        assert train(experiment, dataset, *resume_run(path, experiment, dataset)) == expected


def test_a_run_goes_on_in_memory_too():
    """A run stopped in mid-epoch and trained further without a file gives the same bytes."""
    experiment, dataset = opened(RUNS["article"])
    expected, _ = whole(experiment, dataset)
    model, run = begun(experiment, dataset)
    with pytest.raises(HaltError):
        train(experiment, dataset, model, run, 13)
    assert train(experiment, dataset, model, run) == expected


@pytest.mark.parametrize("keys", [{"schedule": "exponential"}, RUNS["article"], RUNS["patience"]])
def test_extension_is_a_longer_run(keys):
    """A finished run with more epochs comes out as one that had them from the start."""
    experiment, dataset = opened(keys | {"epochs": 3})
    longer, _ = opened(keys | {"epochs": 6})
    content, history = whole(experiment, dataset)
    Path("w.npy").write_bytes(content)
    model, run = resume_run(Path("w.npy"), longer, dataset)
    assert len(run.history) == len(history) <= 3
    assert not run.finished or "patience" in keys
    assert train(longer, dataset, model, run) == whole(longer, dataset)[0]


def test_divergence_stands_where_the_last_epoch_did():
    """A run that diverges in mid-epoch is what it was when its last epoch ended."""
    experiment, dataset = opened(RUNS["article"] | {"epochs": 2})
    good, _ = opened(RUNS["article"] | {"epochs": 3})
    after_two = json.loads(json.dumps(whole(experiment, dataset)[1]))
    model, run = begun(good, dataset)

    def spoil(report):
        if (report.epoch, report.step) == (2, 4):
            run.network.theta[:] = np.nan

    with pytest.raises(DivergedError):
        list(loop.train(good, run, dataset, spoil))
    assert (run.history, run.step, run.error_sum) == (after_two, 0, 0.0)
    assert train(good, dataset, model, run) == whole(good, dataset)[0]


REFUSED = {
    "eta": ({"eta": 0.06}, "holds another run: eta is 0.06 here and 0.05 there; undo that, or"),
    "two": ({"seed": 3, "momentum": 0.5},
            "seed is 3 here and 0 there, momentum is 0.5 here and not given there"),
    "fewer epochs": ({"epochs": 4}, "epochs is 4 here and 5 there"),
    "more, and another": ({"epochs": 6, "bt_size": 9}, "bt_size is 9 here and 10 there, epochs is"),
    "structure": ({"structure": [16, 3]}, r"structure is \[16, 3\] here and \[16, 12, 3\] there"),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "problem"), REFUSED.values(), ids=REFUSED)
def test_another_experiment_is_refused(keys, problem):
    """Any change but more epochs is a mistake in the configuration that names both values."""
    experiment, dataset = opened({})
    Path("w.npy").write_bytes(whole(experiment, dataset)[0])
    with pytest.raises(ConfigError, match=problem):
        resume_run(Path("w.npy"), *opened(keys))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_planned_run_is_not_extended(schedule):
    """More epochs are refused where eta was planned for fewer; the same number is not."""
    experiment, dataset = opened({"schedule": schedule})
    Path("w.npy").write_bytes(whole(experiment, dataset)[0])
    assert resume_run(Path("w.npy"), experiment, dataset)[1].finished
    with pytest.raises(ConfigError, match=f"schedule {schedule} was planned for 5 epochs, not 6"):
        resume_run(Path("w.npy"), *opened({"schedule": schedule, "epochs": 6}))


def test_other_data_are_refused():
    """One pixel changed is other data."""
    experiment, dataset = opened({})
    Path("w.npy").write_bytes(whole(experiment, dataset)[0])
    dataset.train.features[96, 15] ^= 1
    with pytest.raises(ConfigError, match="was trained on other data; restore them"):
        resume_run(Path("w.npy"), experiment, dataset)


def with_a_file():
    """Return an experiment whose validation examples are a file's, and its data."""
    experiment, dataset = opened({"data": {"train": "t.npy"}, "validation": "v.npy"})
    rows = np.arange(0, 97, 7)
    return experiment, dataset._replace(
        validation=Examples(*(part[rows] for part in dataset.train))
    )


def test_other_validation_data_are_refused():
    """One pixel changed in a validation file is other data, and `--verify` says what changed."""
    experiment, dataset = with_a_file()
    Path("w.npy").write_bytes(whole(experiment, dataset)[0])
    assert resume_run(Path("w.npy"), experiment, dataset)
    dataset.validation.features[3, 15] ^= 1
    with pytest.raises(ConfigError, match="was validated on other data; restore them"):
        resume_run(Path("w.npy"), experiment, dataset)
    model, run = begun(experiment, dataset)
    train(experiment, dataset, model, run)
    difference = first_difference(Path("w.npy"), model, run)
    assert difference.startswith("validation_fingerprint is ")


def test_a_damaged_checkpoint_is_not_resumed():
    """A file that is no whole checkpoint is an error, and never quietly a new start."""
    experiment, dataset = opened({})
    Path("w.npy").write_bytes(whole(experiment, dataset)[0][:-1])
    with pytest.raises(CheckpointError, match="is damaged"):
        resume_run(Path("w.npy"), experiment, dataset)


@pytest.mark.parametrize(
    "spoil",
    [
        {"stream": "5000000:" + "00" * 2496}, {"stream": "-1:" + "00" * 2496}, {"stream": "x"},
        {"stream": ""}, {"step": -1}, {"step": 0.5}, {"total": 1}, {"complete": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_run_that_stands_nowhere_is_refused(spoil):
    """A place in the run that cannot be is refused, before NumPy reads memory that is not its."""
    experiment, dataset = opened(RUNS["article"])
    model, run = begun(experiment, dataset)
    record = store.record_of(model, run)
    record.meta.update(spoil)
    Path("w.npy").write_bytes(checkpoint.serialise(*record))
    with pytest.raises(CheckpointError, match="is not a checkpoint that this version understands"):
        load_run(Path("w.npy"))


# --- As a process


def config(old="", new="", epochs=8):
    """Write the article's experiment with so many epochs and a checkpoint ten times in each."""
    text = PARITY.replace("1000", str(epochs)).replace(old, new)
    Path("c.yaml").write_text(f"{text}\ncheckpoint_every: 0.1\n", encoding="utf-8")
    return "c.yaml"


# So long that none of three runs is over when its signal comes: each comes within 160 lines, 70 an
# epoch, and those that the pipe holds, 4 KiB of them on Linux and 64 KiB elsewhere.
LONG = 25 if sys.platform == "linux" else 80
MODERN = (
    "compat: article",
    "optimizer: adam\nschedule: cosine\ndropout: 0.2\nvalidation: 0.2\npatience: 80\ninit: he",
)


@pytest.mark.parametrize(
    ("change", "suffix"), [(("", ""), "csv"), (MODERN, "jsonl")], ids=["article", "modern"]
)
def test_killed_and_restarted(run_mlp, change, suffix):
    """One command, ended by SIGTERM and SIGKILL and started again, ends with the whole run's bytes.

    And its history has every row once.
    """
    history = f"h.{suffix}"
    words = ("train", config(*change, epochs=LONG), "--history", history)
    assert run_mlp(*words, "-o", "whole.npy").returncode == 0
    expected = timeless(Path(history))
    rng = np.random.default_rng(len(suffix) + len(change[0]))
    stops = [signal.SIGTERM, signal.SIGKILL, signal.SIGTERM]
    for number in stops:
        assert interrupt([*words, "--resume", "-v"], number, int(rng.integers(1, 160)))
    run = run_mlp(*words, "--resume")
    assert run.returncode == 0, run.stderr
    assert Path("c.npy").read_bytes() == Path("whole.npy").read_bytes()
    assert timeless(Path(history)) == expected
    assert sorted(map(str, Path().iterdir())) == ["c.npy", "c.yaml", history, "whole.npy"]


def test_resume_starts_where_there_is_nothing(run_mlp):
    """Without a checkpoint --resume starts; with a finished one it does nothing, and says so."""
    words = ("train", config(), "--resume", "--history", "h.csv")
    first = run_mlp(*words)
    assert (first.returncode, first.stderr.count("\n")) == (0, 8)
    content, rows, stamp = (
        Path("c.npy").read_bytes(), Path("h.csv").read_text(), Path("c.npy").stat().st_mtime_ns
    )  # fmt: skip
    again = run_mlp(*words)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert again.stderr == "c.npy: finished after 8 epochs\n"
    assert Path("c.npy").stat().st_mtime_ns == stamp
    assert (Path("c.npy").read_bytes(), Path("h.csv").read_text()) == (content, rows)


def test_resume_with_more_epochs(run_mlp):
    """`--resume --set epochs=N` goes on with a finished run, and with its history."""
    words = ("train", config(), "--history", "h.csv")
    assert run_mlp(*words, "-o", "whole.npy", "--set", "epochs=11").returncode == 0
    expected = timeless(Path("h.csv"))
    assert run_mlp(*words).returncode == 0
    more = run_mlp(*words, "--resume", "--set", "epochs=11")
    assert (more.returncode, more.stderr.count("\n")) == (0, 1 + 3)
    assert more.stderr.startswith("c.npy: stopped in epoch 8 after 0 steps\nepoch 8 error ")
    assert Path("c.npy").read_bytes() == Path("whole.npy").read_bytes()
    assert timeless(Path("h.csv")) == expected


def test_history_of_another_run_is_not_taken_over(run_mlp):
    """Rows that are not this run's are replaced by this run's, a torn last one too."""
    words = ("train", config(), "--history", "h.csv")
    assert run_mlp(*words).returncode == 0
    expected = timeless(Path("h.csv"))
    heading, *rows = Path("h.csv").read_text().splitlines(keepends=True)
    rows[1] = rows[1].replace("1,0.", "1,9.", 1)
    Path("h.csv").write_text("".join([heading, *rows[:5], rows[5][:7]]))
    assert run_mlp(*words, "--resume").returncode == 0
    assert timeless(Path("h.csv")) == expected
    kept = Path("h.csv").read_text().splitlines(keepends=True)[1:]
    assert [kept[i] == rows[i] for i in range(8)] == [True, False, True, True, True] + [False] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "eta=1"], "c.npy: holds another run: eta is 1.0 here and 0.3 there; undo that, "
                             "or start anew with --overwrite"),
        (["--overwrite"], "mlp train: --overwrite, --resume and --verify exclude one another; "
                          "give one"),
        (["--verify", "c.npy"], "mlp train: --overwrite, --resume and --verify exclude one "
                                "another; give one"),
    ],
)  # fmt: skip
def test_refusals_are_usage_errors(run_mlp, options, message):
    """What cannot be resumed is exit 2 and one line, and the checkpoint stays as it is."""
    assert run_mlp("train", config()).returncode == 0
    content = Path("c.npy").read_bytes()
    run = run_mlp("train", "c.yaml", "--resume", *options)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"mlp: error: {message}\n")
    assert Path("c.npy").read_bytes() == content
