"""Signing: the authority's own certificate and the leaves below it.

Nothing here reads a clock or draws a serial number; both come in. The only randomness is that of the
signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from ipmpki.diagnostics.fault import WrongDeclaration
from ipmpki.x509.certificate import parse_readable_certificates, quietly
from ipmpki.x509.issuing_path import find, reason_against
from ipmpki.x509.keys import PublicKey, public_key_digest
from ipmpki.x509.name_constraints import constraints_of, names_outside
from ipmpki.x509.profiles import (
    AUTHORITY_EXTENSIONS,
    LEAF_EXTENSIONS,
    PURPOSES,
    alternative_names,
    authority_subject,
    enciphers,
    extension,
    leaf_subject,
)
from ipmpki.x509.signing_key import signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ipmpki.declaration.fleet import AuthoritySpec, CertificateSpec
    from ipmpki.declaration.name_scope import NameScope
    from ipmpki.x509.profiles import Extension
    from ipmpki.x509.signing_key import SigningKey

BACK_DATED_BY: Final = timedelta(hours=1)
"""How long before it is signed a certificate or CRL begins to hold: hosts' clocks are not one."""

# RFC 5280, section 4.1.2.2: 20 octets at most. Its first bit must be 0, else DER needs a 21st.
_SERIAL_BITS: Final = 159
_SERIAL_OCTETS: Final = 20
# The last second of validity is part of it (RFC 5280, section 4.1.2.5).
_ONE_SECOND: Final = timedelta(seconds=1)
# RFC 5280, section 4.1.2.5: the value of a certificate without a well-defined end, and GeneralizedTime's
# last.
_END_OF_TIME: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

