"""Edit the hosts of a pki.toml: text in, text out, every comment, blank line and quote elsewhere kept.

The text is cut into statements and only the stretch that has to change is replaced, so the rest is the
same bytes by construction. tomlkit is not asked: 0.15 moves a table that stands between two ``[[hosts]]``,
and hands the comment above a host to the one before it. What comes out is read again with tomllib; if
the values differ from the intended ones in anything, the edit is refused.
"""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ipmpki.editing.layout import (
    Block,
    Kind,
    Layout,
    Statement,
    Value,
    line_end,
    read_key,
    splice,
    split_members,
    split_statements,
    value_start,
    with_member,
    without_member,
    write_value,
)
from ipmpki.faults import Fault, WrongDeclaration, WrongUse
from ipmpki.names import AddressFault, read_address, read_name
from ipmpki.source import Source, parse
from ipmpki.wording import closest, counted, either, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

KEYS = (
    *("name", "role", "os", "subject", "aliases", "ips", "key", "lifetime", "renew_before"),
    *("csr", "restart_command"),
)
"""The order in which a person reads a host; a new key is put where it belongs in it."""

_BOM = "\ufeff"
_MOST_BLANK_LINES = 2


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key this value, whatever it had before. Values of a list that stay keep their comments."""

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
    after = _add_block(layout, fields) if layout.inline is None else _add_inline(layout, fields)
    expected = copy.deepcopy(values)
    expected.setdefault("hosts", []).append(
        {key: value if isinstance(value, str) else list(value) for key, value in fields.items()}
    )
    return bom + _verified(after, expected)


def remove_host(text: str, name: str) -> str:
    """Remove a host with the comment lines that stand directly above it.

    Raises WrongUse where no host has that name, WrongDeclaration where more than one has.
    """
    bom, text = _without_bom(text)
    values = _read(text)
    index = _find(values, name)
    layout = _layout_of(text, values)
    if layout.inline is None:
        after = _without_block(layout, index)
    else:
        start, end = layout.inline
        after = splice(text, start, end, without_member(text[start:end], index, takes_comments=True))
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
    start, end = _layout_of(text, values).host(index)
    expected = copy.deepcopy(values)
    host = _Host(text[start:end], expected["hosts"][index], line_end(text))
    for change in changes:
        if isinstance(change, Put) and change.key == "name":
            _require_free(str(change.value), values, index)
        host.apply(change)
    return bom + _verified(splice(text, start, end, host.text), expected)


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


def _layout_of(text: str, values: Mapping[str, Any]) -> Layout:
    layout = Layout(text)
    if layout.count() != len(values["hosts"]):
        raise Fault(
            "the hosts are declared in a way that cannot be edited here; nothing was changed",
            "write every host as [[hosts]], or edit the file by hand",
        )
    return layout


# --- A host's lines --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Style:
    """How a host's keys are written: their indent, what stands around ``=``, quotes."""

    header: str = "[[hosts]]"
    indent: str = ""
    separator: str = " = "
    column: int = 0
    """Where values start, if a person lined them up; else 0."""
    is_literal: bool = False

    def line(self, key: str, value: Value) -> str:
        separator = self.separator
        if self.column:
            behind = separator.partition("=")[2]
            padding = self.column - len(self.indent) - len(key) - 1 - len(behind)
            separator = f"{' ' * max(padding, 1)}={behind}"
        return f"{self.indent}{key}{separator}{write_value(value, is_literal=self.is_literal)}"


def _style_of(text: str) -> _Style:
    """The style of one host's lines."""
    statements = split_statements(text)
    header = text[statements[0].start : statements[0].last]
    pairs = _own_pairs(statements)
    if not pairs:
        return _Style(header)
    starts = [value_start(text, one.equals) for one in pairs]
    keys = [text[one.first : one.equals].rstrip() for one in pairs]
    gaps = [text[one.first + len(key) : start] for one, key, start in zip(pairs, keys, starts, strict=True)]
    columns = {start - one.start for start, one in zip(starts, pairs, strict=True)}
    is_aligned = len(columns) == 1 and len(set(map(len, keys))) > 1
    return _Style(
        header=header,
        indent=text[pairs[0].start : pairs[0].first],
        separator=gaps[0] if is_aligned or len(set(gaps)) == 1 else " = ",
        column=columns.pop() if is_aligned else 0,
        is_literal=text[starts[0]] == "'",
    )


