"""Apply every fix there is, pass by pass, until none is left: a fix may bring the next one to light."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration.edit.fixes import apply_text_edits, means, overlap
from ipmpki.diagnostics.problem import Move, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ipmpki.diagnostics.problem import DocumentPath, Edit, LocatedProblem
    from ipmpki.operations.draft import Draft

MOST_PASSES = 100
"""A bound for what should end by itself, as each pass takes away at least one problem."""

_OF_VALUES_UNREAD = frozenset({"unknown-key", "wrong-type", "wrong-value", "ignored-error"})
"""Rules that keep a value from being judged: what its fix brings to light was there before."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A draft after its fixes; ``applied`` are the problems they took away, as they stood in their pass."""

    draft: Draft
    applied: tuple[LocatedProblem, ...]
    problems: tuple[LocatedProblem, ...]


def fix(draft: Draft, now: datetime) -> Fixed:
    """Apply all fixes that can be applied without changing anything else, nor bringing a new error."""
    applied: list[LocatedProblem] = []
    given_up: set[tuple[str, str, DocumentPath]] = set()
    problems = draft.check(now).problems
    for _ in range(MOST_PASSES):
        fixable = [one for one in problems if one.fix is not None and _identity(one) not in given_up]
        unread = [one for one in fixable if one.problem.rule in _OF_VALUES_UNREAD]
        moves = [one for one in fixable if any(isinstance(edit, Move) for edit in _edits(one))]
        chosen = moves[:1] or _apart(unread or fixable)  # a move shifts what stands before it, too
        if not chosen:
            break
        draft, done = _apply(draft, chosen, now, _errors(problems))
        applied += done
        if not done:
            given_up |= {_identity(one) for one in chosen}
            continue
        given_up.clear()  # what could not be applied before may be possible now
        problems = draft.check(now).problems
    return Fixed(draft, tuple(applied), problems)


def _edits(one: LocatedProblem) -> tuple[Edit, ...]:
    return one.problem.fix.edits if one.problem.fix is not None else ()


def _identity(one: LocatedProblem) -> tuple[str, str, DocumentPath]:
    return one.problem.rule, one.problem.place.file, one.problem.place.path


def _apart(problems: Sequence[LocatedProblem]) -> list[LocatedProblem]:
    """Those of which no two change the same stretch; they stand in the document's order, nearly."""
    chosen: list[LocatedProblem] = []
    for one in sorted(problems, key=_first_edit):
        assert one.fix is not None  # noqa: S101 -- the caller chose those with one
        if not any(other.fix is not None and overlap(one.fix, other.fix) for other in chosen[-_NEIGHBOURS:]):
            chosen.append(one)
    return chosen


_NEIGHBOURS = 16
"""Fixes to compare one with: those before it. One that reaches further is found out when the text is read."""


def _first_edit(one: LocatedProblem) -> tuple[str, int, int]:
    assert one.fix is not None  # noqa: S101 -- the caller chose those with one
    edit = one.fix.edits[0]
    return edit.file, edit.span.start.line, edit.span.start.column


def _apply(
    draft: Draft, chosen: Sequence[LocatedProblem], now: datetime, before: Counter[tuple[str, str]]
) -> tuple[Draft, list[LocatedProblem]]:
    """Apply what can be: all at once if possible, else each half by itself."""
    after = _written(draft, chosen)
    if after is not None and _brings_no_error(after, chosen, now, before):
        return after, list(chosen)
    if len(chosen) == 1:
        return draft, []
    # The latter half first: it moves nothing that stands before it.
    middle = len(chosen) // 2
    draft, latter = _apply(draft, chosen[middle:], now, before)
    draft, former = _apply(draft, chosen[:middle], now, before)
    return draft, former + latter


def _brings_no_error(
    after: Draft, chosen: Sequence[LocatedProblem], now: datetime, before: Counter[tuple[str, str]]
) -> bool:
    if all(one.problem.rule in _OF_VALUES_UNREAD for one in chosen):
        return True
    return not _errors(after.check(now).problems) - before


_NUMBERED = re.compile(r"^(?:item|host) [0-9]+")


def _errors(problems: Sequence[LocatedProblem]) -> Counter[tuple[str, str]]:
    """Errors by rule and message, as lines and indices move: "item 2 of 'aliases'" may become item 1."""
    return Counter(
        (one.problem.rule, _NUMBERED.sub("", one.problem.message))
        for one in problems
        if one.problem.severity is Severity.ERROR
    )


def _written(draft: Draft, chosen: Sequence[LocatedProblem]) -> Draft | None:
    """The draft with these fixes; None where they would change more than they say."""
    for file in draft.files:
        own = [one for one in chosen if one.problem.place.file == file.name]
        if not own:
            continue
        is_marked = file.content.startswith(codecs.BOM_UTF8)
        text = file.content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        edits = [edit for one in own if one.fix is not None for edit in one.fix.edits]
        fixed = apply_text_edits(text, edits)
        if not means(fixed, text, [one.problem.fix for one in own if one.problem.fix is not None]):
            return None
        content = fixed.encode("utf-8")
        draft = draft.with_content(file.name, codecs.BOM_UTF8 + content if is_marked else content)
    return draft
