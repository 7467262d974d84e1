"""The text format of NSS's built-in objects, read into objects with the lines they stand on.

The grammar is what NSS's own compiler of this file accepts (lib/ckfw/builtins/certdata.perl): a line is an
attribute's name, its type and its value; ``#`` begins a comment; ``CKA_CLASS`` begins a new object; after the
type MULTILINE_OCTAL the value follows on lines of their own, as octal escapes, until ``END``; a UTF8 value is
a quoted string with the escapes of C.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ipmpki.x509.mozilla.flaws import CutOff, Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OCTETS: Final = re.compile(r"(?:\\[0-3][0-7]{2})*")
_OCTAL: Final[Mapping[str, int]] = {f"{octet:03o}": octet for octet in range(256)}
_LINE: Final = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)[ \t]+(?P<type>[A-Z][A-Z0-9_]*)(?:[ \t]+(?P<value>.*))?")
_QUOTED: Final = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_BARE: Final = re.compile(r"(?P<text>[^\s\"#]+)\s*(?:#.*)?")
_ESCAPE: Final = re.compile(rb"\\(?:x(?P<hex>[0-9A-Fa-f]{1,2})|(?P<octal>[0-3]?[0-7]{1,2})|(?P<other>.))")
_CONTROLS: Final[Mapping[bytes, bytes]] = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}
_NO_ATTRIBUTES: Final = ("#", "BEGINDATA", "CVS_ID")
_BOOLEANS: Final = frozenset({"CK_TRUE", "CK_FALSE"})
_FOLLOWED: Final = frozenset({"CKO_NSS_BUILTIN_ROOT_LIST", "CKO_CERTIFICATE"})
"""Classes that never come last: certificates follow the first, its trust the second."""
_HEADINGS: Final = (
    "# Certificate ",
    "# Trust for ",
    "# Explicitly Distrust ",
    "# Issuer:",
    "# Serial Number:",
)
"""Comments that belong to an object after them."""
TRUST: Final = frozenset({"CKO_NSS_TRUST", "CKO_TRUST"})
"""The class of trust objects; the second is the name that the file's own introduction uses."""
_LAST_OF_TRUST: Final = "CKA_TRUST_STEP_UP_APPROVED"
LONGEST_QUOTE: Final = 40


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its type as written, its value and the line it begins on.

    The value is bytes where the type is MULTILINE_OCTAL, else text: a string without its quotes and escapes,
    or the word as it stands.
    """

    type: str
    value: bytes | str
    line: int


@dataclass(frozen=True, slots=True)
class BuiltinObject:
    """One object: its attributes by name, and the line of its CKA_CLASS."""

    attributes: dict[str, Attribute]
    line: int

    @property
    def kind(self) -> str:
        """Its class, such as ``CKO_CERTIFICATE``; whatever stands there, known or not."""
        return self.word("CKA_CLASS")

    @property
    def label(self) -> str:
        """Its CKA_LABEL, empty where it has none."""
        return self.word("CKA_LABEL")

    def word(self, name: str) -> str:
        """The text of an attribute; empty where it is missing or holds bytes."""
        found = self.attributes.get(name)
        return found.value if found is not None and isinstance(found.value, str) else ""

    def octets(self, name: str) -> bytes:
        """The bytes of an attribute; empty where it is missing or holds text."""
        found = self.attributes.get(name)
        return found.value if found is not None and isinstance(found.value, bytes) else b""


def parse(text: str, name: str) -> tuple[BuiltinObject, ...]:
    """Every object of a certdata.txt, of whatever class, in the file's order. ``name`` is for messages.

    Raises Damaged where a line is not as the format has it, CutOff where the file ends within an object.
    """
    lines = text.split("\n")
    is_ended = lines[-1] == ""
    if is_ended:
        lines.pop()
    lines = [line.removesuffix("\r") for line in lines]
    found: list[tuple[int, dict[str, Attribute]]] = []
    for attribute_name, attribute in _attributes(lines, name, is_ended=is_ended):
        if attribute_name == "CKA_CLASS":
            found.append((attribute.line, {}))
        if not found:
            raise Damaged(name, attribute.line, f"{attribute_name} stands before any CKA_CLASS")
        attributes = found[-1][1]
        if attribute_name in attributes:
            raise Damaged(name, attribute.line, f"{attribute_name} stands twice in one object")
        attributes[attribute_name] = attribute
    objects = tuple(BuiltinObject(attributes, line) for line, attributes in found)
    _require_an_end(objects, lines, name, is_ended=is_ended)
    return objects


def decode_octal(lines: list[str]) -> bytes:
    """The bytes that lines of octal escapes stand for. Raises ValueError with the number of the odd line."""
    parts: list[str] = []
    for number, line in enumerate(lines):
        written = line.strip()
        if _OCTETS.fullmatch(written) is None:
            raise ValueError(number)
        parts += written.split("\\")[1:]
    return bytes([_OCTAL[octet] for octet in parts])


def encode_octal(octets: bytes) -> list[str]:
    """Lines of octal escapes, sixteen a line as NSS writes them."""
    return [
        "".join(f"\\{octet:03o}" for octet in octets[start : start + 16])
        for start in range(0, len(octets), 16)
    ]


def _attributes(lines: list[str], name: str, *, is_ended: bool) -> Iterator[tuple[str, Attribute]]:
    number = 0
    while number < len(lines):
        line = lines[number]
        begin = number + 1
        number += 1
        if not line.strip() or line.startswith(_NO_ATTRIBUTES):
            continue
        is_last = number == len(lines) and not is_ended
        found = _LINE.fullmatch(line)
        if found is None:
            raise _odd_line(line, begin, name, is_last=is_last)
        kind, written = found["type"], found["value"]
        if kind == "MULTILINE_OCTAL":
            end = number
            while end < len(lines) and lines[end].strip() != "END":
                end += 1
            try:
                value: bytes | str = decode_octal(lines[number:end])
            except ValueError as odd:
                place = number + int(odd.args[0])
                raise _odd_line(
                    lines[place], place + 1, name, is_last=place + 1 == len(lines) and not is_ended
                ) from None
            if end == len(lines):
                raise CutOff(name, len(lines), f"{found['name']} has no END")
            number = end + 1
        else:
            value = _text(kind, written or "", begin, name, is_last=is_last)
        yield found["name"], Attribute(kind, value, begin)


def _text(kind: str, written: str, line: int, name: str, *, is_last: bool) -> str:
    quoted = _QUOTED.fullmatch(written)
    bare = _BARE.fullmatch(written)
    if quoted is not None:
        try:
            return _ESCAPE.sub(_unescaped, quoted["text"].encode("utf-8")).decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged(name, line, "its string is not UTF-8") from None
    if bare is None or (kind == "CK_BBOOL" and bare["text"] not in _BOOLEANS):
        raise _odd_line(f"{kind} {written}", line, name, is_last=is_last)
    return bare["text"]


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape["hex"]:
        return bytes([int(escape["hex"], 16)])
    if escape["octal"]:
        return bytes([int(escape["octal"], 8)])
    return _CONTROLS.get(escape["other"], escape["other"])


def _odd_line(line: str, number: int, name: str, *, is_last: bool) -> Damaged | CutOff:
    shown = line.strip()
    if len(shown) > LONGEST_QUOTE:
        shown = f"{shown[:LONGEST_QUOTE]}…"
    if is_last:
        return CutOff(name, number, f"its last line is '{shown}'")
    return Damaged(name, number, f"'{shown}' is no attribute, type and value")


def _require_an_end(
    objects: tuple[BuiltinObject, ...], lines: list[str], name: str, *, is_ended: bool
) -> None:
    """Raise CutOff where the last object is not whole, or the comment of a further one stands alone.

    The format has no mark of its end. What tells is that objects of a class end in the same attribute, and
    that a certificate is followed by its trust.
    """
    if not objects:
        raise CutOff(name, len(lines), "it ends before its first object")
    last = objects[-1]
    ends = {next(reversed(one.attributes)) for one in objects[:-1] if one.kind == last.kind}
    if not ends and last.kind in TRUST:
        ends = {_LAST_OF_TRUST}
    if ends and next(reversed(last.attributes)) not in ends:
        raise CutOff(name, len(lines), f"its last object ends before {min(ends)}")
    if len(last.attributes) == 1:
        raise CutOff(name, len(lines), "its last object has a class and nothing else")
    if last.kind in _FOLLOWED:
        raise CutOff(name, len(lines), f"nothing follows '{last.label}'")
    if not is_ended and lines[-1].startswith("#"):
        raise CutOff(name, len(lines), "it ends within a comment")
    comments = itertools.takewhile(lambda line: not line or line.startswith("#"), reversed(lines))
    for line in comments:
        if line.startswith(_HEADINGS):
            raise CutOff(name, len(lines), f"nothing follows '{line[2:]}'")


__all__ = ["Attribute", "BuiltinObject", "decode_octal", "encode_octal", "parse"]