def _inline_style(text: str, equals: int, start: int) -> _Style:
    """The style of one pair of an inline table."""
    key = text[start:equals].rstrip()
    at = value_start(text, equals)
    return _Style(separator=text[start + len(key) : at], is_literal=text[at] == "'")


def _own_pairs(statements: Sequence[Statement]) -> list[Statement]:
    """The pairs of a block's first table, not of those below it."""
    pairs: list[Statement] = []
    for one in statements[1:]:
        if one.kind is Kind.HEADER:
            break
        if one.kind is Kind.PAIR:
            pairs.append(one)
    return pairs


def _rank(key: str) -> int:
    return KEYS.index(key) if key in KEYS else len(KEYS)


# --- Adding and removing --------------------------------------------------------------------------


def _add_block(layout: Layout, fields: Mapping[str, Value]) -> str:
    text = layout.text
    eol = line_end(text)
    if not layout.blocks:
        block = eol.join(["[[hosts]]", *(_Style().line(*field) for field in fields.items()), ""])
        if not text.strip():
            return text + block
        end = "" if text.endswith("\n") else eol
        return f"{text}{end}{'' if layout.is_blank(-1) else eol}{block}"
    start, at = layout.host(len(layout.blocks) - 1)
    last = layout.blocks[-1]
    style = _style_of(text[start:at])
    block = eol.join([style.header, *(style.line(*field) for field in fields.items()), ""])
    end = "" if text[:at].endswith("\n") else eol
    # Were there no blank line, a comment at the end of the last host would become the new one's.
    ends_in_comment = layout.statements[last.tail - 1].kind is Kind.COMMENT
    gap = max(_blank_lines_above(layout, last), 1 if ends_in_comment else 0)
    is_followed = last.tail < len(layout.statements) and not layout.is_blank(last.tail)
    return f"{text[:at]}{end}{eol * gap}{block}{eol if is_followed and gap else ''}{text[at:]}"


def _blank_lines_above(layout: Layout, block: Block) -> int:
    """How many blank lines part two hosts here; one, where there is nothing to go by."""
    if len(layout.blocks) == 1:
        return 1
    at = block.lead
    while at > 0 and layout.is_blank(at - 1):
        at -= 1
    return min(block.lead - at, _MOST_BLANK_LINES)


def _without_block(layout: Layout, index: int) -> str:
    """Cut a block out, and the blank lines on the side where there are fewer of them."""
    block = layout.blocks[index]
    statements = layout.statements
    before, after = block.lead, block.tail
    while before > 0 and layout.is_blank(before - 1):
        before -= 1
    while after < len(statements) and layout.is_blank(after):
        after += 1
    first, last = block.lead, block.tail
    is_last = after == len(statements)
    if is_last or (before > 0 and block.lead - before < after - block.tail):
        first = before
    else:
        last = after
    return splice(layout.text, statements[first].start, statements[last - 1].end, "")


def _add_inline(layout: Layout, fields: Mapping[str, Value]) -> str:
    text = layout.text
    assert layout.inline is not None  # noqa: S101 -- the caller looked
    start, end = layout.inline
    array = text[start:end]
    padding, style = " ", _Style()
    members = split_members(array)
    if members:
        table = array[members[-1].start : members[-1].end]
        padding = " " if table[1] in " \t" else ""
        for pair in split_members(table)[:1]:
            style = _inline_style(table, pair.equals, pair.start)
    pairs = ", ".join(style.line(*field) for field in fields.items())
    written = f"{{{padding}{pairs}{padding}}}"
    return splice(text, start, end, with_member(array, written, line_end(text)))


# --- Changing one host ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key and its value ``start:end`` in the text; ``place`` counts statements, or members if inline."""

    steps: tuple[str, ...]
    start: int
    end: int
    place: int


