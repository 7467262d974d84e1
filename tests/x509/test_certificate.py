"""Certificates read back, whole chains too; and what is no certificate called what it is."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import Profile
from ipmpki.x509 import keys
from ipmpki.x509.certificate import CertificateUnreadable, read_certificate, read_certificates
from ipmpki.x509.issuer import load_issuer
from tests.tools import require
from tests.x509.matrix import COMBINATIONS, Combination

if TYPE_CHECKING:
    from pathlib import Path

    from tests.x509.conftest import Issuance, KeyRing

USAGES = {
    Profile.SERVER: (("digitalSignature", "keyEncipherment"), ("serverAuth",)),
    Profile.SERVER_MUTUAL: (("digitalSignature", "keyEncipherment"), ("serverAuth", "clientAuth")),
    Profile.CLIENT: (("digitalSignature",), ("clientAuth",)),
}


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.name)
def test_what_was_ordered_is_read_back(
    combination: Combination, issuance: Issuance, leaf_keys: KeyRing
) -> None:
    pem, spec = issuance.leaves[combination], combination.spec
    facts = read_certificate(pem)
    assert facts.common_name == spec.common_name
    assert facts.subject == f"CN={spec.common_name}"
    assert facts.issuer == read_certificate(issuance.authorities[combination.authority_key]).subject
    assert (facts.dns_names, facts.addresses) == (spec.dns_names, spec.addresses)
    assert (facts.key_usage, facts.extended_key_usage) == USAGES[spec.profile]
    assert facts.key_type == spec.key.value
    assert facts.public_key_digest == keys.public_key_digest(leaf_keys[spec.key])
    assert not facts.is_authority
    certificate = x509.load_pem_x509_certificate(pem)
    assert facts.serial == certificate.serial_number
    assert facts.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()


def test_an_authority_is_known_as_one(issuance: Issuance) -> None:
    facts = read_certificate(issuance.authorities[KeyType.EC_P384])
    assert facts.is_authority
    assert (
        facts.subject
        == facts.issuer
        == ("CN=Acmé Print CA ec-p384,OU=Print,O=Acmé GmbH,L=München,ST=Bayern,C=DE")
    )
    assert (facts.key_usage, facts.extended_key_usage) == (("keyCertSign", "cRLSign"), ())
    assert (facts.dns_names, facts.addresses) == ((), ())


def test_a_chain_is_read_in_the_files_order_whatever_stands_between(
    issuance: Issuance, leaf_keys: KeyRing
) -> None:
    authority = issuance.authorities[KeyType.EC_P256]
    leaf = issuance.leaves[COMBINATIONS[0]].replace(b"\n", b"\r\n")
    file = b"\xef\xbb\xbfsubject=/CN=x\n" + leaf + keys.to_pem(leaf_keys[KeyType.EC_P256]) + b"\n" + authority
    assert [facts.is_authority for facts in read_certificates(file)] == [False, True]
    assert read_certificate(file) == read_certificate(leaf)


def test_a_certificate_of_another_making_is_read_without_fail() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    names = [
        x509.RFC822Name("a@example.com"),
        x509.IPAddress(ip_network("10.0.0.0/8")),
        x509.IPAddress(ip_address("10.1.2.3")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .sign(key, None)
    )
    facts = read_certificate(certificate.public_bytes(serialization.Encoding.PEM))
    assert facts.common_name is None
    assert facts.key_type == "ed25519"
    assert (facts.dns_names, facts.addresses) == ((), (ip_address("10.1.2.3"),))
    assert (facts.key_usage, facts.extended_key_usage) == ((), ("1.3.6.1.5.5.7.3.3", "clientAuth"))
    assert len(facts.public_key_digest) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"garbage", "there is no certificate in this file"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n", "there is a certificate request where"),
        (b"-----BEGIN CERTIFICATE-----\n", "cut off or damaged"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "cut off or damaged"),
    ],
)
def test_what_is_no_certificate_is_called_what_it_is(text: bytes, message: str) -> None:
    with pytest.raises(CertificateUnreadable, match=message) as caught:
        read_certificates(text)
    assert caught.value.remedy


def test_a_private_key_in_place_of_a_certificate_is_not_quoted(leaf_keys: KeyRing) -> None:
    pem = keys.to_pem(leaf_keys[KeyType.EC_P256])
    with pytest.raises(
        CertificateUnreadable, match="a private key where a certificate is expected"
    ) as caught:
        read_certificate(pem)
    assert pem.splitlines()[1].decode() not in str(caught.value)


def test_der_is_read_and_one_that_is_cut_off_said_to_be_with_the_place(issuance: Issuance) -> None:
    pem = issuance.authorities[KeyType.EC_P256]
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    assert read_certificate(der + b"\n") == read_certificate(pem)
    with pytest.raises(CertificateUnreadable, match="ends too early: after 300 octets, within"):
        read_certificate(der[:300])


def test_a_chain_cut_off_in_its_second_certificate_does_not_pass_for_a_shorter_one(
    issuance: Issuance,
) -> None:
    pem = issuance.authorities[KeyType.EC_P256]
    for missing in (10, 40, 200):
        with pytest.raises(CertificateUnreadable, match="cut off or damaged"):
            read_certificates(pem + pem[:-missing])


def test_a_damaged_certificate_is_never_half_read(issuance: Issuance) -> None:
    # Whatever octet is hit, the answer is facts (a flipped bit of a name goes unseen here: reading is not
    # verifying) or CertificateUnreadable; no other exception.
    der = x509.load_pem_x509_certificate(issuance.leaves[COMBINATIONS[-1]]).public_bytes(
        serialization.Encoding.DER
    )
    refused = 0
    for position in range(len(der)):
        for flip in (0x01, 0x80):
            damaged = der[:position] + bytes([der[position] ^ flip]) + der[position + 1 :]
            try:
                read_certificate(_pem(damaged))
            except CertificateUnreadable:
                refused += 1
    assert refused > 200


def test_an_old_authority_numbered_zero_is_read_without_a_warning(leaf_keys: KeyRing, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(keys.to_pem(leaf_keys[KeyType.EC_P256]))
    command = [require("openssl"), "req", "-x509", "-new", "-subj", "/CN=Old CA", "-set_serial", "0", "-key"]
    pem = subprocess.run([*command, key], capture_output=True, check=True).stdout
    assert read_certificate(pem).serial == 0
    assert load_issuer(pem, leaf_keys[KeyType.EC_P256]).certificates


def _pem(der: bytes) -> bytes:

    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
