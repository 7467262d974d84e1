"""Each certificate profile said once, octet by octet, from the contract and RFC 5280, not from the code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Address, CertificateSpec
    from ipmpki.x509.keys import PublicKey

# Object identifiers and values in DER. id-ce is 2.5.29 (55 1d), id-kp 1.3.6.1.5.5.7.3.
SUBJECT_KEY, KEY_USAGE, ALTERNATIVE_NAME = b"\x55\x1d\x0e", b"\x55\x1d\x0f", b"\x55\x1d\x11"
BASIC_CONSTRAINTS, AUTHORITY_KEY, PURPOSES = b"\x55\x1d\x13", b"\x55\x1d\x23", b"\x55\x1d\x25"
SERVER_AUTH = bytes.fromhex("06082b06010505070301")
CLIENT_AUTH = bytes.fromhex("06082b06010505070302")
SIGNS = bytes.fromhex("03020780")  # digitalSignature
SIGNS_AND_ENCIPHERS = bytes.fromhex("030205a0")  # digitalSignature, keyEncipherment
CERTIFIES = bytes.fromhex("03020106")  # keyCertSign, cRLSign
PATH_OF_ONE = bytes.fromhex("30060101ff020100")  # CA:TRUE, pathlen:0
_SIGNATURES = {
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
}
END_ENTITY = bytes.fromhex("3000")  # CA:FALSE, which is the default and so left out


def tlv(tag: int, *contents: bytes) -> bytes:
    """Tag, length, value (X.690, section 8.1)."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def extension(identifier: bytes, value: bytes, *, critical: bool = False) -> bytes:
    mark = tlv(0x01, b"\xff") if critical else b""
    return tlv(0x30, tlv(0x06, identifier), mark, tlv(0x04, value))


def key_identifier(key: PublicKey) -> bytes:
    """SHA-1 of the subjectPublicKey's bits (RFC 5280, section 4.2.1.2, method 1)."""
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    else:
        bits = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return hashlib.sha1(bits, usedforsecurity=False).digest()


def names(dns_names: tuple[str, ...], addresses: tuple[Address, ...]) -> bytes:
    return tlv(
        0x30,
        *(tlv(0x82, name.encode("ascii")) for name in dns_names),
        *(tlv(0x87, address.packed) for address in addresses),
    )


def assert_extensions(certificate: x509.Certificate, *expected: bytes) -> None:
    """The certificate ends with just these extensions, in this order, octet by octet."""
    assert certificate.version is x509.Version.v3
    block = tlv(0xA3, tlv(0x30, *expected))
    assert certificate.tbs_certificate_bytes[-len(block) :].hex() == block.hex()


def assert_is_ca(pem: bytes, key: PublicKey) -> None:
    """A self-signed authority: keyCertSign and cRLSign, path length 0, no extended key usage, no names."""
    certificate = _only_certificate(pem)
    identifier = key_identifier(key)
    assert_extensions(
        certificate,
        extension(BASIC_CONSTRAINTS, PATH_OF_ONE, critical=True),
        extension(KEY_USAGE, CERTIFIES, critical=True),
        extension(SUBJECT_KEY, tlv(0x04, identifier)),
        extension(AUTHORITY_KEY, tlv(0x30, tlv(0x80, identifier))),
    )
    assert certificate.subject == certificate.issuer
    assert certificate.public_key() == key
    assert_signed(certificate, certificate)


def assert_is_server(
    pem: bytes, ca: bytes, spec: CertificateSpec, key: PublicKey, *, mutual_auth: bool
) -> None:
    """digitalSignature, keyEncipherment; serverAuth, and clientAuth under mutual authentication; RSA."""
    assert isinstance(key, rsa.RSAPublicKey)
    purposes = SERVER_AUTH + CLIENT_AUTH if mutual_auth else SERVER_AUTH
    _assert_is_leaf(pem, ca, spec, key, SIGNS_AND_ENCIPHERS, purposes)


def assert_is_client(pem: bytes, ca: bytes, spec: CertificateSpec, key: PublicKey) -> None:
    """digitalSignature; clientAuth; RSA or EC."""
    _assert_is_leaf(pem, ca, spec, key, SIGNS, CLIENT_AUTH)


def assert_signed(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """The issuer's key signed the certificate, with the hash that belongs to that key."""
    certificate.verify_directly_issued_by(issuer)
    key = issuer.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        expected = {"secp256r1": "ecdsa-with-SHA256", "secp384r1": "ecdsa-with-SHA384"}[key.curve.name]
    else:
        expected = "sha256WithRSAEncryption"
    assert _SIGNATURES[certificate.signature_algorithm_oid.dotted_string] == expected


def _assert_is_leaf(  # noqa: PLR0913, PLR0917 - a leaf, and the two values that tell profiles apart
    pem: bytes, ca: bytes, spec: CertificateSpec, key: PublicKey, usage: bytes, purposes: bytes
) -> None:
    certificate, issuer = _only_certificate(pem), _only_certificate(ca)
    issuer_key = issuer.public_key()
    assert isinstance(issuer_key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))
    assert_extensions(
        certificate,
        extension(BASIC_CONSTRAINTS, END_ENTITY, critical=True),
        extension(KEY_USAGE, usage, critical=True),
        extension(PURPOSES, tlv(0x30, purposes)),
        extension(ALTERNATIVE_NAME, names(spec.dns_names, spec.addresses)),
        extension(SUBJECT_KEY, tlv(0x04, key_identifier(key))),
        extension(AUTHORITY_KEY, tlv(0x30, tlv(0x80, key_identifier(issuer_key)))),
    )
    assert certificate.subject.rfc4514_string() == f"CN={spec.common_name}"
    assert certificate.issuer.public_bytes() == issuer.subject.public_bytes()
    assert certificate.public_key() == key
    assert_signed(certificate, issuer)


def _only_certificate(pem: bytes) -> x509.Certificate:
    (certificate,) = x509.load_pem_x509_certificates(pem)
    return certificate
