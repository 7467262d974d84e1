"""An authority that exists already: its files are read and judged, and never copied."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.cli.command import ipmpki
from tests.operations.verify import mint
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-12-24"
PRIVATE = """\
schema = 1
[ca]
certificate = "ca.pem"
key_file = "ca.key"
[[hosts]]
name = "desk1.example.com"
role = "client"
"""
BOUGHT = """\
schema = 1
[ca]
kind = "third-party"
bundle = "ca.pem"
[[hosts]]
name = "desk1.example.com"
role = "client"
"""


def authority() -> mint.Made:
    return mint.authority("Acme Print CA", path_length=0)


def below(root: mint.Made, name: str = "Acme Issuing CA", **changes: Any) -> mint.Made:
    """An issuing authority that says which key signed it, as RFC 5280, section 4.2.1.1, demands."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private.public_key())
    usual: dict[str, Any] = {"end": mint.TODAY + 3650 * mint.DAY, "usage": ("key_cert_sign", "crl_sign")}
    usual |= {"purposes": None, "kind": "ec", "number": 1} | changes
    order = mint.Order(name, (), is_authority=True, further=((identifier, False),), **usual)
    return mint.make(order, root)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an authority's key; its certificate and pki.toml are up to the test."""
    (tmp_path / "ca.key").write_bytes(authority().key_pem())
    (tmp_path / "ca.key").chmod(0o600)
    return tmp_path


def published(folder: Path) -> list[Path]:
    return [*folder.glob("dist/ca/ca-cert.pem"), *folder.glob("dist/hosts/*/ca-cert.pem")]


@pytest.mark.parametrize("text", [PRIVATE, BOUGHT], ids=["private", "third-party"])
def test_a_private_key_in_the_authoritys_file_is_never_published(folder: Path, text: str) -> None:
    (folder / "pki.toml").write_text(text)
    (folder / "ca.pem").write_bytes(b"a remark\n" + authority().key_pem() + authority().pem)
    (folder / "ca.pem").chmod(0o600)
    assert ipmpki("build", folder / "pki.toml").status == 0
    files = published(folder)
    assert len(files) == 2
    assert {file.read_bytes() for file in files} == {authority().pem}
    assert ipmpki("plan", folder / "pki.toml", "--exit-code").status == 0


@pytest.mark.parametrize("text", [PRIVATE, BOUGHT], ids=["private", "third-party"])
@pytest.mark.parametrize("form", ["DER", "CR", "UTF-16"])
def test_whatever_the_form_of_its_file_plain_pem_is_published(folder: Path, text: str, form: str) -> None:
    (folder / "pki.toml").write_text(text)
    (folder / "ca.pem").write_bytes(
        {
            "DER": authority().der,
            "CR": authority().pem.replace(b"\n", b"\r"),
            "UTF-16": authority().pem.decode().encode("utf-16"),
        }[form]
    )
    assert ipmpki("build", folder / "pki.toml").status == 0
    assert {file.read_bytes() for file in published(folder)} == {authority().pem}


def in_form(form: str, *certificates: mint.Made) -> bytes:
    """Certificates in a file, as other programs than openssl may hand them on."""
    if form == "PKCS#7":
        return pkcs7.serialize_certificates([one.certificate for one in certificates], Encoding.PEM)
    (one,) = certificates
    return one.der if form == "DER" else one.pem.decode().encode("utf-16")


@pytest.mark.parametrize("form", ["DER", "UTF-16", "PKCS#7"])
def test_a_missing_root_is_told_whatever_the_form_of_the_authoritys_file(folder: Path, form: str) -> None:
    (folder / "pki.toml").write_text(PRIVATE)
    issuing = below(mint.authority("Acme Root", number=2))
    (folder / "ca.pem").write_bytes(in_form(form, issuing))
    told = ipmpki("check", folder / "pki.toml").err
    assert "warning[authority-without-root]: the root 'Acme Root' is missing" in told


def test_a_root_beside_it_in_pkcs7_is_found(folder: Path) -> None:
    (folder / "pki.toml").write_text(PRIVATE)
    root = mint.authority("Acme Root", number=2)
    (folder / "ca.pem").write_bytes(in_form("PKCS#7", mint.authority("Issuing CA", issuer=root), root))
    assert "authority-without-root" not in ipmpki("check", folder / "pki.toml").err


