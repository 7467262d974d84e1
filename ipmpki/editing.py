"""Edit the hosts of a pki.toml: text in, text out, every comment, blank line and quote elsewhere kept.

The text is cut into statements and only the stretch that has to change is replaced, so the rest is the
same bytes by construction. tomlkit is not asked: it moves a table that stands between two ``[[hosts]]``,
and hands the comment above a host to the one before it. What comes out is read again with tomllib; if
the values differ from the intended ones in anything, the edit is refused.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ipmpki.faults import Fault, WrongDeclaration, WrongUse
from ipmpki.names import AddressFault, read_address, read_name
from ipmpki.source import Source, parse
from ipmpki.wording import closest, counted, either, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

KEYS = ("name", "role", "os", "subject", "aliases", "ips", "key", "lifetime", "renew_before")
"""The order in which a person reads a host; a new key is put where it belongs in it."""

_BOM = "\ufeff"
_WIDEST_LINE = 100
_MOST_BLANK_LINES = 2

Value: TypeAlias = "str | Sequence[str]"


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key this value, whatever it had before. A list's values that stay keep their comments."""

    key: str
    value: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unset:
    """Remove a key with its line, so that the default holds again."""

    key: str


@dataclass(frozen=True, slots=True)
class Extend:
    """Add a value to a list; one that is there already, however written, is not added twice."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Reduce:
    """Remove a value from a list, however it is written there."""

    key: str
    value: str


Change: TypeAlias = Put | Unset | Extend | Reduce


# --- The three edits ------------------------------------------------------------------------------


def add_host(text: str, fields: Mapping[str, Value]) -> str:
    """Declare a host after the last one, in its style. ``fields`` holds at least ``name`` and ``role``.

    Raises WrongUse where a host of that name exists, WrongDeclaration where the text is no declaration.
    """
    bom, text = _without_bom(text)
    values = _read(text)
    name = str(fields["name"])
    if any(_is_same_name(name, known) for known in _names(values)):
        raise already_declared(name)
    fields = {key: fields[key] for key in sorted(fields, key=_rank)}
    layout = Layout(text)
    if layout.inline is not None:
        after = _add_inline(text, layout, fields)
    else:
        after = _add_block(text, layout, fields)
    expected = copy.deepcopy(values)
    expected.setdefault("hosts", []).append(
        {key: value if isinstance(value, str) else list(value) for key, value in fields.items()}
    )
    return bom + _verified(after, expected)


def remove_host(text: str, name: str) -> str:
    """Remove a host with the comment lines that stand directly above it.

    Raises WrongUse where no host, or more than one, has that name.
    """
    bom, text = _without_bom(text)
    values = _read(text)
    index = _find(values, name)
    layout = Layout(text)
    _require_matching(layout, values)
    if layout.inline is not None:
        start, end = layout.inline
        after = spliced(text, start, end, _without_member(text[start:end], index, takes_comments=True))
    else:
        after = _without_block(text, layout, index)
    expected = copy.deepcopy(values)
    del expected["hosts"][index]
    if not expected["hosts"] and layout.inline is None:
        del expected["hosts"]
    return bom + _verified(after, expected)


def set_host(text: str, name: str, changes: Iterable[Change]) -> str:
    """Change keys of one host; the text comes back as it was where everything is so already.

    Raises WrongUse where the host or a value to remove is not there, or a new name is taken.
    """
    bom, text = _without_bom(text)
    values = _read(text)
    index = _find(values, name)
    layout = Layout(text)
    _require_matching(layout, values)
    expected = copy.deepcopy(values)
    host = expected["hosts"][index]
    start, end = layout.host(index)
    written = text[start:end]
    eol = line_end(text)
    for change in changes:
        if isinstance(change, Put) and change.key == "name":
            _require_free(str(change.value), values, index)
        written = _changed(written, host, change, eol)
    return bom + _verified(spliced(text, start, end, written), expected)


def names_in(text: str) -> tuple[str, ...]:
    """The names of the hosts a text declares, as written. Raises WrongDeclaration where it is not TOML."""
    return tuple(_names(_read(_without_bom(text)[1])))


def declares(text: str, name: str) -> bool:
    """Whether a text declares a host of that name, written in any way."""
    return any(_is_same_name(name, known) for known in names_in(text))


def not_declared(name: str, names: Sequence[str]) -> WrongUse:
    """The fault of naming a host that is not there, with the nearest one that is."""
    near = closest(name, names)
    if near is not None:
        remedy = f"did you mean {quote(near)}?"
    elif names:
        remedy = "'ipmpki host list' shows the hosts that are declared"
    else:
        remedy = "no host is declared yet; 'ipmpki host add' declares one"
    return WrongUse(f"no host is named {quote(name)}; nothing was changed", remedy)


def already_declared(name: str, where: str = "") -> WrongUse:
    """The fault of adding a host that exists; ``where`` names the file if it is not the one edited."""
    place = f" in {where}" if where else ""
    return WrongUse(
        f"a host named {quote(name)} is declared already{place}; nothing was changed",
        "change it with 'ipmpki host set', or give the new host another name",
    )


# --- Values ---------------------------------------------------------------------------------------


def _without_bom(text: str) -> tuple[str, str]:
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _read(text: str) -> dict[str, Any]:
    try:
        # Floats stay text, so that a nan compares equal to itself when the result is verified.
        values = tomllib.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        raise _not_toml(text) from None
    hosts = values.get("hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, dict) for host in hosts):
        raise WrongDeclaration(
            "'hosts' is not an array of tables; nothing was changed",
            "write every host as [[hosts]], with two pairs of brackets",
        )
    return values


def _not_toml(text: str) -> Fault:
    _, problems = parse(Source("", text))
    where, words, remedy = "", "it cannot be read", None
    for problem in problems[:1]:
        words, remedy = problem.message, problem.help
        if problem.span is not None:
            where = f" in line {problem.span.start.line}, column {problem.span.start.column}"
    return WrongDeclaration(f"the file is not valid TOML{where}: {words}; nothing was changed", remedy)


def _names(values: Mapping[str, Any]) -> Iterator[str]:
    for host in values.get("hosts", []):
        if isinstance(host.get("name"), str):
            yield host["name"]


def _is_same_name(one: str, other: str) -> bool:
    return read_name(one.strip()).ascii == read_name(other.strip()).ascii


def _is_same(key: str, one: str, other: str) -> bool:
    """Whether two values of a list mean the same: names without case, addresses however abbreviated."""
    if key == "ips":
        address = read_address(one)
        if not isinstance(address, AddressFault):
            return address == read_address(other)
    return _is_same_name(one, other)


def _find(values: Mapping[str, Any], name: str) -> int:
    found = [
        index
        for index, host in enumerate(values.get("hosts", []))
        if isinstance(host.get("name"), str) and _is_same_name(name, host["name"])
    ]
    if not found:
        raise not_declared(name, list(_names(values)))
    if len(found) > 1:
        raise WrongDeclaration(
            f"{counted(len(found), 'host')} are named {quote(name)}; nothing was changed",
            "'ipmpki check' shows where they stand: remove all but one of them by hand",
        )
    return found[0]


def _require_free(name: str, values: Mapping[str, Any], index: int) -> None:
    for other, host in enumerate(values["hosts"]):
        if other != index and isinstance(host.get("name"), str) and _is_same_name(name, host["name"]):
            raise already_declared(name)


def _verified(text: str, expected: Mapping[str, Any]) -> str:
    """The text, if its values are the expected ones: a wrong edit is refused rather than written."""
    try:
        if tomllib.loads(text, parse_float=str) == expected:
            return text
    except ValueError:
        pass
    raise Fault(
        "this edit cannot be made without changing something else; nothing was changed",
        "make it by hand, then run 'ipmpki check'",
    )


def _require_matching(layout: Layout, values: Mapping[str, Any]) -> None:
    if layout.count() != len(values["hosts"]):
        raise Fault(
            "the hosts are declared in a way that cannot be edited here; nothing was changed",
            "write every host as [[hosts]], or edit the file by hand",
        )


# --- Blocks ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Style:
    """How a host's lines are written: indents, what stands around ``=``, quotes."""

    header: str = "[[hosts]]"
    indent: str = ""
    separator: str = " = "
    column: int = 0
    """Where values start, if a person lined them up; else 0."""
    is_literal: bool = False

    def line(self, key: str, value: Value) -> str:
        separator = self.separator
        if self.column:
            before, _, behind = separator.partition("=")
            padding = self.column - len(self.indent) - len(key) - 1 - len(behind)
            separator = f"{' ' * max(padding, 1 if before else 0)}={behind}"
        return f"{self.indent}{key}{separator}{_written(value, is_literal=self.is_literal)}"


