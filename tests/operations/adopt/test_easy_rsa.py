"""What easy-rsa 3 and 2 made, and folders of loose files, are adopted alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.cli.command import ipmpki
from tests.operations.adopt.old import EC, RSA
from tests.operations.adopt.test_leftovers import left_of
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from tests.operations.adopt.conftest import Heir

EASY_RSA = Path("/usr/share/easy-rsa/easyrsa")
"""Where Debian puts it; its own copies, by make-cadir, are links to this."""


@pytest.fixture
def easy_heir(heir: Heir) -> Heir:
    """easy-rsa 3's folder, with a server, two clients, and one that was revoked."""
    require("openssl")
    if not EASY_RSA.exists():
        unavailable("easy-rsa")
    settings = {
        "EASYRSA_BATCH": "1",
        "EASYRSA_PKI": str(heir.old.folder / "pki"),
        "EASYRSA_ALGO": "ec",
        "EASYRSA_CURVE": "prime256v1",
    }

    def easyrsa(*arguments: str, **more: str) -> None:
        completed = subprocess.run(
            [EASY_RSA, *arguments],
            cwd=heir.old.folder,
            env={**os.environ, **settings, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert completed.returncode == 0, completed.stdout + completed.stderr

    easyrsa("init-pki")
    easyrsa("build-ca", "nopass", EASYRSA_REQ_CN="Easy Print CA")
    alone = {"EASYRSA_ALGO": "rsa"}
    easyrsa(
        "--subject-alt-name=DNS:ipm1.example.com", "build-server-full", "ipm1.example.com", "nopass", **alone
    )
    for name in ("desk1.example.com", "desk2", "desk3.example.com"):
        san = (f"--subject-alt-name=DNS:{name}",) if "." in name else ()
        easyrsa(*san, "build-client-full", name, "nopass")
    easyrsa("revoke", "desk3.example.com", "superseded")
    easyrsa("gen-crl")
    return heir


def test_easy_rsa_3_is_adopted(easy_heir: Heir) -> None:
    before = easy_heir.old.state()
    assert left_of(easy_heir) == {"unusable-name": ["pki/issued/desk2.crt"]}
    assert easy_heir.old.state() == before
    assert ipmpki("check", easy_heir.declaration).status == 0
    changes = easy_heir.changes()
    assert changes == {
        ("server-certificate", "ipm1.example.com"): (
            "replace",
            "profile-changed: profile: no clientAuth -> server-mutual",
        )
    }, "easy-rsa's servers lack what the vendor asks for under mutual authentication"
    assert ipmpki("build", easy_heir.declaration).status == 0
    crl = x509.load_pem_x509_crl((easy_heir.folder / "dist/ca/crl.pem").read_bytes())
    assert [entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value for entry in crl] == [
        "superseded"
    ]
    host = easy_heir.folder / "dist/hosts/ipm1.example.com"
    easy_heir.old.openssl(
        *("verify", "-CAfile", "pki/ca.crt", "-crl_check"),
        *("-CRLfile", str(easy_heir.folder / "dist/ca/crl.pem"), str(host / "server-cert.pem")),
    )


def test_easy_rsa_2_keeps_all_in_one_folder(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("desk1.example.com")
    old.revoke("desk1.example.com")
    old.list_revocations()
    keys = old.folder / "keys"
    keys.mkdir()
    for source, name in (
        ("cacert.pem", "ca.crt"),
        ("private/cakey.pem", "ca.key"),
        ("certs/ipm1.example.com.crt", "ipm1.example.com.crt"),
        ("private/ipm1.example.com.key", "ipm1.example.com.key"),
        ("certs/ipm1.example.com.csr", "ipm1.example.com.csr"),
        ("newcerts/1000.pem", "01.pem"),
        ("index.txt", "index.txt"),
        ("serial", "serial"),
        ("crl.pem", "crl.pem"),
    ):
        (old.folder / source).rename(keys / name)
    for name in ("private", "certs", "newcerts"):
        shutil.rmtree(old.folder / name)
    assert left_of(heir) == {}
    assert heir.changes() == {}
    ipmpki("build", heir.declaration)
    crl = x509.load_pem_x509_crl((heir.folder / "dist/ca/crl.pem").read_bytes())
    assert [entry.serial_number for entry in crl] == [0x1001]


def test_loose_files_are_known_by_what_is_in_them(heir: Heir) -> None:
    old = heir.old.found(key=RSA)
    old.issue("ipm1.example.com", "server", key=RSA)
    old.issue("desk1.example.com", key=EC)
    old.openssl("x509", "-in", "cacert.pem", "-outform", "DER", "-out", "a file.bin")
    old.openssl("rsa", "-in", "private/cakey.pem", "-outform", "DER", "-out", "1")
    old.openssl(
        *("pkcs12", "-export", "-inkey", "private/desk1.example.com.key", "-passout", "pass:"),
        *("-in", "certs/desk1.example.com.crt", "-out", "desk.pfx"),
    )
    both = old.folder / "all in one.txt"
    both.write_bytes(
        b"remarks\r\n"
        + (old.folder / "private/ipm1.example.com.key").read_bytes().replace(b"\n", b"\r\n")
        + (old.folder / "certs/ipm1.example.com.crt").read_bytes()
    )
    for path in list(old.folder.iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in {"a file.bin", "1", "desk.pfx", "all in one.txt"}:
            path.unlink()
    assert left_of(heir) == {}
    document = json.loads(ipmpki("plan", "--format", "json", heir.declaration).out)
    assert {change["action"] for change in document["changes"]} == {"restore", "create"}
    assert set(heir.changes()) == {("crl", None)}
    assert ipmpki("build", heir.declaration).status == 0


def test_a_folder_full_of_pkcs12_needs_its_passphrase(heir: Heir, monkeypatch: pytest.MonkeyPatch) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com")
    old.openssl(
        *("pkcs12", "-export", "-inkey", "private/desk1.example.com.key", "-passout", "pass:exported"),
        *("-in", "certs/desk1.example.com.crt", "-out", "desk.p12"),
    )
    (old.folder / "private/desk1.example.com.key").unlink()
    (old.folder / "certs/desk1.example.com.csr").unlink()
    assert left_of(heir, "--dry-run") == {
        "certificate-without-key": ["certs/desk1.example.com.crt"],
        "locked-key": ["desk.p12"],
    }
    monkeypatch.setenv("EXPORTED", "exported")
    assert left_of(heir, "--passphrase-env", "EXPORTED") == {}
    assert "passphrase" not in (line.partition(" ")[0] for line in heir.declaration.read_text().splitlines())
