"""The page of a report: one file that needs no other, and no network."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from mlpcli import __version__
from mlpcli.report import sections, words
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, join, tag


def page(runs: Sequence[Findings]) -> str:
    """Return a report on one model, or a comparison of several, as HTML."""
    run = runs[0]
    body = tag("main", *_of_one(run))
    return _document(words.title(run), body)


def _of_one(run: Findings) -> list[Html | None]:
    return [
        tag(
            "header",
            tag("h1", words.title(run)),
            tag("p", run.report["weights"], class_="note"),
            sections.overview(run),
        ),
        sections.metrics(run),
        sections.quantities(run),
        sections.learning_curves([run]),
        sections.per_class(run),
        sections.confusion(run),
        sections.calibration(run),
        sections.how_made(run),
        tag("footer", f"Made by mlp {__version__}. This file is whole: it needs no network."),
    ]


def _document(title: str, body: Html) -> str:
    script, style = _asset("page.js"), _asset("style.css")
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
    whole = tag("html", head, tag("body", body, tag("script", Html(script))), lang="en")
    return join(Html("<!doctype html>\n"), whole, "\n")


def _asset(name: str) -> str:
    """Return a file of this folder, as it stands in the page."""
    return "\n" + files("mlpcli.report").joinpath(name).read_text(encoding="utf-8")
