"""What could be written at a spot of a declaration: keys, headers of tables, values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from ipmpki.declaration.edit.toml import write_value
from ipmpki.lsp import keys
from ipmpki.lsp.cursor import Cursor, Slot, cursor_at, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.lsp.text import Text


def complete(
    text: Text, position: types.Position, *, is_site: bool, takes_snippets: bool
) -> list[types.CompletionItem]:
    """Every key, header or value that fits; ``is_site`` for a file that holds further hosts only."""
    cursor = cursor_at(text.text, text.offset(position))
    writer = _Writer(text, cursor, is_site=is_site, takes_snippets=takes_snippets)
    match cursor.slot:
        case Slot.KEY:
            return [*writer.keys(), *writer.headers()]
        case Slot.HEADER:
            return list(writer.headers())
        case Slot.VALUE:
            return list(writer.values())
        case Slot.NOTHING:
            return []


class _Writer:
    def __init__(self, text: Text, cursor: Cursor, *, is_site: bool, takes_snippets: bool) -> None:
        self._text = text
        self._cursor = cursor
        self._is_site = is_site
        self._takes_snippets = takes_snippets
        self._range = text.range(cursor.start, cursor.end)

    def keys(self) -> Iterator[types.CompletionItem]:
        """The keys that the table has not, those that must be there first."""
        cursor = self._cursor
        if self._is_site and cursor.path[:1] not in {(), ("hosts",)}:
            return
        for number, (name, key) in enumerate(keys.keys_of(cursor.path).items()):
            if name in cursor.present or (not cursor.path and self._has_header(key)):
                continue
            if not cursor.path and self._is_site:
                continue
            yield self._item(
                name,
                name if cursor.is_assigned else f"{name} = {self._value(key)}",
                types.CompletionItemKind.Property,
                (*cursor.path, name),
                number,
                is_snippet=not cursor.is_assigned,
            )

    @staticmethod
    def _has_header(key: dict[str, Any]) -> bool:
        """Whether a key is better written as a table of its own."""
        return keys.is_table(key) or keys.is_tables(key)

    def headers(self) -> Iterator[types.CompletionItem]:
        """The tables that the file has not, and another [[hosts]]; only where a line begins."""
        cursor = self._cursor
        before = self._text.text[: cursor.start]
        if cursor.is_assigned or before[before.rfind("\n") + 1 :].strip(" \t\ufeff"):
            return
        given = {header.steps for header in headers(self._text.text)}
        for number, path in enumerate(_tables()):
            key = keys.keyed(path)
            if (self._is_site and path != keys.SITE_KEYS) or (path in given and not keys.is_tables(key)):
                continue
            name = ".".join(path)
            header = f"[[{name}]]" if keys.is_tables(key) else f"[{name}]"
            body = self._new_host() if path == ("hosts",) else ""
            yield self._item(
                header,
                header + body,
                types.CompletionItemKind.Struct,
                path,
                100 + number,
                is_snippet=bool(body),
            )

    def _new_host(self) -> str:
        if not self._takes_snippets:
            return ""
        name, role = (keys.keyed(("hosts", key)) for key in ("name", "role"))
        roles = ",".join(map(str, keys.values_of(role)))
        return f'\nname = "${{1:{name["examples"][0]}}}"\nrole = "${{2|{roles}|}}"\n$0'

    def _value(self, key: dict[str, Any]) -> str:
        """What is written behind a key's ``=``: with stops where the editor can, else up to there."""
        if not self._takes_snippets:
            return ""
        values = keys.values_of(key)
        if values and key.get("type") != "array":
            choice = ",".join(map(str, values) if isinstance(values[0], str) else map(write_value, values))
            return f'"${{1|{choice}|}}"' if isinstance(values[0], str) else f"${{1|{choice}|}}"
        if key.get("type") == "array":
            of_texts = key["items"].get("type") == "string"
            return '["$1"]' if of_texts else "[$1]"
        return {"object": "{ $1 }", "string": '"$1"'}.get(str(key.get("type")), "$1")

    def values(self) -> Iterator[types.CompletionItem]:
        """The values of a fixed set, else the default. Within quotes they replace what stands there."""
        key = keys.keyed(self._cursor.path)
        if not key or (self._is_site and self._cursor.path[:1] != keys.SITE_KEYS):
            return
        is_array = key.get("type") == "array"
        if is_array and not self._cursor.is_item:
            return
        values = keys.values_of(key)
        if not values and not is_array and not isinstance(key.get("default", []), list):
            values = [key["default"]]
        for number, value in enumerate(values):
            written = write_value(value)
            if self._cursor.quoted:
                if not isinstance(value, str) or len(self._cursor.quoted) > 1:
                    continue
                written = f"{self._cursor.quoted}{value}{self._cursor.quoted}"
            is_rule = self._cursor.path == ("rules", "ignore")
            yield types.CompletionItem(
                label=str(value) if isinstance(value, str) else written,
                kind=types.CompletionItemKind.EnumMember,
                detail=_summary_of_rule(str(value)) if is_rule else key.get("title"),
                sort_text=f"{number:04}",
                filter_text=written,
                text_edit=types.TextEdit(self._range, written),
            )

    def _item(  # noqa: PLR0913 -- what an editor wants to know
        self,
        label: str,
        written: str,
        kind: types.CompletionItemKind,
        path: tuple[str, ...],
        number: int,
        *,
        is_snippet: bool,
    ) -> types.CompletionItem:
        snippet = is_snippet and self._takes_snippets
        return types.CompletionItem(
            label=label,
            kind=kind,
            detail=keys.keyed(path).get("title"),
            documentation=types.MarkupContent(types.MarkupKind.Markdown, keys.explained(path)),
            sort_text=f"{number:04}",
            filter_text=label,
            insert_text_format=types.InsertTextFormat.Snippet if snippet else None,
            text_edit=types.TextEdit(self._range, written),
        )


def _tables() -> Iterator[tuple[str, ...]]:
    """Every table that can have a header, those of the top first."""
    within = []
    for name, key in keys.keys_of(()).items():
        if keys.is_table(key) or keys.is_tables(key):
            yield (name,)
            if keys.is_table(key):
                within += [
                    (name, one) for one, below in keys.keys_of((name,)).items() if keys.is_table(below)
                ]
    yield from within


def _summary_of_rule(name: str) -> str:
    from ipmpki.rules.catalog import registered

    rule = registered().get(name)
    return rule.summary if rule is not None else ""
