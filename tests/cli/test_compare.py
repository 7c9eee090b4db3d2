"""`mlp compare`: runs by setting, over their seeds."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from scipy import stats
from test_quantities import configure, write

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint

CONFIG = "data: parity\nstructure: [10, 3, 2]\neta: 0.3\nbt_size: 8\nepochs: 4\nvalidation: 0.2\n"
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def trained(run_mlp, tmp_path_factory):
    """Train two settings over three seeds, as a loop in a shell does; return their folder."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "c.yaml").write_text(CONFIG)
    for seed in SEEDS:
        for name, eta in (("a", 0.3), ("b", 0.01)):
            words = ["--set", f"eta={eta}", "--set", f"seed={seed}", "-q"]
            output = folder / f"{name}-{seed}.npy"
            assert run_mlp("train", folder / "c.yaml", *words, "-o", output).returncode == 0
    return folder


@pytest.fixture
def runs(trained):
    """Copy the runs into this test's folder; return the names of their files."""
    for path in trained.iterdir():
        shutil.copy(path, path.name)
    return sorted(path.name for path in trained.glob("*.npy"))


@pytest.fixture
def compared(run_mlp):
    """Return a function that compares runs, and returns what is printed as JSON."""

    def run(*words):
        found = run_mlp("compare", *words, "--json")
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    return run


def train(run_mlp, output, *changes):
    """Train c.yaml with some keys changed."""
    words = [word for change in changes for word in ("--set", change)]
    run = run_mlp("train", "c.yaml", "-q", "-o", output, *words)
    assert run.returncode == 0, run.stderr


def kept(path, name):
    """Return a figure of the best epoch that a checkpoint keeps."""
    meta = checkpoint.read(Path(path)).meta
    return meta["history"][meta["best_epoch"]][name]


def test_means_and_differences_are_students(runs, compared):
    """Means, intervals and paired differences are those of scipy, of what checkpoints keep."""
    found = compared(*runs, "--metric", "error")
    assert found == {**found, "examples": "0.2 of parity", "split": "validation"}
    of = {name: [kept(f"{name}-{seed}.npy", "validation_error") for seed in SEEDS] for name in "ab"}
    best, other = found["settings"]
    assert [best["setting"], other["setting"]] == ["a-*", "b-*"]
    assert [best["keys"], other["keys"]] == [{"eta": 0.3}, {"eta": 0.01}]
    assert [best["best"], other["best"]] == [True, False]
    for row, values in ((best, of["a"]), (other, of["b"])):
        assert [run["value"] for run in row["runs"]] == values
        test = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx(tuple(test))
        assert row["mean"] == pytest.approx(sum(values) / 3)
    gap, paired = other["difference"], stats.ttest_rel(of["b"], of["a"]).confidence_interval(0.95)
    assert best["difference"] is None
    assert (gap["low"], gap["high"]) == pytest.approx(tuple(paired))
    assert (gap["seeds"], gap["within_noise"]) == (3, bool(paired.low <= 0 <= paired.high))


def test_text_shows_only_what_differs(runs, run_mlp):
    """A row per setting, the best first and marked, with the keys that differ and no others."""
    run = run_mlp("compare", *runs)
    heading, heads, best, other = run.stdout.splitlines()
    assert heading.startswith("accuracy on validation (0.2 of parity)")
    assert heads.split() == ["setting", "eta", "seeds", "accuracy", "against", "the", "best"]
    assert best.split()[:3] == ["a-*", "0.3", "3"]
    assert best.endswith("best")
    assert other.split()[:3] == ["b-*", "0.01", "3"]
    assert other.endswith((", worse", ", within noise"))
    assert run.stderr == ""


def test_many_keys_stand_below(runs, run_mlp):
    """Where the table would be too wide, the keys are listed under it, within 80 columns."""
    changes = ("hidden=[4]", "structure=none", "optimizer=adam", "activation=relu", "momentum=none")
    train(run_mlp, "wide.npy", *changes, "loss=cross_entropy", "output=softmax", "seed=1")
    lines = run_mlp("compare", *runs, "wide.npy").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    below = " ".join(" ".join(lines[lines.index("what sets them apart") :]).split())
    assert "wide structure [10, 4, 2], eta 0.3, activation relu" in below


def test_csv_is_a_row_per_setting(runs, run_mlp, compared):
    """`--csv` has the figures of `--json`, keys and differences as columns."""
    rows = list(csv.DictReader(run_mlp("compare", *runs, "--csv").stdout.splitlines()))
    for row, setting in zip(rows, compared(*runs)["settings"], strict=True):
        assert float(row["eta"]) == setting["keys"]["eta"]
        assert float(row["mean"]) == setting["mean"]
    assert float(rows[1]["difference_low"]) == setting["difference"]["low"]
    assert rows[0]["difference_low"] == ""


def test_lower_is_better_for_errors(runs, compared):
    """By `--metric error` the setting with the smallest mean is first."""
    means = [setting["mean"] for setting in compared(*runs, "--metric", "error")["settings"]]
    assert means == sorted(means)