SignatureHash: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_SHA256: Final = hashes.SHA256()
_CURVE_HASHES: Final[Mapping[str, SignatureHash]] = {
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


class IssuerFault(WrongDeclaration):
    """An authority cannot issue what is asked of it. ``str()`` says why, ``remedy`` what to do."""


@dataclass(frozen=True)
class Issuer:
    """An authority that can sign: its key, its own certificate first, and the chain above that."""

    certificates: tuple[x509.Certificate, ...]
    key: SigningKey

    def __repr__(self) -> str:
        return f"<Issuer {self.name.rfc4514_string()}>"

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate whose subject is the issuer of what this authority signs."""
        return self.certificates[0]

    @cached_property
    def name(self) -> x509.Name:
        """The issuer field of what this authority signs (RFC 5280, section 4.1.2.4)."""
        with quietly():
            return self.certificate.subject

    @cached_property
    def not_before(self) -> datetime:
        """The first second of the issuing certificate, UTC."""
        return self.certificate.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        """The last second of the issuing certificate, UTC."""
        return self.certificate.not_valid_after_utc

    @cached_property
    def signature_hash(self) -> SignatureHash:
        """The hash that matches the key's strength."""
        return _signature_hash(self.key)

    @cached_property
    def authority_key_identifier(self) -> Extension:
        """The extension that points at this authority's key (RFC 5280, section 4.2.1.1).

        The identifier is copied from the issuing certificate, as some authorities do not derive theirs by
        SHA-1; one that has none at all gets what RFC 5280 would have put there.
        """
        identifier = find(self.certificate, x509.SubjectKeyIdentifier)
        if identifier is None:
            value = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        else:
            value = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        return extension(value, critical=False)

    @cached_property
    def name_constraints(self) -> x509.NameConstraints | None:
        """The names this authority is confined to; None where it is not."""
        return find(self.certificate, x509.NameConstraints)

    @cached_property
    def purposes(self) -> frozenset[x509.ObjectIdentifier] | None:
        """The extended key usages this authority is confined to; None where it is not."""
        usage = find(self.certificate, x509.ExtendedKeyUsage)
        if usage is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage:
            return None
        return frozenset(usage)


def load_issuer(certificates_pem: bytes, key: SigningKey) -> Issuer:
    """The authority of ``key``, its certificate picked out of a PEM file that may hold a chain in any order.

    Of several certificates for the key, as after a renewal, the one that ends last is taken. Whether it has
    expired is not looked at. Raises IssuerFault where no certificate belongs to the key, or where it may not
    sign certificates and CRLs, and CertificateUnreadable.
    """
    certificates = tuple(dict.fromkeys(parse_readable_certificates(certificates_pem)))
    digest = public_key_digest(key.public_key())
    matching = [certificate for certificate in certificates if _belongs_to(certificate, digest)]
    if not matching:
        raise _mismatch(certificates)
    matching.sort(key=lambda certificate: certificate.not_valid_after_utc, reverse=True)
    faults = [reason_against(certificate) for certificate in matching]
    for certificate, fault in zip(matching, faults, strict=True):
        if fault is None:
            chain = tuple(other for other in certificates if other is not certificate)
            return Issuer((certificate, *chain), key)
    message = f"{_subject_text(matching[0])} cannot be the authority: {faults[0]}"
    raise IssuerFault(message, "give the certificate of an authority that may sign certificates and CRLs")


def self_signed(
    spec: AuthoritySpec, key: SigningKey, *, now: datetime, serial: int, scope: NameScope | None = None
) -> bytes:
    """A new authority's certificate for ``key``, in PEM, confined to ``scope`` where one is given.

    It begins an hour before ``now`` (aware, any zone) and holds for exactly ``spec.lifetime``, or to the end
    of the year 9999. Raises ValueError on a subject RFC 5280 does not allow or a serial number out of range.
    """
    not_before = back_dated(now)
    try:
        not_after = not_before + spec.lifetime - _ONE_SECOND
    except OverflowError:
        not_after = _END_OF_TIME
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    own_key = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    name = authority_subject(spec.subject)
    return _sign(
        key,
        _signature_hash(key),
        issuer=name,
        subject=name,
        public_key=key.public_key(),
        serial=serial,
        validity=(not_before, not_after),
        extensions=[
            *AUTHORITY_EXTENSIONS,
            extension(identifier, critical=False),
            extension(own_key, critical=False),
            *(() if scope is None else (extension(constraints_of(scope), critical=True),)),
        ],
    )


def validity(issuer: Issuer, lifetime: timedelta, *, now: datetime) -> tuple[datetime, datetime]:
    """The first and the last second of a leaf issued now (RFC 5280, section 4.1.2.5: both inclusive), UTC.

    Raises IssuerFault where the issuer has expired.
    """
    not_before = max(back_dated(now), issuer.not_before)
    try:
        not_after = min(not_before + lifetime - _ONE_SECOND, issuer.not_after)
    except OverflowError:
        not_after = issuer.not_after
    if not_after < not_before:
        raise _expired(issuer)
    return not_before, not_after


def issue(
    issuer: Issuer, spec: CertificateSpec, public_key: PublicKey, *, now: datetime, serial: int
) -> bytes:
    """A leaf certificate for ``public_key``, in PEM.

    It begins an hour before ``now`` (aware, any zone), though not before its issuer, and holds for exactly
    ``spec.lifetime``, though never longer than its issuer. Raises ValueError on what no rule lets through:
    names RFC 5280 does not allow, an EC key on a server, a serial number out of range; IssuerFault where the
    issuer has expired or is confined to other purposes or names.
    """
    if enciphers(spec.profile) and isinstance(public_key, ec.EllipticCurvePublicKey):
        msg = "a server's certificate carries keyEncipherment, which an EC key must not (RFC 8813, section 3)"
        raise ValueError(msg)
    reason = objection(issuer, spec)
    if reason is not None:
        raise IssuerFault(reason, "declare another authority, or names and uses that this one may certify")
    return _sign(
        issuer.key,
        issuer.signature_hash,
        issuer=issuer.name,
        subject=leaf_subject(spec.common_name),
        public_key=public_key,
        serial=serial,
        validity=validity(issuer, spec.lifetime, now=now),
        extensions=[
            *LEAF_EXTENSIONS[spec.profile],
            extension(alternative_names(spec.dns_names, spec.addresses), critical=False),
            extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False),
            issuer.authority_key_identifier,
        ],
    )


