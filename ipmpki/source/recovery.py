"""What can still be read of a text that is not TOML, and which lines have to be given up for it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ipmpki.source.syntax import ASSIGNMENT, BARE_KEY, HEADER, outside_strings, read_key
from ipmpki.source.syntax_error import SyntaxErrorWords, endless_number, mistake_of
from ipmpki.source.text import Document, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.diagnostics.problem import DocumentPath, Problem
    from ipmpki.source.syntax_error import Mistake

MOST_SYNTAX_ERRORS = 20
"""After so many broken statements the file is not a declaration but something else."""
_DEEPEST = 16
"""No value of a declaration is nested deeper; a key of a thousand parts can be."""
# Begun where a word begins, and of so many parts: a key of 100,000 letters is else gone through as often.
_KEY = rf"(?P<key>{BARE_KEY}(?:[ \t]*\.[ \t]*{BARE_KEY}){{0,{_DEEPEST}}})[ \t]*"
_STATEMENT = re.compile(rf"[ \t]*{_KEY}(?P<equals>=?)")
_KEY_AND_EQUALS = re.compile(rf"(?<![A-Za-z0-9_-]){_KEY}=")
_HEADER_START = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*(?P<key>{BARE_KEY})?")
_LONGEST_INLINE_TABLE = 12
"""Lines over which a table in braces may wrongly have been spread; TOML wants it on one."""
_TRIPLE = re.compile(r'"""|' + "'''")


def recover(source: Source) -> tuple[Document, tuple[Problem, ...]]:
    """Strike out what is wrong in a source until the rest can be read; a problem for each mistake."""
    return _Recovery(source).read()


