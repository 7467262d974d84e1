"""Roots that others made, read as leniently as is safe: some are older than the rules of RFC 5280.

The library refuses or warns of serial numbers that are negative or zero, and will refuse more; such roots are
trusted the world over. So what decides about a root is read from its DER here, octet for octet, after RFC
5280, section 4.1, and X.690, section 8.1; the library is asked for the subject's text only.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509

from ipmpki.x509.certificate import UNREADABLE, quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTEGER, _UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _VERSION = 0x02, 0x17, 0x18, 0x30, 0xA0
_LONG_FORM: Final = 0x80
_LONGEST_LENGTH: Final = 4
_HIGH_TAG: Final = 0x1F
_FIELDS: Final = (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)
"""serialNumber, signature, issuer, validity, subject: what follows the version in a TBSCertificate."""
_TIME: Final = re.compile(
    rb"(?P<year>[0-9]{2}|[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})"
    rb"(?P<second>[0-9]{2})?Z"
)
_CENTURY_TURN: Final = 50


class AnchorUnreadable(ValueError):
    """The octets are not a certificate in DER, or one without a readable validity."""


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """What a root says of itself. Times are aware, in UTC, both inclusive.

    ``issuer`` and ``serial`` are their DER, octet for octet, tag and length included. ``subject`` is RFC 4514
    text, most specific attribute first; empty where the library cannot read it. Fingerprints are of the whole
    certificate, in lower-case hex.
    """

    subject: str
    issuer: bytes
    serial: bytes
    not_before: datetime
    not_after: datetime
    fingerprint: str
    sha1: str


def read_anchor(der: bytes) -> TrustAnchor:
    """Read a certificate in DER. Raises AnchorUnreadable."""
    outer = list(_elements(der))
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        raise AnchorUnreadable("it is no certificate in DER")
    inner = next(_elements(outer[0][1]), None)
    if inner is None or inner[0] != _SEQUENCE:
        raise AnchorUnreadable("it is no certificate in DER")
    fields = list(_elements(inner[1]))
    if fields and fields[0][0] == _VERSION:
        del fields[0]
    if tuple(tag for tag, _, _ in fields[: len(_FIELDS)]) != _FIELDS:
        raise AnchorUnreadable("it is no certificate in DER")
    validity = [_moment(tag, content) for tag, content, _ in _elements(fields[3][1])]
    if len(validity) != len(("notBefore", "notAfter")):
        raise AnchorUnreadable("its validity is no pair of times")
    return TrustAnchor(
        subject=_subject(der),
        issuer=fields[2][2],
        serial=fields[0][2],
        not_before=validity[0],
        not_after=validity[1],
        fingerprint=hashlib.sha256(der).hexdigest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
    )


def read_time(written: bytes) -> datetime:
    """A UTCTime or GeneralizedTime without its tag, such as ``241130235959Z`` (RFC 5280, section 4.1.2.5).

    Seconds may be missing, as in the oldest roots. Raises ValueError.
    """
    found = _TIME.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is no time")
    year = int(found["year"])
    if len(found["year"]) == len("YY"):
        year += 2000 if year < _CENTURY_TURN else 1900
    return datetime(
        year,
        int(found["month"]),
        int(found["day"]),
        int(found["hour"]),
        int(found["minute"]),
        int(found["second"] or 0),
        tzinfo=UTC,
    )


def is_trusted_when_issued(not_before: datetime, distrust_after: datetime | None) -> bool:
    """Whether a root with a distrust-after date vouches for a certificate issued at ``not_before``.

    As NSS and Firefox judge: a notBefore later than CKA_NSS_SERVER_DISTRUST_AFTER is not trusted, one at that
    very second is. ``distrust_after`` is None for a root without such a date, which vouches for all.
    """
    return distrust_after is None or not_before <= distrust_after


def _moment(tag: int, content: bytes) -> datetime:
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise AnchorUnreadable("its validity is no pair of times")
    try:
        return read_time(content)
    except ValueError:
        raise AnchorUnreadable("its validity holds a time that is none") from None


def _elements(der: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The elements side by side in ``der``: tag, content, and all of it. Raises AnchorUnreadable."""
    position = 0
    while position < len(der):
        begin = position
        tag = der[position]
        length = der[position + 1] if position + 1 < len(der) else _LONG_FORM
        position += 2
        if length & _LONG_FORM:
            size = length & ~_LONG_FORM
            length = int.from_bytes(der[position : position + size], "big")
            position += size
            if not 0 < size <= _LONGEST_LENGTH:
                raise AnchorUnreadable("it is no certificate in DER")
        end = position + length
        if tag & _HIGH_TAG == _HIGH_TAG or end > len(der):
            raise AnchorUnreadable("it is no certificate in DER")
        yield tag, der[position:end], der[begin:end]
        position = end


def _subject(der: bytes) -> str:
    try:
        with quietly():
            return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except (*UNREADABLE, x509.InvalidVersion):
        return ""


__all__ = ["AnchorUnreadable", "TrustAnchor", "is_trusted_when_issued", "read_anchor", "read_time"]
