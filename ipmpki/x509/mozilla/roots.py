"""Certificates and trust objects of a certdata.txt brought together, by issuer and serial number."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ipmpki.x509.mozilla.certdata import TRUST
from ipmpki.x509.mozilla.criteria import Purpose, TrustLevel
from ipmpki.x509.mozilla.flaws import Damaged
from ipmpki.x509.trust_anchors import read_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ipmpki.x509.mozilla.certdata import BuiltinObject

CERTIFICATE: Final = "CKO_CERTIFICATE"
ANCIENT_TRUST: Final = "CKO_NETSCAPE_TRUST"
"""Its name until 2012, when the levels had other names and meanings."""
_ATTRIBUTE: Final = re.compile(r"CKA_TRUST_(?P<purpose>[A-Z_]+)")
_LEVEL: Final = re.compile(r"CKT_NSS_(?P<level>[A-Z_]+)")
_NO: Final = "CK_FALSE"


@dataclass(frozen=True, slots=True)
class Trust:
    """One trust object: how far it trusts for each purpose.

    ``sha1`` is the digest of the certificate it means, empty where it gives none. ``unknown`` are purposes
    and levels that this program does not know, as written.
    """

    label: str
    levels: Mapping[Purpose, TrustLevel]
    unknown: tuple[tuple[str, str], ...]
    sha1: bytes
    line: int

    @property
    def distrusts(self) -> bool:
        """Whether it distrusts for at least one purpose."""
        return TrustLevel.NOT_TRUSTED in self.levels.values()


@dataclass(frozen=True, slots=True)
class Root:
    """A certificate with all the trust objects of its issuer and serial number, mostly just one.

    ``der`` is the certificate. The two dates are until when what it issues is trusted, for servers and for
    e-mail; None where there is no such date.
    """

    label: str
    der: bytes
    issuer: bytes
    serial: bytes
    trust: tuple[Trust, ...]
    server_distrust_after: datetime | None
    email_distrust_after: datetime | None
    line: int


@dataclass(frozen=True, slots=True)
class Roots:
    """All of a file: its roots, and the trust objects for certificates it does not hold."""

    roots: tuple[Root, ...]
    without_certificate: tuple[Trust, ...]
    is_ancient: bool


def match(objects: Iterable[BuiltinObject], name: str) -> Roots:
    """Match trust to certificates. ``name`` is the file's, for messages.

    A trust object with the digest of another certificate (CKA_CERT_SHA1_HASH) does not match. Objects of
    other classes are passed over. Raises Damaged where an object lacks what its class must have.
    """
    objects = tuple(objects)
    trusts: dict[tuple[bytes, bytes], list[Trust]] = defaultdict(list)
    for one in objects:
        if one.kind in TRUST:
            trusts[_identity(one, name)].append(_read_trust(one))
    roots: list[Root] = []
    matched: set[int] = set()
    for one in objects:
        if one.kind == CERTIFICATE:
            der = one.octets("CKA_VALUE")
            if not der:
                raise Damaged(name, one.line, f"the certificate '{one.label}' has no CKA_VALUE")
            issuer, serial = _identity(one, name)
            digest = hashlib.sha1(der, usedforsecurity=False).digest()
            own = tuple(trust for trust in trusts.get((issuer, serial), ()) if trust.sha1 in (b"", digest))
            matched |= {trust.line for trust in own}
            server, email = (
                _date(one, f"CKA_NSS_{purpose}_DISTRUST_AFTER", name) for purpose in ("SERVER", "EMAIL")
            )
            roots.append(Root(one.label, der, issuer, serial, own, server, email, one.line))
    orphans = [trust for group in trusts.values() for trust in group if trust.line not in matched]
    return Roots(
        tuple(roots),
        tuple(sorted(orphans, key=lambda trust: trust.line)),
        is_ancient=any(one.kind == ANCIENT_TRUST for one in objects),
    )


def _identity(one: BuiltinObject, name: str) -> tuple[bytes, bytes]:
    issuer, serial = one.octets("CKA_ISSUER"), one.octets("CKA_SERIAL_NUMBER")
    if not issuer or not serial:
        missing = "CKA_SERIAL_NUMBER" if issuer else "CKA_ISSUER"
        raise Damaged(name, one.line, f"the object '{one.label}' has no {missing}")
    return issuer, serial


def _read_trust(one: BuiltinObject) -> Trust:
    levels: dict[Purpose, TrustLevel] = {}
    unknown: list[tuple[str, str]] = []
    for attribute_name, attribute in one.attributes.items():
        found = _ATTRIBUTE.fullmatch(attribute_name)
        # CKA_TRUST_STEP_UP_APPROVED has always been a CK_BBOOL, and says nothing of trust.
        if found is None or attribute.type != "CK_TRUST":
            continue
        level = _LEVEL.fullmatch(str(attribute.value))
        try:
            levels[Purpose(found["purpose"])] = TrustLevel(level["level"] if level else "")
        except ValueError:
            unknown.append((found["purpose"], str(attribute.value)))
    return Trust(one.label, levels, tuple(unknown), one.octets("CKA_CERT_SHA1_HASH"), one.line)


def _date(one: BuiltinObject, attribute_name: str, name: str) -> datetime | None:
    attribute = one.attributes.get(attribute_name)
    if attribute is None or attribute.value == _NO:
        return None
    try:
        return read_time(attribute.value if isinstance(attribute.value, bytes) else b"")
    except ValueError:
        raise Damaged(
            name, attribute.line, f"{attribute_name} of '{one.label}' is neither a time nor CK_FALSE"
        ) from None
