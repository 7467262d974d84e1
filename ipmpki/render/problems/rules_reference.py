"""The reference of all rules as one Markdown document: ``ipmpki rules --format markdown``."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from ipmpki.rules.registry import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.rules.registry import Rule

_HEADING = re.compile("^#", re.MULTILINE)
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_MEANT = re.compile(r"([*<\[\]_])")
"""What pages hold as it stands, such as *.example.com, and Markdown would take for something else."""


def render_reference(rules: Sequence[Rule], version: str) -> str:
    """A table of contents by what is judged, then every rule's page, one heading level down (CommonMark)."""
    return "\n".join(_lines(rules, version))


def render_list(rules: Sequence[Rule], width: int | None) -> str:
    """A row for each rule: name, severity, what it finds; that below the name if ``width`` is too small."""
    longest = max(len(rule.name) for rule in rules)
    rows = []
    for rule in rules:
        row = f"{rule.name:<{longest}}  {rule.severity:<7}  {rule.summary}"
        if width is not None and len(row) > width:
            lines = wrap(rule.summary, max(width - 4, 20), break_on_hyphens=False)
            row = "\n    ".join([f"{rule.name:<{longest}}  {rule.severity}", *lines])
        rows.append(row)
    return "\n".join(rows)


def _lines(rules: Sequence[Rule], version: str) -> Iterator[str]:
    yield "# The rules of ipmpki"
    yield ""
    yield f"Version {version}. An error keeps a build from happening, a warning does not, an info only tells."
    yield "`[rules] ignore` silences warnings and infos."
    of_declarations = [rule for rule in rules if not rule.is_about_presented_only]
    of_presented = [rule for rule in rules if rule.is_about_presented_only]
    for title, group in (
        ("About a declaration: `ipmpki check`", of_declarations),
        ("About certificates, keys and CRLs at hand: `ipmpki verify`", of_presented),
    ):
        yield f"\n## {title}\n"
        yield "| rule | severity | what it finds |"
        yield "|---|---|---|"
        for rule in group:
            yield f"| [{rule.name}](#{_anchor(rule)}) | {rule.severity} | {_cell(rule.summary)} |"
    for rule in (*of_declarations, *of_presented):
        yield ""
        yield markdown_page(rule)
    yield ""


def markdown_page(rule: Rule) -> str:
    """A rule's page as CommonMark that may stand in a larger document."""
    return _lowered(page(rule)).rstrip("\n")


def _lowered(text: str) -> str:
    """Each heading one level down, and stars and angles as what they are; code, such as examples, stays."""
    parts = _CODE.split(text)
    return "".join(
        part if part.startswith("`") else _MEANT.sub(r"\\\1", _HEADING.sub("##", part)) for part in parts
    )


def _anchor(rule: Rule) -> str:
    """What GitHub and its like call the heading of a page: lower case, blanks as hyphens, no brackets."""
    return f"{rule.name}-{rule.severity}"


def _cell(text: str) -> str:
    """A text as a table's cell, in which a bar would end it and brackets, stars and angles mean something."""
    return re.sub(r"([\\|*_<>\[\]`])", r"\\\1", text)
