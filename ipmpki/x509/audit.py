"""Whether what a store holds is what it says: certificates, keys and revocation lists, each for itself.

Every audit yields what is wrong, in words that go on from the thing's name; nothing where all is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from ipmpki.diagnostics.fault import Fault
from ipmpki.x509 import keys
from ipmpki.x509.certificate import CertificateUnreadable, parse_certificates, quietly
from ipmpki.x509.signature import is_signed_by

if TYPE_CHECKING:
    from collections.abc import Iterator


def audit_authority(certificates_pem: bytes, fingerprint: str) -> Iterator[str]:
    """An authority's certificates, one of which has this fingerprint (SHA-256, lower-case hex)."""
    try:
        certificates = parse_certificates(certificates_pem)
    except CertificateUnreadable:
        yield "has a certificate that cannot be read"
        return
    if fingerprint not in {one.fingerprint(hashes.SHA256()).hex() for one in certificates}:
        yield "has another certificate than the store says"


def audit_key(key_pem: bytes, digest: str, passphrase: bytes | None = None) -> Iterator[str]:
    """A private key that should have this public key (SHA-256 of its SubjectPublicKeyInfo)."""
    try:
        key = keys.load(key_pem, passphrase)
    except keys.WrongPassphrase:
        yield "has a key that the declared passphrase does not open"
    except keys.KeyFault:
        yield "has a key that cannot be read"
    else:
        if keys.public_key_digest(key) != digest:
            yield "has a key that does not belong to it"


def digest_of(pem: bytes, fingerprint: str | None = None) -> str | None:
    """The digest of the public key of the first certificate, or that of a fingerprint; None if unreadable."""
    try:
        for certificate in parse_certificates(pem):
            if fingerprint in {None, certificate.fingerprint(hashes.SHA256()).hex()}:
                public = certificate.public_key()
                return keys.public_key_digest(public) if isinstance(public, keys.PublicKey) else None
    except (Fault, ValueError, UnsupportedAlgorithm):
        pass
    return None


def audit_certificate(
    pem: bytes, *, serial: int, fingerprint: str, issuer_pem: bytes | None
) -> Iterator[str]:
    """A certificate, which one of the issuer's certificates must vouch for, where they are given.

    Of one that an old index or a revocation list alone tells of, there is nothing but its serial number.
    """
    if not pem and fingerprint == f"serial-{serial:x}":
        return
    try:
        certificate = parse_certificates(pem)[0]
    except CertificateUnreadable:
        yield "cannot be read"
        return
    if certificate.serial_number != serial:
        yield "has another serial number than the store says"
    if certificate.fingerprint(hashes.SHA256()).hex() != fingerprint:
        yield "is another certificate than the store says"
    if issuer_pem is not None and not _is_issued_by(certificate, issuer_pem):
        yield "is not signed by its authority"


def _is_issued_by(certificate: x509.Certificate, issuer_pem: bytes) -> bool:
    with quietly():
        return any(
            certificate.issuer == issuer.subject
            and is_signed_by(issuer.public_key(), certificate, certificate.tbs_certificate_bytes)
            for issuer in _readable(issuer_pem)
        )


def _readable(pem: bytes) -> list[x509.Certificate]:
    try:
        return parse_certificates(pem)
    except CertificateUnreadable:
        return []


def audit_revocation_list(pem: bytes, number: int, issuer_pem: bytes | None) -> Iterator[str]:
    """A revocation list of this number, which a certificate of the issuer must vouch for, where given."""
    revocation_list = _crl(pem)
    if revocation_list is None:
        yield "cannot be read"
        return
    try:
        extension = revocation_list.extensions.get_extension_for_oid(ExtensionOID.CRL_NUMBER)
        assert isinstance(extension.value, x509.CRLNumber)  # noqa: S101 -- by its OID
        if extension.value.crl_number != number:
            yield "has another number than the store says"
    except (x509.ExtensionNotFound, ValueError):
        yield "has no number"
    signed = issuer_pem is None
    for issuer in _readable(issuer_pem or b""):
        public = issuer.public_key()
        signed = signed or is_signed_by(public, revocation_list, revocation_list.tbs_certlist_bytes)
    if not signed:
        yield "is not signed by its authority"


def listed_serials(pem: bytes) -> frozenset[int]:
    """The serial numbers that a revocation list revokes; removals from a hold are none."""
    revocation_list = _crl(pem)
    if revocation_list is None:
        return frozenset()
    return frozenset(one.serial_number for one in revocation_list if not _is_removed(one))


def is_revocation_list(pem: bytes) -> bool:
    """Whether the octets are a revocation list in PEM."""
    return _crl(pem) is not None


def _is_removed(entry: x509.RevokedCertificate) -> bool:
    try:
        reason = entry.extensions.get_extension_for_oid(CRLEntryExtensionOID.CRL_REASON).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(reason, x509.CRLReason) and reason.reason is x509.ReasonFlags.remove_from_crl


def _crl(pem: bytes) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_pem_x509_crl(pem)
    except ValueError:
        return None
