"""PEM and its kin, as people, mail and tools hand it on: one reader for all that comes from outside.

It takes what OpenSSL takes and more, and says what it had to look past. Nothing of the input is handed on as
it stood: :func:`armoured` writes each thing anew, in the form that every program loads.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ipmpki.x509.der import DerShape, NotDer, element_at, require_whole, shape_of, without_line_end

if TYPE_CHECKING:
    from collections.abc import Iterator

# RFC 7468, section 2: a block begins and ends with its label. One pass over both keeps reading linear.
_BOUNDARY: Final = re.compile(rb"-----(BEGIN|END) ([A-Z0-9# ]{1,40})-----")
_PLAIN: Final = re.compile(rb"\n(?:[A-Za-z0-9+/=]{1,76}\n){1,65536}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
# RFC 1421, section 4.6: a name, a colon, a value; lines that go on begin with a blank.
_HEADER: Final = re.compile(rb"\s*[A-Za-z0-9-]{1,60}:")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_FEWEST_OCTETS: Final = 32
"""What is shorter, is no certificate, key or list, whatever it decodes to."""

_WINDOW: Final = 256

CERTIFICATE: Final = "CERTIFICATE"
TRUSTED: Final = "TRUSTED CERTIFICATE"


class Repair(NamedTuple):
    """What had to be looked past to read something, and whether OpenSSL loads the file all the same."""

    words: str
    loads: bool = False

    @property
    def told(self) -> str:
        """As a sentence for whoever has the file."""
        return self.words if self.loads else f"OpenSSL cannot load this: {self.words}"


class PemBlock(NamedTuple):
    """One thing in a file. ``line`` is where it begins, from 1; 0 where it does not stand in PEM.

    ``label`` is that of its BEGIN line, or empty. ``octets`` are what its base64 says, None where it is cut
    off or damaged: then ``fault`` says how. ``headers`` are those of RFC 1421, such as an encrypted key's.
    """

    label: str
    line: int
    octets: bytes | None
    fault: str = ""
    headers: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def shape(self) -> DerShape | None:
        """What it is by what it holds; that of a block which does not decode, or is encrypted, is None."""
        return shape_of(self.octets) if self.octets is not None and not self.is_enciphered else None

    @property
    def is_enciphered(self) -> bool:
        """Whether the octets are ciphertext, as RFC 1421's headers say (section 4.6.1.1)."""
        return any(re.match(r"Proc-Type:\s*4\s*,\s*ENCRYPTED", one) for one in self.headers)

    @property
    def is_key(self) -> bool:
        """Whether it says that it is a private key, or is one."""
        return self.label.endswith("PRIVATE KEY") or (not self.label and self.shape in KEY_SHAPES)


KEY_SHAPES: Final = frozenset({DerShape.PKCS8, DerShape.ENCRYPTED_PKCS8, DerShape.RSA_KEY, DerShape.EC_KEY})


def read_blocks(content: bytes) -> list[PemBlock]:
    """Everything in a file, in its order; empty where there is nothing in any form known here. Never raises.

    A file without a BEGIN line is one block without a label: DER, BER, or base64 alone.
    """
    text, repairs = _as_bytes(content)
    found = list(_in_pem(text, repairs))
    if found:
        return found
    alone = _alone(text, repairs)
    return [alone] if alone is not None else []


def repairs_in(content: bytes) -> tuple[str, ...]:
    """What had to be looked past in a file, each once, as ``ipmpki verify`` tells it."""
    return tuple(dict.fromkeys(one.told for block in read_blocks(content) for one in block.repairs))


