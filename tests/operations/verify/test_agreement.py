"""``ipmpki verify`` on what ipmpki issues, and held against ``openssl verify`` on purpose and names."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.cli.command import ipmpki
from tests.operations.verify import mint
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def test_what_ipmpki_issues_is_found_good(built_shop: Shop) -> None:
    crl = built_shop.dist / "ca" / "crl.pem"
    for short, role, *names in (
        ("ipm1", "server", "ipm1.example.com", "print.example.com", "10.1.2.3"),
        ("desk1", "client", "desk1.example.com"),
    ):
        named = [argument for name in names for argument in ("--name", name)]
        asked = ("--role", role, "--mutual-auth", "required", *named, "--crl", crl, "--strict")
        shown = ipmpki("verify", built_shop.host(short), *asked, "--at", "2026-11-24T12:00")
        assert (shown.status, shown.err) == (0, f"{built_shop.host(short)}: no problems (2 certificates)\n")


def test_a_host_taken_out_of_the_declaration_is_found_revoked(built_shop: Shop) -> None:
    kept = built_shop.folder / "kept.pem"
    kept.write_bytes((built_shop.host("desk2") / "client-cert.pem").read_bytes())
    before, _, _ = built_shop.text.rpartition("\n[[hosts]]")
    built_shop.write(before)
    built_shop.build()
    ca, crl = built_shop.dist / "ca" / "ca-cert.pem", built_shop.dist / "ca" / "crl.pem"
    shown = ipmpki("verify", kept, "--ca", ca, "--crl", crl, "--at", "2026-11-24T12:00")
    assert shown.status == 1
    assert "error[certificate-revoked]: 'desk2.example.com' has been revoked" in shown.err


@dataclass(frozen=True)
class Specimen:
    """A certificate, what it is asked for, whether OpenSSL takes it, and why we do not where we differ."""

    leaf: dict[str, Any]
    role: str = "server"
    issuer: dict[str, Any] = field(default_factory=dict)
    name: str = "ipm1.example.com"
    is_taken_by_openssl: bool = True
    objection: str | None = None


ANY = (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)
VENDOR = "the vendor's page demands more than TLS does"
SPECIMENS = {
    "server": Specimen({}),
    "client": Specimen({"purposes": (mint.CLIENT,)}, "client"),
    "both purposes, for a client": Specimen({"purposes": (mint.SERVER, mint.CLIENT)}, "client"),
    "client's as server": Specimen({"purposes": (mint.CLIENT,)}, is_taken_by_openssl=False),
    "server's as client": Specimen({}, "client", is_taken_by_openssl=False),
    "any purpose": Specimen({"purposes": ANY}, is_taken_by_openssl=False),
    "authority for clients": Specimen({}, issuer={"purposes": (mint.CLIENT,)}, is_taken_by_openssl=False),
    "authority for servers": Specimen({}, issuer={"purposes": (mint.SERVER,)}),
    "authority for any": Specimen({}, issuer={"purposes": ANY}, is_taken_by_openssl=False),
    "signs nothing": Specimen(
        {"usage": ("key_agreement",), "purposes": (mint.CLIENT,)}, "client", objection=VENDOR
    ),
    "no usage": Specimen({"usage": None}, objection=VENDOR),
    "no purpose": Specimen({"purposes": None}, objection=VENDOR),
    "wildcard": Specimen({"names": ("*.example.com",)}),
    "wildcard, two parts": Specimen(
        {"names": ("*.example.com",)}, name="a.b.example.com", is_taken_by_openssl=False
    ),
    "wildcard, no part": Specimen(
        {"names": ("*.example.com",)}, name="example.com", is_taken_by_openssl=False
    ),
    "capitals": Specimen({"names": ("IPM1.Example.COM",)}),
    "another name": Specimen({"names": ("ipm2.example.com",)}, is_taken_by_openssl=False),
    "subject alone": Specimen(
        {"names": ("ipm2.example.com",), "subject": "ipm1.example.com"}, is_taken_by_openssl=False
    ),
    "partial wildcard": Specimen({"names": ("ipm*.example.com",)}, objection=VENDOR),
    "no alternative name": Specimen(
        {"names": ()}, objection="OpenSSL falls back on the subject; RFC 9525 does not"
    ),
}


@pytest.mark.parametrize("title", SPECIMENS)
def test_it_agrees_with_openssl_on_purpose_and_names(title: str, tmp_path: Path) -> None:
    one = SPECIMENS[title]
    middle = mint.make(
        mint.Order(
            subject="Acme Middle CA",
            names=(),
            is_authority=True,
            kind="ec",
            number=7,
            **{"usage": ("key_cert_sign", "crl_sign"), "purposes": None} | one.issuer,
        ),
        mint.authority(),
    )
    leaf = mint.server(middle, **one.leaf)
    for name, content in {"leaf": leaf.pem, "middle": middle.pem, "ca": mint.authority().pem}.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    (tmp_path / "chain.pem").write_bytes(leaf.pem + middle.pem)
    asked = ("--role", one.role, "--name", one.name, "--ca", tmp_path / "ca.pem")
    shown = ipmpki("verify", tmp_path / "chain.pem", *asked, "--at", "2026-11-24T12:00")
    command: list[str | Path] = [
        *(
            require("openssl"),
            "verify",
            "-CAfile",
            tmp_path / "ca.pem",
            "-untrusted",
            tmp_path / "middle.pem",
        ),
        *("-purpose", f"ssl{one.role}", "-verify_hostname", one.name),
        *("-attime", str(int(mint.TODAY.timestamp())), tmp_path / "leaf.pem"),
    ]
    taken = subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert taken == one.is_taken_by_openssl
    assert (shown.status == 0) == (taken and one.objection is None), shown.err
