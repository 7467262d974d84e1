"""Certificates read back, as plain values that the rest of the program can compare and show."""

from __future__ import annotations

import base64
import hashlib
import re
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, PublicKeyAlgorithmOID

from ipmpki.declaration.key_types import rsa_key
from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.x509.der import DerShape
from ipmpki.x509.keys import PublicKey, key_type_of, rsa_numbers
from ipmpki.x509.message import NoMessage, certificates_of
from ipmpki.x509.pem import CERTIFICATE, TRUSTED, armoured, first_element, read_blocks, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ipmpki.declaration.fleet import Address
    from ipmpki.x509.key_flaws import RsaNumbers
    from ipmpki.x509.pem import PemBlock

_ExtensionT = TypeVar("_ExtensionT", bound=x509.ExtensionType)

# RFC 7468, section 5.1; X509 CERTIFICATE is the obsolete label it lets parsers take.
CERTIFICATE_LABELS: Final = frozenset({CERTIFICATE, "X509 CERTIFICATE", TRUSTED})
_BEGIN: Final = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")

USAGE_NAMES: Final = (
    # RFC 5280, section 4.2.1.3, in the order of its bits. encipherOnly and decipherOnly only ever qualify
    # keyAgreement, which no certificate here has.
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)
PURPOSE_NAMES: Final[Mapping[x509.ObjectIdentifier, str]] = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}

NETSCAPE_TYPE: Final = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
"""nsCertType, from before there were extended key usages; OpenSSL still holds to it (x509v3_config(5))."""
_NETSCAPE_NAMES: Final = ("client", "server", "email", "objsign", "reserved", "sslCA", "emailCA", "objCA")

UNREADABLE: Final = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What the library raises where a field or an extension of a certificate cannot be read."""


class CertificateUnreadable(UnreadableFile):
    """The text is not a certificate in PEM. ``str()`` says what it is instead, ``remedy`` what to do."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says. Times are aware, in UTC, both inclusive; digests are lower-case hex.

    ``common_name`` is the last one of the subject and None where it has none. ``subject`` and ``issuer`` are
    RFC 4514 text, most specific attribute first. ``key_type`` is as keys.key_type_of says, or ``ed25519`` and
    the like, or ``unknown``, then with an empty digest. ``key_usage`` and ``extended_key_usage`` hold RFC
    5280's names (a purpose unknown here as dotted numbers), empty where the extension is absent.
    ``fingerprint`` is SHA-256 of the certificate, ``public_key_digest`` of its SubjectPublicKeyInfo. ``rsa``
    are the numbers of an RSA key, ``netscape_types`` what an old nsCertType says, None where there is none.
    """

    common_name: str | None
    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    key_type: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    is_authority: bool
    fingerprint: str
    public_key_digest: str
    rsa: RsaNumbers | None = None
    netscape_types: tuple[str, ...] | None = None


def read_certificate(pem: bytes) -> CertificateFacts:
    """The first certificate in ``pem``; what follows it, such as its chain, is not read.

    Raises CertificateUnreadable.
    """
    return read_certificates(pem)[0]


def fingerprint_of(pem: bytes) -> str:
    """The SHA-256 of the one certificate in ``pem``, lower-case hex, without parsing what it says."""
    return hashlib.sha256(base64.b64decode(b"".join(pem.splitlines()[1:-1]))).hexdigest()


def read_certificates(pem: bytes) -> tuple[CertificateFacts, ...]:
    """Every certificate in ``pem``, in the file's order, at least one.

    Keys and remarks between them are passed over. Raises CertificateUnreadable where there is none or one of
    them is damaged.
    """
    certificates = parse_certificates(pem)
    with quietly():
        return tuple(facts_of(certificate) for certificate in certificates)


def read_readable_certificates(content: bytes) -> tuple[CertificateFacts, ...]:
    """Every certificate in a file that the library reads whole; above an issuer there may be others.

    Raises CertificateUnreadable where there is none at all, or one is damaged.
    """
    found: list[CertificateFacts] = []
    with quietly():
        for certificate in parse_readable_certificates(content):
            with suppress(CertificateUnreadable):
                found.append(facts_of(certificate))
    return tuple(found)


def parse_readable_certificates(content: bytes) -> list[x509.Certificate]:
    """Every certificate in a file that the library parses, for the authority's own modules.

    Raises CertificateUnreadable where there is none at all, or one is damaged.
    """
    found: list[x509.Certificate] = []
    refused: CertificateUnreadable | None = None
    for one in encodings(content):
        try:
            found.append(parse_der(one))
        except CertificateUnreadable as fault:
            refused = fault
    if refused is not None and not found:
        raise refused
    return found


def parse_certificates(content: bytes) -> list[x509.Certificate]:
    """Every certificate in a file, for the authority's own modules. Raises CertificateUnreadable."""
    # The library passes over a block without an END line; a truncated file must not pass for a shorter chain.
    expected = len(_BEGIN.findall(content))
    try:
        with quietly():
            certificates = x509.load_pem_x509_certificates(content)
            if len(certificates) == expected:
                return certificates
    except (ValueError, x509.InvalidVersion):
        pass
    return [parse_der(one) for one in encodings(content)]


