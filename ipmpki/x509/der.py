"""The outer shape of DER and BER (X.690, section 8.1): elements, where they end, what they make up.

Labels and names of files deceive; the first octets of what they hold do not. No values are read here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _OBJECT = 0x01, 0x02, 0x03, 0x04, 0x06
_UTC_TIME, _GENERALIZED_TIME, SEQUENCE, FIRST_TAGGED = 0x17, 0x18, 0x30, 0xA0
_LONG_FORM: Final = 0x80
_LONGEST_LENGTH: Final = 4
_HIGH_TAG: Final = 0x1F
_CONSTRUCTED: Final = 0x20
_DEEPEST: Final = 64
"""Levels of elements within elements: a certificate has some ten."""
_AFTER_THE_END: Final = b"\r\n\0\x1a \t"
"""What editors, mail and CP/M's heirs put after the last octet."""


class NotDer(ValueError):
    """Octets that do not decode: the ``offset`` of the element; ``is_cut`` if it ends too early."""

    def __init__(self, offset: int, *, is_cut: bool) -> None:
        super().__init__(f"{'it ends within' if is_cut else 'it does not decode as DER at'} octet {offset}")
        self.offset = offset
        self.is_cut = is_cut


class Element(NamedTuple):
    """One element: its tag octet, and where it, its content and what follows begin."""

    tag: int
    begin: int
    content: int
    end: int


def element_at(octets: bytes, begin: int, end: int) -> Element:
    """The element that begins at ``begin`` and ends at ``end`` or before. Raises NotDer."""
    if begin + 2 > end:
        raise NotDer(begin, is_cut=True)
    tag, length, content = octets[begin], octets[begin + 1], begin + 2
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise NotDer(begin, is_cut=False)
    if length & _LONG_FORM:
        size = length & ~_LONG_FORM
        if not 0 < size <= _LONGEST_LENGTH:
            raise NotDer(begin, is_cut=False)
        length = int.from_bytes(octets[content : content + size], "big")
        content += size
    if content + length > end:
        raise NotDer(begin, is_cut=True)
    return Element(tag, begin, content, content + length)


def elements(octets: bytes, begin: int = 0, end: int | None = None) -> Iterator[Element]:
    """The elements side by side between two offsets. Raises NotDer."""
    last = len(octets) if end is None else end
    while begin < last:
        found = element_at(octets, begin, last)
        yield found
        begin = found.end


def integers(octets: bytes, begin: int = 0, end: int | None = None, depth: int = 0) -> Iterator[int]:
    """All INTEGERs between two offsets, in their order, in whatever elements they stand. Raises NotDer."""
    for one in elements(octets, begin, end):
        if one.tag == _INTEGER:
            yield int.from_bytes(octets[one.content : one.end], "big", signed=True)
        elif one.tag & _CONSTRUCTED and depth < _DEEPEST:
            yield from integers(octets, one.content, one.end, depth + 1)


def is_whole_sequence(octets: bytes) -> bool:
    """Whether the octets are one DER SEQUENCE from end to end (X.690, sections 8.1.3 and 8.9)."""
    try:
        found = element_at(octets, 0, len(octets))
    except NotDer:
        return False
    return found.tag == SEQUENCE and found.end == len(octets)


def without_line_end(octets: bytes) -> bytes:
    """A SEQUENCE without the line ends and noughts that follow it; anything else as it is."""
    try:
        found = element_at(octets, 0, len(octets))
    except NotDer:
        return octets
    is_padded = found.tag == SEQUENCE and not octets[found.end :].strip(_AFTER_THE_END)
    return octets[: found.end] if is_padded else octets


def require_whole(octets: bytes) -> None:
    """Raises NotDer, with the place, unless all of it decodes, down to the last element within another."""
    waiting = [(0, len(octets), 0)]
    whole = element_at(octets, 0, len(octets))
    if whole.end != len(octets):
        raise NotDer(whole.end, is_cut=False)
    while waiting:
        begin, end, depth = waiting.pop()
        inside = [one for one in elements(octets, begin, end) if one.tag & _CONSTRUCTED]
        if depth < _DEEPEST:
            waiting += [(one.content, one.end, depth + 1) for one in inside]


class DerShape(StrEnum):
    """What octets are, by their outer shape."""

    CERTIFICATE = "certificate"
    REVOCATION_LIST = "revocation list"
    REQUEST = "certificate request"
    MESSAGE = "PKCS#7"
    PKCS12 = "PKCS#12"
    PKCS8 = "PRIVATE KEY"
    ENCRYPTED_PKCS8 = "ENCRYPTED PRIVATE KEY"
    RSA_KEY = "RSA PRIVATE KEY"
    EC_KEY = "EC PRIVATE KEY"


_TIMES: Final = {_UTC_TIME, _GENERALIZED_TIME}
_SHAPES: Final = (
    # RFC 5958, section 2 and 3; RFC 8017, A.1.2; RFC 5915, section 3.
    (DerShape.PKCS8, (_INTEGER, SEQUENCE, _OCTET_STRING)),
    (DerShape.ENCRYPTED_PKCS8, (SEQUENCE, _OCTET_STRING)),
    (DerShape.RSA_KEY, (_INTEGER,) * 9),
    (DerShape.EC_KEY, (_INTEGER, _OCTET_STRING)),
)


def shape_of(octets: bytes) -> DerShape | None:
    """What the octets are by their shape; None for none of these. Never raises.

    Of PKCS#7 and PKCS#12, BER with lengths left open counts, too, as NSS and Windows write it.
    """
    beginning = octets[2:] if octets[:2] == b"\x30\x80" else _inside(octets)
    if beginning.startswith(b"\x02\x01\x03\x30"):  # RFC 7292, section 4: the version, then authSafe
        return DerShape.PKCS12
    if beginning.startswith(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"):  # RFC 2315, section 14
        return DerShape.MESSAGE
    try:
        whole = element_at(octets, 0, len(octets))
        if whole.tag != SEQUENCE:
            return None
        fields = list(elements(octets, whole.content, whole.end))
        tags = tuple(one.tag for one in fields)
        if tags == (SEQUENCE, SEQUENCE, _BIT_STRING):
            signed = [one.tag for one in elements(octets, fields[0].content, fields[0].end)]
            return _signed_shape(signed)
    except NotDer:
        return None
    return next((shape for shape, wanted in _SHAPES if tags[: len(wanted)] == wanted), None)


def _inside(octets: bytes) -> bytes:
    try:
        return octets[element_at(octets, 0, len(octets)).content :][:16]
    except NotDer:
        return b""


def _signed_shape(tags: list[int]) -> DerShape | None:
    """RFC 5280, sections 4.1 and 5.1, and RFC 2986, section 4.1, differ in what is signed."""
    if tags[:1] == [FIRST_TAGGED] or tags[:5] == [_INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE]:
        return DerShape.CERTIFICATE
    if tags[:3] == [_INTEGER, SEQUENCE, SEQUENCE] and (len(tags) == 3 or tags[3] == FIRST_TAGGED):  # noqa: PLR2004 -- without attributes
        return DerShape.REQUEST
    rest = tags[1:] if tags[:1] == [_INTEGER] else tags
    is_list = rest[:2] == [SEQUENCE, SEQUENCE] and len(rest) > 2 and rest[2] in _TIMES  # noqa: PLR2004 -- thisUpdate
    return DerShape.REVOCATION_LIST if is_list else None