class _Recovery:
    """Reads a text that is not TOML: strikes out what is wrong until the rest can be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._report = SyntaxErrorWords(source)
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
                mistake = mistake_of(str(refusal), self._lines)
            except RecursionError:
                return self._nothing([*problems, self._report.too_deep()])
            except ValueError:
                # int() refuses numbers of more than 4,300 digits; tomllib lets its ValueError through.
                mistake = endless_number(self._lines)
            else:
                return self._document(values), tuple(problems)
            if self._lines[mistake.line - 1].startswith(f'"{self._mark}'):
                self._lines[mistake.line - 1] = ""  # a mark inside an array, where no key can be
                continue
            problem, first, last = self._judge(mistake)
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

    def _judge(self, mistake: Mistake) -> tuple[Problem, int, int]:
        """The problem to report, and the first and last line to strike."""
        at = self._lines[mistake.line - 1]
        if mistake.at_end and re.match("Unterminated string|Expected \"'", mistake.said):
            opening = self._last_line_with(lambda line: len(_TRIPLE.findall(line)) % 2 == 1, mistake.line)
            if opening is not None:
                match = _TRIPLE.search(self._lines[opening - 1])
                column = match.start() + 1 if match else 1
                problem = self._report.problem(
                    "this string is opened here and never closed",
                    "add the closing quotes, as many as opened it",
                    opening,
                    column,
                )
                return problem, opening, len(self._lines)
        if mistake.at_end and mistake.said == 'Expected "\'"':
            opening = self._last_line_with(lambda line: "'" in outside_strings(line), mistake.line)
            if opening is not None:
                column = self._lines[opening - 1].rindex("'") + 1
                words, remedy = "this string is not closed", "add the closing quote"
                return self._report.problem(words, remedy, opening, column), opening, opening
        if self._is_swallowed(mistake, at):
            opening = self._last_line_with(_opens_array, mistake.line if mistake.at_end else mistake.line - 1)
            if opening is not None:
                column = self._lines[opening - 1].index("[") + 1
                problem = self._report.problem(
                    "this array is not closed",
                    'add the closing bracket: ["a", "b"]',
                    opening,
                    column,
                )
                return problem, opening, len(self._lines) if mistake.at_end else mistake.line - 1
        if at.lstrip().startswith("["):
            start = _HEADER_START.match(at)
            if start is not None and not ASSIGNMENT.match(at) and self._stands_outside(mistake):
                return self._judge_header(mistake, at)
        return self._judge_statement(mistake, at)

    def _judge_header(self, mistake: Mistake, header: str) -> tuple[Problem, int, int]:
        start = _HEADER_START.match(header)
        key = start["key"] if start else None
        if mistake.said.startswith(("Cannot overwrite", "Cannot mutate", "Cannot redefine")):
            words = f"'{key}' is declared already, in another way"
            remedy = (
                "write every host as [[hosts]], with two pairs of brackets"
                if key == "hosts"
                else "write all its keys in one place"
            )
            problem = self._report.problem(words, remedy, mistake.line, _indent(header) + 1)
        elif mistake.said.startswith("Cannot declare"):
            words = f"the table '{key}' is declared a second time"
            problem = self._report.problem(
                words, "join the two tables under one header", mistake.line, _indent(header) + 1
            )
        else:
            problem = self._report.explain(self._lines, mistake)
        if key is not None and key != "hosts":
            self._lost.add((key,))
        last = mistake.line
        while last < len(self._lines) and not HEADER.fullmatch(self._lines[last]):
            last += 1
        return problem, mistake.line, last

    def _judge_statement(self, mistake: Mistake, at: str) -> tuple[Problem, int, int]:
        first = mistake.line
        if mistake.said.startswith(("Cannot overwrite", "Cannot mutate", "Duplicate inline table")):
            first = self._last_line_with(_assigns, mistake.line) or first
            statement = _STATEMENT.match(self._lines[first - 1])
            if statement is not None and not mistake.said.startswith("Duplicate inline"):
                words = f"the key '{statement['key']}' is given a second time"
                start, end = statement.span("key")
                problem = self._report.problem(words, "keep one of the two", first, start + 1, end - start)
                return problem, first, mistake.line
        if _is_line_of_its_own(at) and mistake.line not in self._struck:
            return self._report.explain(self._lines, mistake), first, self._end_of_inline_table(mistake.line)
        return self._report.explain(self._lines, mistake), *self._table_around(mistake.line)

    def _end_of_inline_table(self, line: int) -> int:
        """The line that closes the inline table which a line leaves open; the line itself if none does."""
        depth = 0
        for number in range(line, min(line + _LONGEST_INLINE_TABLE, len(self._lines) + 1)):
            outside = outside_strings(self._lines[number - 1])
            if number > line and HEADER.fullmatch(outside):
                break
            depth += outside.count("{") - outside.count("}")
            if depth <= 0:
                return number
        return line

    def _is_swallowed(self, mistake: Mistake, at: str) -> bool:
        """Whether an array that is still open took the next statement or header for one of its values."""
        if mistake.said not in {"Unclosed array", "Invalid value"}:
            return False
        if mistake.at_end:
            return mistake.said == "Unclosed array"
        before = at[: mistake.column - 1]
        if HEADER.fullmatch(at):
            return not before.strip(" \t[")
        return ASSIGNMENT.match(at) is not None and not before.strip(" \t")

    def _stands_outside(self, mistake: Mistake) -> bool:
        """Whether the faulty line is a header rather than a line of a multi-line array."""
        return mistake.said not in {"Unclosed array", "Invalid value"}

    def _last_line_with(self, is_wanted: Callable[[str], bool], last: int) -> int | None:
        return next((number for number in range(last, 0, -1) if is_wanted(self._lines[number - 1])), None)

    def _table_around(self, line: int) -> tuple[int, int]:
        """The lines of the table's body around a line, its header left out."""
        first = line
        while first > 1 and not HEADER.fullmatch(self._lines[first - 2]):
            first -= 1
        last = line
        while last < len(self._lines) and not HEADER.fullmatch(self._lines[last]):
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
        if not is_header and (_STATEMENT.match(lost) or "=" in outside_strings(lost)):
            self._leave_mark(first, _keys_of(lost))
        return True

    def _leave_mark(self, line: int, keys: list[tuple[str, ...]] | None) -> None:
        """Let the table remember that a line held these keys, or (None) ones that are not known."""
        mark = f"{self._mark}{line}"
        self._marks[mark] = keys
        self._lines[line - 1] = f'"{mark}" = 0'


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _keys_of(lines: str) -> list[tuple[str, ...]] | None:
    """The keys that struck lines most likely assigned; None where one of them cannot be made out."""
    keys: list[tuple[str, ...]] = []
    for line in lines.split("\n"):
        start = _STATEMENT.match(line)
        if start is not None and not start["equals"]:
            if line[start.end() :][:1].isalnum():
                return None  # a letter that keys cannot hold: what it was to be is not known
            keys.append(read_key(start["key"]))
        keys.extend(read_key(found["key"]) for found in _KEY_AND_EQUALS.finditer(outside_strings(line)))
    return keys or None


def _assigns(line: str) -> bool:
    return ASSIGNMENT.match(line) is not None


def _opens_array(line: str) -> bool:
    outside = outside_strings(line)
    return ASSIGNMENT.match(line) is not None and outside.count("[") > outside.count("]")


def _is_line_of_its_own(line: str) -> bool:
    """Whether a faulty line can be struck out alone: nothing it opens is closed on another line."""
    outside = outside_strings(line)
    return _TRIPLE.search(line) is None and outside.count("[") == outside.count("]")