def encodings(content: bytes) -> list[bytes]:
    """Every certificate in a file, whatever its form, in DER. Raises CertificateUnreadable."""
    blocks = read_blocks(content)
    found: list[bytes] = []
    for block in blocks:
        if block.octets is None and block.label in CERTIFICATE_LABELS:
            raise _damaged(block.fault)
        shape = block.shape
        if block.octets is None or block.is_key:
            continue
        if block.label == TRUSTED:
            found.append(first_element(block.octets))
        elif shape is DerShape.CERTIFICATE:
            found.append(block.octets)
        elif shape is DerShape.MESSAGE:
            found += _of_message(block.octets)
        elif block.label in CERTIFICATE_LABELS:
            raise _damaged(why_unreadable(block.octets) or _ODD)
    if not found:
        raise _no_certificate(content, blocks)
    return found


def _of_message(octets: bytes) -> list[bytes]:
    try:
        return certificates_of(octets)
    except NoMessage as fault:
        raise _damaged(str(fault)) from None


def rewritten(content: bytes) -> bytes:
    """The certificates in a file as plain PEM, each once, and nothing else that the file may hold.

    Raises CertificateUnreadable.
    """
    return b"".join(armoured(CERTIFICATE, one) for one in dict.fromkeys(encodings(content)))


def parse_der(encoded: bytes) -> x509.Certificate:
    """One certificate in DER, for the authority's own modules. Raises CertificateUnreadable."""
    try:
        with quietly():
            return x509.load_der_x509_certificate(encoded)
    except (ValueError, x509.InvalidVersion):
        raise _damaged(why_unreadable(encoded)) from None


@contextmanager
def quietly() -> Iterator[None]:
    """Without the library's warnings, for the authority's own modules.

    It warns of old authorities that numbered themselves 0 or have overlong names, against RFC 5280. Their
    certificates work everywhere, and a Python warning on stderr is no way to speak to an administrator.
    """
    with warnings.catch_warnings():
        # CryptographyDeprecationWarning is one, too.
        warnings.simplefilter("ignore", UserWarning)
        yield


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """What a certificate says, for the authority's own modules. Raises CertificateUnreadable."""
    # The library parses lazily: names, extensions and key may each turn out unreadable only here.
    try:
        extensions = certificate.extensions
        subject = certificate.subject
        common_names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        constraints = find_extension(extensions, x509.BasicConstraints)
        alternative_names = find_extension(extensions, x509.SubjectAlternativeName)
        key_type, digest, rsa = _key(certificate)
        return CertificateFacts(
            common_name=str(common_names[-1].value) if common_names else None,
            subject=subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            serial=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key_type=key_type,
            dns_names=tuple(alternative_names.get_values_for_type(x509.DNSName)) if alternative_names else (),
            addresses=_addresses(alternative_names) if alternative_names else (),
            key_usage=_usages(find_extension(extensions, x509.KeyUsage)),
            extended_key_usage=tuple(
                PURPOSE_NAMES.get(purpose, purpose.dotted_string)
                for purpose in find_extension(extensions, x509.ExtendedKeyUsage) or ()
            ),
            is_authority=constraints is not None and constraints.ca,
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            public_key_digest=digest,
            rsa=rsa,
            netscape_types=next(
                (
                    netscape_types_of(one.value.value)
                    for one in extensions
                    if one.oid == NETSCAPE_TYPE and isinstance(one.value, x509.UnrecognizedExtension)
                ),
                None,
            ),
        )
    except UNREADABLE:
        raise _damaged() from None


