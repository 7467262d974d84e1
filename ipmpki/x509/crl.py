"""The certificate revocation list (RFC 5280, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ipmpki.x509.issuer import back_dated, check_serial
from ipmpki.x509.profiles import extension
from ipmpki.x509.signing_key import signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.x509.issuer import Issuer

# RFC 5280, section 5.3.1, in kebab case. "unspecified" is to be left out; removeFromCRL is for delta CRLs
# only.
_REASONS: Final[Mapping[str, x509.ReasonFlags | None]] = {
    "unspecified": None,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "ca-compromise": x509.ReasonFlags.ca_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
    "certificate-hold": x509.ReasonFlags.certificate_hold,
    "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
    "aa-compromise": x509.ReasonFlags.aa_compromise,
}

REASONS: Final = frozenset(_REASONS)
"""The names a revocation's reason may have."""

_NAMES: Final[Mapping[x509.ReasonFlags, str]] = {
    flag: name for name, flag in _REASONS.items() if flag is not None
}


def reason_of(flag: x509.ReasonFlags) -> str | None:
    """The name of a reason that stands in a CRL; None for one that says nothing of a certificate's end."""
    return _NAMES.get(flag)


# RFC 5280, section 5.2.3: 20 octets at most, as for serial numbers.
_NUMBER_BITS: Final = 159


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One certificate that must no longer be trusted. The time is aware; None as reason means unspecified."""

    serial: int
    revoked_at: datetime
    reason: str | None = None


def make_crl(
    issuer: Issuer, revocations: Iterable[RevokedEntry], *, number: int, now: datetime, next_update: datetime
) -> bytes:
    """A complete version 2 CRL in PEM, its entries by serial number, whatever order they come in.

    It begins an hour before ``now``, though not before its issuer; ``number`` grows by the caller's care from
    CRL to CRL. Times are aware, any zone, and lose fractions of a second. Raises ValueError on a time without
    a zone, an unknown reason, a serial number that occurs twice, a number out of range, or a next update that
    is not later.
    """
    if number < 0 or number.bit_length() > _NUMBER_BITS:
        msg = f"a CRL number is not negative and has at most {_NUMBER_BITS} bits"
        raise ValueError(msg)
    this_update = max(back_dated(now), issuer.not_before)
    next_update = _whole_seconds(next_update)
    if next_update <= this_update:
        msg = "the next update must come after this one"
        raise ValueError(msg)
    ordered = sorted(revocations, key=lambda revocation: revocation.serial)
    for one, other in pairwise(ordered):
        if one.serial == other.serial:
            msg = f"the serial number {one.serial:x} is revoked twice"
            raise ValueError(msg)
    # The entries go in by the constructor: the builder's own method copies all earlier ones for every entry.
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=issuer.name,
        last_update=this_update.replace(tzinfo=None),
        next_update=next_update.replace(tzinfo=None),
        extensions=[
            issuer.authority_key_identifier,
            extension(x509.CRLNumber(number), critical=False),
        ],
        revoked_certificates=[_entry(revocation) for revocation in ordered],
    )
    return signed(builder, issuer.key, issuer.signature_hash).public_bytes(serialization.Encoding.PEM)


def _entry(revocation: RevokedEntry) -> x509.RevokedCertificate:
    check_serial(revocation.serial)
    if revocation.reason is not None and revocation.reason not in _REASONS:
        msg = f"{revocation.reason!r} is no reason for a revocation; there are {', '.join(sorted(_REASONS))}"
        raise ValueError(msg)
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(revocation.serial)
        .revocation_date(_whole_seconds(revocation.revoked_at))
    )
    reason = _REASONS[revocation.reason] if revocation.reason is not None else None
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()


def _whole_seconds(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = "a time without a zone could mean any of twenty-four hours"
        raise ValueError(msg)
    return moment.astimezone(UTC).replace(microsecond=0)
