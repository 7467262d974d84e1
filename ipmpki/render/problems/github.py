"""Problems as GitHub's annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipmpki.diagnostics.problem import LocatedProblem

_GITHUB_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(problems: Iterable[LocatedProblem]) -> str:
    """GitHub's workflow commands, one line a problem: they become annotations in a pull request."""
    return "".join(_github_command(one) + "\n" for one in problems)


def _github_command(located: LocatedProblem) -> str:
    problem, label = located.problem, located.label
    properties: dict[str, str | int] = {"file": label.file}
    if label.span is not None:
        start, end = label.span.start, label.span.end
        properties["line"] = start.line
        properties["endLine"] = end.line
        if start.line == end.line:  # columns of several lines are refused
            properties["col"] = start.column
            properties["endColumn"] = end.column
    properties["title"] = f"ipmpki: {problem.rule}"
    shown = ",".join(f"{key}={_github_property(str(value))}" for key, value in properties.items())
    text = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
    return f"::{_GITHUB_COMMANDS[problem.severity]} {shown}::{_github_text(text)}"


def _github_text(text: str) -> str:
    """A command is one line: what would end it is percent-encoded, other control characters are shown."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped)


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