def find_extension(extensions: x509.Extensions, kind: type[_ExtensionT]) -> _ExtensionT | None:
    """The value of an extension, None where it is absent; for the authority's own modules."""
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key(certificate: x509.Certificate) -> tuple[str, str, RsaNumbers | None]:
    """The type of the certificate's key, the digest of its SubjectPublicKeyInfo, an RSA key's numbers."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return "unknown", "", None
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(encoded).hexdigest()
    numbers = rsa_numbers(key)
    if numbers is not None and certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        return rsa_key(numbers.modulus.bit_length(), is_bound=True), digest, numbers
    if isinstance(key, PublicKey):
        return key_type_of(key), digest, numbers
    return type(key).__name__.removesuffix("PublicKey").lower(), digest, None


def netscape_types_of(value: bytes) -> tuple[str, ...]:
    """The types in an nsCertType's value, a BIT STRING of one octet; none where it is not that."""
    if len(value) != len(b"\x03\x02\x07\x80") or value[:2] != b"\x03\x02":
        return ()
    return tuple(name for bit, name in enumerate(_NETSCAPE_NAMES) if value[3] >> (7 - bit) & 1)


def _addresses(names: x509.SubjectAlternativeName) -> tuple[Address, ...]:
    """Addresses; a network, which only a name constraint should hold, is none."""
    return tuple(
        address
        for address in names.get_values_for_type(x509.IPAddress)
        if isinstance(address, (IPv4Address, IPv6Address))
    )


def _usages(usage: x509.KeyUsage | None) -> tuple[str, ...]:
    if usage is None:
        return ()
    return tuple(name for attribute, name in USAGE_NAMES if getattr(usage, attribute))


_ODD: Final = "it is not built as RFC 5280, section 4.1, has it"


def _damaged(why: str | None = None) -> CertificateUnreadable:
    if why is None:
        return CertificateUnreadable(
            "the certificate has a field that is not as RFC 5280 has it, so that nothing can be issued by it",
            "have whoever issued it make it anew; copying the file again changes nothing",
        )
    return CertificateUnreadable(
        f"the certificate is cut off or damaged: {why}",
        "copy the file again, whole and as text, from its BEGIN to its END line",
    )


def _no_certificate(content: bytes, blocks: list[PemBlock]) -> CertificateUnreadable:
    export = "a certificate in PEM starts with the line -----BEGIN CERTIFICATE-----"
    if not content.strip():
        return CertificateUnreadable("the certificate is empty", export)
    if any(one.is_key for one in blocks):
        return CertificateUnreadable("there is a private key where a certificate is expected", export)
    if any(one.shape is DerShape.REQUEST or one.label.endswith("REQUEST") for one in blocks):
        return CertificateUnreadable("there is a certificate request where a certificate is expected", export)
    if any(one.shape is DerShape.PKCS12 for one in blocks):
        return CertificateUnreadable(
            "this is PKCS#12, which may hold a key, where certificates alone are expected",
            "convert it with: openssl pkcs12 -nokeys -in FILE -out NEW_FILE",
        )
    cut = next((why_unreadable(one.octets) for one in blocks if not one.label and one.octets), None)
    if cut is not None:
        return _damaged(cut)
    return CertificateUnreadable("there is no certificate in this file", export)


def names_of(encoded: bytes) -> tuple[str, str]:
    """Subject and issuer of one certificate in DER: the common name of each, or else the whole name.

    Raises CertificateUnreadable.
    """
    certificate = parse_der(encoded)
    with quietly():
        return _known_as(certificate.subject), _known_as(certificate.issuer)


def _known_as(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
