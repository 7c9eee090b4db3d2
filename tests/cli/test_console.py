"""How results and progress are shown."""

import io
import sys

import pytest

from mlpcli.cli import console, progress_bars
from mlpcli.training.run import EpochReport, StepReport

REPORTS = [
    EpochReport({"epoch": 0, "error": 0.482364, "eta": 0.3}, 700, 0.5),
    EpochReport({"epoch": 1, "error": 4.03103e-05, "eta": 0.3}, 700, 0.25),
]
PLAIN = "epoch 0 error 0.48236\nepoch 1 error 4.031e-05\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Pretend."""
        return True


@pytest.mark.parametrize(
    ("accuracy", "shown"),
    [(1.0, "1.0000 (7 of 8)"), (0.92594, "0.9259 (7 of 8)"), (None, "- (7 of 8)")],
)
def test_counted(accuracy, shown):
    """An accuracy has four decimals and its counts, and a dash stands for none."""
    assert console.format_accuracy(accuracy, 7, 8) == shown


def test_json_is_one_readable_line(capsys):
    """JSON comes on one line, on stdout, with letters as they are."""
    console.result_json({"class": "Ł\n", "accuracy": None})
    assert capsys.readouterr() == ('{"class": "Ł\\n", "accuracy": null}\n', "")


def test_results_and_notes_keep_apart(capsys):
    """Results go to stdout and everything else to stderr."""
    console.result("the answer")
    console.note("some news")
    console.step_line(StepReport(3, 5, 87, 0.1234567))
    assert capsys.readouterr() == ("the answer\n", "some news\nepoch 3 step 5 error 0.12346\n")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize(("quiet", "plain"), [(True, False), (True, True), (False, True)])
def test_epochs_without_a_bar(monkeypatch, stream, quiet, plain):
    """Quiet shows nothing at all and plain shows lines, terminal or not."""
    monkeypatch.setattr(sys, "stderr", stream())
    with progress_bars.epochs(2, 0, quiet, plain) as show:
        for report in REPORTS:
            show(report)
    assert sys.stderr.getvalue() == ("" if quiet else PLAIN)


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_epochs_off_a_terminal(monkeypatch, stream):
    """Off a terminal epochs are plain lines, and a closed stderr is no reason to fail."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bars.epochs(2, 0, quiet=False, plain=False) as show:
        for report in REPORTS:
            show(report)
    assert stream is None or stream.getvalue() == PLAIN


def test_epochs_on_a_terminal(monkeypatch):
    """A terminal has a bar with the current error and examples per second."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bars.epochs(2, 0, quiet=False, plain=False) as show:
        for report in REPORTS:
            show(report)
    last = sys.stderr.getvalue().split("\r")[-1]
    assert "2/2" in last
    assert "error 4.031e-05, 2,800 examples/s" in last  # 700 in a quarter of a second


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_transfer_off_a_terminal(monkeypatch, stream):
    """Off a terminal bytes arrive in silence."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bars.transfer("a.gz", 10) as progress:
        progress(10, 0)
    assert stream is None or not stream.getvalue()
