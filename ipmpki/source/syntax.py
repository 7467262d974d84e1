"""The syntax of a TOML text: its statements, the members of its arrays, the parts of its keys.

What tomllib accepts is read from the tree of tree-sitter-toml, which is loaded with the first text that is
asked for. What is not TOML, because somebody made a mistake or has not finished writing, is read line by line
with patterns instead: the tree's recovery takes ``a = hello world`` and the key on the next line for one
pair, where to a person each line stands for itself.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

# --- What is TOML -----------------------------------------------------------------------------------


class StatementKind(Enum):
    """What a line, or several that belong together, holds."""

    BLANK = auto()
    COMMENT = auto()
    HEADER = auto()
    PAIR = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """Whole lines ``start:end``; ``first:last`` leaves out blanks, the comment behind and the line end.

    ``key`` is what a header or a pair names, as written; ``value`` is where a pair's value begins.
    """

    kind: StatementKind
    start: int
    end: int
    first: int
    last: int
    key: str = ""
    value: int = -1

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the key."""
        return read_key(self.key)


@dataclass(frozen=True, slots=True)
class Member:
    """One value of an array, or one pair of an inline table; ``comma`` is where the comma after it stands.

    ``key`` and ``value`` are those of a pair.
    """

    start: int
    end: int
    comma: int | None
    key: str = ""
    value: int = -1

    @property
    def behind(self) -> int:
        """Where what follows it begins, its comma left out."""
        return self.end if self.comma is None else self.comma + 1


def tree_of(text: str) -> Node:
    """The tree of a whole text. Its nodes count bytes, which here are the characters of the text."""
    import tree_sitter  # loaded only when there is a place to find
    import tree_sitter_toml

    # Outside ASCII, TOML has characters in strings and comments alone, where one is as good as another. With
    # a byte for each, an offset in the tree is one in the text.
    content = text.encode("ascii", "replace")
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(content).root_node


def split_statements(text: str) -> list[Statement]:
    """Cut a whole text into its statements; together they are the text."""
    found: list[Statement] = []
    at = 0
    for kind, node in _lines_of(tree_of(text)):
        first, last, key, value = node.start_byte, node.end_byte, "", -1
        if first < at:
            continue  # the comment behind a statement
        if kind is StatementKind.HEADER:
            opening, name, closing = node.children[:3]
            last, key = closing.end_byte, text[opening.end_byte : closing.start_byte]
        elif kind is StatementKind.PAIR:
            name, _, given = (child for child in node.children if child.type != "comment")
            last, key, value = given.end_byte, text[name.start_byte : name.end_byte], given.start_byte
        start = text.rfind("\n", at, first) + 1 or at
        found += _blank_lines(text, at, start)
        at = text.find("\n", last) + 1 or len(text)
        found.append(Statement(kind, start, at, first, last, key, value))
    return found + list(_blank_lines(text, at, len(text)))


def _lines_of(document: Node) -> Iterator[tuple[StatementKind, Node]]:
    kinds = {"comment": StatementKind.COMMENT, "pair": StatementKind.PAIR}
    for node in document.named_children:
        if node.type in kinds:
            yield kinds[node.type], node
        else:
            yield StatementKind.HEADER, node
            for child in node.named_children[1:]:
                yield kinds[child.type], child


def _blank_lines(text: str, start: int, end: int) -> Iterator[Statement]:
    for line in text[start:end].splitlines(keepends=True):
        yield Statement(StatementKind.BLANK, start, start + len(line), start, start)
        start += len(line)


def split_members(text: str) -> list[Member]:
    """What stands between the brackets of an array or an inline table, which ``text`` is."""
    before = "_="
    (pair,) = tree_of(before + text).named_children
    found: list[Member] = []
    for node in pair.named_children[1].children:
        start, end = node.start_byte - len(before), node.end_byte - len(before)
        if node.type == ",":
            found.append(replace(found.pop(), comma=start))
        elif node.type == "pair":
            name, given = node.named_children
            key = text[start : name.end_byte - len(before)]
            found.append(Member(start, end, None, key, given.start_byte - len(before)))
        elif node.is_named and node.type != "comment":
            found.append(Member(start, end, None))
    return found


@lru_cache(maxsize=1024)
def read_key(written: str) -> tuple[str, ...]:
    """The steps of a key as written: bare, quoted or dotted. What cannot be read is one step."""
    steps: list[str] = []
    try:
        values: Any = tomllib.loads(f"{written} = 0")
    except (ValueError, RecursionError):
        return (written,)
    while isinstance(values, dict):
        step, values = next(iter(values.items()))
        steps.append(step)
    return tuple(steps)


# --- What is not TOML, or not yet -------------------------------------------------------------------

BARE_KEY = r"[A-Za-z0-9_-]+"
_PART = rf"""(?:{BARE_KEY}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
HEADER = re.compile(rf"[ \t]*(?P<open>\[{{1,2}})[ \t]*(?P<key>{_KEY})[ \t]*\]{{1,2}}[ \t\r]*(?:#.*)?")
"""The line of a table's header, be the brackets as many on either side or not."""
ASSIGNMENT = re.compile(rf"[ \t]*(?P<key>{_KEY})[ \t]*=")
"""How the line of a key and its value begins."""
TOKEN = re.compile(
    r"""(?P<comment>\#.*)
      | (?P<string>\"{3}(?s:\\.|[^\\])*?\"{3} | '{3}(?s:.)*?'{3} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
      | (?P<open>["'])
      | (?P<bracket>[\[\]{}])
      | (?P<comma>,)
      | (?P<equals>=)
      | (?P<word>[A-Za-z0-9_.+:-]+)
      | (?P<other>\\.|(?s:.))""",
    re.VERBOSE,
)
"""The smallest parts of a text; ``open`` is a quote that nothing closes.

A quote behind a backslash opens nothing: were each of a thousand tried, time would grow with their square.
"""


def outside_strings(line: str) -> str:
    """A line without its strings and its comment."""
    return "".join(part[0] for part in TOKEN.finditer(line) if part.lastgroup not in {"string", "comment"})