def _style_of(text: str) -> _Style:
    """The style of one host's block."""
    statements = list(statements(text))
    header = statements[0]
    pairs = own_pairs(statements)
    if not pairs:
        return _Style(text[header.start : header.last])
    first = pairs[0]
    starts = [value_start(text, one.equals) for one in pairs]
    columns = {start - one.start for start, one in zip(starts, pairs, strict=True)}
    lengths = {len(text[one.first : one.equals].rstrip()) for one in pairs}
    key = text[first.first : first.equals].rstrip()
    separator = text[first.first + len(key) : starts[0]]
    column = columns.pop() if len(columns) == 1 and len(lengths) > 1 else 0
    if column:
        separator = f" ={separator.partition('=')[2]}"
    elif len(columns) > 1 and len({_gap(text, one) for one in pairs}) > 1:
        separator = " = "
    return _Style(
        header=text[header.start : header.last],
        indent=text[first.start : first.first],
        separator=separator,
        column=column,
        is_literal=text[starts[0]] == "'",
    )


def _gap(text: str, pair: Statement) -> str:
    key = text[pair.first : pair.equals].rstrip()
    return text[pair.first + len(key) : value_start(text, pair.equals)]


def own_pairs(statements: Sequence[Statement]) -> list[Statement]:
    """The pairs of a block's first table, not of those below it."""
    pairs: list[Statement] = []
    for one in statements[1:]:
        if one.kind is Kind.HEADER:
            break
        if one.kind is Kind.PAIR:
            pairs.append(one)
    return pairs


