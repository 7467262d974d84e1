"""What tomllib says of a mistake, in words that help whoever made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Place, Position, Problem, Severity, Span
from ipmpki.diagnostics.wording import quote
from ipmpki.source.secrets import may_hold_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.source.text import Source


@dataclass(frozen=True, slots=True)
class Mistake:
    """A syntax error: what tomllib says, where (from 1), and whether the text ended there."""

    said: str
    line: int
    column: int
    at_end: bool


def mistake_of(said: str, lines: Sequence[str]) -> Mistake:
    """What tomllib's message says of these lines."""
    where = _WHERE.search(said)
    plain = _WHERE.sub("", said)
    if where is not None and where["line"]:
        return Mistake(plain, int(where["line"]), int(where["column"]), at_end=False)
    line = len(lines)
    while line > 1 and not lines[line - 1].strip():
        line -= 1
    return Mistake(plain, line, len(lines[line - 1].rstrip()) + 1, at_end=True)


def endless_number(lines: Sequence[str]) -> Mistake:
    """Where the number is that int() refuses without naming its place."""
    for number, line in enumerate(lines, start=1):
        match = re.search("[0-9_]{4300,}", line)
        if match is not None:
            return Mistake("Endless number", number, match.start() + 1, at_end=False)
    return Mistake("Invalid value", 1, 1, at_end=False)


class SyntaxErrorWords:
    """Puts the mistakes of one source into words."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def explain(self, lines: Sequence[str], mistake: Mistake) -> Problem:
        """The problem of a mistake in ``lines``, the text without what was struck out."""
        at = lines[mistake.line - 1]
        character = at[mistake.column - 1 : mistake.column]
        if mistake.said.startswith("Expected '=' after") and not character.isascii():
            words = f"a key cannot hold {quote(character)} unless it is in quotes"
            remedy = "a key is made of the letters a to z, digits, '_' and '-'"
            return self.problem(words, remedy, mistake.line, mistake.column, 1)
        word = (
            re.compile(r"[\w.:*-]+").match(at, mistake.column - 1)
            if mistake.said == "Invalid value"
            else None
        )
        if word is not None and not may_hold_secret(at):
            remedy = f'put text into quotes: "{word[0]}"'
            if word[0].lower() in {"true", "false"}:
                remedy = f"write {word[0].lower()}, in small letters"
            return self.problem(
                "text is not in quotes",
                remedy,
                mistake.line,
                mistake.column,
                len(at.rstrip()) - mistake.column + 1,
            )
        for pattern, words, remedy in _PLAIN_WORDS:
            if re.fullmatch(pattern, mistake.said):
                return self.problem(words, remedy, mistake.line, mistake.column)
        words = mistake.said[:1].lower() + mistake.said[1:]
        return self.problem(
            words, "see https://toml.io for what TOML allows here", mistake.line, mistake.column
        )

    def too_deep(self) -> Problem:
        """The problem of a text that cannot be read at all."""
        return self.problem(
            "the values are nested too deeply to be a declaration",
            "see 'ipmpki init' for a file to start from",
            1,
            1,
        )

    def problem(self, words: str, remedy: str, line: int, column: int, length: int = 0) -> Problem:
        """A problem where it stands; without a length, up to the end of the line."""
        text = self._source.text.split("\n")[line - 1].rstrip("\r")
        column = min(column, len(text) + 1)
        length = length or max(1, len(text.rstrip()) - column + 1)
        span = Span(Position(line, column), Position(line, column + length))
        return Problem("toml-syntax", Severity.ERROR, words, remedy, Place(self._source.name), span=span)


_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

_PLAIN_WORDS: tuple[tuple[str, str, str], ...] = (
    (
        r"Cannot overwrite a value|Duplicate inline table key.*",
        "this key is given a second time",
        "keep one of the two",
    ),
    (
        r"Cannot declare .* twice",
        "this table is declared a second time",
        "join the two tables under one header",
    ),
    (
        r"Cannot mutate immutable namespace .*|Cannot redefine namespace .*",
        "this table is declared already, in another way",
        "write all its keys in one place",
    ),
    (
        r"Expected '=' after a key in a key/value pair",
        "an '=' is missing after the key",
        'write: key = "value"',
    ),
    (r"Invalid value", "this is not a TOML value", 'put text into straight quotes: "…"'),
    (r"Endless number", "this number has more digits than any value needs", "shorten it"),
    (
        r"Unescaped '\\' in a string",
        "a backslash in a double-quoted string starts an escape that does not exist",
        "write '\\\\' for each backslash, or use single quotes: 'C:\\path'",
    ),
    (
        r"Illegal character '\\n'|Unterminated string|Expected \"'\"",
        "this string is not closed",
        "add the closing quote",
    ),
    (
        r"Illegal character .*",
        "a control character stands here, which TOML does not allow",
        "delete it; most editors can show invisible characters",
    ),
    (
        r"Unclosed array",
        "a ',' or the array's closing ']' is missing before this",
        'write: ["a", "b"]',
    ),
    (
        r"Unclosed inline table",
        "a ',' or the inline table's closing '}' is missing before this",
        'write: { key = "value" }, on one line',
    ),
    (
        r"Expected newline or end of document after a statement",
        "something follows the value on the same line",
        "put each key on a line of its own, and text into quotes; a comment starts with '#'",
    ),
    (
        r"Invalid initial character for a key part",
        "a key must stand here",
        "a key is made of letters, digits, '_' and '-'; an inline table stays on one line,"
        " with no ',' at its end",
    ),
    (
        r"Invalid statement",
        "this is neither a key, a table nor a comment",
        'write: key = "value", [table] or # comment',
    ),
    (
        r"Expected '\]\]?' at the end of .*",
        "this table header is not closed",
        "write: [table] or [[hosts]]",
    ),
)