def test_a_damaged_file_of_an_authority_is_told_once_and_without_a_traceback(folder: Path) -> None:
    (folder / "pki.toml").write_text(PRIVATE)
    (folder / "ca.pem").write_bytes(authority().der[:-40])
    assert ipmpki("build", folder / "pki.toml").status in {1, 2}
    assert "Traceback" not in ipmpki("check", folder / "pki.toml").err


def test_a_check_of_an_authority_that_was_built_loads_no_cryptography(folder: Path) -> None:
    (folder / "pki.toml").write_text(PRIVATE)
    (folder / "ca.pem").write_bytes(authority().der)
    assert ipmpki("build", folder / "pki.toml").status == 0
    program = (
        "import sys\nfrom ipmpki.cli.main import run\n"
        "try:\n    run(['check', sys.argv[1]])\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0, leaving.code\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, folder / "pki.toml"], check=False).returncode == 0


def built(folder: Path, *certificates: mint.Made) -> list[str]:
    """Have ``ca.pem`` hold these and build; the hosts' certificates as they are published then."""
    (folder / "pki.toml").write_text(f'{PRIVATE}[tls]\nmutual_auth = "required"\n')
    (folder / "ca.pem").write_bytes(b"".join(one.pem for one in certificates))
    found = ipmpki("build", folder / "pki.toml")
    assert found.status == 0, found.err
    assert ipmpki("plan", folder / "pki.toml", "--exit-code").status == 0
    return [file.read_text() for file in folder.glob("dist/hosts/*/client-cert.pem")]


def test_a_root_is_appended_to_a_built_authoritys_file_without_another_authority(folder: Path) -> None:
    root = mint.authority("Acme Root", number=2)
    issuing = below(root)
    issued = built(folder, issuing)
    assert len(issued) == 1
    (folder / "ca.pem").write_bytes(issuing.pem + root.pem)
    told = ipmpki("plan", folder / "pki.toml").out
    assert "other certificates stand above it in its file" in told
    assert built(folder, issuing, root) == issued
    assert {file.read_bytes() for file in published(folder)} == {issuing.pem + root.pem}
    found = ipmpki("verify", folder / "dist" / "hosts" / "desk1.example.com")
    assert (found.status, "authority-without-root" in found.err) == (0, False)
    assert built(folder, issuing) == issued


def test_another_authority_beside_the_one_before_is_no_part_of_its_way_to_a_root(folder: Path) -> None:
    before, other = authority(), mint.authority("Acme Print CA", number=2)
    built(folder, before)
    (folder / "ca.pem").write_bytes(before.pem + other.pem)
    found = ipmpki("build", folder / "pki.toml")
    assert (found.status, "--replace-ca" in found.err) == (2, True)


def test_what_an_issuing_authority_certified_is_sent_with_it_so_that_its_root_alone_has_to_be_trusted(
    folder: Path, tmp_path: Path
) -> None:
    root = mint.authority("Acme Root", number=2)
    middle = below(root, "Acme Middle CA", number=3)
    issuing = below(middle)
    (sent,) = built(folder, root, issuing, middle)
    leaf, *chain = x509.load_pem_x509_certificates(sent.encode())
    assert chain == [issuing.certificate, middle.certificate]
    found = ipmpki("verify", folder / "dist" / "hosts" / "desk1.example.com", "--strict", "--at", AT)
    assert found.status == 0, found.err
    for name, content in (("leaf", leaf), ("root", root.certificate)):
        (tmp_path / name).write_bytes(content.public_bytes(Encoding.PEM))
    (tmp_path / "sent").write_text(sent)
    command = [
        require("openssl"),
        "verify",
        "-no_check_time",
        "-CAfile",
        "root",
        "-untrusted",
        "sent",
        "leaf",
    ]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_what_a_root_issued_is_sent_alone(folder: Path) -> None:
    (sent,) = built(folder, authority())
    assert len(x509.load_pem_x509_certificates(sent.encode())) == 1
