"""An authority that sells certificates, with a root and an intermediate, made on the fly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.shop import TODAY

if TYPE_CHECKING:
    from collections.abc import Iterable

_YEAR = timedelta(days=365)


@dataclass
class Seller:
    """Signs what it is asked to; every wish can be overridden, to see what is refused."""

    name: str = "Trust Unlimited"
    now: datetime = TODAY
    _made: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _root_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def root(self) -> x509.Certificate:
        """The root that verifiers trust."""
        name = _name(f"{self.name} Root")
        return _authority(name, name, self._root_key, self._root_key, self.now)

    @cached_property
    def intermediate(self) -> x509.Certificate:
        """The authority below the root, which signs for customers."""
        return _authority(_name(f"{self.name} TLS"), self.root.subject, self._key, self._root_key, self.now)

    def sell(  # noqa: PLR0913 -- one for each thing an authority may do differently
        self,
        request: x509.CertificateSigningRequest,
        *,
        names: Iterable[str] | None = None,
        purposes: Iterable[x509.ObjectIdentifier] | None = None,
        begins: datetime = TODAY - timedelta(hours=1),
        days: int = 199,
        without: type[x509.ExtensionType] | None = None,
    ) -> x509.Certificate:
        """The certificate for a request."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self.intermediate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        for wanted in request.extensions:
            value = wanted.value
            if without is not None and isinstance(value, without):
                continue
            if isinstance(value, x509.SubjectAlternativeName) and names is not None:
                value = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            if isinstance(value, x509.ExtendedKeyUsage) and purposes is not None:
                value = x509.ExtendedKeyUsage(purposes)
            builder = builder.add_extension(value, critical=wanted.critical)
        return builder.sign(self._key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates in PEM, in the order given."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _YEAR)
        .not_valid_after(now + 9 * _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )


SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
