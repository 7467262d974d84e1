"""Where each value of a TOML text stands: its key and its value, in lines and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import DocumentPath, Part, Place, Position, Span
from ipmpki.source.syntax import read_key, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node, Point


class Spans:
    """The spans of the wanted paths of one text; tables nobody asks for are passed over unread."""

    def __init__(self, text: str, wanted: Iterable[DocumentPath]) -> None:
        self._text = text
        self._wanted = {path[:length] for path in wanted for length in range(1, len(path) + 1)}
        self._keys: dict[DocumentPath, Span] = {}
        self._values: dict[DocumentPath, Span] = {}
        self._last_index: dict[DocumentPath, int] = {}
        self._read_document(tree_of(text))

    def find(self, place: Place) -> Span | None:
        """The span of a place, or of the nearest table around it that stands in the text."""
        spans = self._keys if place.part is Part.KEY else self._values
        if place.path in spans:
            return spans[place.path]
        path = place.path
        while path:
            if path in self._values:
                return self._values[path]
            path = path[:-1]
        return None

    def exact(self, place: Place) -> Span | None:
        """The span of a place itself; None where it does not stand in the text."""
        return (self._keys if place.part is Part.KEY else self._values).get(place.path)

    def _read_document(self, document: Node) -> None:
        for node in document.named_children:
            if node.type == "pair":
                self._read_pair(node, ())
            elif node.type in {"table", "table_array_element"}:
                self._read_table(node)

    def _read_table(self, node: Node) -> None:
        head = node.named_child(0)
        if head is None:
            return
        keys = tuple(step for step, _ in self._key_parts(head))
        if keys[:1] not in self._wanted:  # nor is anything below it
            return
        children = node.children
        path = self._table_path(keys, is_array=node.type == "table_array_element")
        header = Span(_position(children[0].start_point), _position(children[2].end_point))
        for length in range(1, len(path)):
            self._values.setdefault(path[:length], header)
            self._keys.setdefault(path[:length], header)
        if path not in self._wanted:
            return
        self._values.setdefault(path, header)
        self._keys.setdefault(path, header)
        for child in node.named_children[1:]:
            if child.type == "pair":
                self._read_pair(child, path)

    def _table_path(self, keys: tuple[str, ...], *, is_array: bool) -> DocumentPath:
        """A header's path with the indices of the arrays of tables it passes through (TOML 1.0)."""
        path: DocumentPath = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            if is_array and position == len(keys) - 1:
                self._last_index[path] = self._last_index.get(path, -1) + 1
            if path in self._last_index:
                path = (*path, self._last_index[path])
        return path

    def _read_pair(self, node: Node, table: DocumentPath) -> None:
        named = [child for child in node.named_children if child.type != "comment"]
        if len(named) != 2:  # noqa: PLR2004 -- a pair is a key and a value; else the parser recovered from an error
            return
        key, value = named
        path = table
        for step, part in self._key_parts(key):
            path = (*path, step)
            if path not in self._wanted:
                return
            key_span = _span(part)
            self._keys.setdefault(path, key_span)
            self._values.setdefault(path, key_span)
        self._read_value(value, path)

    def _read_value(self, node: Node, path: DocumentPath) -> None:
        self._values[path] = _span(node)
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._read_pair(child, path)
        elif node.type == "array":
            items = [child for child in node.named_children if child.type != "comment"]
            for index, child in enumerate(items):
                if (*path, index) in self._wanted:
                    self._keys[*path, index] = _span(child)
                    self._read_value(child, (*path, index))

    def _key_parts(self, node: Node) -> Iterator[tuple[str, Node]]:
        # The grammar nests a dotted key to the left, as deep as it has parts.
        parts = [node]
        while parts[0].type == "dotted_key":
            parts[:1] = parts[0].named_children
        for part in parts:
            yield self._step(part), part

    def _step(self, node: Node) -> str:
        written = self._text[node.start_byte : node.end_byte]
        return read_key(written)[0] if node.type == "quoted_key" else written


def _span(node: Node) -> Span:
    return Span(_position(node.start_point), _position(node.end_point))


def _position(point: Point) -> Position:
    """tree-sitter counts from 0, people from 1."""
    return Position(point.row + 1, point.column + 1)
