"""One host while it is changed, and the changes that can be made to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.edit.layout import with_member, without_member
from ipmpki.declaration.edit.style import inline_style, own_pairs, rank, style_of
from ipmpki.declaration.edit.toml import Value, splice, write_value
from ipmpki.declaration.ip_addresses import AddressFault, read_address
from ipmpki.diagnostics.fault import WrongDeclaration, WrongUse
from ipmpki.diagnostics.wording import closest, either, quote
from ipmpki.source.syntax import read_key, split_members, split_statements

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key this value, whatever it had before. Values of a list that stay keep their comments."""

    key: str
    value: str | int | tuple[str, ...]


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


def is_same_name(one: str, other: str) -> bool:
    """Whether two spellings are of one name."""
    return read_name(one.strip()).ascii == read_name(other.strip()).ascii


def is_same(key: str, one: str, other: str) -> bool:
    """Whether two values of a list mean the same: names without case, addresses however abbreviated."""
    if key == "ips":
        address = read_address(one)
        if not isinstance(address, AddressFault):
            return address == read_address(other)
    return is_same_name(one, other)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key and its value ``start:end`` in the text; ``place`` counts statements, or members if inline."""

    steps: tuple[str, ...]
    start: int
    end: int
    place: int


class EditedHost:
    """A host's text and its values, always saying the same."""

    def __init__(self, text: str, values: dict[str, Any], eol: str) -> None:
        self.text = text
        self._values = values
        self._eol = eol
        self._is_inline = text.startswith("{")

    def apply(self, change: Change) -> None:
        """Make one change, in the text and in the values alike."""
        match change:
            case Put(key, value):
                self._put(key, value if isinstance(value, str | int) else list(value))
            case Unset(key):
                self._unset(key)
            case Extend(key, value):
                present = self._list(key)
                if not any(is_same(key, value, known) for known in present):
                    self._put(key, [*present, value])
            case Reduce(key, value):
                present = self._list(key)
                kept = [known for known in present if not is_same(key, value, known)]
                if len(kept) == len(present):
                    raise self._not_in_list(key, value, present)
                self._put(key, kept)

    def _put(self, key: str, value: str | int | list[str]) -> None:
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
        earlier = [one.place for one in pairs if rank(one.steps[0]) <= rank(key)]
        if self._is_inline:
            members = split_members(self.text)
            after = members[earlier[-1] if earlier else -1]
            line = inline_style(self.text, after).line(key, value)
            self.text = splice(self.text, after.end, after.end, f", {line}")
            return
        at = split_statements(self.text)[earlier[-1] if earlier else 0].end
        end = "" if self.text[:at].endswith("\n") else self._eol
        line = style_of(self.text).line(key, value)
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
                _Pair(read_key(one.key), one.value, one.end, place)
                for place, one in enumerate(split_members(text))
            ]
        statements = split_statements(text)
        return [_Pair(one.steps, one.value, one.last, statements.index(one)) for one in own_pairs(statements)]

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
