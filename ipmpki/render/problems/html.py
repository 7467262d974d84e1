"""Problems as a page of their own: ``--format html``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ipmpki.diagnostics.escape import visible_lines
from ipmpki.diagnostics.problem import tally
from ipmpki.render.problems.cards import problem_cards
from ipmpki.render.problems.page import inlined, page_environment, policy
from ipmpki.render.problems.rule_pages import rule_pages
from ipmpki.render.problems.text import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from ipmpki.diagnostics.problem import LocatedProblem


def render_problem_page(problems: Sequence[LocatedProblem], file: str) -> str:
    """One HTML5 file that needs nothing beside it; ``file`` is what was judged, as people named it."""
    style = inlined("report.css")
    page = _template().render(
        policy=policy([style]),
        style=Markup(style),  # noqa: S704 - a file of this package
        file=file,
        summary=summary(tally(one.problem for one in problems)),
        problems=problem_cards(problems),
        rule_pages=rule_pages(problems),
    )
    return visible_lines(page)


@cache
def _template() -> Template:
    return page_environment().get_template("problems.html.j2")
