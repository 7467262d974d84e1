"""Problems as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.escape import to_json
from ipmpki.diagnostics.problem import Position, Span, tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import Label, LocatedFix, LocatedProblem
    from ipmpki.render.json_outputs import (
        FixOutput,
        PositionOutput,
        ProblemOutput,
        ProblemsOutput,
        RelatedOutput,
    )

_TOP = Span(Position(1, 1), Position(1, 1))


def render_json(problems: Sequence[LocatedProblem], file: str) -> str:
    """``{"version": 1, "file": …, "problems": […], "summary": {…}}``; ``file`` is the declaration's name."""
    return to_json(problems_output(problems, file))


def problems_output(problems: Sequence[LocatedProblem], file: str) -> ProblemsOutput:
    """The same as values, for whoever puts them into a larger document."""
    counts = tally(one.problem for one in problems)
    return {
        "version": 1,
        "file": file,
        "problems": [_problem_output(one) for one in problems],
        "summary": {"errors": counts.errors, "warnings": counts.warnings, "infos": counts.infos},
    }


def _problem_output(located: LocatedProblem) -> ProblemOutput:
    problem, label = located.problem, located.label
    span = label.span or _TOP
    return {
        "rule": problem.rule,
        "severity": problem.severity.value,
        "message": problem.message,
        "help": problem.help,
        "file": label.file,
        "path": list(label.path),
        "start": _position_output(span.start),
        "end": _position_output(span.end),
        "related": [_related_output(one) for one in located.related],
        "fix": _fix_output(located.fix),
    }


def _fix_output(fix: LocatedFix | None) -> FixOutput | None:
    if fix is None:
        return None
    return {
        "message": fix.message,
        "edits": [
            {
                "file": edit.file,
                "start": _position_output(edit.span.start),
                "end": _position_output(edit.span.end),
                "text": edit.text,
            }
            for edit in fix.edits
        ],
    }


def _related_output(label: Label) -> RelatedOutput:
    span = label.span or _TOP
    return {
        "message": label.message,
        "file": label.file,
        "path": list(label.path),
        "start": _position_output(span.start),
        "end": _position_output(span.end),
    }


def _position_output(position: Position) -> PositionOutput:
    return {"line": position.line, "column": position.column}
