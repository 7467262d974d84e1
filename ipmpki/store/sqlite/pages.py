"""Reading the rows of a database whose tree is broken, page by page (https://sqlite.org/fileformat2.html).

SQLite finds a row by descending from the first page; where a page on the way is damaged, all below is out of
its reach. Here every page is looked at for itself: a leaf of a table tells all about its own rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Value: TypeAlias = "int | float | str | bytes | None"

_HEADER = 100
"""Octets of the file's header, at the beginning of the first page."""
_MAGIC = b"SQLite format 3\0"
_LEAF_OF_TABLE = 0x0D
_LEAF_HEADER = 8
_PAGE_SIZES = (4096, 1024, 2048, 8192, 16384, 32768, 65536, 512)
"""What to try where the header is gone, SQLite's default first."""


class Row(NamedTuple):
    """A row as a page holds it. A table's INTEGER PRIMARY KEY is None among the values, and is the rowid."""

    rowid: int
    values: tuple[Value, ...]


class _Broken(Exception):
    """A cell does not keep to the format."""


def read_rows(content: bytes) -> list[Row]:
    """Every row of every table that can be read, whichever table it is of; never raises."""
    if content.startswith(_MAGIC):
        size = int.from_bytes(content[16:18], "big")
        size = 65536 if size == 1 else size  # two octets cannot say it (file format, section 1.3.2)
        if size in _PAGE_SIZES:
            return list(_rows(content, size, size - content[20]))
    # A wrong size takes the middle of pages for their beginning, where cells hardly ever keep to the format:
    # the size under which most rows can be read is the right one.
    return max((list(_rows(content, size, size)) for size in _PAGE_SIZES), key=len)


def _rows(content: bytes, size: int, usable: int) -> Iterator[Row]:
    """The rows of all leaves. ``usable`` are the octets of a page that SQLite fills."""
    for start in range(0, len(content), size):
        base = start + (_HEADER if start == 0 else 0)
        if content[base : base + 1] != bytes([_LEAF_OF_TABLE]):
            continue
        # Section 1.6: the number of cells at offset 3, their offsets in the page behind the header. A damaged
        # number may be anything; no page holds more cells than one for every four octets.
        count = int.from_bytes(content[base + 3 : base + 5], "big")
        for number in range(min(count, size // 4)):
            at = base + _LEAF_HEADER + 2 * number
            offset = int.from_bytes(content[at : at + 2], "big")
            try:
                yield _row(content, start + offset, min(start + size, len(content)), size, usable)
            except _Broken:
                continue


def _row(content: bytes, at: int, end: int, size: int, usable: int) -> Row:
    length, at = _varint(content, at, end)
    rowid, at = _varint(content, at, end)
    if rowid >= 1 << 63:  # a varint holds 64 bits in two's complement
        rowid -= 1 << 64
    # Before anything is made of that length: a damaged one asks for more memory than there is.
    if length > len(content):
        raise _Broken
    local = _local(length, usable)
    if at + local > end:
        raise _Broken
    payload = content[at : at + local]
    if local < length:
        page = int.from_bytes(content[at + local : at + local + 4], "big")
        payload += _overflow(content, page, length - local, size, usable)
    return Row(rowid, tuple(_record(payload)))


def _local(length: int, usable: int) -> int:
    """How many octets of a row are on its leaf itself (file format, section 1.6)."""
    most = usable - 35
    if length <= most:
        return length
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    return local if local <= most else least


def _overflow(content: bytes, page: int, length: int, size: int, usable: int) -> bytes:
    """The rest of a row, on a chain of pages that hold nothing else (file format, section 1.7)."""
    found = bytearray()
    # A damaged chain may lead back to itself: it ends all the same, as each page brings something.
    while len(found) < length:
        start = (page - 1) * size
        if page < 2 or start + 4 > len(content):  # noqa: PLR2004 -- the first page is none of them
            raise _Broken
        page = int.from_bytes(content[start : start + 4], "big")
        piece = content[start + 4 : start + min(usable, 4 + length - len(found))]
        if not piece:
            raise _Broken
        found += piece
    return bytes(found)


def _record(payload: bytes) -> Iterator[Value]:
    """The values of a row (file format, section 2.1)."""
    head, at = _varint(payload, 0, len(payload))
    kinds = []
    if head > len(payload):
        raise _Broken
    while at < head:
        kind, at = _varint(payload, at, head)
        kinds.append(kind)
    # Header and values fill a row to the octet. What does not is no row, but what is left of one, or a page
    # of something else that happens to begin like a leaf.
    if at != head or head + sum(map(_width, kinds)) != len(payload):
        raise _Broken
    for kind in kinds:
        width = _width(kind)
        yield _value(kind, payload[at : at + width])
        at += width


_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_FLOAT, _ZERO, _ONE, _FIRST_OF_BYTES = 7, 8, 9, 12


def _width(kind: int) -> int:
    if kind >= _FIRST_OF_BYTES:
        return (kind - _FIRST_OF_BYTES) // 2
    if kind >= len(_WIDTHS):  # two that SQLite keeps for itself
        raise _Broken
    return _WIDTHS[kind]


def _value(kind: int, octets: bytes) -> Value:
    if kind in {0, _FLOAT}:  # a store has no floating numbers
        return None
    if kind in {_ZERO, _ONE}:
        return kind - _ZERO
    if kind < _FIRST_OF_BYTES:
        return int.from_bytes(octets, "big", signed=True)
    if kind % 2 == 0:
        return octets
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise _Broken from None


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of one to nine octets, seven bits each but for a ninth, and where it ends."""
    value = 0
    for count in range(9):
        if at >= end:
            raise _Broken
        octet = content[at]
        at += 1
        if count == 8:  # noqa: PLR2004 -- the ninth counts whole
            return (value << 8) | octet, at
        value = (value << 7) | (octet & 0x7F)
        if not octet & 0x80:
            break
    return value, at
