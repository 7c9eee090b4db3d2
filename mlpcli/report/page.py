"""The page of a report: one file that needs no other, and no network."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from mlpcli import __version__
from mlpcli.report import diagrams, examples, sections, words
from mlpcli.report.comparison import compare
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, join, tag
from mlpcli.report.live import live

SCRIPTS = ("network.js", "live.js", "page.js")


def page(runs: Sequence[Findings]) -> str:
    """Return a report on one model, or a comparison of several, as HTML."""
    several = len(runs) > 1
    content = compare(runs) if several else _of_one(runs[0])
    footer = tag("footer", f"Made by mlp {__version__}. This file is whole: it needs no network.")
    title = f"{len(runs)} networks compared" if several else words.title(runs[0])
    return _document(title, tag("main", *content, footer))


def _of_one(run: Findings) -> list[Html | None]:
    return [
        tag(
            "header",
            tag("h1", words.title(run)),
            tag("p", run.report["weights"], class_="note"),
            sections.overview(run),
        ),
        live(run),
        sections.metrics(run),
        diagrams.quantities(run),
        diagrams.learning_curves([run]),
        sections.per_class(run),
        sections.confusion(run),
        diagrams.calibration(run),
        examples.mistakes(run),
        examples.importance(run),
        examples.weights(run),
        sections.how_made(run),
    ]


def _document(title: str, body: Html) -> str:
    script, style = "".join(map(_asset, SCRIPTS)), _asset("style.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Nothing is fetched, and no other script runs, whatever text the data brings.
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(style)),
    )
    whole = tag(
        "html", head, tag("body", body, tag("script", Html(script), type="module")), lang="en"
    )
    return join(Html("<!doctype html>\n"), whole, "\n")


def _asset(name: str) -> str:
    """Return a file of this folder, as it stands in the page."""
    return "\n" + files("mlpcli.report").joinpath(name).read_text(encoding="utf-8")
