"""Problems on the command line: for people on stderr, for machines on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ipmpki.cli import console
from ipmpki.diagnostics.problem import Severity, tally
from ipmpki.diagnostics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.operations.project import Project

FORMATS = ("text", "json", "sarif", "github", "junit", "html")


def show_problems(
    problems: Sequence[LocatedProblem], format_: str, file: str, *, strict: bool = False
) -> None:
    """Write problems in one of FORMATS; as text, nothing is written where there are none.

    ``strict`` says whether warnings count, for the formats that know what failed and what did not.
    """
    if format_ == "text":
        if problems:
            from ipmpki.render.problems.text import render_text

            colour, width = console.wants_colour(sys.stderr), console.terminal_width()
            console.tell(
                render_text(problems, width=width, colour=colour, distinct=width is not None), coloured=colour
            )
    elif format_ == "json":
        from ipmpki.render.problems.json import render_json

        console.say(render_json(problems, file=file))
    elif format_ == "sarif":
        from ipmpki.render.problems.sarif import render_sarif

        console.say(render_sarif(problems))
    elif format_ == "github":
        from ipmpki.render.problems.github import render_github

        console.say(render_github(problems))
    elif format_ == "junit":
        from ipmpki.render.problems.junit import render_junit

        console.say(render_junit(problems, file, strict=strict))
    else:
        from ipmpki.render.problems.html import render_problem_page  # jinja2, for this format alone

        console.say(render_problem_page(problems, file))


def show_check(project: Project, file: str, format_: str = "text", *, strict: bool = False) -> None:
    """Write what a check of a declaration found; as text, that nothing was found, too."""
    show_problems(project.problems, format_, file, strict=strict)
    if format_ == "text" and not project.problems:
        hosts = len(project.fleet.hosts) if project.fleet else 0
        console.tell(f"{file}: no problems ({counted(hosts, 'host')})")


def show_what_hurts(problems: Sequence[LocatedProblem], file: str) -> None:
    """Write errors and warnings for people; what only informs is left to ``check``."""
    show_problems([one for one in problems if one.problem.severity is not Severity.INFO], "text", file)


def exit_status(problems: Sequence[LocatedProblem], *, strict: bool) -> int:
    """1 where there are errors, or warnings that count; else 0."""
    counts = tally(one.problem for one in problems)
    return 1 if counts.errors or (strict and counts.warnings) else 0
