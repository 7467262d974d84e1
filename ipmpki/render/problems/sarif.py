"""Problems as SARIF 2.1.0, the format of OASIS for the findings of programs that read source files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote as quote_url

from ipmpki.diagnostics.escape import to_json
from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.catalog import registered
from ipmpki.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import Label, LocatedFix, LocatedProblem, Span

_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(problems: Sequence[LocatedProblem]) -> str:
    """SARIF 2.1.0 (OASIS), as code hosts and editors read it."""
    rules = registered()
    names = sorted({one.problem.rule for one in problems})
    indices = {name: index for index, name in enumerate(names)}
    descriptors: list[dict[str, Any]] = []
    for name in names:
        descriptor: dict[str, Any] = {"id": name}
        if name in rules:
            rule = rules[name]
            descriptor |= {
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": f"{rule.summary}. Source: {rule.citation}."},
                "help": {"text": rule.page, "markdown": rule.page},
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
            }
        descriptors.append(descriptor)
    run = {
        "tool": {"driver": {"name": "ipmpki", "version": __version__, "rules": descriptors}},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, indices[one.problem.rule]) for one in problems],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return to_json(log)


def _sarif_result(located: LocatedProblem, index: int) -> dict[str, Any]:
    problem = located.problem
    text = f"{problem.message}. Help: {problem.help}" if problem.help else problem.message
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[problem.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _sarif_location(located.label)}],
    }
    if located.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _sarif_location(label),
                "message": {"text": label.message},
            }
            for number, label in enumerate(located.related, start=1)
        ]
    if located.fix:
        result["fixes"] = [_sarif_fix(located.fix)]
    return result


def _sarif_fix(fix: LocatedFix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.file, []).append(replacement)
    return {
        "description": {"text": fix.message},
        "artifactChanges": [
            {"artifactLocation": _artifact(file), "replacements": replacements}
            for file, replacements in changes.items()
        ],
    }


def _sarif_location(label: Label) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(label.file)}
    if label.span is not None:
        location["region"] = _region(label.span)
    return location


def _artifact(file: str) -> dict[str, str]:
    return {"uri": quote_url(file.replace("\\", "/"))}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }
