"""Reading TOML, and what can still be read of a text that is not TOML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ipmpki.diagnostics.problem import DocumentPath, Place, Position, Problem, Severity, Span
from ipmpki.diagnostics.wording import quote
from ipmpki.source.secrets import may_hold_secret
from ipmpki.source.text import Document, Source

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SYNTAX_ERRORS = 20
"""After so many broken statements the file is not a declaration but something else."""


def parse(source: Source) -> tuple[Document, tuple[Problem, ...]]:
    """Read the values of a source.

    After a syntax error the statement it stands in is struck out, or the whole table where the
    statement's end is not certain, and reading goes on: one broken host hides no other host's problems.
    """
    try:
        if not source.damaged:
            return Document(replace(source, readable=source.text), tomllib.loads(source.text)), ()
    except (ValueError, RecursionError):
        pass  # read again below, piece by piece
    return _Salvage(source).read()


_BARE = r"[A-Za-z0-9_-]+"
_STATEMENT = re.compile(rf"[ \t]*(?P<key>{_BARE}(?:[ \t]*\.[ \t]*{_BARE})*)[ \t]*(?P<equals>=?)")
_KEY_AND_EQUALS = re.compile(rf"(?P<key>{_BARE}(?:[ \t]*\.[ \t]*{_BARE})*)[ \t]*=")
_ASSIGNMENT = re.compile(rf"""[ \t]*(?:{_BARE}|"[^"]*"|'[^']*')(?:[ \t]*\.[ \t]*{_BARE})*[ \t]*=""")
_HEADER = re.compile(
    rf"[ \t]*\[{{1,2}}[ \t]*{_BARE}(?:[ \t]*\.[ \t]*{_BARE})*[ \t]*\]{{1,2}}[ \t\r]*(?:#.*)?"
)
_HEADER_START = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*(?P<key>{_BARE})?")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'")
_DEEPEST = 16
"""No value of a declaration is nested deeper; a key of a thousand parts can be."""
_LONGEST_INLINE_TABLE = 12
"""Lines over which a table in braces may wrongly have been spread; TOML wants it on one."""
_TRIPLE = re.compile(r'"""|' + "'''")


@dataclass(frozen=True, slots=True)
class _Fault:
    """A syntax error: what tomllib says, where (from 1), and whether the text ended there."""

    said: str
    line: int
    column: int
    at_end: bool


