"""Builds whose authority's key lies in a token: what they issue verifies, and the key never leaves."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import preloaded
from tests.faults.running import LONGEST
from tests.operations.keeper import rows
from tests.tools import require, unavailable
from tests.x509.pkcs11.conftest import HOSTS, PIN

if TYPE_CHECKING:
    from tests.x509.pkcs11.conftest import Hsm, Site

BY_ENV = 'passphrase = { env = "PIN" }'


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [require("openssl"), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def verifies(folder: Path) -> None:
    """OpenSSL believes the authority, its leaves and its revocation list."""
    trusted = ("-x509_strict", "-crl_check", "-CAfile", "ca/ca-cert.pem", "-CRLfile", "ca/crl.pem")
    for purpose, leaf in (
        ("sslserver", "ipm1.example.com/server"),
        ("sslclient", "desk1.example.com/client"),
    ):
        openssl(folder / "dist", "verify", *trusted, "-purpose", purpose, f"hosts/{leaf}-cert.pem")
    assert "verify OK" in openssl(
        folder / "dist", "crl", "-noout", "-in", "ca/crl.pem", "-CAfile", "ca/ca-cert.pem"
    )
    openssl(
        folder / "dist",
        "verify",
        "-x509_strict",
        "-check_ss_sig",
        "-CAfile",
        "ca/ca-cert.pem",
        "ca/ca-cert.pem",
    )


@pytest.mark.parametrize("key", ["object=rsa", "id=%01", "object=p256", "object=p384;id=%03;type=private"])
def test_an_authority_is_made_for_a_key_that_lies_in_a_token(hsm: Hsm, site: Site, key: str) -> None:
    site.declare(hsm.uri(key), BY_ENV)
    built = site("build")
    assert (built.status, built.err) == (0, "")
    assert "it holds every key but the CA's" in built.out
    verifies(site.folder)
    assert site("plan", "--exit-code").status == 0
    assert site("doctor").status == 0
    ((kept,),) = rows(site.folder / "pki.db", "SELECT key FROM authority")
    assert kept == hsm.uri(key).encode()
    for path in site.folder.rglob("*"):
        assert not path.is_file() or PIN.encode() not in path.read_bytes()


def test_a_later_build_revokes_renews_and_lists_with_the_same_key(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    first = (site.folder / "dist/ca/ca-cert.pem").read_bytes()
    gone = '[[hosts]]\nname = "gone.example.com"\nrole = "client"\nkey = "ec-p256"\n'
    site.declare(hsm.uri(), BY_ENV, hosts=HOSTS + gone)
    assert site("build").status == 0
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    verifies(site.folder)
    assert (site.folder / "dist/ca/ca-cert.pem").read_bytes() == first
    listed = openssl(site.folder, "crl", "-noout", "-text", "-in", "dist/ca/crl.pem")
    assert "Serial Number: " in listed


def test_an_authority_that_exists_signs_through_its_token(hsm: Hsm, site: Site) -> None:
    openssl(
        site.folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca-cert.pem"),
        *("-days", "900", "-subj", "/CN=Old CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    hsm.take(site.folder / "ca.key", "old", 21)
    (site.folder / "ca.key").unlink()
    site.declare(hsm.uri("object=old"), BY_ENV, 'certificate = "ca-cert.pem"')
    assert site("build").status == 0
    verifies(site.folder)
    site.declare(hsm.uri(), BY_ENV, 'certificate = "ca-cert.pem"')
    (site.folder / "dist/ca/crl.pem").unlink()
    site.declare(
        hsm.uri(), BY_ENV, 'certificate = "ca-cert.pem"', hosts=HOSTS.replace("10.1.2.3", "10.1.2.4")
    )
    site("build").failed("private key does not belong to the certificate", status=1)


def test_one_key_in_a_token_takes_over_from_another(hsm: Hsm, site: Site) -> None:
    """While both are trusted, each signs its own revocation list by the key that was declared for it."""
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    site.declare(hsm.uri("object=p256"), BY_ENV, "generation = 2")
    assert site("build").status == 0
    kept = rows(site.folder / "pki.db", "SELECT key FROM authority ORDER BY id")
    assert kept == [(hsm.uri().encode(),), (hsm.uri("object=p256").encode(),)]
    site.declare(
        hsm.uri("object=p256"), BY_ENV, "generation = 2", hosts=HOSTS.replace("10.1.2.3", "10.1.2.4")
    )
    assert site("build").status == 0
    assert site("doctor").status == 0


def test_a_key_that_moved_into_a_token_is_forgotten_by_the_store(hsm: Hsm, site: Site) -> None:
    openssl(
        site.folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca-cert.pem"),
        *("-days", "900", "-subj", "/CN=Old CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    (site.folder / "ca.key").chmod(0o600)
    site.declare("ca.key", 'certificate = "ca-cert.pem"')
    assert site("build").status == 0
    ((pem,),) = rows(site.folder / "pki.db", "SELECT key FROM authority")
    assert isinstance(pem, bytes)
    hsm.take(site.folder / "ca.key", "moved", 22)
    (site.folder / "ca.key").unlink()
    site.declare(hsm.uri("object=moved"), BY_ENV, 'certificate = "ca-cert.pem"')
    planned = site("plan")
    assert "a key in a token is declared and the store has a copy of its own" in " ".join(planned.out.split())
    assert site("build").status == 0
    assert site("plan", "--exit-code").status == 0
    content = (site.folder / "pki.db").read_bytes()
    assert not [line for line in pem.splitlines() if len(line) > 30 and line in content]
    verifies(site.folder)
    site.declare("ca.key", 'certificate = "ca-cert.pem"', hosts=HOSTS.replace("10.1.2.3", "10.1.2.4"))
    site("build").failed("lies in a token, and pki.toml does not name it any more", status=1)


@pytest.mark.parametrize("source", ["file:pin.txt", "pin.txt", "absolute"])
def test_the_pin_may_lie_in_a_file(hsm: Hsm, site: Site, source: str) -> None:
    (site.folder / "pin.txt").write_text(PIN + "\n")
    (site.folder / "pin.txt").chmod(0o600)
    if source == "absolute":
        source = f"file://{site.folder}/pin.txt"
    site.declare(hsm.uri("object=p256", f"&pin-source={source}"))
    assert site("build").status == 0
    site.declare(hsm.uri("object=p256"), 'passphrase = { file = "pin.txt" }')
    assert site("build").status == 0
    (site.folder / "pin.txt").chmod(0o644)
    assert "private-key-readable" in site("check").err
    (site.folder / "pin.txt").unlink()
    site("build").failed("1 error keeps the build", status=1)


def spied(hsm: Hsm, site: Site, pin: str) -> str:
    """What a build asks of the module, as OpenSC's spy between the two writes it down."""
    spies = [*Path("/usr/lib").glob("*/pkcs11-spy.so"), *Path("/usr/lib64").glob("pkcs11-spy.so")]
    if not spies:
        unavailable("OpenSC's pkcs11-spy.so")
    site.declare(hsm.uri().replace(str(hsm.module), str(spies[0])), BY_ENV)
    log = site.folder / "spy.log"
    site("build", pin=pin, env={"PKCS11SPY": str(hsm.module), "PKCS11SPY_OUTPUT": str(log)})
    return log.read_text(errors="replace")