class _Host:
    """One host while it is changed: its text and its values, always saying the same."""

    def __init__(self, text: str, values: dict[str, Any], eol: str) -> None:
        self.text = text
        self._values = values
        self._eol = eol
        self._is_inline = text.startswith("{")

    def apply(self, change: Change) -> None:
        """Make one change, in the text and in the values alike."""
        match change:
            case Put(key, value):
                self._put(key, value if isinstance(value, str) else list(value))
            case Unset(key):
                self._unset(key)
            case Extend(key, value):
                present = self._list(key)
                if not any(_is_same(key, value, known) for known in present):
                    self._put(key, [*present, value])
            case Reduce(key, value):
                present = self._list(key)
                kept = [known for known in present if not _is_same(key, value, known)]
                if len(kept) == len(present):
                    raise self._not_in_list(key, value, present)
                self._put(key, kept)

    def _put(self, key: str, value: str | list[str]) -> None:
        pair = self._find(key)
        before = self._values.get(key)
        if before == value:
            return
        self._values[key] = value
        if pair is None:
            self._insert(key, value)
            return
        written = self.text[pair.start : pair.end]
        if isinstance(value, list) and isinstance(before, list):
            written = self._relisted(written, before, value)
        else:
            written = write_value(value, is_literal=written[0] == "'")
        self.text = splice(self.text, pair.start, pair.end, written)

    def _relisted(self, array: str, before: list[Any], wanted: list[str]) -> str:
        """Make an array what is wanted; values that stay are not touched, nor are the comments by them."""
        is_literal = "'" in array and '"' not in array
        kept = [one for one in before if one in wanted]
        if wanted[: len(kept)] != kept:
            return write_value(wanted, is_literal=is_literal)
        for index in reversed(range(len(before))):
            if before[index] not in wanted:
                array = without_member(array, index)
        for value in wanted[len(kept) :]:
            array = with_member(array, write_value(value, is_literal=is_literal), self._eol)
        return array

    def _insert(self, key: str, value: Value) -> None:
        """Write a key the host does not have yet, after those that are read before it."""
        pairs = self._pairs()
        earlier = [one.place for one in pairs if _rank(one.steps[0]) <= _rank(key)]
        if self._is_inline:
            members = split_members(self.text)
            after = members[earlier[-1] if earlier else -1]
            line = _inline_style(self.text, after.equals, after.start).line(key, value)
            self.text = splice(self.text, after.end, after.end, f", {line}")
            return
        at = split_statements(self.text)[earlier[-1] if earlier else 0].end
        end = "" if self.text[:at].endswith("\n") else self._eol
        line = _style_of(self.text).line(key, value)
        self.text = splice(self.text, at, at, f"{end}{line}{self._eol}")

    def _unset(self, key: str) -> None:
        if key in {"name", "role"}:
            raise WrongUse(
                f"a host cannot do without its {key}; nothing was changed", f"give it another {key}"
            )
        pair = self._find(key)
        if pair is None:
            return
        del self._values[key]
        if self._is_inline:
            members = split_members(self.text)
            if pair.place + 1 < len(members):
                start, end = members[pair.place].start, members[pair.place + 1].start
                self.text = splice(self.text, start, end, "")
            else:
                self.text = without_member(self.text, pair.place)
            return
        line = split_statements(self.text)[pair.place]
        self.text = splice(self.text, line.start, line.end, "")

    def _list(self, key: str) -> list[str]:
        present = self._values.get(key, [])
        if not isinstance(present, list) or not all(isinstance(one, str) for one in present):
            raise WrongDeclaration(
                f"{quote(key)} is not a list of strings; nothing was changed", f'mend it first: {key} = ["…"]'
            )
        return present

    def _find(self, key: str) -> _Pair | None:
        pair = next((one for one in self._pairs() if one.steps == (key,)), None)
        if pair is None and key in self._values:
            raise WrongDeclaration(
                f"{quote(key)} is a table, or a key with a dot; nothing was changed",
                f"mend it first: {key} = …",
            )
        return pair

    def _pairs(self) -> list[_Pair]:
        text = self.text
        if self._is_inline:
            return [
                _Pair(read_key(text[one.start : one.equals]), value_start(text, one.equals), one.end, place)
                for place, one in enumerate(split_members(text))
            ]
        statements = split_statements(text)
        return [
            _Pair(
                read_key(text[one.first : one.equals]),
                value_start(text, one.equals),
                one.last,
                statements.index(one),
            )
            for one in _own_pairs(statements)
        ]

    def _not_in_list(self, key: str, value: str, present: Sequence[str]) -> WrongUse:
        thing = {"aliases": "alias", "ips": "address"}.get(key, key)
        near = closest(value, present)
        if near is not None:
            remedy = f"did you mean {quote(near)}?"
        elif present:
            remedy = f"it has {either(present)}"
        else:
            remedy = f"it has no {thing} at all"
        host = quote(str(self._values.get("name")))
        return WrongUse(f"{host} has no {thing} {quote(value)}; nothing was changed", remedy)