def test_each_checkpoint_is_read_once(compared, runs, monkeypatch):
    """Models that are evaluated are those that were loaded to be listed."""
    read, paths = checkpoint.read, []
    monkeypatch.setattr(checkpoint, "read", lambda path: paths.append(path.name) or read(path))
    compared(*runs, "--split", "test")
    assert sorted(paths) == runs


def test_other_splits_are_evaluated(runs, run_mlp, compared):
    """With `--split test` each figure is what `mlp evaluate` says, by any of its metrics."""
    found = compared(*runs, "--split", "test", "--metric", "recall[odd]")
    assert found["examples"] == "parity"
    for run in (run for setting in found["settings"] for run in setting["runs"]):
        said = run_mlp("evaluate", "--weights", run["weights"], "--json").stdout
        assert run["value"] == json.loads(said)["classes"]["odd"]["recall"]


def test_without_common_validation_the_test_counts(runs, run_mlp, compared):
    """Where a run was validated on other examples, or on none, all are compared on the test."""
    train(run_mlp, "more.npy", "validation=0.3")
    assert compared(*runs, "more.npy")["split"] == "test"
    train(run_mlp, "none.npy", "validation=none")
    assert compared(*runs, "none.npy")["split"] == "test"


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_every_task(run_mlp, compared, task):
    """Quantities are compared by RMSE, in their units, several labels by accuracy."""
    write(columns=("size", "age", "price") if task == "regression" else ("size", "yes", "no"),
          change=lambda row: row | {"yes": row["age"] % 2, "no": row["price"] % 2})  # fmt: skip
    data = "{train: t.csv, test: 0.2" + (", target: [yes, no]}" if task == "multilabel" else "}")
    configure(data, f"task: {task}\nvalidation: 0.2\n", "hidden: [4]\neta: 0.01\nbt_size: 16\n"
              "epochs: 3\n")  # fmt: skip
    train(run_mlp, "c.npy")
    found = compared("c.npy")
    metric = "rmse" if task == "regression" else "accuracy"
    assert found["metric"] == metric
    assert found["settings"][0]["mean"] == kept("c.npy", f"validation_{metric}")


def test_members_are_a_key_like_others(run_mlp, compared):
    """A run with members is compared as the one network that it is in use."""
    Path("c.yaml").write_text(CONFIG)
    train(run_mlp, "one.npy")
    train(run_mlp, "four.npy", "members=4")
    found = compared("one.npy", "four.npy")["settings"]
    assert {setting["keys"]["members"] for setting in found} == {None, 4}


def test_one_seed_has_no_interval(runs, run_mlp, compared):
    """Of one seed there is neither an interval nor a verdict, and a line says so."""
    one, other = compared(runs[0], runs[3])["settings"]
    assert (one["low"], one["high"], other["difference"]["within_noise"]) == (None, None, None)
    run = run_mlp("compare", runs[0], runs[3])
    assert "(one seed)" in run.stdout
    assert "one seed in common" in run.stdout
    assert run.stdout.endswith("says nothing of noise: train with others, as --set seed=1\n")
    assert "no seed in common" in run_mlp("compare", runs[0], runs[4]).stdout


def test_folders_and_patterns(runs, compared):
    """A folder stands for the checkpoints in it, a pattern for what fits it; each counts once."""
    Path("folder").mkdir()
    for name in runs:
        shutil.copy(name, "folder")
    Path("folder/other.npy").write_bytes(b"\x93NUMPY")
    settings = compared("folder", "folder/a-*.npy")["settings"]
    assert [setting["seeds"] for setting in settings] == [3, 3]
    assert settings[0]["setting"] == "folder/a-*"


@pytest.mark.usefixtures("runs")
def test_what_does_not_count_is_named(run_mlp):
    """Unfinished runs, copies, and other arrays in a folder are left out, each with its reason."""
    record = checkpoint.read(Path("a-1.npy"))
    record.meta["complete"] = False
    atomic.write(Path("half.npy"), checkpoint.serialise(*record))
    shutil.copy("a-1.npy", "copy.npy")
    Path("other.npy").write_bytes(b"\x93NUMPY")
    run = run_mlp("compare", ".")
    notes = run.stderr.splitlines()
    assert notes[0] == "left out: half.npy is not finished, but stopped after 4 of 4 epochs"
    assert notes[1].startswith("left out: other.npy is not an mlp checkpoint")
    assert notes[2] == "copy.npy: has the setting and the seed of a-1.npy, which counts alone"
    assert run.stdout.splitlines()[2].split()[:3] == ["a-*", "0.3", "3"]
    assert "half.npy" not in run.stdout


