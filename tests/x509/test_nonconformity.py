"""Certificates that the library refuses for one odd field, and OpenSSL uses: read, with the field named."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ipmpki.x509.contents import read_contents
from ipmpki.x509.presented_certificates import RemarkKind
from tests.cli.command import ipmpki
from tests.operations.verify import mint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME, _BASIC, _POLICIES = (x509.ObjectIdentifier(f"2.5.29.{one}") for one in (17, 19, 32))


def rewritten(made: mint.Made, old: bytes, new: bytes) -> bytes:
    """A certificate with some octets of the same number in place of others, signed again by an EC key."""
    signed = made.certificate.tbs_certificate_bytes
    assert len(old) == len(new)
    assert old in signed
    signed = signed.replace(old, new)
    signer = mint.authority() if made.certificate.issuer != made.certificate.subject else made
    assert isinstance(signer.private, ec.EllipticCurvePrivateKey)
    signature = b"\0" + signer.private.sign(signed, ec.ECDSA(hashes.SHA256()))
    kind = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"  # ecdsa-with-SHA256 (RFC 5758)
    inside = signed + kind + b"\x03" + bytes([len(signature)]) + signature
    return b"\x30\x82" + len(inside).to_bytes(2, "big") + inside


def with_extension(kind: x509.ObjectIdentifier, octets: bytes, *, is_authority: bool = False) -> bytes:
    """A sound certificate but for one extension, whose value is these octets."""
    made = mint.authority("Odd CA", 5) if is_authority else mint.server()
    old = made.certificate
    signer = made if is_authority else mint.authority()
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), 7, old.not_valid_before_utc, old.not_valid_after_utc
    )
    for one in old.extensions:
        if one.oid != kind:
            builder = builder.add_extension(one.value, one.critical)
    builder = builder.add_extension(x509.UnrecognizedExtension(kind, octets), critical=False)
    return mint.Made(builder.sign(signer.private, hashes.SHA256()), made.private).der


def ampersand() -> bytes:
    return rewritten(mint.server(subject="Smith & Sons"), b"\x0c\x0cSmith", b"\x13\x0cSmith")


ODD: dict[str, tuple[Callable[[], bytes], str]] = {
    "T61String": (
        lambda: rewritten(mint.server(subject="Mxller"), b"\x0c\x06Mx", b"\x14\x06M\xfc"),
        "its subject",
    ),
    "ampersand in a PrintableString": (ampersand, "its subject"),
    "cA FALSE spelt out": (lambda: with_extension(_BASIC, b"\x30\x03\x01\x01\x00"), "basicConstraints"),
    "CA:FALSE, pathlen:0": (
        lambda: with_extension(_BASIC, b"\x30\x03\x02\x01\x00"),
        "basicConstraints",
    ),
    "an address written as text": (
        lambda: with_extension(_NAME, b"\x30\x1c\x82\x10ipm1.example.com\x87\x0810.1.2.3"),
        "subjectAltName",
    ),
    "policies that cannot be parsed": (
        lambda: with_extension(_POLICIES, b"\x30\x02\x05\x00"),
        "certificatePolicies",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_field_is_named_and_the_rest_is_read(name: str) -> None:
    make, field = ODD[name]
    encoded = make()
    found = read_contents("file", encoded)
    assert found.flaws == []
    (one,) = found.certificates
    assert one.dns_names == ("ipm1.example.com",)
    assert (one.key_usage, one.extended_key_usage) == (
        ("digitalSignature", "keyEncipherment"),
        ("serverAuth",),
    )
    assert (one.is_authority, one.key_type, one.signature_hash) == (False, "rsa-2048", "sha256")
    sound = read_contents("file", mint.server().der).certificates[0]
    assert (one.not_after, one.public_key_digest, one.issuer) == (
        sound.not_after,
        sound.public_key_digest,
        sound.issuer,
    )
    assert one.fingerprint == hashlib.sha256(encoded).hexdigest()
    told = [remark.message for remark in found.remarks if remark.kind is RemarkKind.FIELD]
    assert any(field in message for message in told)


def test_an_odd_root_in_the_bundle_fails_no_chain_that_does_not_need_it(tmp_path: Path) -> None:
    odd = mint.authority("Mxller CA", 5)
    (tmp_path / "odd.der").write_bytes(rewritten(odd, b"\x0c\x09Mx", b"\x14\x09M\xfc"))
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    (tmp_path / "leaf.pem").write_bytes(mint.server().pem)
    asked = ("--ca", tmp_path / "odd.der", "--ca", tmp_path / "ca.pem", "--name", "ipm1.example.com")
    shown = ipmpki("verify", tmp_path / "leaf.pem", *asked, "--at", "2026-12-01")
    assert (shown.status, "error" in shown.err) == (0, False)
    assert "its issuer's name and its subject are not as RFC 5280 has it" in shown.err


def test_a_chain_through_an_odd_authority_is_validated(tmp_path: Path) -> None:
    encoded = with_extension(_POLICIES, b"\x30\x02\x05\x00", is_authority=True)
    (tmp_path / "ca.der").write_bytes(encoded)
    (tmp_path / "leaf.pem").write_bytes(mint.server(mint.authority("Odd CA", 5)).pem)
    asked = ("--ca", tmp_path / "ca.der", "--name", "ipm1.example.com", "--role", "server")
    shown = ipmpki("verify", tmp_path / "leaf.pem", *asked, "--at", "2026-12-01")
    assert (shown.status, "error" in shown.err) == (0, False)


def test_what_has_no_readable_validity_is_not_to_be_copied_again() -> None:
    made = mint.server()
    end = made.certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ").encode()
    (flaw,) = read_contents("file", rewritten(made, end, b"next Thursday")).flaws
    assert "its validity is no pair of times" in flaw.message
    assert "copying the file again changes nothing" in str(flaw.remedy)


def test_a_certificate_that_is_valid_from_the_year_0_is_shown(tmp_path: Path) -> None:
    made = mint.server(begin=datetime(2051, 1, 1, tzinfo=UTC), end=datetime(2052, 1, 1, tzinfo=UTC))
    (tmp_path / "old.der").write_bytes(rewritten(made, b"20510101000000Z", b"00000101000000Z"))
    for options in ((), ("--format", "json")):
        found = ipmpki("verify", tmp_path / "old.der", "--at", "2026-11-24", *options)
        assert found.status == 0
        assert "0001-01-01" in found.err + found.out
