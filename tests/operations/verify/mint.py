"""Certificates with every sort of mistake, made on the fly."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from math import gcd
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

TODAY = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
SERVERS_USAGE = ("digital_signature", "key_encipherment")


@functools.cache
def key(kind: str = "rsa-2048", number: int = 0) -> Any:
    """A key of a kind, the same each time for one number."""
    del number
    family, _, size = kind.partition("-")
    if family == "unsound":
        return unsound_key()
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    return (
        ed25519.Ed25519PrivateKey.generate()
        if family == "ed25519"
        else ec.generate_private_key(ec.SECP256R1())
    )


@functools.cache
def unsound_key() -> rsa.RSAPrivateKey:
    """An RSA key that signs, with an exponent that is longer than programs use."""
    sound = key("rsa-2048", 99).private_numbers()
    p, q, exponent = sound.p, sound.q, 2**64 + 13
    while gcd(exponent, (p - 1) * (q - 1)) != 1:
        exponent += 2
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), sound.iqmp, public).private_key()


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        encryption = (
            serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        )
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )


@dataclass(frozen=True)
class Order:
    """What a certificate is to say; by itself, a good server's."""

    subject: str | None = "ipm1.example.com"
    names: Sequence[str] = ("ipm1.example.com",)
    addresses: Sequence[str] = ()
    usage: Sequence[str] | None = SERVERS_USAGE
    purposes: Sequence[x509.ObjectIdentifier] | None = (SERVER,)
    is_authority: bool = False
    path_length: int | None = None
    begin: datetime = TODAY - DAY
    end: datetime = TODAY + 396 * DAY
    kind: str = "rsa-2048"
    number: int = 0
    hashed: Any = field(default_factory=hashes.SHA256)
    further: Sequence[tuple[x509.ExtensionType, bool]] = ()
    public: Any = None
    """A public key to certify in place of its own."""


def make(order: Order, issuer: Made | None = None) -> Made:
    """Make a certificate; without an issuer it certifies itself."""
    private = key(order.kind, order.number)
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, order.subject)] if order.subject else []
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(order.public or private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(order.begin)
        .not_valid_after(order.end)
        .add_extension(x509.BasicConstraints(order.is_authority, order.path_length), critical=True)
    )
    if order.names or order.addresses:
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in order.names]
        names += [x509.IPAddress(ip_address(one)) for one in order.addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not order.subject)
    if order.usage is not None:
        usage = x509.KeyUsage(**{name: name in order.usage for name in USAGES})
        builder = builder.add_extension(usage, critical=True)
    if order.purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(order.purposes), critical=False)
    for extension, critical in order.further:
        builder = builder.add_extension(extension, critical=critical)
    signer = issuer.private if issuer else private
    return Made(
        builder.sign(signer, None if order.kind == "ed25519" and issuer is None else order.hashed), private
    )


@functools.cache
def authority(
    name: str = "Acme Print CA", number: int = 1, issuer: Made | None = None, **changes: Any
) -> Made:
    """An authority with an EC key."""
    usual: dict[str, Any] = {"end": TODAY + 3650 * DAY, "usage": ("key_cert_sign", "crl_sign")}
    wanted = (
        usual | {"subject": name, "names": (), "purposes": None, "kind": "ec", "number": number} | changes
    )
    return make(Order(is_authority=True, **wanted), issuer)


def server(issuer: Made | None = None, **changes: Any) -> Made:
    """A server's certificate, good but for the changes."""
    return make(Order(**changes), issuer or authority())


def client(issuer: Made | None = None, **changes: Any) -> Made:
    """A client's certificate with an EC key, good but for the changes."""
    usual: dict[str, Any] = {"subject": "desk1.example.com", "names": ("desk1.example.com",), "kind": "ec"}
    usual |= {"usage": ("digital_signature",), "purposes": (CLIENT,)}
    return make(Order(**usual | changes), issuer or authority())


def crl(
    issuer: Made, *revoked: Made, end: datetime = TODAY + 30 * DAY, begin: datetime = TODAY - DAY
) -> bytes:
    """A CRL in PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(begin)
        .next_update(end)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(TODAY - DAY).build())
    return builder.sign(issuer.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
