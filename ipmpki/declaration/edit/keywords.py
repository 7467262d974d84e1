"""Write what an administrator chose into [ipm.keywords], with every comment kept."""

from __future__ import annotations

import copy
import tomllib
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.edit.host_text import EditedHost, Put
from ipmpki.declaration.edit.toml import line_end, splice, write_value
from ipmpki.diagnostics.fault import Fault, WrongDeclaration
from ipmpki.source.syntax import Statement, StatementKind, split_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOM = "\ufeff"


def set_keywords(text: str, chosen: Mapping[str, str | tuple[str, ...]], system: str | None = None) -> str:
    """The text of a pki.toml with these keys of [ipm.keywords], or of [ipm.SYSTEM.keywords].

    Raises WrongDeclaration where the text is no TOML, or what stands there is no table, and Fault where the
    way in which it is written does not allow the edit.
    """
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    try:
        before = tomllib.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        raise WrongDeclaration("this is no TOML; nothing was changed", "run 'ipmpki check'") from None
    steps = ("ipm", *((system,) if system is not None else ()), "keywords")
    expected = copy.deepcopy(before)
    table: Any = expected
    for step in steps:
        table = table.setdefault(step, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise WrongDeclaration(f"'{'.'.join(steps)}' is no table; nothing was changed", "mend it by hand")
    present = dict(table)
    table |= {key: list(value) if isinstance(value, tuple) else value for key, value in chosen.items()}
    after = _edited(text, steps, present, chosen)
    try:
        if tomllib.loads(after, parse_float=str) == expected:
            return bom + after
    except ValueError:
        pass
    raise Fault(
        "this edit cannot be made without changing something else; nothing was changed",
        f"write it by hand into [{'.'.join(steps)}], then run 'ipmpki check'",
    )


def _edited(
    text: str, steps: tuple[str, ...], present: dict[str, Any], chosen: Mapping[str, str | tuple[str, ...]]
) -> str:
    statements, eol = split_statements(text), line_end(text)
    stretch = _own_table(statements, steps) or _inline_table(text, statements, steps)
    if stretch is None:
        return _with_new_table(text, statements, steps, chosen, eol)
    start, end = stretch
    if text[start:end].strip("{} \t") == "":  # an empty inline table has no member to write beside
        written = ", ".join(f"{key} = {_written(value)}" for key, value in chosen.items())
        return splice(text, start, end, f"{{ {written} }}")
    edited = EditedHost(text[start:end], present, eol)
    for key, value in chosen.items():
        edited.apply(Put(key, value))
    return splice(text, start, end, edited.text)


def _own_table(statements: list[Statement], steps: tuple[str, ...]) -> tuple[int, int] | None:
    """The lines of the table with a header of its own, to its last key."""
    headers = [one for one in statements if one.kind is StatementKind.HEADER]
    own = next((one for one in headers if one.steps == steps), None)
    if own is None:
        return None
    end = own.end
    for one in statements[statements.index(own) + 1 :]:
        if one.kind is StatementKind.HEADER:
            break
        end = one.end if one.kind is StatementKind.PAIR else end
    return own.start, end


def _inline_table(text: str, statements: list[Statement], steps: tuple[str, ...]) -> tuple[int, int] | None:
    """The value of ``keywords = {…}``, in [ipm] or written with dots."""
    above: tuple[str, ...] = ()
    for one in statements:
        if one.kind is StatementKind.HEADER:
            above = one.steps
        elif one.kind is StatementKind.PAIR and (*above, *one.steps) == steps and text[one.value] == "{":
            return one.value, one.last
    return None


def _with_new_table(
    text: str,
    statements: list[Statement],
    steps: tuple[str, ...],
    chosen: Mapping[str, str | tuple[str, ...]],
    eol: str,
) -> str:
    """The table behind [ipm], if there is one, else behind all else that is no host."""
    lines = [f"[{'.'.join(steps)}]", *(f"{key} = {_written(value)}" for key, value in chosen.items())]
    at = _end_of_ipm(statements) or _before_hosts(text, statements)
    above, below = text[:at], text[at:]
    opening = eol if above and above.endswith("\n") else f"{eol}{eol}" if above else ""
    closing = eol if below.strip() and not below.startswith(("\n", "\r\n")) else ""
    return f"{above}{opening}{eol.join(lines)}{eol}{closing}{below}"


def _end_of_ipm(statements: list[Statement]) -> int | None:
    at, inside = None, False
    for one in statements:
        if one.kind is StatementKind.HEADER:
            inside = one.steps[:1] == ("ipm",)
            at = one.end if inside else at
        elif one.kind is StatementKind.PAIR and inside:
            at = one.end
    return at


def _before_hosts(text: str, statements: list[Statement]) -> int:
    first = next(
        (
            number
            for number, one in enumerate(statements)
            if one.kind is StatementKind.HEADER and one.steps[:1] == ("hosts",)
        ),
        None,
    )
    if first is None:
        return len(text)
    while first > 0 and statements[first - 1].kind is StatementKind.COMMENT:
        first -= 1
    while first > 0 and statements[first - 1].kind is StatementKind.BLANK:
        first -= 1
    return statements[first].start


def _written(value: str | tuple[str, ...]) -> str:
    return write_value(list(value) if isinstance(value, tuple) else value)