class _Salvage:
    """Reads a text that is not TOML: strikes out what is wrong until the rest can be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = source.text.split("\n")
        self._struck: set[int] = set()
        self._regions: list[tuple[int, int]] = []
        self._marks: dict[str, list[tuple[str, ...]] | None] = {}
        self._lost: set[DocumentPath] = set()
        self._mark = "\ue000"
        while self._mark in source.text:
            self._mark += "\ue000"

    def read(self) -> tuple[Document, tuple[Problem, ...]]:
        for number in self._source.damaged:
            self._strike(number, number)
        problems: list[Problem] = []
        while True:
            try:
                values = tomllib.loads("\n".join(self._lines))
            except tomllib.TOMLDecodeError as refusal:
                fault = self._fault(str(refusal))
            except RecursionError:
                return self._nothing([*problems, self._too_deep()])
            except ValueError:
                # int() refuses numbers of more than 4,300 digits; tomllib lets its ValueError through.
                fault = self._endless_number()
            else:
                return self._document(values), tuple(problems)
            if self._lines[fault.line - 1].startswith(f'"{self._mark}'):
                self._lines[fault.line - 1] = ""  # a mark inside an array, where no key can be
                continue
            problem, first, last = self._judge(fault)
            problems.append(problem)
            if not self._strike(first, last) or len(problems) >= MOST_SYNTAX_ERRORS:
                return self._nothing(problems)

    def _document(self, values: dict[str, Any]) -> Document:
        unread = set(self._lost)
        self._collect(values, (), unread)
        source = replace(self._source, readable="\n".join(self._lines))
        return Document(source, values, tuple(sorted(self._regions)), frozenset(unread))

    def _nothing(self, problems: list[Problem]) -> tuple[Document, tuple[Problem, ...]]:
        source = replace(self._source, readable="")
        whole = (1, len(self._lines))
        return Document(source, {}, (whole,), frozenset({()})), tuple(problems)

    def _collect(self, value: Any, path: DocumentPath, unread: set[DocumentPath]) -> None:
        """Take the marks out of the values; what they stood for is unread, if not given elsewhere."""
        if len(path) > _DEEPEST:
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._collect(item, (*path, index), unread)
        elif isinstance(value, dict):
            for key in [key for key in value if key in self._marks]:
                del value[key]
                for steps in self._marks[key] or [()]:
                    if not steps or steps[0] not in value or len(steps) > 1:
                        unread.add((*path, *steps))
            for key, item in value.items():
                self._collect(item, (*path, key), unread)

    # What is wrong, and which lines to give up for it.

    def _judge(self, fault: _Fault) -> tuple[Problem, int, int]:
        """The problem to report, and the first and last line to strike."""
        at = self._lines[fault.line - 1]
        if fault.at_end and re.match("Unterminated string|Expected \"'", fault.said):
            opening = self._last_line_with(lambda line: len(_TRIPLE.findall(line)) % 2 == 1, fault.line)
            if opening is not None:
                match = _TRIPLE.search(self._lines[opening - 1])
                column = match.start() + 1 if match else 1
                problem = self._problem(
                    "this string is opened here and never closed",
                    "add the closing quotes, as many as opened it",
                    opening,
                    column,
                )
                return problem, opening, len(self._lines)
        if fault.at_end and fault.said == 'Expected "\'"':
            opening = self._last_line_with(lambda line: "'" in _outside_strings(line), fault.line)
            if opening is not None:
                column = self._lines[opening - 1].rindex("'") + 1
                words, remedy = "this string is not closed", "add the closing quote"
                return self._problem(words, remedy, opening, column), opening, opening
        if self._is_swallowed(fault, at):
            opening = self._last_line_with(_opens_array, fault.line if fault.at_end else fault.line - 1)
            if opening is not None:
                column = self._lines[opening - 1].index("[") + 1
                problem = self._problem(
                    "this array is not closed",
                    'add the closing bracket: ["a", "b"]',
                    opening,
                    column,
                )
                return problem, opening, len(self._lines) if fault.at_end else fault.line - 1
        if at.lstrip().startswith("["):
            start = _HEADER_START.match(at)
            if start is not None and not _ASSIGNMENT.match(at) and self._stands_outside(fault):
                return self._judge_header(fault, at)
        return self._judge_statement(fault, at)

    def _judge_header(self, fault: _Fault, header: str) -> tuple[Problem, int, int]:
        start = _HEADER_START.match(header)
        key = start["key"] if start else None
        if fault.said.startswith(("Cannot overwrite", "Cannot mutate", "Cannot redefine")):
            words = f"'{key}' is declared already, in another way"
            remedy = (
                "write every host as [[hosts]], with two pairs of brackets"
                if key == "hosts"
                else "write all its keys in one place"
            )
            problem = self._problem(words, remedy, fault.line, _indent(header) + 1)
        elif fault.said.startswith("Cannot declare"):
            words = f"the table '{key}' is declared a second time"
            problem = self._problem(
                words, "join the two tables under one header", fault.line, _indent(header) + 1
            )
        else:
            problem = self._in_plain_words(fault)
        if key is not None and key != "hosts":
            self._lost.add((key,))
        last = fault.line
        while last < len(self._lines) and not _HEADER.fullmatch(self._lines[last]):
            last += 1
        return problem, fault.line, last

    def _judge_statement(self, fault: _Fault, at: str) -> tuple[Problem, int, int]:
        first = fault.line
        if fault.said.startswith(("Cannot overwrite", "Cannot mutate", "Duplicate inline table")):
            first = self._last_line_with(_assigns, fault.line) or first
            statement = _STATEMENT.match(self._lines[first - 1])
            if statement is not None and not fault.said.startswith("Duplicate inline"):
                words = f"the key '{statement['key']}' is given a second time"
                start, end = statement.span("key")
                problem = self._problem(words, "keep one of the two", first, start + 1, end - start)
                return problem, first, fault.line
        if _is_line_of_its_own(at) and fault.line not in self._struck:
            return self._in_plain_words(fault), first, self._end_of_inline_table(fault.line)
        return self._in_plain_words(fault), *self._table_around(fault.line)

    def _end_of_inline_table(self, line: int) -> int:
        """The line that closes the inline table which a line leaves open; the line itself if none does."""
        depth = 0
        for number in range(line, min(line + _LONGEST_INLINE_TABLE, len(self._lines) + 1)):
            outside = _outside_strings(self._lines[number - 1])
            if number > line and _HEADER.fullmatch(outside):
                break
            depth += outside.count("{") - outside.count("}")
            if depth <= 0:
                return number
        return line

    def _is_swallowed(self, fault: _Fault, at: str) -> bool:
        """Whether an array that is still open took the next statement or header for one of its values."""
        if fault.said not in {"Unclosed array", "Invalid value"}:
            return False
        if fault.at_end:
            return fault.said == "Unclosed array"
        before = at[: fault.column - 1]
        if _HEADER.fullmatch(at):
            return not before.strip(" \t[")
        return _ASSIGNMENT.match(at) is not None and not before.strip(" \t")

    def _stands_outside(self, fault: _Fault) -> bool:
        """Whether the faulty line is a header rather than a line of a multi-line array."""
        return fault.said not in {"Unclosed array", "Invalid value"}

    def _last_line_with(self, is_wanted: Callable[[str], bool], last: int) -> int | None:
        return next((number for number in range(last, 0, -1) if is_wanted(self._lines[number - 1])), None)

    def _table_around(self, line: int) -> tuple[int, int]:
        """The lines of the table's body around a line, its header left out."""
        first = line
        while first > 1 and not _HEADER.fullmatch(self._lines[first - 2]):
            first -= 1
        last = line
        while last < len(self._lines) and not _HEADER.fullmatch(self._lines[last]):
            last += 1
        return first, last

    def _strike(self, first: int, last: int) -> bool:
        """Blank lines, leaving a mark for the key that stood there. False where nothing was left to blank."""
        is_header = _HEADER_START.match(self._lines[first - 1]) is not None
        fresh = [number for number in range(first, last + 1) if self._lines[number - 1].strip()]
        if not fresh or all(number in self._struck for number in fresh):
            return False
        lost = "\n".join(self._lines[first - 1 : last])
        for number in range(first, last + 1):
            self._lines[number - 1] = ""
            self._struck.add(number)
        self._regions.append((first, last))
        if not is_header and (_STATEMENT.match(lost) or "=" in _outside_strings(lost)):
            self._leave_mark(first, _keys_of(lost))
        return True

    def _leave_mark(self, line: int, keys: list[tuple[str, ...]] | None) -> None:
        """Let the table remember that a line held these keys, or (None) ones that are not known."""
        mark = f"{self._mark}{line}"
        self._marks[mark] = keys
        self._lines[line - 1] = f'"{mark}" = 0'

    # Words.

    def _fault(self, said: str) -> _Fault:
        where = _WHERE.search(said)
        plain = _WHERE.sub("", said)
        if where is not None and where["line"]:
            return _Fault(plain, int(where["line"]), int(where["column"]), at_end=False)
        line = len(self._lines)
        while line > 1 and not self._lines[line - 1].strip():
            line -= 1
        return _Fault(plain, line, len(self._lines[line - 1].rstrip()) + 1, at_end=True)

    def _endless_number(self) -> _Fault:
        for number, line in enumerate(self._lines, start=1):
            match = re.search("[0-9_]{4300,}", line)
            if match is not None:
                return _Fault("Endless number", number, match.start() + 1, at_end=False)
        return _Fault("Invalid value", 1, 1, at_end=False)

    def _too_deep(self) -> Problem:
        return self._problem(
            "the values are nested too deeply to be a declaration",
            "see 'ipmpki init' for a file to start from",
            1,
            1,
        )

    def _in_plain_words(self, fault: _Fault) -> Problem:
        at = self._lines[fault.line - 1]
        if fault.said.startswith("Expected '=' after") and not at[fault.column - 1 : fault.column].isascii():
            words = f"a key cannot hold {quote(at[fault.column - 1])} unless it is in quotes"
            remedy = "a key is made of the letters a to z, digits, '_' and '-'"
            return self._problem(words, remedy, fault.line, fault.column, 1)
        word = re.compile(r"[\w.:*-]+").match(at, fault.column - 1) if fault.said == "Invalid value" else None
        if word is not None and not may_hold_secret(at):
            remedy = f'put text into quotes: "{word[0]}"'
            if word[0].lower() in {"true", "false"}:
                remedy = f"write {word[0].lower()}, in small letters"
            return self._problem(
                "text is not in quotes", remedy, fault.line, fault.column, len(at.rstrip()) - fault.column + 1
            )
        for pattern, words, remedy in _PLAIN_WORDS:
            if pattern.fullmatch(fault.said):
                return self._problem(words, remedy, fault.line, fault.column)
        words = fault.said[:1].lower() + fault.said[1:]
        return self._problem(words, "see https://toml.io for what TOML allows here", fault.line, fault.column)

    def _problem(self, words: str, remedy: str, line: int, column: int, length: int = 0) -> Problem:
        text = self._source.text.split("\n")[line - 1].rstrip("\r")
        column = min(column, len(text) + 1)
        length = length or max(1, len(text.rstrip()) - column + 1)
        span = Span(Position(line, column), Position(line, column + length))
        return Problem("toml-syntax", Severity.ERROR, words, remedy, Place(self._source.name), span=span)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _outside_strings(line: str) -> str:
    return _STRING.sub("", line).partition("#")[0]


