"""Whether a file of authorities holds the root that its issuing authorities lead to, told by names alone.

A check asks this of every authority that was brought: it must not cost it the library that reads the rest.
"""

from __future__ import annotations

import binascii
import contextlib
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ipmpki.x509.der import FIRST_TAGGED, NotDer, element_at, elements
from ipmpki.x509.pem import CERTIFICATE, armoured

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*+)-----END")


def first_without_root(pem: bytes) -> bytes | None:
    """The first certificate (DER) from which no path of names leads to one that names itself; else None.

    What cannot be read is left to those who tell of it.
    """
    held = []
    for der in certificates_in(pem):
        with contextlib.suppress(NotDer, IndexError):
            held.append((der, *_names(der)))
    above = {subject: issuer for _, issuer, subject in held}
    return next((der for der, issuer, subject in held if not _has_root(issuer, subject, above)), None)


@lru_cache(maxsize=16)
def chain_below_root(own: str, pem: bytes) -> bytes:
    """The certificate with the SHA-256 ``own``, in lower-case hex, and those above it, in PEM, but the root.

    Empty where it is a root itself. It is what a server sends behind its own (RFC 8446, section 4.4.2), so
    that a client which trusts the root alone finds its way.
    """
    held = {hashlib.sha256(der).hexdigest(): der for der in certificates_in(pem)}
    found: list[bytes] = []
    der = held.get(own)
    while der is not None and der not in found:
        try:
            issuer, subject = _names(der)
            if issuer == subject:
                break
            above = [one for one in held.values() if _names(one)[1] == issuer]
        except (NotDer, IndexError):
            break
        found.append(der)
        roots = (one for one in above if _names(one)[0] == issuer)
        der = next(roots, above[0] if above else None)
    return b"".join(armoured(CERTIFICATE, one) for one in found)


def is_same_authority(own: str, held: bytes, found: bytes) -> bool:
    """Whether a file still brings the authority whose certificate has the SHA-256 ``own``, in lower-case hex.

    ``held`` is the PEM that was brought before, ``found`` the PEM there is now. Beside its own, others
    may have come that by their names stand above it, and any may have gone: they only lead to its root.
    """
    now = {hashlib.sha256(der).hexdigest(): der for der in certificates_in(found)}
    if own not in now:
        return False
    before = set(certificates_in(held))
    new = [der for der in now.values() if der not in before]
    try:
        above = _above(now[own], now.values())
    except (NotDer, IndexError):
        return not new
    return all(der in above for der in new)


def _above(der: bytes, held: Collection[bytes]) -> set[bytes]:
    """The certificates that names lead to from one, upwards; from a root, to none."""
    issuer, subject = _names(der)
    found: set[bytes] = set()
    waiting = {issuer} - {subject}
    while waiting:
        issuer = waiting.pop()
        more = {one for one in held if _names(one)[1] == issuer} - found
        found |= more
        waiting |= {_names(one)[0] for one in more}
    return found - {der}


def _has_root(issuer: bytes, subject: bytes, above: dict[bytes, bytes]) -> bool:
    for _ in above:
        if issuer == subject:
            return True
        if issuer not in above:
            return False
        issuer, subject = above[issuer], issuer
    return issuer == subject


def _names(der: bytes) -> tuple[bytes, bytes]:
    """Issuer and subject as they are encoded (RFC 5280, section 4.1). Raises NotDer or IndexError."""
    certificate = element_at(der, 0, len(der))
    signed = element_at(der, certificate.content, certificate.end)
    fields = [der[one.begin : one.end] for one in elements(der, signed.content, signed.end)]
    at = 1 if fields[0][0] == FIRST_TAGGED else 0  # a version may stand first
    return fields[at + 2], fields[at + 4]


def certificates_in(pem: bytes) -> Iterator[bytes]:
    """Each certificate of a PEM text, in DER, as far as its base64 is sound."""
    for block in _BLOCK.findall(pem):
        with contextlib.suppress(binascii.Error):
            yield binascii.a2b_base64(block)
