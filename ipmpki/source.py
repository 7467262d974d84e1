"""The text of a declaration, its values, and where each value stands.

Values come from tomllib. Places come from tree-sitter-toml, which is loaded only when there is a place
to find: a declaration without a problem never pays for it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipmpki.diagnostics import (
    DocumentPath,
    Label,
    LocatedProblem,
    Part,
    Place,
    Position,
    Problem,
    Related,
    Severity,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tree_sitter import Node

MOST_SYNTAX_ERRORS = 20
"""After so many broken tables the file is not a declaration but something else."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the declaration: its name as shown to people and its text, without a byte-order mark."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed source: its values, and the line ranges that a syntax error made unreadable.

    ``unread`` holds (first, last) lines counted from 1, both inclusive.
    """

    source: Source
    values: dict[str, Any]
    unread: tuple[tuple[int, int], ...] = ()


def decode(name: str, content: bytes) -> tuple[Source, tuple[Problem, ...]]:
    """Turn a file's bytes into text. TOML is UTF-8; anything else is a problem with its place."""
    try:
        return Source(name, content.decode("utf-8").removeprefix("\ufeff")), ()
    except UnicodeDecodeError as fault:
        before = content[: fault.start].decode("utf-8").removeprefix("\ufeff")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
        problem = Problem(
            "toml-syntax",
            Severity.ERROR,
            f"the file is not UTF-8: byte 0x{content[fault.start]:02x}",
            "save the file as UTF-8, which TOML requires",
            Place(name),
            span=Span(Position(line, column), Position(line, column + 1)),
        )
        return Source(name, text), (problem,)


def parse(source: Source) -> tuple[Document, tuple[Problem, ...]]:
    """Read the values of a source.

    After a syntax error the table it stands in is blanked, keeping its header, and reading goes on, so
    that one broken host hides no other host's problems.
    """
    text = source.text
    problems: list[Problem] = []
    unread: list[tuple[int, int]] = []
    while True:
        try:
            return Document(source, tomllib.loads(text), tuple(unread)), tuple(problems)
        except tomllib.TOMLDecodeError as fault:
            problem, line = _syntax_problem(source.name, text, str(fault))
        except RecursionError:
            problem, line = _syntax_problem(source.name, text, "Nested too deeply (at line 1, column 1)")
            return Document(source, {}, ((1, text.count("\n") + 1),)), (problem,)
        problems.append(problem)
        blanked, region = _blank_table(text, line)
        if blanked == text or len(problems) >= MOST_SYNTAX_ERRORS:
            return Document(source, {}, ((1, text.count("\n") + 1),)), tuple(problems)
        text = blanked
        unread.append(region)


_HEADER = re.compile(r"[ \t]*\[")


def _blank_table(text: str, line: int) -> tuple[str, tuple[int, int]]:
    """Blank the body of the table around a line; its header too where the error stands there."""
    lines = text.split("\n")
    index = min(line, len(lines)) - 1
    start = index
    while start > 0 and not _HEADER.match(lines[start]):
        start -= 1
    end = index + 1
    while end < len(lines) and not _HEADER.match(lines[end]):
        end += 1
    keep_header = start < index and _HEADER.match(lines[start]) is not None
    first = start + 1 if keep_header else start
    return "\n".join([*lines[:first], *([""] * (end - first)), *lines[end:]]), (start + 1, end)


_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

_PLAIN_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"Cannot overwrite a value|Duplicate inline table key.*"),
        "this key is given a second time",
        "keep one of the two",
    ),
    (
        re.compile(r"Cannot declare .* twice"),
        "this table is declared a second time",
        "join the two tables under one header",
    ),
    (
        re.compile(r"Cannot mutate immutable namespace .*|Cannot redefine namespace .*"),
        "this table is declared already, in another way",
        "write all its keys in one place",
    ),
    (
        re.compile(r"Expected '=' after a key in a key/value pair"),
        "a key without '='",
        'write: key = "value"',
    ),
    (re.compile(r"Invalid value"), "this is not a TOML value", 'put text into quotes: "…"'),
    (
        re.compile(r"Unescaped '\\\\' in a string"),
        "a backslash in a double-quoted string starts an escape that does not exist",
        "write '\\\\' for each backslash, or use single quotes: 'C:\\path'",
    ),
    (
        re.compile(r"Illegal character '\\n'|Unterminated string"),
        "this string is not closed",
        "add the closing quote",
    ),
    (
        re.compile(r"Unclosed array"),
        "this array is not closed, or a ',' is missing between its values",
        'write: ["a", "b"]',
    ),
    (
        re.compile(r"Unclosed inline table"),
        "this inline table is not closed, or a ',' is missing between its keys",
        'write: { key = "value" }',
    ),
    (
        re.compile(r"Expected newline or end of document after a statement"),
        "something follows the value on the same line",
        "put each key on a line of its own; a comment starts with '#'",
    ),
    (
        re.compile(r"Invalid initial character for a key part"),
        "a key must stand here",
        "a key is made of letters, digits, '_' and '-'; put others into quotes",
    ),
    (
        re.compile(r"Invalid statement"),
        "this is neither a key, a table nor a comment",
        'write: key = "value", [table] or # comment',
    ),
    (
        re.compile(r"Expected '\]\]?' at the end of .*"),
        "this table header is not closed",
        "write: [table] or [[hosts]]",
    ),
    (
        re.compile(r"Nested too deeply"),
        "the values are nested too deeply to be a declaration",
        "see 'ipmpki init' for a file to start from",
    ),
)


