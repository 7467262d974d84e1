"""Problems for people (text), programs (json, sarif) and continuous integration (github, junit)."""

from __future__ import annotations

from ipmpki.render.problems.escape import columns, visible
from ipmpki.render.problems.github import render_github
from ipmpki.render.problems.json import problems_output, render_json
from ipmpki.render.problems.junit import render_junit
from ipmpki.render.problems.sarif import render_sarif
from ipmpki.render.problems.text import render_text, summary

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
