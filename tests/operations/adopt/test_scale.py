"""Thousands of certificates are adopted in the time it takes to read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ipmpki.x509 import confined_reader, foreign_pki
from tests.cli.command import ipmpki
from tests.x509.hostile import endless_pkcs12, revocation_list

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operations.adopt.conftest import Heir

HOSTS = 5_000
SECONDS = 60


def fill(folder: Path, hosts: int) -> None:
    """Certificates as openssl would have made them, with EC keys, below the authority in the folder."""
    authority = x509.load_pem_x509_certificate((folder / "cacert.pem").read_bytes())
    key = serialization.load_pem_private_key((folder / "private/cakey.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    end = begin + timedelta(days=365)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    index = []
    for number in range(hosts):
        name = f"desk{number}.example.com"
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(authority.subject)
            .public_key(own.public_key())
            .serial_number(number + 1)
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (folder / "certs" / f"{name}.crt").write_bytes(pem)
        (folder / "newcerts" / f"{number + 1:02X}.pem").write_bytes(pem)
        (folder / "private" / f"{name}.key").write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        index.append(f"V\t{end:%y%m%d%H%M%S}Z\t\t{number + 1:02X}\tunknown\t/CN={name}\n")
    (folder / "index.txt").write_text("".join(index))


@pytest.mark.exhaustive
def test_five_thousand_hosts(heir: Heir) -> None:
    fill(heir.old.found().folder, HOSTS)
    begun = time.monotonic()
    adopted = heir.adopt()
    assert time.monotonic() - begun < SECONDS
    assert adopted.status == 0
    assert f"0 servers, {HOSTS:,} clients" in adopted.out
    assert len(adopted.out.splitlines()) < 60
    assert set(heir.changes()) == {("crl", None)}
    assert ipmpki("check", heir.declaration).status == 0


def test_a_list_of_more_entries_than_are_taken_is_refused_with_its_name(
    shop_heir: Heir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_pki, "MOST_REVOCATIONS", 9)
    (shop_heir.old.folder / "large.crl").write_bytes(revocation_list(10))
    done = shop_heir.adopt()
    assert done.status == 2
    told = done.err
    assert "large.crl: the revocation list has 10 entries; 9 are the most" in told
    assert "--without large.crl" in told


def test_a_file_that_is_given_up_on_is_told_and_hides_no_other(
    shop_heir: Heir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined_reader, "SECONDS", 0.5)
    (shop_heir.old.folder / "old.p12").write_bytes(endless_pkcs12())
    told = shop_heir.adopt().out
    assert "old.p12: it takes more than 0.5 seconds to read, and was given up on" in told
    assert shop_heir.declaration.exists()


@pytest.mark.exhaustive
def test_a_list_of_900_000_entries_is_refused_in_the_time_it_takes_to_read_it(shop_heir: Heir) -> None:
    (shop_heir.old.folder / "large.crl").write_bytes(revocation_list(900_000))
    began = time.monotonic()
    done = shop_heir.adopt()
    assert "the revocation list has 900000 entries; 100000 are the most" in done.err
    assert time.monotonic() - began < 20