def _syntax_problem(name: str, text: str, message: str) -> tuple[Problem, int]:
    where = _WHERE.search(message)
    lines = text.split("\n")
    fault = _WHERE.sub("", message)
    if where is not None and where["line"]:
        line, column = int(where["line"]), int(where["column"])
        if "\\n" in fault and line > 1 and column == 1:
            line, column = line - 1, len(lines[line - 2]) + 1
    else:
        line = len(lines)
        while line > 1 and not lines[line - 1].strip():
            line -= 1
        column = len(lines[line - 1].rstrip()) + 1
    for pattern, plain, remedy in _PLAIN_WORDS:
        if pattern.fullmatch(fault):
            words, help_ = plain, remedy
            break
    else:
        words, help_ = fault[:1].lower() + fault[1:], "see https://toml.io for what TOML allows here"
    length = max(1, len(lines[line - 1].rstrip("\r").rstrip()) - column + 1)
    span = Span(Position(line, column), Position(line, column + length))
    return Problem("toml-syntax", Severity.ERROR, words, help_, Place(name), span=span), line


# --- Places ---------------------------------------------------------------------------------------


def locate(problems: Iterable[Problem], sources: Mapping[str, Source]) -> tuple[LocatedProblem, ...]:
    """Find where problems stand, in document order: files in the order given, then line and column."""
    problems = tuple(problems)
    wanted: dict[str, set[DocumentPath]] = {}
    for problem in problems:
        places = [related.place for related in problem.related]
        if problem.span is None:
            places.append(problem.place)
        for place in places:
            if place.path and place.file in sources:
                wanted.setdefault(place.file, set()).add(place.path)
    maps = {file: _Spans(sources[file].text, paths) for file, paths in wanted.items()}
    lines = {file: source.text.split("\n") for file, source in sources.items() if problems}

    def label(place: Place, span: Span | None = None, message: str = "") -> Label:
        if span is None and place.file in maps and place.path:
            span = maps[place.file].find(place)
        if span is None and place.file in sources:
            span = Span(Position(1, 1), Position(1, 1))
        shown: tuple[str, ...] = ()
        if span is not None and place.file in lines:
            shown = tuple(
                line.rstrip("\r") for line in lines[place.file][span.start.line - 1 : span.end.line]
            )
        return Label(place.file, place.path, span, shown, message)

    def related_label(related: Related) -> Label:
        return label(related.place, None, related.message)

    order = {name: index for index, name in enumerate(sources)}
    located = [
        LocatedProblem(
            problem, label(problem.place, problem.span), tuple(map(related_label, problem.related))
        )
        for problem in problems
    ]
    start = Span(Position(1, 1), Position(1, 1))
    located.sort(
        key=lambda one: (order.get(one.label.file, len(order)), one.label.span or start, one.problem.rule)
    )
    return tuple(located)


class _Spans:
    """The spans of the wanted paths of one text; tables nobody asks for are passed over unread."""

    def __init__(self, text: str, wanted: Iterable[DocumentPath]) -> None:
        import tree_sitter  # noqa: PLC0415 -- loaded only when there is a problem to place
        import tree_sitter_toml  # noqa: PLC0415

        self._content = text.encode("utf-8", "surrogatepass")
        self._lines = self._content.split(b"\n")
        self._wanted = {path[:length] for path in wanted for length in range(1, len(path) + 1)}
        self._keys: dict[DocumentPath, Span] = {}
        self._values: dict[DocumentPath, Span] = {}
        self._last_index: dict[DocumentPath, int] = {}
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
        self._read_document(parser.parse(self._content).root_node)

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

    def _read_document(self, document: Node) -> None:
        for node in document.named_children:
            if node.type == "pair":
                self._read_pair(node, ())
            elif node.type in {"table", "table_array_element"}:
                self._read_table(node)

    def _read_table(self, node: Node) -> None:
        children = node.children
        keys = tuple(self._key_steps(children[1]))
        path = self._table_path(keys, is_array=node.type == "table_array_element")
        if path not in self._wanted:
            return
        header = Span(self._position(children[0].start_point), self._position(children[2].end_point))
        for length in range(1, len(path)):
            self._values.setdefault(path[:length], header)
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
        for step, key_span in self._key_parts(key):
            path = (*path, step)
            if path not in self._wanted:
                return
            self._keys.setdefault(path, key_span)
            self._values.setdefault(path, key_span)
        self._read_value(value, path)

    def _read_value(self, node: Node, path: DocumentPath) -> None:
        self._values[path] = self._span(node)
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._read_pair(child, path)
        elif node.type == "array":
            items = [child for child in node.named_children if child.type != "comment"]
            for index, child in enumerate(items):
                if (*path, index) in self._wanted:
                    self._keys[*path, index] = self._span(child)
                    self._read_value(child, (*path, index))

    def _key_steps(self, node: Node) -> Iterator[str]:
        for step, _ in self._key_parts(node):
            yield step

    def _key_parts(self, node: Node) -> Iterator[tuple[str, Span]]:
        if node.type == "dotted_key":
            for child in node.named_children:
                yield from self._key_parts(child)
            return
        written = self._content[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if node.type == "quoted_key":
            try:
                written = next(iter(tomllib.loads(f"{written} = 0")))
            except tomllib.TOMLDecodeError:
                written = written[1:-1]
        yield written, self._span(node)

    def _span(self, node: Node) -> Span:
        return Span(self._position(node.start_point), self._position(node.end_point))

    def _position(self, point: tuple[int, int]) -> Position:
        """tree-sitter counts bytes from 0; people count characters from 1."""
        row, column = point
        return Position(row + 1, len(self._lines[row][:column].decode("utf-8", "replace")) + 1)
