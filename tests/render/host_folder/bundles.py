"""Bundles of real certificates, made once a process, to render folders from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ipmpki.declaration import tables
from ipmpki.declaration.fleet import CertificateSpec, HostSpec, KeptKey, KeywordNames, SiteSettings
from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import OperatingSystem, Profile, Role
from ipmpki.diagnostics.problem import Place
from ipmpki.render.host_folder.contents import HostBundle
from ipmpki.render.host_folder.folder import render_host

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ipm1.example.com"


@cache
def pair(label: str) -> tuple[bytes, bytes]:
    """Return a self-signed certificate and its key, both PEM: what install.sh checks needs no more.

    The label ``expired`` makes one that has expired, and one that begins with ``rsa`` one with an RSA key,
    whose signatures are the same each time.
    """
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if label.startswith("rsa "):
        key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
    start = datetime.now(UTC) - timedelta(days=30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1 if label == "expired" else 300))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def certified(request: bytes) -> bytes:
    """Return a certificate, PEM, for the key of a request in PEM."""
    made = x509.load_pem_x509_csr(request)
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(made.subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme Print CA")]))
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=300))
        .sign(_AUTHORITY, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


_AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def bundle_of(  # noqa: PLR0913 -- each names one thing a test varies
    role: str = "server",
    os: str = "linux",
    *,
    name: str = NAME,
    mutual: bool = False,
    label: str = "first",
    account: str | None = None,
    restart: str | None = None,
    keywords: KeywordNames | None = None,
    aliases: tuple[str, ...] = ("print.example.com", "ipm1"),
    authority: str = "Acme Print CA",
    own_key: bool = False,
    crl: bytes | None = None,
    request: bytes | None = None,
    key_type: str = "rsa-2048",
) -> HostBundle:
    """Return a bundle; ``label`` tells generations of certificates apart.

    With ``own_key`` the host declares csr; with ``request`` it has got the certificate for that one, and with
    the label ``awaited`` none yet.
    """
    certificate, key = pair(label) if role == "server" or mutual else (None, None)
    kept = None
    if own_key or request is not None:
        certificate = certified(request) if request is not None else certificate
        certificate, key = None if label == "awaited" else certificate, None
        profile = Profile(role if role == "client" else "server-mutual" if mutual else "server")
        names = (name, *aliases)
        kept = CertificateSpec(
            profile, name, names, (), KeyType(key_type), timedelta(397), KeptKey(f"csr/{role}.csr")
        )
    host = HostSpec(
        name=name,
        role=Role(role),
        os=next(one for one in OperatingSystem if one == os),
        aliases=aliases,
        addresses=(),
        certificate=kept,
        renew_before=timedelta(30),
        site=SiteSettings(account, restart, keywords or KeywordNames()),
        place=Place("pki.toml", ("hosts", 0)),
        declared=tables.Host(name=name, role=Role(role)),
    )
    ca_certificates, _ = pair(f"authority of {label}")
    return HostBundle(host, authority, mutual, mutual, ca_certificates, certificate, key, crl)


def write_folder(bundle: HostBundle, folder: Path) -> Path:
    """Write what ``render_host`` makes of the bundle, as the publisher would."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in render_host(bundle):
        path = folder / file.name
        path.write_bytes(file.content)
        path.chmod(file.mode)
    return folder
