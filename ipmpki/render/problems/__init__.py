"""Problems for people (text), programs (json, sarif) and continuous integration (github, junit)."""

from __future__ import annotations

from ipmpki.render.problems.escaping import columns, visible
from ipmpki.render.problems.github import render_github
from ipmpki.render.problems.junit import render_junit
from ipmpki.render.problems.sarif import render_sarif
from ipmpki.render.problems.text import render_text, summary
from ipmpki.render.problems.values import problems_output, render_json

__all__ = [
    "columns",
    "problems_output",
    "render_github",
    "render_json",
    "render_junit",
    "render_sarif",
    "render_text",
    "summary",
    "visible",
]
