"""What OpenSSL refuses for its use, verify refuses; what only verify refuses, the vendor's page asks for."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ipmpki.x509.pem import armoured
from tests.cli.command import ipmpki
from tests.operations.verify import mint
from tests.operations.verify.test_servers import listening, tls
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-24T12:00"
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
NETSCAPE = {None: None, "client": 0x80, "server": 0x40, "both": 0xC0, "email": 0x20, "authority": 0x04}
USAGES = (
    None,
    ("digital_signature", "key_encipherment"),
    *((one,) for one in ("digital_signature", "key_encipherment", "key_agreement", "data_encipherment")),
    ("digital_signature", "key_agreement"),
    ("key_encipherment", "key_agreement"),
    ("content_commitment",),
)
PURPOSES = (None, (mint.SERVER,), (mint.CLIENT,), (mint.SERVER, mint.CLIENT), (ANY,))
WANTED = {
    "server": (mint.SERVER, {"digital_signature", "key_encipherment"}),
    "client": (mint.CLIENT, {"digital_signature"}),
}


def netscape(value: int | None, *, critical: bool = False) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """An nsCertType extension with this octet."""
    if value is None:
        return ()
    unused = (value & -value).bit_length() - 1
    oid = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
    return ((x509.UnrecognizedExtension(oid, bytes((3, 2, unused, value))), critical),)


def bound_to_pss(made: mint.Made) -> bytes:
    """The same certificate, in PEM, for the key as one that is bound to RSASSA-PSS; its signature is gone."""
    read = asn1.Certificate.load(made.der)
    held = read["tbs_certificate"]["subject_public_key_info"]
    held["algorithm"] = asn1_keys.PublicKeyAlgorithm({"algorithm": "rsassa_pss"})
    return armoured("CERTIFICATE", read.dump(force=True))


def openssl_accepts(folder: Path, role: str) -> bool:
    """What both of OpenSSL's commands say of leaf.pem, which agree."""
    openssl, purpose = require("openssl"), f"ssl{role}"
    verify = [openssl, "verify", "-no_check_time", "-CAfile", "ca.pem", "-purpose", purpose, "leaf.pem"]
    shown = [openssl, "x509", "-in", "leaf.pem", "-noout", "-purpose"]
    verified = subprocess.run(verify, cwd=folder, capture_output=True, text=True, check=False)
    told = subprocess.run(shown, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert (f"SSL {role} : Yes" in told) == (verified.returncode == 0), (told, verified)
    return verified.returncode == 0


def refusals(folder: Path, role: str) -> set[str]:
    """The rules by which verify refuses leaf.pem in a role."""
    found = ipmpki(
        *("verify", folder / "leaf.pem", "--ca", folder / "ca.pem", "--role", role),
        *("--at", AT, "--format", "json"),
    )
    return {one["rule"] for one in json.loads(found.out)["problems"] if one["severity"] == "error"}


def agree(folder: Path, role: str, usage: Any, purposes: Any, kind: str | None) -> None:
    leaf = mint.server(usage=usage, purposes=purposes, further=netscape(NETSCAPE[kind]))
    (folder / "leaf.pem").write_bytes(leaf.pem)
    (folder / "ca.pem").write_bytes(mint.authority().pem)
    found = refusals(folder, role)
    assert found <= {"purpose-missing", "key-usage-wrong"}
    purpose, usages = WANTED[role]
    if not openssl_accepts(folder, role):
        assert found, (role, usage, purposes, kind)
    elif found:
        meets = purpose in (purposes or ()) and usages <= set(usage or ())
        assert not meets, (role, usage, purposes, kind, found)


@pytest.mark.parametrize("role", WANTED)
@pytest.mark.parametrize("kind", NETSCAPE)
def test_a_netscape_type_counts_as_openssl_counts_it(tmp_path: Path, role: str, kind: str | None) -> None:
    agree(tmp_path, role, ("digital_signature", "key_encipherment"), (mint.SERVER, mint.CLIENT), kind)


@pytest.mark.exhaustive
def test_every_usage_is_judged_no_milder_than_openssl_does(tmp_path: Path) -> None:
    for role, usage, purposes, kind in itertools.product(WANTED, USAGES, PURPOSES, (None, "client", "both")):
        agree(tmp_path, role, usage, purposes, kind)


def test_a_netscape_type_that_does_not_fit_is_told_as_such(tmp_path: Path) -> None:
    leaf = mint.server(further=netscape(NETSCAPE["client"], critical=True))
    (tmp_path / "leaf.pem").write_bytes(leaf.pem)
    told = ipmpki("verify", tmp_path / "leaf.pem", "--role", "server", "--at", AT).err
    assert (
        "error[purpose-missing]: the Netscape Cert Type of 'ipm1.example.com' is not for a server, so that"
        " OpenSSL refuses it" in told
    )


def test_a_key_that_is_bound_to_pss_is_no_servers(tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_bytes(bound_to_pss(mint.server()))
    told = ipmpki("verify", tmp_path / "leaf.pem", "--role", "server", "--at", AT).err
    assert "error[server-key-cannot-encipher]: 'rsa-pss-2048' cannot be a server's key" in told
    as_client = mint.client(kind="rsa-2048")
    (tmp_path / "leaf.pem").write_bytes(bound_to_pss(as_client))
    assert "error" not in ipmpki("verify", tmp_path / "leaf.pem", "--role", "client", "--at", AT).err


def test_a_server_whose_own_certificate_cannot_be_read_is_told_of_that_alone(tmp_path: Path) -> None:
    middle = mint.authority("Acme Server CA", 2, mint.authority())
    leaf = mint.server(middle)
    end = f"{leaf.certificate.not_valid_after_utc:%y%m%d%H%M%S}Z".encode()
    assert end in leaf.der
    broken = armoured("CERTIFICATE", leaf.der.replace(end, b"2x" + end[2:]))
    (tmp_path / "chain.pem").write_bytes(broken + middle.pem)
    (tmp_path / "key.pem").write_bytes(leaf.key_pem())
    (tmp_path / "ca.pem").write_bytes(mint.authority().pem)
    with listening(tls(tmp_path)) as port:
        found = ipmpki(
            *("verify", f"127.0.0.1:{port}", "--ca", tmp_path / "ca.pem", "--at", AT, "--format", "json")
        )
    (problem,) = json.loads(found.out)["problems"]
    assert problem["rule"] == "certificate-unreadable"
    assert "its validity is no pair of times" in problem["message"]
