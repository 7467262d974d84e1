"""The outline of a declaration: its tables, and its hosts by name."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from lsprotocol import types

from ipmpki.lsp.cursor import assignments, headers

if TYPE_CHECKING:
    from ipmpki.lsp.text import Text


def outline(text: Text) -> list[types.DocumentSymbol]:
    """One symbol a table, from its header to its last line; keys above the first table are symbols, too."""
    found = headers(text.text)
    top = found[0].start if found else len(text.text)
    symbols = [
        types.DocumentSymbol(
            name=key,
            kind=types.SymbolKind.Property,
            range=text.range(line, end),
            selection_range=text.range(line, end),
        )
        for key, line, end in (
            (key, _line_of(text.text, at), end) for key, at, end in assignments(text.text, 0, top)
        )
    ]
    ends = [one.start for one in found[1:]] + [len(text.text)]
    for header, end in zip(found, ends, strict=False):  # one end too many where there is no header
        last = header.start + len(text.text[header.start : end].rstrip())
        is_host = header.steps == ("hosts",) and header.is_array
        given = _strings(text.text, header.end, end) if is_host else {}
        symbols.append(
            types.DocumentSymbol(
                # An empty name is not allowed (LSP 3.17, DocumentSymbol).
                name=given.get("name", "").strip() or text.text[header.start : header.end].strip(),
                detail=given.get("role"),
                kind=types.SymbolKind.Object if is_host else types.SymbolKind.Namespace,
                range=text.range(header.start, max(last, header.end)),
                selection_range=text.range(header.start, header.end),
            )
        )
    return symbols


def _line_of(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _strings(text: str, start: int, end: int) -> dict[str, str]:
    """The name and the role of a host, where they are readable."""
    found: dict[str, str] = {}
    for key, value, line_end in assignments(text, start, end):
        if key not in {"name", "role"} or key in found:
            continue
        try:
            read = tomllib.loads(f"value = {text[value:line_end].strip()}")["value"]
        except (ValueError, RecursionError):
            continue
        if isinstance(read, str):
            found[key] = read
    return found