def test_data_that_changed_are_named(run_mlp):
    """Runs on a file that was another at the time are compared, but a line says so."""
    configure("{train: t.csv, test: 0.2}", "task: regression\nvalidation: 0.2\n",
              "hidden: [4]\neta: 0.01\nbt_size: 16\nepochs: 2\n")  # fmt: skip
    write()
    train(run_mlp, "a.npy")
    write(rows=range(10, 200))
    train(run_mlp, "b.npy", "eta=0.02")
    run = run_mlp("compare", "a.npy", "b.npy")
    assert "b.npy: was trained on other examples of t.csv than a.npy" in run.stderr
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("change", "words", "problem"),
    [
        ("validation=0.3", ["--split", "validation"], "its validation examples are 0.3 of parity"),
        ("validation=none", ["--split", "validation"], "has no validation examples"),
        ("loss=cross_entropy", ["--metric", "error"], "its error is of cross_entropy of sigmoid"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, run_mlp, change, words, problem):
    """Runs on other examples, or of another error, are one line that names the run; exit code 2."""
    train(run_mlp, "z.npy", change)
    run = run_mlp("compare", *runs, "z.npy", *words)
    assert run.returncode == 2
    assert run.stderr.startswith(f"mlp: error: z.npy: {problem}")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "split", "problem"),
    [
        ("data.time=age", "test", "data.time is age, there –"),
        ("data.group=age", "validation", "data.group is age, there –"),
        ("data.weight=age", "test", "data.weight is age, there –"),
        ("data.missing=drop", "train", "data.missing is drop, there –"),
        ("data.test=0.3", "validation", "data.test is 0.3, there 0.2"),
    ],
)
def test_other_examples_of_one_file_are_refused(run_mlp, change, split, problem):
    """A share of a file is of the same examples only if it is chosen, and counts, alike."""
    configure("{train: t.csv, test: 0.2, target: price}", "task: regression\nvalidation: 0.2\n",
              "hidden: [4]\neta: 0.01\nbt_size: 16\nepochs: 1\n")  # fmt: skip
    write()
    train(run_mlp, "a.npy")
    train(run_mlp, "b.npy", change)
    run = run_mlp("compare", "a.npy", "b.npy", "--split", split)
    assert run.returncode == 2
    said = f"mlp: error: b.npy: its {split} examples are not those of a.npy: {problem}; compare"
    assert run.stderr.startswith(said)


def test_how_a_file_would_be_divided_does_not_matter_where_it_is_not(run_mlp, compared):
    """Models that were validated otherwise are compared on a test in a file of its own."""
    configure("{train: t.csv, test: t.csv, target: price}", "task: regression\nvalidation: 0.2\n",
              "hidden: [4]\neta: 0.01\nbt_size: 16\nepochs: 1\n")  # fmt: skip
    write()
    train(run_mlp, "a.npy")
    train(run_mlp, "b.npy", "data.group=age")
    found = compared("a.npy", "b.npy")
    assert (found["split"], len(found["settings"])) == ("test", 2)


def test_other_targets_are_refused(runs, run_mlp):
    """Runs of another task, or with other classes, are refused."""
    write(change=lambda row: row | {"price": "ab"[row["price"] % 2]})
    configure(more="", keys="hidden: [2]\neta: 0.1\nbt_size: 8\nepochs: 1\n")
    train(run_mlp, "ab.npy")
    run = run_mlp("compare", *runs, "ab.npy")
    assert run.stderr.startswith("mlp: error: ab.npy: predicts other classes than a-1.npy")
    write()
    configure(more="task: regression\n", keys="hidden: [2]\neta: 0.1\nbt_size: 8\nepochs: 1\n")
    train(run_mlp, "q.npy")
    run = run_mlp("compare", *runs, "q.npy")
    assert run.stderr.startswith("mlp: error: q.npy: is of task regression, but a-1.npy of class")


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["none-*.npy"], 1, "none-*.npy: cannot be read"),
        (["a-1.npy", "c.yaml"], 1, "c.yaml: is not an mlp checkpoint"),
        (["loop"], 1, "loop: cannot be read"),
        (["empty"], 2, "mlp compare: there is no finished run"),
        (["a-1.npy", "--json", "--csv"], 2, "--json and --csv exclude"),
        (["a-1.npy", "--metric", "f1"], 2, "--metric f1: checkpoints keep only error, accuracy"),
        (["a-1.npy", "--metric", "f["], 2, "--metric f[: is no metric"),
        (["a-1.npy", "--metric", "acc", "--split", "test"], 2, "there is no metric acc"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_mistakes(run_mlp, words, code, problem):
    """What cannot be compared at all is one line that says why."""
    Path("empty").mkdir()
    Path("loop").symlink_to("loop")
    run = run_mlp("compare", *words)
    assert (run.returncode, run.stdout) == (code, "")
    assert problem in run.stderr
    assert run.stderr.count("\n") == 1


def test_absurd_figures_are_refused(run_mlp):
    """A figure whose square is no number, which only a made-up file has, is an error."""
    Path("c.yaml").write_text(CONFIG)
    train(run_mlp, "w.npy")
    record = checkpoint.read(Path("w.npy"))
    for row in record.meta["history"]:
        row["validation_error"] = 1e308
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))
    run = run_mlp("compare", "w.npy", "--metric", "error")
    assert "w.npy: has 1e+308 for error on validation" in run.stderr
