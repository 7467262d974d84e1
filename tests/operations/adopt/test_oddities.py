"""Odd but possible: serial numbers, lists, lifetimes and keys that few shops have."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest
from cryptography import x509

from tests.cli.command import ipmpki
from tests.operations.adopt.old import EC, RSA
from tests.operations.adopt.test_leftovers import left_of

if TYPE_CHECKING:
    from tests.operations.adopt.conftest import Heir


def test_a_serial_number_given_out_twice_is_told(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("ipm1.example.com", "server", key=RSA)
    for name, content in (("serial", "1000\n"), ("index.txt", "")):
        (old.folder / name).write_text(content)
    (old.folder / "newcerts/1000.pem").unlink()
    old.issue("desk1.example.com")
    outcome = heir.adopt()
    assert outcome.status == 0
    assert "another certificate of 'desk1.example.com' has the serial number 1000, too" in outcome.out
    assert set(heir.changes()) == {("client-certificate", "desk1.example.com"), ("crl", None)}


def test_a_revocation_that_no_list_can_hold_is_told(shop_heir: Heir) -> None:
    index = shop_heir.old.folder / "index.txt"
    line = f"R\t291125133500Z\t261125133500Z,superseded\t{'F' * 42}\tunknown\t/CN=strange\n"
    index.write_text(index.read_text() + line + line.replace("F" * 42, "00"))
    assert left_of(shop_heir) == {"unusable-serial": ["the index or the CRL"] * 2}
    assert ipmpki("build", shop_heir.declaration).status == 0


def test_of_several_lists_the_newest_counts(shop_heir: Heir) -> None:
    old = shop_heir.old
    (old.folder / "crl.pem").rename(old.folder / "older.pem")
    old.revoke("desk2.example.com", "certificateHold")
    old.list_revocations()
    assert left_of(shop_heir) == {"other-revocation-list": ["older.pem"]}
    assert shop_heir.changes() == {}
    ipmpki("build", shop_heir.declaration)
    crl = x509.load_pem_x509_crl((shop_heir.folder / "dist/ca/crl.pem").read_bytes())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    assert {entry.serial_number for entry in crl} == {0x1002, 0x1003}


def test_a_list_for_some_certificates_only_is_no_list_of_all(heir: Heir) -> None:
    old = heir.old.found()
    old.issue("desk1.example.com")
    configuration = old.folder / "openssl.cnf"
    text = configuration.read_text()
    configuration.write_text(
        text.replace("[crl]\n", "[crl]\nissuingDistributionPoint = critical, @idp\n")
        + "[idp]\nonlyuser = TRUE\n"
    )
    old.list_revocations()
    refused = heir.adopt()
    assert refused.status == 2
    assert "certificates that were revoked could come back into force" in refused.err
    assert "--without crl.pem" in refused.err
    assert not heir.store.exists()
    assert heir.adopt("--without", "crl.pem").status == 0
    ipmpki("build", heir.declaration)
    crl = x509.load_pem_x509_crl((heir.folder / "dist/ca/crl.pem").read_bytes())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2


def test_an_index_that_cannot_be_read_to_its_end_stops_the_adoption(shop_heir: Heir) -> None:
    with (shop_heir.old.folder / "index.txt").open("a") as index:
        index.write("R\tno line of an index\n")
    refused = shop_heir.adopt()
    assert refused.status == 2
    assert "is none of openssl's index of certificates; it may revoke one" in refused.err
    assert not shop_heir.store.exists()
    taken = shop_heir.adopt("--without", "index.txt")
    assert (taken.status, "index.txt: left out, as you said" in taken.out) == (0, True)


def test_a_list_number_that_the_store_cannot_hold_is_refused(shop_heir: Heir) -> None:
    (shop_heir.old.folder / "crlnumber").write_text("F" * 30)
    refused = shop_heir.adopt()
    assert refused.status == 4
    assert "larger than the store can hold" in refused.err
    assert not shop_heir.store.exists()


def test_short_lives_and_odd_keys_become_defaults_that_the_rules_accept(heir: Heir) -> None:
    old = heir.old.found(days=20, key=("-newkey", "rsa:2560"))
    old.issue("ipm1.example.com", "server-alone", key=("-newkey", "rsa:2560"), more=("-days", "12"))
    assert heir.adopt().status == 0
    text = heir.declaration.read_text()
    assert 'lifetime = "12d"' in text
    assert 'renew_before = "4d"' in text
    assert ipmpki("check", heir.declaration).status == 0
    assert set(heir.changes()) == {("crl", None)}, "a longer key than can be declared may stay"


def test_a_host_whose_key_is_not_the_usual_one_says_so(heir: Heir) -> None:
    old = heir.old.found()
    for number in (1, 2):
        old.issue(f"ipm{number}.example.com", "server", key=RSA)
    old.issue("ipm3.example.com", "server", key=("-newkey", "rsa:3072"))
    old.issue("desk1.example.com", key=EC)
    assert left_of(heir) == {}
    text = heir.declaration.read_text()
    assert text.count('\nkey = "rsa-3072"') == text.count('\nkey = "ec-p256"') - 1 == 1  # [ca] has one, too
    assert set(heir.changes()) == {("crl", None)}


@pytest.mark.parametrize("subject", ["/O=Only an Organization", f"/CN={'x' * 60}é", '/C=US/CN=A\\\\B \\" C'])
def test_any_subject_of_an_authority_becomes_a_declaration(heir: Heir, subject: str) -> None:
    heir.old.found(subject).issue("ipm1.example.com", "server", key=RSA)
    assert left_of(heir) == {}
    assert ipmpki("check", heir.declaration).status == 0
    assert set(heir.changes()) == {("crl", None)}


def test_a_certificate_that_signed_itself_is_no_authority(heir: Heir) -> None:
    heir.old.openssl(
        *("req", "-x509", *EC, "-nodes", "-keyout", "k", "-out", "c", "-subj", "/CN=x"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
    )
    refused = heir.adopt()
    assert refused.status == 2
    assert "does not say that it is an authority" in refused.err


def test_options_that_cannot_be_meant_are_refused(shop_heir: Heir) -> None:
    leaf = shop_heir.old.folder / "certs/desk1.example.com.crt"
    assert "holds no authority's certificate" in shop_heir.adopt("--ca", leaf).err
    assert "is no domain" in shop_heir.adopt("--domain", "not a domain").err
    assert "is not set" in shop_heir.adopt("--passphrase-env", "NOT_SET_ANYWHERE").err
    assert not shop_heir.store.exists()


def test_a_person_is_asked_for_passphrases(heir: Heir, monkeypatch: pytest.MonkeyPatch) -> None:
    word = "abc"
    heir.old.opened = ("-passin", f"pass:{word}")
    heir.old.found(passphrase=word).issue("ipm1.example.com", "server", key=RSA)
    answers = iter(["wrong", word])
    asked = []

    def answer(question: str, **_: object) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(click, "prompt", answer)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    adopted = heir.adopt()
    assert adopted.status == 0
    assert len(asked) == 2
    assert "private/cakey.pem" in asked[0]
    assert "that does not open it" in adopted.err
    assert 'passphrase = { env = "IPMPKI_CA_PASSPHRASE" }' in heir.declaration.read_text()
    refused = ipmpki("build", heir.declaration)
    assert "IPMPKI_CA_PASSPHRASE" in refused.err