def test_a_pin_is_tried_once_whether_right_or_wrong(hsm: Hsm, site: Site) -> None:
    for pin, signatures in (("wrong-pin", 0), (PIN, 4)):
        calls = re.findall(r"^\d+: (C_\w+)", spied(hsm, site, pin), re.MULTILINE)
        assert calls.count("C_Login") == 1
        assert calls.count("C_SignInit") == signatures  # the authority, two leaves, the list
        (site.folder / "spy.log").unlink()


def test_the_private_key_is_never_asked_for(hsm: Hsm, site: Site) -> None:
    log = spied(hsm, site, PIN)
    assert "CKA_MODULUS" in log
    for secret in ("CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_VALUE ", "C_WrapKey", "C_CreateObject"):
        assert secret not in log


def test_two_at_once_share_the_token(hsm: Hsm, site: Site) -> None:
    site.declare(hsm.uri(), BY_ENV)
    assert site("build").status == 0
    site.declare(hsm.uri(), BY_ENV, hosts=HOSTS.replace("10.1.2.3", "10.1.2.4"))
    environment = {**os.environ, "PIN": PIN}
    both = [preloaded.start("-m", "ipmpki", "build", cwd=site.folder, env=environment) for _ in range(2)]
    for one in both:
        with one:
            _, err = one.communicate(timeout=LONGEST)
        assert one.returncode == 0 or b"is held by" in err, err
    verifies(site.folder)
