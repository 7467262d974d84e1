"""Edit the hosts of a pki.toml: text in, text out, every comment, blank line and quote elsewhere kept.

The text is cut into statements and only the stretch that has to change is replaced (``toml`` says why), so
the rest is the same bytes by construction. What comes out is read again with tomllib; if the values differ
from the intended ones in anything, the edit is refused.
"""

from __future__ import annotations

import copy
import tomllib
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.edit.host_text import EditedHost, Put, is_same_name
from ipmpki.declaration.edit.layout import HostBlock, Layout, with_member, without_member
from ipmpki.declaration.edit.style import Style, inline_style, rank, style_of
from ipmpki.declaration.edit.toml import Value, line_end, splice
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.diagnostics.wording import closest, counted, quote
from ipmpki.source import Source, parse
from ipmpki.source.syntax import StatementKind, split_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ipmpki.declaration.edit.host_text import Change

_BOM = "\ufeff"
_MOST_BLANK_LINES = 2


# --- The three edits ------------------------------------------------------------------------------


def add_host(text: str, fields: Mapping[str, Value]) -> str:
    """Declare a host after the last one, in its style. ``fields`` holds at least ``name`` and ``role``.

    Raises WrongUse where a host of that name exists, WrongDeclaration where the text is no declaration.
    """
    bom, text = _without_bom(text)
    values = _read(text)
    name = str(fields["name"])
    if any(is_same_name(name, known) for known in _names(values)):
        raise already_declared(name)
    fields = {key: fields[key] for key in sorted(fields, key=rank)}
    layout = Layout(text)
    after = _add_block(layout, fields) if layout.inline is None else _add_inline(layout, fields)
    expected = copy.deepcopy(values)
    expected.setdefault("hosts", []).append(
        {key: value if isinstance(value, str | int) else list(value) for key, value in fields.items()}
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
    host = EditedHost(text[start:end], expected["hosts"][index], line_end(text))
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
    return any(is_same_name(name, known) for known in names_in(text))


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


def _find(values: Mapping[str, Any], name: str) -> int:
    found = [
        index
        for index, host in enumerate(values.get("hosts", []))
        if isinstance(host.get("name"), str) and is_same_name(name, host["name"])
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
        if other != index and isinstance(host.get("name"), str) and is_same_name(name, host["name"]):
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


# --- Adding and removing --------------------------------------------------------------------------


def _add_block(layout: Layout, fields: Mapping[str, Value]) -> str:
    text = layout.text
    eol = line_end(text)
    if not layout.blocks:
        block = eol.join(["[[hosts]]", *(Style().line(*field) for field in fields.items()), ""])
        if not text.strip():
            return text + block
        end = "" if text.endswith("\n") else eol
        return f"{text}{end}{'' if layout.is_blank(-1) else eol}{block}"
    start, at = layout.host(len(layout.blocks) - 1)
    last = layout.blocks[-1]
    style = style_of(text[start:at])
    block = eol.join([style.header, *(style.line(*field) for field in fields.items()), ""])
    end = "" if text[:at].endswith("\n") else eol
    # Were there no blank line, a comment at the end of the last host would become the new one's.
    ends_in_comment = layout.statements[last.tail - 1].kind is StatementKind.COMMENT
    gap = max(_blank_lines_above(layout, last), 1 if ends_in_comment else 0)
    is_followed = last.tail < len(layout.statements) and not layout.is_blank(last.tail)
    return f"{text[:at]}{end}{eol * gap}{block}{eol if is_followed and gap else ''}{text[at:]}"


def _blank_lines_above(layout: Layout, block: HostBlock) -> int:
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
    padding, style = " ", Style()
    members = split_members(array)
    if members:
        table = array[members[-1].start : members[-1].end]
        padding = " " if table[1] in " \t" else ""
        for pair in split_members(table)[:1]:
            style = inline_style(table, pair)
    pairs = ", ".join(style.line(*field) for field in fields.items())
    written = f"{{{padding}{pairs}{padding}}}"
    return splice(text, start, end, with_member(array, written, line_end(text)))
