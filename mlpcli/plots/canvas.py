"""Where pictures are drawn: a figure in a style, written to a file or shown in a window."""

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpcli import atomic
from mlpcli.errors import ConfigError, printable

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
MOST_LETTERS = 30
# Okabe and Ito's colours, which the colour-blind tell apart; in grey the lines' dashes do.
COLOURS = {
    "light": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    "dark": ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00"),
}
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
# What matplotlib falls back to where it finds no library for windows.
NO_WINDOWS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")
# By style: the page, and what is drawn on it.
STYLES = {"light": ("white", "#222222", "#cccccc"), "dark": ("#16181d", "#e8e8e8", "#444a55")}


def check_output(output: Path | None) -> None:
    """Make sure that there is something to draw with, and somewhere to show it.

    Raises:
        ConfigError: if matplotlib is missing, the file's suffix names no format, or there is
            neither a file nor a display.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        remedy = "run pip install 'mlpcli[plot]'"
        raise ConfigError("mlp plot", "needs the package matplotlib", remedy) from None
    if output is not None and output.suffix.lower() not in FORMATS:
        problem = "its suffix names no format of pictures"
        raise ConfigError(output, problem, "write a name in .png, .svg or .pdf")
    if output is None and not _has_display():
        problem = "there is no display for a window"
        raise ConfigError("mlp plot", problem, "give a file with -o picture.png")


def shown(name: str) -> str:
    """Return a name from a file or of one as it fits into a picture."""
    text = printable(name)
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def only_integers(axis: "Axis") -> None:
    """Put ticks of an axis at integers alone, as many as have room."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def picture(output: Path | None, style: str) -> Iterator["Figure"]:
    """Give an empty figure to draw on; write it to a file afterwards, or show it.

    The same picture gives the same bytes: nothing in them tells when it was drawn.

    Args:
        output: the file, in one of `FORMATS`; None for a window.
        style: a name in `STYLES`.

    Raises:
        ConfigError: if there is no window to show it in.
        OutputError: if the file cannot be written.
    """
    import matplotlib

    with matplotlib.rc_context(_settings(style)), warnings.catch_warnings():
        # A letter that no font here has is drawn as a box, and what has no room overlaps.
        warnings.simplefilter("ignore", UserWarning)
        if output is None:
            figure = _window()
            yield figure
            _show()
            return
        from matplotlib.figure import Figure

        figure = Figure(layout="constrained")
        yield figure
        kind = output.suffix.lower()[1:]
        content = io.BytesIO()
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        figure.savefig(content, format=kind, dpi=150, metadata=dates)
        atomic.write(output, content.getvalue())


def _window() -> "Figure":
    from matplotlib import pyplot

    figure: Figure = pyplot.figure(layout="constrained")
    if pyplot.get_backend().lower() in NO_WINDOWS:
        problem = "matplotlib has no library for windows here"
        raise ConfigError("mlp plot", problem, "give a file with -o picture.png")
    return figure


def _show() -> None:
    from matplotlib import pyplot

    pyplot.show()


def _settings(style: str) -> dict[str, Any]:
    """Return matplotlib's settings of a style."""
    from cycler import cycler

    page, ink, faint = STYLES[style]
    # Colours come again with another dash each time.
    kinds = len(DASHES)
    dashes = [DASHES[(i + i // kinds) % kinds] for i in range(kinds**2)]
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    return {
        **dict.fromkeys(inked, ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), page),
        "axes.prop_cycle": cycler(color=COLOURS[style] * kinds, linestyle=dashes),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": faint,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "image.cmap": "cividis",
        "font.size": 10,
        # A $ in a name is a $.
        "text.parse_math": False,
        "svg.hashsalt": "mlp",
        "svg.fonttype": "none",
    }
