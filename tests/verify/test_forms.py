"""The forms in which certificates and keys are found: PEM of any label, DER, PKCS#7; and unusable ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from ipmpki.authority import paths
from ipmpki.authority.contents import read_contents
from tests.cli.command import ipmpki
from tests.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

LEAF = mint.server()
BOTH = [LEAF.certificate, mint.authority().certificate]
SPKI = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
FORMS = {
    "PEM": LEAF.pem + mint.authority().pem,
    "PEM with carriage returns": (LEAF.pem + mint.authority().pem).replace(b"\n", b"\r\n"),
    "PEM with remarks": b"subject=x\n" + LEAF.pem + b"issuer=\xff\n" + mint.authority().pem,
    "the obsolete label": (LEAF.pem + mint.authority().pem).replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
    "PKCS#7 in PEM": pkcs7.serialize_certificates(BOTH, serialization.Encoding.PEM),
    "PKCS#7 in DER": pkcs7.serialize_certificates(BOTH, serialization.Encoding.DER),
}


@pytest.mark.parametrize("form", FORMS)
def test_certificates_are_read_in_every_form(form: str) -> None:
    found = read_contents("file", FORMS[form])
    assert {one.title for one in found.certificates} == {"ipm1.example.com", "Acme Print CA"}
    assert found.flaws == []


def test_one_certificate_or_list_in_der_is_read() -> None:
    assert [one.title for one in read_contents("file", LEAF.der).certificates] == ["ipm1.example.com"]
    encoded = read_contents("file", mint.crl(mint.authority())).der.values()
    assert len(read_contents("file", *encoded).revocation_lists) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LEAF.private.private_bytes(*SPKI), "the private key is in DER"),
        (LEAF.pem.replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"), "OpenSSL's own TRUSTED form"),
        (mint.key("ed25519").private_bytes(serialization.Encoding.PEM, *SPKI[1:]), "kind Ed25519"),
        (b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "cut off or damaged"),
        (b"-----BEGIN PRIVATE KEY-----\nMAA=\n", "cut off or damaged"),
        (b"\xef\xbb\xbfhello", "there is no certificate, key or CRL"),
    ],
    ids=["DER", "TRUSTED", "Ed25519", "no key", "no end", "text"],
)
def test_what_cannot_be_used_is_said_with_its_reason(content: bytes, words: str) -> None:
    (flaw,) = read_contents("file", content).flaws
    assert words in flaw.message
    assert flaw.remedy


def test_the_second_object_is_pointed_at_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(b"remark\n" + LEAF.pem + mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "both.pem", "--format", "github")
    line = 2 + LEAF.pem.count(b"\n")
    assert f"line={line},endLine={line},col=1,endColumn=28,title=ipmpki%3A root-in-chain" in shown.out


@pytest.mark.parametrize(
    ("name", "words"), [("*.example.com", "a wildcard"), ("a b", "neither a computer's")]
)
def test_a_name_that_is_none_is_wrong_usage(name: str, words: str) -> None:
    shown = ipmpki("verify", "x.pem", "--name", name)
    assert shown.status == 2
    assert words in shown.err


def test_formats_are_those_of_check(tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_bytes(LEAF.pem)
    for format_, sign in (("json", '"rule": "left-unchecked"'), ("sarif", '"version": "2.1.0"')):
        shown = ipmpki("verify", tmp_path / "leaf.pem", "--format", format_)
        assert (shown.status, shown.err) == (0, "")
        assert sign in shown.out


def test_a_mozilla_sized_bundle_is_not_judged_root_by_root(tmp_path: Path) -> None:
    old = mint.authority("Old CA", 6, end=mint.TODAY)
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem + old.pem * 6)
    (tmp_path / "leaf.pem").write_bytes(LEAF.pem)
    asked = ("--ca", tmp_path / "ca.pem", "--name", "ipm1.example.com", "--at", "2026-12-01")
    shown = ipmpki("verify", tmp_path / "leaf.pem", *asked)
    assert "certificate-expired" not in shown.err
    alone = ipmpki("verify", tmp_path / "ca.pem", "--at", "2026-12-01")
    assert alone.err.endswith("no problems (7 certificates)\n")


def test_the_same_hosts_folders_repeat_no_remark(tmp_path: Path) -> None:
    for host in ("a", "b"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "server-cert.pem").write_bytes(LEAF.pem)
        (tmp_path / host / "ca-cert.pem").write_bytes(mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "a", tmp_path / "b", "--at", "2026-12-01")
    assert shown.err.count("left-unchecked") == 1


def test_what_only_openssl_cannot_read_is_a_broken_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise paths.crypto.Error

    monkeypatch.setattr(paths.crypto, "load_certificate", refuse)
    (tmp_path / "leaf.pem").write_bytes(LEAF.pem)
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "leaf.pem", "--ca", tmp_path / "ca.pem", "--at", "2026-12-01")
    assert (
        "error[chain-invalid]: the chain breaks a rule at 'ipm1.example.com': OpenSSL cannot read it"
        in shown.err
    )
