"""The report as the three files that a build publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.render.host_folder.contents import RenderedFile
from ipmpki.render.report.html import render_html
from ipmpki.render.report.json import render_json
from ipmpki.render.report.text import render_plain
from ipmpki.render.report.words import take_census

if TYPE_CHECKING:
    from ipmpki.render.report.document import Report


def render_report(report: Report) -> tuple[RenderedFile, ...]:
    """The three report files of dist/: the same report gives the same bytes, on any day."""
    census = take_census(report)
    return (
        RenderedFile("report.html", render_html(report, census), 0o644),
        RenderedFile("report.txt", render_plain(report, census), 0o644),
        RenderedFile("report.json", render_json(report, census), 0o644),
    )
