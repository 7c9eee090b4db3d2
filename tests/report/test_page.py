"""The page of a report: its numbers are those of `mlp evaluate`, and text stays text."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.evaluation.evaluate import open_evaluated

HOSTILE = "</script><script>alert(1)</script>"


class Page(HTMLParser):
    """What a page holds: tags with their attributes, and numbers by the heading of their row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.numbers, self.row = [], [], {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.row = ""
        if tag == "data":
            self.numbers.setdefault(self.row, []).append(float(dict(attrs)["value"]))

    def handle_data(self, data):
        """Note a text; the first in a row is its heading."""
        self.texts.append(data)
        self.row = self.row or data

    def named(self, tag):
        """Return the attributes of every tag of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Write tables of every task with a configuration for each; return their folder."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    x, kind = (
        rng.normal(size=(120, 2)),
        np.array(["red", "green & blue"])[rng.integers(2, size=120)],
    )
    y = x[:, 0] + (kind == "red")
    targets = {
        "classes": [(HOSTILE, "b", "c")[min(2, int(abs(v)))] for v in y],
        "quantities": (30 + 7 * y).tolist(),
        "labels": [f"{int(v > 0)},{int(w > 0)}" for v, w in zip(y, x[:, 1], strict=True)],
    }
    for name, target in targets.items():
        heads = "one,two" if name == "labels" else "target"
        rows = zip(x.tolist(), kind, target, strict=True)
        lines = [f"a,b,kind,{heads}", *(f"{a},{b},{k},{t}" for (a, b), k, t in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        last, names = {"classes": (3, ""), "quantities": (1, ""), "labels": (2, "[one, two]")}[name]
        named = f", target: {names}" if names else ""
        (folder / f"{name}.yaml").write_text(
            f"data: {{train: {name}.csv, test: 0.3{named}}}\nstructure: [4, 5, {last}]\n"
            "eta: 0.1\nbt_size: 8\nepochs: 3\nvalidation: 0.2\n"
            + {"quantities": "task: regression\n", "labels": "task: multilabel\n"}.get(name, ""),
            encoding="utf-8",
        )
    return folder


@pytest.fixture
def report(run_mlp, tables, monkeypatch):
    """Return a function that returns a table's report, and trains and writes it if need be."""
    monkeypatch.chdir(tables)

    def write(name):
        page = Path(f"{name}.html")
        if not page.exists():
            run = run_mlp("train", f"{name}.yaml", "-q")
            assert run.returncode == 0, run.stderr
            run = run_mlp("report", f"{name}.npy", "-o", page)
            assert run.returncode == 0, run.stderr
            assert run.stdout == f"report {page}, {page.stat().st_size:,} bytes\n"
        return page.read_text(encoding="utf-8")

    return write


CALLED = {
    "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1",
    "roc_auc": "ROC AUC", "log_loss": "log loss", "brier_score": "Brier score",
    "calibration_error": "calibration error", "error": "mean error",
}  # fmt: skip


def test_numbers_of_classes(report, run_mlp):
    """Every metric, of all and of each class, is to its last digit what `mlp evaluate` says."""
    page = Page(report("classes"))
    said = json.loads(run_mlp("evaluate", "--weights", "classes.npy", "--json").stdout)
    for metric, called in CALLED.items():
        value, *interval = page.numbers[called]
        assert value == said[metric], metric
        if interval:
            assert interval[0] <= value <= interval[1]
    for name, row in said["classes"].items():
        shown = page.numbers[name]
        assert {row[m] for m in ("precision", "recall", "f1", "roc_auc")} - {None} <= set(shown)
    counts = [n for row in said["confusion"] for n in row if n]
    assert [
        int(n) for n in re.findall(r'<td title="[^"]*"[^>]*><data value="(\d+)"', report("classes"))
    ] == counts


def test_numbers_of_quantities(report, run_mlp):
    """Every metric of a target, and that of always saying the mean beside it."""
    page = Page(report("quantities"))
    said = json.loads(run_mlp("evaluate", "--weights", "quantities.npy", "--json").stdout)
    row = said["targets"]["target"]
    for metric, called in (("rmse", "RMSE"), ("mae", "MAE"), ("r2", "R²")):
        value, low, high, always = page.numbers[f"target: {called}"]
        assert (value, always) == (row[metric], row["baseline"][metric])
        assert low < value < high
    titles = [text for text in page.texts if text.startswith("true ") and ", predicted " in text]
    assert len(titles) == said["examples"]


def test_numbers_of_labels(report, run_mlp):
    """Subset accuracy, F1 and every label's metrics."""
    page = Page(report("labels"))
    said = json.loads(run_mlp("evaluate", "--weights", "labels.npy", "--json").stdout)
    assert page.numbers["subset accuracy"][0] == said["accuracy"]
    assert page.numbers["micro F1"][0] == said["micro_f1"]
    for name, row in said["labels"].items():
        assert {row[m] for m in ("precision", "recall", "f1")} <= set(page.numbers[name])


def test_mistakes_are_shown_with_their_rows(report, run_mlp):
    """Each wrong prediction, the surest first, is there with its line, cells and classes."""
    text = report("classes")
    (part,) = re.findall(r'<section id="mistakes">.*?</section>', text, re.DOTALL)
    rows = re.findall(r"<tr><th scope=\"row\">line (\d+)</th>(.*?)</tr>", part)
    lines = Path("classes.csv").read_text(encoding="utf-8").splitlines()
    said = json.loads(run_mlp("evaluate", "--weights", "classes.npy", "--json").stdout)
    assert len(rows) == min(12, said["examples"] - said["correct"])
    sure = [float(share) for share in re.findall(r"\((0\.\d+)\)", part)]
    assert sure == sorted(sure, reverse=True)
    for line, cells in rows:
        a, _, kind, target = lines[int(line) - 1].split(",")
        shown = [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", cells)]
        assert shown[0] == f"{float(a):.6g}"
        assert shown[2:4] == [kind, target]
        assert not shown[4].startswith(f"{target} (")


def test_inputs_are_ranked(report):
    """What decides comes before what does not, each with its interval."""
    page = Page(report("quantities"))
    ranked = [name for name in page.numbers if name in ("a", "b", "kind")]
    assert ranked[-1] == "b"  # which the target does not depend on
    fall, low, high = page.numbers["a"]
    assert 0 < low < fall < high


@pytest.fixture(scope="module")
def compared(run_mlp, tables):
    """Train the same table otherwise; return the report on both runs."""
    words = ["--set", "epochs=9", "--set", "eta=0.5", "-o", tables / "other.npy", "-q"]
    assert run_mlp("train", tables / "labels.yaml", *words).returncode == 0
    assert run_mlp("train", tables / "labels.yaml", "-q", "-o", tables / "one.npy").returncode == 0
    files = [tables / "one.npy", tables / "other.npy"]
    assert run_mlp("report", *files, "-o", tables / "both.html").returncode == 0
    return (tables / "both.html").read_text(encoding="utf-8")


def test_runs_side_by_side(compared, run_mlp, tables):
    """Each has a row with its metrics as `mlp evaluate` says them, and a curve of its own."""
    page = Page(compared)
    for name in ("one", "other"):
        run = run_mlp("evaluate", "--weights", tables / f"{name}.npy", "--json")
        said = json.loads(run.stdout)
        assert {said["accuracy"], said["macro_f1"], said["micro_f1"]} <= set(page.numbers[name])
        assert f"{name} validation error" in page.texts
    assert re.search(r"Small: the 95 % interval\. Of \d+ examples of \S+, test\.", compared)
    assert compared.count('<polyline points="') == 6  # two errors, an accuracy, of each


def test_what_sets_runs_apart(compared):
    """The keys that differ are there with both values, and no others."""
    (part,) = re.findall(r'<section id="settings">.*?</section>', compared, re.DOTALL)
    rows = re.findall(r'<th scope="row">(\w+)</th><td>(.*?)</td><td>(.*?)</td>', part)
    assert rows == [("eta", "0.1", "0.5"), ("epochs", "3", "9")]


def test_a_difference_has_an_interval(compared):
    """The page says how far the better is ahead, and whether that may be chance."""
    (said,) = re.findall(
        r"Against \w+ it is ([\d.]+) ahead on the same examples \(([^)]*)\)", compared
    )
    low, high = map(float, said[1].split(" to "))
    assert low <= float(said[0]) <= high


def test_tasks_are_not_compared(report, run_mlp):
    """Models of other tasks have no common metric."""
    report("classes"), report("quantities")
    run = run_mlp("report", "classes.npy", "quantities.npy", "-o", "x.html")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(
        "mlp: error: quantities.npy: is of task regression, but classes.npy of"
    )


def test_curves_are_the_history(report, run_mlp):
    """There is a line for each error, with a point per epoch, as high as the history says."""
    text = report("classes")
    history = run_mlp("show", "classes.npy", "--history").stdout.splitlines()
    errors = [float(row.split(",")[1]) for row in history[1:]]
    (points,) = re.findall(r'<polyline points="([^"]*)" class="line k0 d0"><title>error,', text)
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert len(heights) == len(errors) == 3
    # The epoch whose weights these are is marked.
    (mark,) = re.findall(r'<line x1="([\d.]+)" y1="[\d.]+" x2="\1" [^>]*class="reference">', text)[
        :1
    ]
    best = run_mlp("show", "classes.npy", "--json").stdout
    assert mark == points.split()[json.loads(best)["best_epoch"]].split(",")[0]
    # Down is more on a page, and equal steps of the logarithm are equal.
    logs = np.log(errors)
    slope = (heights[2] - heights[0]) / (logs[2] - logs[0])
    assert slope < 0
    assert heights[1] - heights[0] == pytest.approx(slope * (logs[1] - logs[0]), abs=0.02)


def test_names_stay_text(report):
    """A class that is called like a script is text; the page's own script is the only one."""
    text = report("classes")
    page = Page(text)
    assert text.count("<script") == len(page.named("script"))
    assert "alert(1)" not in "".join(re.findall(r"<script>.*?</script>", text, re.DOTALL))
    assert HOSTILE in page.texts
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]


def test_nothing_is_fetched(report):
    """The policy allows no source but the page itself, and nothing in it names another."""
    page = Page(report("classes"))
    (policy,) = (a["content"] for a in page.named("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"https?:", policy)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), tag


def test_intervals_as_json(report, run_mlp):
    """`--json` has what `mlp evaluate` says, intervals, and importance; the bytes are the same."""
    text = report("classes")
    run = run_mlp("report", "classes.npy", "-o", "again.html", "--json")
    found = json.loads(run.stdout)
    assert list(found) == ["report", "bytes", "runs"]
    (shown,) = found["runs"]
    low, high = shown["intervals"]["accuracy"]
    assert low <= shown["accuracy"] <= high
    assert [each["name"] for each in shown["importance"]] == ["a", "b", "kind"]
    assert Path("again.html").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["report", "classes.npy", "-o", "classes.npy"], 2, "is both input and output"),
        (["report", "classes.npy", "-o", "classes.csv"], 2, "is both input and output"),
        (["report", "classes.npy", "classes.npy", "-o", "x.html"], 2, "is given twice"),
        (["report", "none.npy", "-o", "x.html"], 1, "none.npy: "),
        (["report", "loop", "-o", "x.html"], 1, "loop: cannot be read"),
        (["report", "classes.npy", "-o", "no/x.html"], 1, "no/x.html: cannot be written"),
        (["report", "classes.npy"], 2, "missing option '-o'"),
        (["report", "classes.npy", "-o", "x.pdf"], 2, "x.pdf: a report is HTML"),
        (["evaluate", "--weights", "classes.npy", "--report", "x.PNG"], 2, "x.PNG: a report is"),
        (
            ["evaluate", "--weights", "classes.npy", "--report", "classes.npy"],
            2,
            "another --report",
        ),
    ],
)
def test_errors(report, run_mlp, words, code, message):
    """Each is one line, and no file is touched."""
    report("classes")
    if not Path("loop").is_symlink():
        Path("loop").symlink_to("loop")
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    run = run_mlp(*words)
    assert run.returncode == code
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