def _add_block(text: str, layout: Layout, fields: Mapping[str, Value]) -> str:
    eol = line_end(text)
    if not layout.blocks:
        block = eol.join(["[[hosts]]", *(_Style().line(*field) for field in fields.items()), ""])
        if not text.strip():
            return text + block
        end = "" if text.endswith("\n") else eol
        gap = "" if layout.is_blank(-1) and not end else eol
        return f"{text}{end}{gap}{block}"
    start, at = layout.host(len(layout.blocks) - 1)
    last = layout.blocks[-1]
    style = _style_of(text[start:at])
    block = eol.join([style.header, *(style.line(*field) for field in fields.items()), ""])
    end = "" if text[:at].endswith("\n") else eol
    # Were there no blank line, a comment at the end of the last host would become the new one's.
    ends_in_comment = layout.statements[last.tail - 1].kind is Kind.COMMENT
    gap = max(_blank_lines_above(layout, last), 1 if ends_in_comment else 0)
    follows = last.tail < len(layout.statements) and not layout.is_blank(last.tail)
    return f"{text[:at]}{end}{eol * gap}{block}{eol if follows and gap else ''}{text[at:]}"


def _blank_lines_above(layout: Layout, block: Block) -> int:
    """How many blank lines part two hosts here; one, where there is nothing to go by."""
    if len(layout.blocks) == 1:
        return 1
    at = block.lead
    while at > 0 and layout.is_blank(at - 1):
        at -= 1
    return min(block.lead - at, _MOST_BLANK_LINES)


def _without_block(text: str, layout: Layout, index: int) -> str:
    """Cut a block out, and the blank lines on the side where there are fewer of them."""
    block = layout.blocks[index]
    statements = layout.statements
    before, after = block.lead, block.tail
    while before > 0 and layout.is_blank(before - 1):
        before -= 1
    while after < len(statements) and layout.is_blank(after):
        after += 1
    first, last = block.lead, block.tail
    if after == len(statements) or (before > 0 and block.lead - before < after - block.tail):
        first = before
    else:
        last = after
    start = statements[first].start
    end = statements[last - 1].end
    return spliced(text, start, end, "")


# --- Arrays and inline tables ----------------------------------------------------------------------


def _with_member(array: str, written: str, eol: str) -> str:
    """Append a value to an array, on a line of its own where the last one has its own."""
    members = members(array)
    if not members:
        line = array.rfind("\n") + 1
        if line == 0:
            return f"[{written}]"
        closing = array[line:-1]
        return spliced(array, line, line, f"{closing}    {written},{eol}")
    last = members[-1]
    indent = _indent_of_own_line(array, last.start)
    behind = last.end if last.comma is None else last.comma + 1
    if indent is None:
        return spliced(array, behind, behind, f", {written}" if last.comma is None else f" {written},")
    line = array.find("\n", behind) + 1
    comma = "" if last.comma is None else ","
    if line == 0:
        line, addition = behind, f"{eol}{indent}{written}"
    else:
        addition = f"{indent}{written}{comma}{eol}"
    if last.comma is None:
        return f"{array[: last.end]},{array[last.end : line]}{addition}{array[line:]}"
    return spliced(array, line, line, addition)


