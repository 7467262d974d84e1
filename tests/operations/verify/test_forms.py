"""The forms in which certificates and keys are found: PEM of any label, DER, PKCS#7; and unusable ones."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from OpenSSL import crypto

from ipmpki.x509.contents import read_contents
from tests.cli.command import ipmpki
from tests.operations.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

SPKI = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
FORMS = (
    "PEM",
    "PEM with carriage returns",
    "PEM with remarks",
    "the obsolete label",
    "PKCS#7 in PEM",
    "PKCS#7 in DER",
)


@functools.cache
def leaf() -> mint.Made:
    """Made when the first test runs, not when tests are collected."""
    return mint.server()


def in_form(form: str) -> bytes:
    """A server's certificate and its authority's in one of FORMS."""
    one, other = leaf().pem, mint.authority().pem
    both = [leaf().certificate, mint.authority().certificate]
    return {
        "PEM": one + other,
        "PEM with carriage returns": (one + other).replace(b"\n", b"\r\n"),
        "PEM with remarks": b"subject=x\n" + one + b"issuer=\xff\n" + other,
        "the obsolete label": (one + other).replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
        "PKCS#7 in PEM": pkcs7.serialize_certificates(both, serialization.Encoding.PEM),
        "PKCS#7 in DER": pkcs7.serialize_certificates(both, serialization.Encoding.DER),
    }[form]


@pytest.mark.parametrize("form", FORMS)
def test_certificates_are_read_in_every_form(form: str) -> None:
    found = read_contents("file", in_form(form))
    assert {one.title for one in found.certificates} == {"ipm1.example.com", "Acme Print CA"}
    assert found.flaws == []


def test_one_certificate_or_list_in_der_is_read() -> None:
    assert [one.title for one in read_contents("file", leaf().der).certificates] == ["ipm1.example.com"]
    encoded = read_contents("file", mint.crl(mint.authority())).der.values()
    assert len(read_contents("file", *encoded).revocation_lists) == 1


UNUSABLE = {
    "DER": "the private key is in DER",
    "Ed25519": "kind Ed25519",
    "no key": "cut off or damaged",
    "no end": "cut off or damaged",
    "text": "there is no certificate, key or CRL",
}


@pytest.mark.parametrize("form", UNUSABLE)
def test_what_cannot_be_used_is_said_with_its_reason(form: str) -> None:
    content = {
        "DER": leaf().private.private_bytes(*SPKI),
        "Ed25519": mint.key("ed25519").private_bytes(serialization.Encoding.PEM, *SPKI[1:]),
        "no key": b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "no end": b"-----BEGIN PRIVATE KEY-----\nMAA=\n",
        "text": b"\xef\xbb\xbfhello",
    }[form]
    (flaw,) = read_contents("file", content).flaws
    assert UNUSABLE[form] in flaw.message
    assert flaw.remedy


def test_key_and_certificate_may_be_one_file(tmp_path: Path) -> None:
    file = tmp_path / "both.pem"
    file.write_bytes(leaf().key_pem() + leaf().pem)
    file.chmod(0o644)
    shown = ipmpki("verify", file, "--at", "2026-12-01")
    assert shown.status == 0
    assert f"others than its owner have access to '{file}' (mode 0644)" in shown.err
    assert "key-mismatch" not in shown.err


def test_the_authoritys_key_is_not_the_servers(tmp_path: Path) -> None:
    (tmp_path / "server-cert.pem").write_bytes(leaf().pem + mint.authority().pem)
    (tmp_path / "server-key.pem").write_bytes(mint.authority().key_pem())
    (tmp_path / "ca-cert.pem").write_bytes(mint.authority().pem)
    shown = ipmpki("verify", tmp_path, "--at", "2026-12-01")
    assert "error[key-mismatch]" in shown.err


def test_the_second_object_is_pointed_at_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(b"remark\n" + leaf().pem + mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "both.pem", "--format", "github")
    line = 2 + leaf().pem.count(b"\n")
    assert f"line={line},endLine={line},col=1,endColumn=28,title=ipmpki%3A root-in-chain" in shown.out


@pytest.mark.parametrize(
    ("name", "words"), [("*.example.com", "a wildcard"), ("a b", "neither a computer's")]
)
def test_a_name_that_is_none_is_wrong_usage(name: str, words: str) -> None:
    shown = ipmpki("verify", "x.pem", "--name", name)
    assert shown.status == 2
    assert words in shown.err


def test_formats_are_those_of_check(tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_bytes(leaf().pem)
    for format_, sign in (("json", '"rule": "left-unchecked"'), ("sarif", '"version": "2.1.0"')):
        shown = ipmpki("verify", tmp_path / "leaf.pem", "--at", "2026-12-01", "--format", format_)
        assert (shown.status, shown.err) == (0, "")
        assert sign in shown.out


def test_a_mozilla_sized_bundle_is_not_judged_root_by_root(tmp_path: Path) -> None:
    old = mint.authority("Old CA", 6, end=mint.TODAY)
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem + old.pem * 6)
    (tmp_path / "leaf.pem").write_bytes(leaf().pem)
    asked = ("--ca", tmp_path / "ca.pem", "--name", "ipm1.example.com", "--at", "2026-12-01")
    shown = ipmpki("verify", tmp_path / "leaf.pem", *asked)
    assert "certificate-expired" not in shown.err
    alone = ipmpki("verify", tmp_path / "ca.pem", "--at", "2026-12-01")
    assert alone.err.endswith("no problems (7 certificates)\n")


def test_the_same_hosts_folders_repeat_no_remark(tmp_path: Path) -> None:
    for host in ("a", "b"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "server-cert.pem").write_bytes(leaf().pem)
        (tmp_path / host / "ca-cert.pem").write_bytes(mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "a", tmp_path / "b", "--at", "2026-12-01")
    assert shown.err.count("left-unchecked") == 1


def test_what_only_openssl_cannot_read_is_a_broken_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise crypto.Error

    monkeypatch.setattr(crypto, "load_certificate", refuse)
    (tmp_path / "leaf.pem").write_bytes(leaf().pem)
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    shown = ipmpki("verify", tmp_path / "leaf.pem", "--ca", tmp_path / "ca.pem", "--at", "2026-12-01")
    assert (
        "error[chain-invalid]: the chain breaks a rule at 'ipm1.example.com': OpenSSL cannot read it"
        in shown.err
    )