def test_evaluate_writes_it_too(report, run_mlp, monkeypatch):
    """`mlp evaluate --report` writes the same page, of data read once, and prints the same."""
    text = report("classes")
    plain = run_mlp("evaluate", "--weights", "classes.npy")
    opened = []

    def open_counted(*args):
        opened.append(args)
        return open_evaluated(*args)

    monkeypatch.setattr("mlpcli.evaluation.evaluate.open_evaluated", open_counted)
    run = run_mlp("evaluate", "--weights", "classes.npy", "--report", "e.html")
    assert len(opened) == 1
    assert (run.returncode, run.stdout) == (0, plain.stdout)
    assert Path("e.html").read_text(encoding="utf-8") == text
    Path("e.html").unlink()


def test_parity_and_nasty_names(run_mlp, parity_weights):
    """A bidi override in a class name is an escape, and a run without an epoch is no error."""
    record = checkpoint.read(parity_weights)
    record.meta.update(class_names=["a\u202eb", "x"], history=[], epoch=0)
    record.meta.update(best_epoch=-1, complete=False)
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))
    run = run_mlp("report", "w.npy", "-o", "w.html")
    assert run.returncode == 0, run.stderr
    text = Path("w.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert r"a\u202eb" in text
    assert "There is no history yet." in text


def test_train_writes_it_at_the_end(run_mlp, tables, monkeypatch):
    """`mlp train --report` writes what `mlp report` does: of training data if there is no test."""
    monkeypatch.chdir(tables)
    keys = ["--set", "epochs=1", "-q", "-o", "t.npy", "--overwrite"]
    assert run_mlp("train", "classes.yaml", *keys, "--report", "t.html").returncode == 0
    assert run_mlp("report", "t.npy", "-o", "again.html").returncode == 0
    assert Path("t.html").read_bytes() == Path("again.html").read_bytes()
    text = Path("classes.yaml").read_text(encoding="utf-8")
    Path("whole.yaml").write_text(text.replace(", test: 0.3", ""), encoding="utf-8")
    run = run_mlp("train", "whole.yaml", *keys, "--report", "t.html")
    assert run.returncode == 0, run.stderr
    assert "that it learned from" in Path("t.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "classes.csv"], "classes.csv: is both input and output"),
        (["--report", "t.npy"], "t.npy: is both -o and --report"),
        (["--report", "no/r.html"], "no/r.html: cannot be written"),
        (["--report", "r.pdf"], "r.pdf: a report is HTML"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_training(
    run_mlp, tables, monkeypatch, words, message
):
    """No epoch is trained for a report that is another file, or has no folder."""
    monkeypatch.chdir(tables)
    run = run_mlp("train", "classes.yaml", "-o", "t.npy", "--overwrite", *words)
    assert run.returncode in (1, 2)
    assert run.stderr.startswith(f"mlp: error: {message}")
    assert "epoch" not in run.stderr
