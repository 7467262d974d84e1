"""Where hosts stand in a TOML text, and how values are put into its arrays and cut out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipmpki.declaration.edit.toml import splice
from ipmpki.source.syntax import StatementKind, split_members, split_statements

_REST_OF_LINE = re.compile(r"[ \t\r]*(?:#[^\n]*)?\n")
_COMMENT_BEHIND = re.compile(r"[ \t]*(?:#[^\n\r]*)?")


# --- Hosts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostBlock:
    """The statements of one ``[[hosts]]``: first comment line above, header, one past the last line."""

    lead: int
    header: int
    tail: int


class Layout:
    """Where the hosts stand in a text: as ``[[hosts]]`` blocks, or within one inline array."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = split_statements(text)
        self.blocks: list[HostBlock] = []
        headers = [at for at, one in enumerate(self.statements) if one.kind is StatementKind.HEADER]
        self.inline = self._find_inline(headers[0] if headers else len(self.statements))
        own = {at for at in headers if self.statements[at].steps == ("hosts",)}
        ends = dict(zip(headers, [*headers, len(self.statements)][1:], strict=True))
        for at in sorted(own):
            end = ends[at]
            # A table below the host, such as [hosts.ipm], belongs to it.
            while end in ends and end not in own and self.statements[end].steps[0] == "hosts":
                end = ends[end]
            self.blocks.append(HostBlock(self._lead(at), at, self._tail(at, end)))

    def host(self, index: int) -> tuple[int, int]:
        """The stretch of one host's own lines (without the comments above), or of its inline table."""
        if self.inline is not None:
            start, end = self.inline
            member = split_members(self.text[start:end])[index]
            return start + member.start, start + member.end
        block = self.blocks[index]
        return self.statements[block.header].start, self.statements[block.tail - 1].end

    def count(self) -> int:
        """How many hosts stand here."""
        if self.inline is not None:
            start, end = self.inline
            return len(split_members(self.text[start:end]))
        return len(self.blocks)

    def is_blank(self, at: int) -> bool:
        """Whether the statement of that number is a blank line."""
        return self.statements[at].kind is StatementKind.BLANK

    def _find_inline(self, end: int) -> tuple[int, int] | None:
        for one in self.statements[:end]:
            if one.kind is StatementKind.PAIR and one.steps == ("hosts",):
                return one.value, one.last
        return None

    def _lead(self, header: int) -> int:
        """The first of the comment lines directly above a header, which speak of its host.

        A directive such as ``#:schema`` is the file's, and so are the lines a file opens with.
        """
        lead = header
        while lead > 0 and self.statements[lead - 1].kind is StatementKind.COMMENT:
            if self.text.startswith("#:", self.statements[lead - 1].first):
                return lead
            lead -= 1
        return lead if lead > 0 else header

    def _tail(self, header: int, end: int) -> int:
        """One past a block's last line: comment lines right below its last key are its own.

        Unless they stand right above the next header, whose they are then.
        """
        last = end
        while last - 1 > header and self.statements[last - 1].kind in {
            StatementKind.BLANK,
            StatementKind.COMMENT,
        }:
            last -= 1
        tail = last
        while tail < end and self.statements[tail].kind is StatementKind.COMMENT:
            tail += 1
        return last if tail == end < len(self.statements) else tail


# --- Arrays and inline tables ---------------------------------------------------------------------


def with_member(array: str, written: str, eol: str) -> str:
    """Append a value to an array, on a line of its own where the last one has its own."""
    members = split_members(array)
    if not members:
        line = array.rfind("\n") + 1
        if line == 0:
            return f"[{written}]"
        return splice(array, line, line, f"{array[line:-1]}    {written},{eol}")
    last = members[-1]
    comma = "" if last.comma is None else ","
    indent = _indent_of_own_line(array, last.start)
    if indent is None:
        separator = "," if last.comma is None else ""
        return splice(array, last.behind, last.behind, f"{separator} {written}{comma}")
    line = array.find("\n", last.behind) + 1
    addition = f"{indent}{written}{comma}{eol}"
    if line == 0:
        line, addition = last.behind, f"{eol}{indent}{written}{comma}"
    array = splice(array, line, line, addition)
    return splice(array, last.end, last.end, ",") if last.comma is None else array


def without_member(text: str, index: int, *, takes_comments: bool = False) -> str:
    """Cut a member out with its comma, its line where it has its own, and the comment behind it.

    With ``takes_comments``, which is for hosts, the comment lines directly above go too.
    """
    members = split_members(text)
    member = members[index]
    indent = _indent_of_own_line(text, member.start)
    rest = _REST_OF_LINE.match(text, member.behind)
    if indent is not None and rest is not None:
        start = member.start - len(indent)
        return splice(text, _above_comments(text, start) if takes_comments else start, rest.end(), "")
    if index + 1 < len(members):
        return splice(text, member.start, _past_comment(text, member.behind), "")
    if index == 0:
        left = splice(text, member.start, member.behind, "")
        return left if left[1:-1].strip() else f"{text[0]}{text[-1]}"
    before = members[index - 1]
    if text[before.behind : member.start].strip(" \t"):
        # A comment or a line end stands between: it is the one before's, and stays.
        return splice(text, member.start, member.behind, "")
    start = before.behind - 1 if text[before.end : before.behind - 1].strip(" \t") else before.end
    return splice(text, start, member.end, "")


def _past_comment(text: str, start: int) -> int:
    match = _COMMENT_BEHIND.match(text, start)
    return match.end() if match else start


def _indent_of_own_line(text: str, start: int) -> str | None:
    """What stands before a value on its line, if nothing but blanks does."""
    line = text.rfind("\n", 0, start) + 1
    before = text[line:start]
    return before if line > 0 and not before.strip() else None


def _above_comments(text: str, start: int) -> int:
    while True:
        line = text.rfind("\n", 0, start - 1) + 1
        if line == 0 or not text[line:start].lstrip().startswith("#"):
            return start
        start = line