def objection(issuer: Issuer, spec: CertificateSpec) -> str | None:
    """Why verifiers would refuse such a leaf under this authority; None where they would not.

    Only an authority that exists already can be confined, to purposes (RFC 5280, section 4.2.1.12) or to
    names (section 4.2.1.10).
    """
    if issuer.purposes is not None and not issuer.purposes.issuperset(PURPOSES[spec.profile]):
        return (
            f"{issuer.name.rfc4514_string()} is confined by its extended key usage, "
            f"which does not cover a {spec.profile.value} certificate"
        )
    if issuer.name_constraints is not None:
        names = alternative_names(spec.dns_names, spec.addresses)
        outside = names_outside(issuer.name_constraints, leaf_subject(spec.common_name), names)
        if outside:
            return (
                f"{issuer.name.rfc4514_string()} is confined by its name constraints, "
                f"which do not let through {', '.join(outside)}"
            )
    return None


def new_serial(random_bytes: Callable[[int], bytes]) -> int:
    """A positive serial number of at most 159 bits, from a source such as ``os.urandom``."""
    while True:
        serial = int.from_bytes(random_bytes(_SERIAL_OCTETS), "big") >> 1
        if serial:
            return serial


def back_dated(now: datetime) -> datetime:
    """An hour before ``now``, whole seconds, UTC. Raises ValueError on a time without a zone."""
    if now.tzinfo is None:
        msg = "a time without a zone could mean any of twenty-four hours"
        raise ValueError(msg)
    return now.astimezone(UTC).replace(microsecond=0) - BACK_DATED_BY


def check_serial(serial: int) -> None:
    """Raises ValueError unless the serial number is positive and has at most 159 bits."""
    if serial <= 0 or serial.bit_length() > _SERIAL_BITS:
        msg = f"a serial number is positive and has at most {_SERIAL_BITS} bits"
        raise ValueError(msg)


def _sign(  # noqa: PLR0913 - the fields of RFC 5280's TBSCertificate
    key: SigningKey,
    signature_hash: SignatureHash,
    *,
    issuer: x509.Name,
    subject: x509.Name,
    public_key: PublicKey,
    serial: int,
    validity: tuple[datetime, datetime],
    extensions: list[Extension],
) -> bytes:
    check_serial(serial)
    not_before, not_after = (moment.replace(tzinfo=None) for moment in validity)
    if not_after < not_before:
        msg = "a certificate must hold for at least a second"
        raise ValueError(msg)
    # All at once rather than by the builder's methods: each of those copies the builder and its extensions,
    # which for a leaf takes a quarter as long as an EC signature. The tests hold this to the methods' result.
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=public_key,
        serial_number=serial,
        not_valid_before=not_before,
        not_valid_after=not_after,
        extensions=extensions,
    )
    return signed(builder, key, signature_hash).public_bytes(serialization.Encoding.PEM)


def _mismatch(certificates: tuple[x509.Certificate, ...]) -> IssuerFault:
    subjects = "; ".join(_subject_text(certificate) for certificate in certificates)
    which = "does not belong to the certificate" if len(certificates) == 1 else "belongs to no certificate"
    return IssuerFault(
        f"the authority's private key {which} given with it: {subjects}",
        "give the certificate and the key of the same authority",
    )


def _expired(issuer: Issuer) -> IssuerFault:
    name, end = issuer.name.rfc4514_string(), f"{issuer.not_after:%Y-%m-%d %H:%M:%S} UTC"
    return IssuerFault(f"{name} has expired: it ended at {end}", "renew the authority")


def _signature_hash(key: SigningKey) -> SignatureHash:
    """SHA-256 for RSA and P-256; for larger curves the hash of their strength (RFC 5480, section 4)."""
    public = key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _CURVE_HASHES.get(public.curve.name, _SHA256)
    return _SHA256


def _belongs_to(certificate: x509.Certificate, digest: str) -> bool:
    """Whether the certificate is for the key of that digest; one for a kind of key unknown here is not."""
    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(public_key, PublicKey) and public_key_digest(public_key) == digest


def _subject_text(certificate: x509.Certificate) -> str:
    with quietly():
        return certificate.subject.rfc4514_string() or "a certificate without a subject"