def _keys_of(lines: str) -> list[tuple[str, ...]] | None:
    """The keys that struck lines most likely assigned; None where one of them cannot be made out."""
    keys: list[tuple[str, ...]] = []
    for line in lines.split("\n"):
        start = _STATEMENT.match(line)
        if start is not None and not start["equals"]:
            if line[start.end() :][:1].isalnum():
                return None  # a letter that keys cannot hold: what it was to be is not known
            keys.append(_steps(start["key"]))
        keys.extend(_steps(found["key"]) for found in _KEY_AND_EQUALS.finditer(_outside_strings(line)))
    return keys or None


def _steps(key: str) -> tuple[str, ...]:
    return tuple(step.strip() for step in key.split("."))


def _assigns(line: str) -> bool:
    return _ASSIGNMENT.match(line) is not None


def _opens_array(line: str) -> bool:
    outside = _outside_strings(line)
    return _ASSIGNMENT.match(line) is not None and outside.count("[") > outside.count("]")


def _is_line_of_its_own(line: str) -> bool:
    """Whether a faulty line can be struck out alone: nothing it opens is closed on another line."""
    outside = _outside_strings(line)
    return _TRIPLE.search(line) is None and outside.count("[") == outside.count("]")


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
        "an '=' is missing after the key",
        'write: key = "value"',
    ),
    (re.compile(r"Invalid value"), "this is not a TOML value", 'put text into straight quotes: "…"'),
    (re.compile(r"Endless number"), "this number has more digits than any value needs", "shorten it"),
    (
        re.compile(r"Unescaped '\\' in a string"),
        "a backslash in a double-quoted string starts an escape that does not exist",
        "write '\\\\' for each backslash, or use single quotes: 'C:\\path'",
    ),
    (
        re.compile(r"Illegal character '\\n'|Unterminated string|Expected \"'\""),
        "this string is not closed",
        "add the closing quote",
    ),
    (
        re.compile(r"Illegal character .*"),
        "a control character stands here, which TOML does not allow",
        "delete it; most editors can show invisible characters",
    ),
    (
        re.compile(r"Unclosed array"),
        "a ',' or the array's closing ']' is missing before this",
        'write: ["a", "b"]',
    ),
    (
        re.compile(r"Unclosed inline table"),
        "a ',' or the inline table's closing '}' is missing before this",
        'write: { key = "value" }, on one line',
    ),
    (
        re.compile(r"Expected newline or end of document after a statement"),
        "something follows the value on the same line",
        "put each key on a line of its own, and text into quotes; a comment starts with '#'",
    ),
    (
        re.compile(r"Invalid initial character for a key part"),
        "a key must stand here",
        "a key is made of letters, digits, '_' and '-'; an inline table stays on one line,"
        " with no ',' at its end",
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
)