def _indent_of_own_line(text: str, start: int) -> str | None:
    """What stands before a value on its line, if nothing but blanks does."""
    line = text.rfind("\n", 0, start) + 1
    before = text[line:start]
    return before if line > 0 and not before.strip() else None


def _without_member(text: str, index: int, *, takes_comments: bool = False) -> str:
    """Cut a member out with its comma, its line where it has its own, and the comment behind it.

    ``takes_comments`` is for hosts: the comment lines directly above go too.
    """
    members = members(text)
    member = members[index]
    behind = member.end if member.comma is None else member.comma + 1
    indent = _indent_of_own_line(text, member.start)
    if indent is not None:
        rest = re.compile(r"[ \t\r]*(?:#[^\n]*)?\n").match(text, behind)
        if rest is not None:
            start = member.start - len(indent)
            if takes_comments:
                start = _above_comments(text, start)
            return spliced(text, start, rest.end(), "")
    if index + 1 < len(members):
        rest = re.compile(r"[ \t]*(?:#[^\n\r]*)?").match(text, behind)
        return spliced(text, member.start, rest.end() if rest else behind, "")
    if index == 0:
        left = spliced(text, member.start, behind, "")
        return left if left[1:-1].strip() else f"{text[0]}{text[-1]}"
    before = members[index - 1]
    assert before.comma is not None  # noqa: S101 -- a comma parts it from the last member
    if text[before.comma + 1 : member.start].strip(" \t"):
        # A comment or a line end stands between: it is the one before's, and stays.
        return spliced(text, member.start, behind, "")
    start = before.comma if text[before.end : before.comma].strip(" \t") else before.end
    return spliced(text, start, member.end, "")


def _above_comments(text: str, start: int) -> int:
    while True:
        line = text.rfind("\n", 0, start - 1) + 1
        if line == 0 or not text[line:start].lstrip().startswith("#"):
            return start
        start = line


def _add_inline(text: str, layout: Layout, fields: Mapping[str, Value]) -> str:
    assert layout.inline is not None  # noqa: S101 -- the caller looked
    start, end = layout.inline
    array = text[start:end]
    members = members(array)
    padding, separator, is_literal = " ", " = ", False
    if members:
        table = array[members[-1].start : members[-1].end]
        padding = " " if table[1] in " \t" else ""
        pair = next(iter(members(table)), None)
        if pair is not None:
            key = table[pair.start : pair.equals].rstrip()
            at = value_start(table, pair.equals)
            separator, is_literal = table[pair.start + len(key) : at], table[at] == "'"
    style = _Style(separator=separator, is_literal=is_literal)
    pairs = ", ".join(style.line(*field).replace("\n", "") for field in fields.items())
    written = f"{{{padding}{pairs}{padding}}}"
    return spliced(text, start, end, _with_member(array, written, line_end(text)))


# --- One host -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key and its value within a host's text; ``place`` counts statements, or members where inline."""

    steps: tuple[str, ...]
    start: int
    end: int
    place: int


def _pairs(text: str) -> list[_Pair]:
    if text.startswith("{"):
        return [
            _Pair(steps(text[one.start : one.equals]), value_start(text, one.equals), one.end, place)
            for place, one in enumerate(members(text))
        ]
    statements = list(statements(text))
    return [
        _Pair(
            steps(text[one.first : one.equals]), value_start(text, one.equals), one.last, statements.index(one)
        )
        for one in own_pairs(statements)
    ]


def _changed(text: str, host: dict[str, Any], change: Change, eol: str) -> str:
    """One change of one host, in its text and in its values alike."""
    pair = next((one for one in _pairs(text) if one.steps == (change.key,)), None)
    if pair is None and change.key in host:
        raise Fault(
            f"{quote(change.key)} is written in a way that cannot be edited here; nothing was changed",
            "edit it by hand",
        )
    match change:
        case Put(key, value):
            if isinstance(value, str):
                return _put_text(text, host, pair, key, value, eol)
            return _put_list(text, host, pair, key, list(value), eol)
        case Unset(key):
            if key in {"name", "role"}:
                raise WrongUse(f"a host cannot do without a {key}; nothing was changed", f"give it another {key}")
            if pair is None:
                return text
            del host[key]
            return _without_pair(text, pair)
        case Extend(key, value):
            present = _list_of(host, key)
            if any(_is_same(key, value, known) for known in present):
                return text
            return _put_list(text, host, pair, key, [*present, value], eol)
        case Reduce(key, value):
            present = _list_of(host, key)
            kept = [known for known in present if not _is_same(key, value, known)]
            if len(kept) == len(present):
                raise _not_in_list(host, key, value, present)
            return _put_list(text, host, pair, key, kept, eol)