def armoured(label: str, octets: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """PEM as RFC 7468 writes it, section 3: 64 characters on a line, and nothing else."""
    encoded = base64.b64encode(octets).decode("ascii")
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    above = [*headers, ""] if headers else []
    return "\n".join([f"-----BEGIN {label}-----", *above, *lines, f"-----END {label}-----", ""]).encode()


def plain_certificates(content: bytes) -> bytes:
    """The certificates in PEM among whatever a file holds, each once and written anew; empty without any.

    Nothing else is in it, least of all a private key. What is in PKCS#7 or damaged is passed over.
    """
    found = (
        first_element(block.octets)
        for block in read_blocks(content)
        if block.octets is not None and (block.label == TRUSTED or block.shape is DerShape.CERTIFICATE)
    )
    return b"".join(armoured(CERTIFICATE, one) for one in dict.fromkeys(found))


def _as_bytes(content: bytes) -> tuple[bytes, tuple[Repair, ...]]:
    """The text with an octet for each character: PowerShell's ``>`` writes UTF-16, Notepad may."""
    encoding = _UTF16_MARKS.get(content[:2])
    if encoding is None and b"-\0-\0-\0B\0E\0G\0I\0N\0" in content:
        encoding = "utf-16-be" if content.find(b"\0-\0-") < content.find(b"-\0-\0") else "utf-16-le"
    if encoding is None:
        return content, ()
    text = content[2:] if content[:2] in _UTF16_MARKS else content
    words = "it is in UTF-16, as PowerShell's '>' writes it, and not in ASCII"
    return text.decode(encoding, "replace").encode("ascii", "replace"), (Repair(words),)


def _in_pem(text: bytes, repairs: tuple[Repair, ...]) -> Iterator[PemBlock]:
    line_end = b"\n" if b"\n" in text else b"\r"
    line, counted = 1, 0
    begin: re.Match[bytes] | None = None
    for boundary in _BOUNDARY.finditer(text):
        is_begin = boundary[1] == b"BEGIN"
        if begin is not None and not is_begin and boundary[2] == begin[2]:
            yield _block(text, begin, boundary, line, repairs)
            begin = None
            continue
        if begin is not None and is_begin:
            yield _without_end(begin, line)
        if is_begin:
            begin = boundary
            line, counted = line + text.count(line_end, counted, begin.start()), begin.start()
    if begin is not None:
        yield _without_end(begin, line)


def _without_end(begin: re.Match[bytes], line: int) -> PemBlock:
    label = begin[2].decode()
    return PemBlock(label, line, None, f"there is no line -----END {label}----- that belongs to it")


def _block(
    text: bytes, begin: re.Match[bytes], end: re.Match[bytes], line: int, repairs: tuple[Repair, ...]
) -> PemBlock:
    label, body = begin[2].decode(), text[begin.end() : end.start()]
    headers: tuple[str, ...] = ()
    around = text[max(begin.start() - 1, 0) : begin.start()] in {b"", b"\n"}
    if not (around and _PLAIN.fullmatch(body) and text[end.end() : end.end() + 1] in {b"", b"\n"}):
        headers, encoded = _headers(body)
        repairs = (*repairs, *_repairs(text, begin, end, encoded))
        if headers and not label.endswith("PRIVATE KEY"):
            repairs = (*repairs, Repair("headers stand above its base64"))
        body = encoded
    try:
        octets = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return PemBlock(label, line, None, _bad_base64(body, line), headers, repairs)
    return PemBlock(label, line, octets, "", headers, repairs)


def _headers(body: bytes) -> tuple[tuple[str, ...], bytes]:
    """RFC 1421, section 4.4: headers, an empty line, base64."""
    if not _HEADER.match(body):
        return (), body
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n").split(b"\n")
    above: list[str] = []
    for number, one in enumerate(lines):
        if not one.strip() or not (_HEADER.match(one) or one[:1] in {b" ", b"\t"}):
            return tuple(above), b"\n".join(lines[number:])
        above.append(one.decode("ascii", "replace").strip())
    return tuple(above), b""


def _repairs(text: bytes, begin: re.Match[bytes], end: re.Match[bytes], body: bytes) -> Iterator[Repair]:
    """What OpenSSL's PEM_read_bio would stumble over (crypto/pem/pem_lib.c), each once."""
    # A window: what stands before on the same line decides, however long a line without an end may be.
    above = text[max(begin.start() - _WINDOW, 0) : begin.start()]
    before = above[above.rfind(b"\n") + 1 :]
    if b"\n" not in body:
        before = before[before.rfind(b"\r") + 1 :]
    if before == _BYTE_ORDER_MARK:
        yield Repair("a byte-order mark stands before it; not every program looks past that", loads=True)
    elif before.endswith(b"-----"):
        yield Repair("END and BEGIN stand on one line")
    elif before:
        yield Repair("its lines are indented" if not before.strip() else "text stands before its BEGIN")
    after = text[end.end() : end.end() + _WINDOW].partition(b"\n")[0].partition(b"\r")[0].strip()
    if after and not after.startswith(b"-----BEGIN "):
        yield Repair("text stands after its END")
    if b"\n" not in body and b"\r" in body:
        yield Repair("its lines end with a carriage return alone, so that they are one line to most programs")
        return
    lines = body.split(b"\n")
    if lines[0].strip():
        yield Repair("its base64 begins on the line of its BEGIN")
    if lines[-1]:
        yield Repair("its END is indented" if not lines[-1].strip() else "its END does not begin a line")
    # A blank line right below BEGIN ends headers, of which there are none.
    if any(not one.strip() for one in lines[2:-1]):
        yield Repair("blank lines stand within its base64")


def _bad_base64(body: bytes, line: int) -> str:
    for number, one in enumerate(body.splitlines()):
        wrong = re.search(rb"[^A-Za-z0-9+/=\s]", one)
        if wrong is not None:
            return f"line {line + number} holds what is no base64"
    return "its base64 lacks characters at the end"


def _alone(text: bytes, repairs: tuple[Repair, ...]) -> PemBlock | None:
    octets = without_line_end(text)
    if shape_of(octets) is not None or octets[:1] == b"\x30":
        more = (
            () if octets == text else (Repair("a line end follows it, which is no part of DER", loads=True),)
        )
        return PemBlock("", 0, octets, "", (), (*repairs, *more))
    joined = b"".join(text.split())
    if not _BASE64.fullmatch(joined):
        return None
    try:
        octets = base64.b64decode(joined, validate=True)
    except binascii.Error:
        return None
    if len(octets) < _FEWEST_OCTETS or octets[:1] != b"\x30":
        return None
    words = "it is base64 without the BEGIN and END lines around it"
    return PemBlock("", 0, octets, "", (), (*repairs, Repair(words)))


def why_unreadable(octets: bytes) -> str | None:
    """In words, where octets end too early or do not decode as DER; None where they do.

    Says the offset, from 0, so that whoever looks finds the place.
    """
    try:
        require_whole(octets)
    except NotDer as fault:
        if fault.is_cut:
            return (
                f"it ends too early: after {len(octets)} octets, within what begins at octet {fault.offset}"
            )
        return f"it does not decode as DER at octet {fault.offset}"
    return None


def first_element(octets: bytes) -> bytes:
    """The first element alone, as of a certificate in OpenSSL's TRUSTED form, whose settings follow it."""
    try:
        return octets[: element_at(octets, 0, len(octets)).end]
    except NotDer:
        return octets
