"""What is told about a spot of a judged text: its hover, and the fixes of its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from ipmpki.diagnostics.escape import visible
from ipmpki.lsp import keys
from ipmpki.lsp.cursor import Cursor, Slot, cursor_at
from ipmpki.lsp.text import Text
from ipmpki.render.problems.rules_reference import markdown_page
from ipmpki.rules.catalog import registered
from ipmpki.source.syntax import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ipmpki.lsp.check import Judged, ShownProblem


def hover(text: Text, position: types.Position, found: tuple[ShownProblem, ...]) -> types.Hover | None:
    """The pages of the rules whose problems stand at a spot, then what the key there is for."""
    rules = registered()
    here = [one.diagnostic for one in found if _holds(one.diagnostic.range, position)]
    pages = [
        markdown_page(rules[name]) for name in dict.fromkeys(str(one.code) for one in here) if name in rules
    ]
    cursor = cursor_at(text.text, text.offset(position))
    word = text.text[cursor.start : cursor.end]
    path = _path_at(cursor, word)
    explained = keys.explained(path) if path else ""
    parts = [*pages, explained] if explained else pages
    if not parts:
        return None
    stretch = here[0].range if here else text.range(cursor.start, cursor.end)
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts))
    return types.Hover(content, stretch)


def _path_at(cursor: Cursor, word: str) -> tuple[str, ...]:
    if cursor.slot is Slot.KEY:
        return (*cursor.path, *read_key(word)[:1]) if word else ()
    return cursor.path if cursor.slot in {Slot.VALUE, Slot.HEADER} else ()


def quick_fixes(judged: Judged, wanted: types.Range, units: Callable[[str], int]) -> list[types.CodeAction]:
    """The fixes of the problems that a range touches. The text must still be the one that was judged."""
    return list(_fixes(judged, wanted, units))


def _fixes(judged: Judged, wanted: types.Range, units: Callable[[str], int]) -> Iterator[types.CodeAction]:
    text = Text(judged.text, units)
    for one in judged.found:
        fix = one.problem.fix if one.problem is not None else None
        if fix is None or not _touch(one.diagnostic.range, wanted):
            continue
        # All edits of a fix are of the file that its problem stands in.
        edits = [types.TextEdit(text.range_of(edit.span), edit.text) for edit in fix.edits]
        yield types.CodeAction(
            title=_as_title(fix.message),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[one.diagnostic],
            is_preferred=True,
            edit=types.WorkspaceEdit(changes={judged.uri: edits}),
        )


def _as_title(order: str) -> str:
    return visible(order[:1].upper() + order[1:])


def _holds(stretch: types.Range, position: types.Position) -> bool:
    return stretch.start <= position <= stretch.end


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