def _list_of(host: Mapping[str, Any], key: str) -> list[str]:
    present = host.get(key, [])
    if not isinstance(present, list) or not all(isinstance(one, str) for one in present):
        raise WrongDeclaration(
            f"{quote(key)} is not a list of strings; nothing was changed", f'mend it first: {key} = ["…"]'
        )
    return present


def _not_in_list(host: Mapping[str, Any], key: str, value: str, present: Sequence[str]) -> WrongUse:
    thing = {"aliases": "alias", "ips": "address"}.get(key, key)
    near = closest(value, present)
    if near is not None:
        remedy = f"did you mean {quote(near)}?"
    elif present:
        remedy = f"it has {either(present)}"
    else:
        remedy = f"it has no {thing}"
    return WrongUse(f"{quote(str(host.get('name')))} has no {thing} {quote(value)}; nothing was changed", remedy)


def _put_text(
    text: str, host: dict[str, Any], pair: _Pair | None, key: str, value: str, eol: str
) -> str:
    if pair is None:
        host[key] = value
        return _with_pair(text, key, value, eol)
    if host[key] == value:
        return text
    host[key] = value
    written = _written(value, is_literal=text[pair.start] == "'")
    return spliced(text, pair.start, pair.end, written)


def _put_list(
    text: str, host: dict[str, Any], pair: _Pair | None, key: str, wanted: list[str], eol: str
) -> str:
    """Make a list what is wanted: values that stay are not touched, nor are the comments beside them."""
    before = host.get(key)
    host[key] = wanted
    if pair is None:
        return _with_pair(text, key, wanted, eol)
    if before == wanted:
        return text
    array = text[pair.start : pair.end]
    is_literal = "'" in array and '"' not in array
    if isinstance(before, list):
        kept = list(before)
        for index in reversed(range(len(before))):
            if before[index] not in wanted:
                array = _without_member(array, index)
                del kept[index]
        if wanted[: len(kept)] == kept:
            for value in wanted[len(kept) :]:
                array = _with_member(array, _written(value, is_literal=is_literal), eol)
            return spliced(text, pair.start, pair.end, array)
    return spliced(text, pair.start, pair.end, _written(wanted, is_literal=is_literal))


def _with_pair(text: str, key: str, value: Value, eol: str) -> str:
    """Write a key a host does not have yet, after those that are read before it."""
    pairs = _pairs(text)
    earlier = [one for one in pairs if _rank(one.steps[0]) <= _rank(key)]
    if text.startswith("{"):
        return _with_inline_pair(text, key, value, earlier[-1].place if earlier else len(pairs) - 1)
    statements = list(statements(text))
    style = _style_of(text)
    place = earlier[-1].place if earlier else 0
    at = statements[place].end
    end = "" if text[:at].endswith("\n") else eol
    return spliced(text, at, at, f"{end}{style.line(key, value)}{eol}")


def _with_inline_pair(text: str, key: str, value: Value, after: int) -> str:
    members = members(text)
    before = members[after]
    name = text[before.start : before.equals].rstrip()
    at = value_start(text, before.equals)
    style = _Style(separator=text[before.start + len(name) : at], is_literal=text[at] == "'")
    return spliced(text, before.end, before.end, f", {style.line(key, value)}")


def _without_pair(text: str, pair: _Pair) -> str:
    if text.startswith("{"):
        members = members(text)
        if pair.place + 1 < len(members):
            return spliced(text, members[pair.place].start, members[pair.place + 1].start, "")
        return _without_member(text, pair.place)
    one = list(statements(text))[pair.place]
    return spliced(text, one.start, one.end, "")


def _rank(key: str) -> int:
    return KEYS.index(key) if key in KEYS else len(KEYS)


def _written(value: Value, *, is_literal: bool = False) -> str:
    """A string or a list of strings as TOML, in single quotes where wished and possible."""
    if isinstance(value, str):
        if is_literal and "'" not in value and value.isprintable():
            return f"'{value}'"
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is (TOML 1.0, "String").
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    items = [_written(one, is_literal=is_literal) for one in value]
    return f"[{', '.join(items)}]"
