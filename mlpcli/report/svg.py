"""Diagrams as SVG: axes, lines and points, in colours and dashes of the page's style sheet."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mlpcli.report.html import Html, tag

WIDTH, HEIGHT = 460, 290
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 44
# A logarithmic axis with less between its ends is marked as any other.
LOG_TICKS = 5
# The style sheet has so many kinds of line.
KINDS = 6


class Axis(NamedTuple):
    """One direction of a diagram."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, from 0 to 1."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[float]:
        """Return a few round numbers within the axis."""
        if self.log and self.high / self.low >= LOG_TICKS:
            return self._log_ticks()
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        rough = span / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(m for m in (1, 2, 2.5, 5, 10) if rough <= m * power * 1.0001)
        start, stop = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step for k in range(start, stop + 1)]

    def _log_ticks(self) -> list[float]:
        """Return powers of ten within the axis; of few, their doubles and fivefolds, too."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = -(-(last - first) // 6)
        times = (1, 2, 5) if last - first <= 3 else (1,)
        ticks = [m * 10.0**k for k in range(first, last + 1, every) for m in times]
        return [tick for tick in ticks if self.low <= tick <= self.high]


def axis_of(label: str, values: Sequence[float], log: bool = False, room: float = 0.05) -> Axis:
    """Return an axis that holds values, with some room; logarithmic if they are fit for that."""
    low, high = min(values), max(values)
    # Above 0, and not so small or far apart that room, or their ratio, is beyond all numbers.
    if log and low > max(high * 1e-100, 1e-300):
        margin = (high / low) ** room if high > low else 1.5
        return Axis(label, low / margin, high * margin, log=True)
    margin = (high - low) * room or abs(high) * room or 1.0
    return Axis(label, low - margin, high + margin)


class Diagram(NamedTuple):
    """Two axes, and the way from their numbers to places."""

    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point."""
        across = LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)
        down = TOP + (1 - self.y.share(y)) * (HEIGHT - TOP - BOTTOM)
        return round(across, 2), round(down, 2)

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: int, title: str) -> Html:
        """Return a line through points; a single point is a dot."""
        places = [self.at(x, y) for x, y in zip(xs, ys, strict=True)]
        if len(places) == 1:
            return self.dot(xs[0], ys[0], kind, title)
        points = " ".join(f"{x:g},{y:g}" for x, y in places)
        return tag("polyline", tag("title", title), points=points, class_=_line_of(kind))

    def dot(self, x: float, y: float, kind: int, title: str, r: float = 3.5) -> Html:
        """Return a point that says what it is when it is pointed at."""
        across, down = self.at(x, y)
        mark = tag("title", title)
        return tag("circle", mark, cx=across, cy=down, r=round(r, 2), class_=f"dot k{kind % KINDS}")

    def reference(self, x1: float, y1: float, x2: float, y2: float) -> Html:
        """Return a thin line to compare others with."""
        (a, b), (c, d) = self.at(x1, y1), self.at(x2, y2)
        return tag("line", x1=a, y1=b, x2=c, y2=d, class_="reference")

    def draw(self, called: str, *marks: Html) -> Html:
        """Return the whole diagram, called so for who cannot see it."""
        box = f"0 0 {WIDTH} {HEIGHT}"
        return tag(
            "svg",
            tag("title", called),
            *(self._tick(value, down=True) for value in self.x.ticks()),
            *(self._tick(value, down=False) for value in self.y.ticks()),
            tag("text", self.x.label, x=(WIDTH + LEFT - RIGHT) / 2, y=HEIGHT - 6, class_="name"),
            tag(
                "text",
                self.y.label,
                transform=f"translate(13 {(HEIGHT + TOP - BOTTOM) / 2}) rotate(-90)",
                class_="name",
            ),
            *marks,
            viewBox=box,
            role="img",
            class_="diagram",
        )

    def _tick(self, value: float, down: bool) -> Html:
        shown = f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")
        if down:
            x, y = self.at(value, self.y.low)
            line = tag("line", x1=x, y1=TOP, x2=x, y2=y, class_="grid")
            return tag("g", line, tag("text", shown, x=x, y=y + 16, class_="tick middle"))
        x, y = self.at(self.x.low, value)
        line = tag("line", x1=x, y1=y, x2=WIDTH - RIGHT, y2=y, class_="grid")
        return tag("g", line, tag("text", shown, x=x - 6, y=y + 4, class_="tick end"))


def _line_of(kind: int) -> str:
    """Return the classes of a kind of line: colours come again with another dash each time."""
    return f"line k{kind % KINDS} d{(kind + kind // KINDS) % KINDS}"


def legend(names: Sequence[str]) -> Html:
    """Return what each kind of line stands for."""
    keys = (
        tag(
            "li",
            tag(
                "svg",
                tag("line", x1=0, y1=5, x2=26, y2=5, class_=_line_of(kind)),
                viewBox="0 0 26 10",
                aria_hidden="true",
            ),
            name,
        )
        for kind, name in enumerate(names)
    )
    return tag("ul", *keys, class_="legend")
