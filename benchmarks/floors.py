"""The floors: the same work by the bare libraries, each as a process of its own, as ipmpki is."""

from __future__ import annotations

import sys
from pathlib import Path


def parse(path: str) -> None:
    """Parse and model a declaration: tomllib and pydantic, nothing else."""
    import tomllib

    from frozen_model import Document

    Document.model_validate(tomllib.loads(Path(path).read_text()))


def ends(path: str, store: str) -> None:
    """Parse and model a declaration, and list what its store says of each host's certificate."""
    import sqlite3

    parse(path)
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT not_after, host, serial, revoked_at FROM certificate WHERE retired_at IS NULL ORDER BY 1"
        )
        sys.stdout.writelines(f"{host} {serial} {end} {revoked}\n" for end, host, serial, revoked in rows)


def keys(count: str) -> None:
    """Make RSA keys on all cores."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    from cryptography.hazmat.primitives.asymmetric import rsa

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for made in [pool.submit(rsa.generate_private_key, 65537, 2048) for _ in range(int(count))]:
            made.result()


def sign(count: str, target: str, like: str) -> None:
    """Make EC keys, sign certificates, and write as many files of the same sizes as a build does."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    ca_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme Print CA")])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    sample = next((path for path in (Path(like) / "hosts").glob("desk*") if path.is_dir()), None)
    others = {
        path.name: path.read_bytes()
        for path in (sample.iterdir() if sample else ())
        if path.name not in {"client-cert.pem", "client-key.pem"}
    }
    for number in range(int(count)):
        key = ec.generate_private_key(ec.SECP256R1())
        name = f"desk{number}.example.com"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=397))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        x509.DNSName(name),
                        x509.DNSName(f"print{number}.example.com"),
                        x509.IPAddress(
                            ipaddress.ip_address(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
                        ),
                    ]
                ),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
        )
        certificate = builder.sign(ca_key, hashes.SHA256())
        folder = Path(target) / name
        folder.mkdir(parents=True)
        written = {
            "client-cert.pem": certificate.public_bytes(serialization.Encoding.PEM),
            "client-key.pem": key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            **others,
        }
        for file, content in written.items():
            (folder / file).write_bytes(content)


if __name__ == "__main__":
    {"parse": parse, "ends": ends, "keys": keys, "sign": sign}[sys.argv[1]](*sys.argv[2:])
