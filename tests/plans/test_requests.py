"""Certificates that are bought: a build makes keys and requests, and says what is awaited."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import ipmpki
from ipmpki.diagnostics.fault import Fault
from ipmpki.plans.saved_plan import read_plan_json, render_plan_json
from ipmpki.store.sqlite.queries import read_issued
from ipmpki.store.sqlite.schema import VERSION
from ipmpki.x509.keys import public_key_digest
from tests.shop import HEAD, SERVER, TODAY, Shop, client
from tests.x509.mozilla.writing import EXCERPT, certificate, certificate_object, trust_object

if TYPE_CHECKING:
    from pathlib import Path

BOUGHT = HEAD.replace('common_name = "Acme Print CA"', 'kind = "third-party"').replace("required", "off")
BUNDLE = 'kind = "third-party"\nbundle = "root.pem"'


@pytest.fixture
def buyer(tmp_path: Path) -> Shop:
    """A server and a client; the server's certificate is to be bought."""
    return Shop(tmp_path, text=BOUGHT + SERVER + client("desk1"))


def root(shop: Shop, name: str = "root.pem") -> bytes:
    """The certificate of an authority made elsewhere, put beside the shop's declaration."""
    folder = shop.folder / f"maker of {name}"
    folder.mkdir()
    other = Shop(folder)
    other.build()
    pem = (other.dist / "ca/ca-cert.pem").read_bytes()
    (shop.folder / "root.pem").write_bytes(pem)
    return pem


def request_of(shop: Shop, host: str = "ipm1", role: str = "server") -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr((shop.host(host) / f"{role}.csr").read_bytes())


def test_a_request_asks_for_what_a_certificate_made_here_would_hold(buyer: Shop) -> None:
    buyer.build()
    request = request_of(buyer)
    assert request.is_signature_valid
    assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "ipm1.example.com"
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ipm1.example.com", "print.example.com"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]
    usage = request.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment
    purposes = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_under_mutual_authentication_clients_order_too_and_servers_for_both_uses(buyer: Shop) -> None:
    buyer.edit('mutual_auth = "off"', 'mutual_auth = "required"')
    buyer.build()
    both = request_of(buyer).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(both) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    own = request_of(buyer, "desk1", "client").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(own) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_key_stays_in_the_store_until_its_certificate_comes(buyer: Shop) -> None:
    buyer.build()
    assert {path.name for path in buyer.host("ipm1").iterdir()} == {
        "README.txt",
        "manifest.json",
        "server.csr",
    }
    for path in buyer.dist.rglob("*"):
        assert path.is_dir() or b"PRIVATE KEY" not in path.read_bytes()
    with contextlib.closing(sqlite3.connect(buyer.store)) as connection:
        (pem,) = connection.execute("SELECT pem FROM key WHERE host = 'ipm1.example.com'").fetchone()
    key = serialization.load_pem_private_key(pem, None)
    assert public_key_digest(key) == public_key_digest(request_of(buyer).public_key())  # type: ignore[arg-type]


def test_the_plan_awaits_what_was_ordered_and_has_nothing_else_to_do(buyer: Shop) -> None:
    plan = buyer.plan()
    assert {(one.host, one.since) for one in plan.awaited} == {("ipm1.example.com", None)}
    buyer.build()
    before = buyer.bytes_on_disk()
    plan = buyer.plan()
    assert plan.changes == ()
    assert [(one.host, one.since) for one in plan.awaited] == [("ipm1.example.com", TODAY)]
    assert read_plan_json(render_plan_json(plan).encode(), "saved") == plan
    buyer.now += timedelta(days=3)
    buyer.build()
    assert buyer.bytes_on_disk() == before


def test_other_names_need_another_request_with_another_key(buyer: Shop) -> None:
    buyer.build()
    old = request_of(buyer)
    buyer.edit('aliases = ["print.example.com"]', 'aliases = ["print.example.com", "pr.example.com"]')
    assert buyer.actions() == {("request", "ipm1"): "replace"}
    buyer.build()
    assert request_of(buyer).public_key() != old.public_key()
    assert buyer.changes() == {}


def test_another_lifetime_changes_no_request_as_the_seller_decides_it(buyer: Shop) -> None:
    buyer.build()
    buyer.edit("[tls]", '[defaults]\nlifetime = "90d"\n\n[tls]')
    assert buyer.changes() == {}


def test_a_removed_host_takes_its_request_and_folder_along(buyer: Shop) -> None:
    buyer.build()
    buyer.edit(SERVER, "")
    assert buyer.actions() == {
        ("request", "ipm1"): "remove",
        ("folder", "ipm1"): "remove",
    }
    buyer.build()
    assert not buyer.host("ipm1").exists()
    assert read_issued(buyer.store).requests == {}
    assert buyer.changes() == {}
    with contextlib.closing(sqlite3.connect(buyer.store)) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM request WHERE closed_at IS NOT NULL").fetchone()
    assert kept == 1


def test_requests_txt_says_what_to_order(buyer: Shop) -> None:
    buyer.build()
    text = (buyer.dist / "requests.txt").read_text()
    for words in (
        "hosts/ipm1.example.com/server.csr",
        "Further names  print.example.com",
        "IP addresses   10.1.2.3",
        "with several names (multi-domain, SAN, UCC)",
        "2026-11-24",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 92
    buyer.edit(SERVER, "")
    buyer.build()
    assert "None: no request is open." in (buyer.dist / "requests.txt").read_text()


def test_a_wildcard_and_a_client_are_ordered_as_such(buyer: Shop) -> None:
    buyer.edit('mutual_auth = "off"', 'mutual_auth = "required"')
    buyer.edit('role = "server"', 'role = "server"\nsubject = "*.example.com"')
    buyer.build()
    text = (buyer.dist / "requests.txt").read_text()
    assert "TLS/SSL certificate, wildcard" in text
    assert "client authentication certificate for a computer" in text


def test_a_host_that_waits_is_not_in_the_playbook(buyer: Shop) -> None:
    buyer.build()
    assert "ipm1" not in (buyer.dist / "ansible/inventory.yml").read_text()


def test_the_report_says_what_is_awaited_and_since_when(buyer: Shop) -> None:
    buyer.build()
    text = (buyer.dist / "report.txt").read_text()
    assert "1 certificate is awaited, since 2026-11-24" in text
    assert "sudo sh install.sh" not in text
    assert "is awaited, since 2026-11-24" in (buyer.dist / "report.html").read_text()
    hosts = json.loads((buyer.dist / "report.json").read_text())["hosts"]
    assert {host["name"]: host["awaited_since"] for host in hosts} == {
        "ipm1.example.com": "2026-11-24T12:00:00Z",
        "desk1.example.com": None,
    }


def test_clients_get_the_trust_bundle_and_a_newer_one(buyer: Shop) -> None:
    pem = root(buyer)
    buyer.edit('kind = "third-party"', BUNDLE)
    assert buyer.actions()[("bundle", None)] == "create"
    buyer.build()
    assert (buyer.host("desk1") / "ca-cert.pem").read_bytes() == pem
    assert (buyer.dist / "ca/ca-cert.pem").read_bytes() == pem
    assert "desk1" in (buyer.dist / "ansible/inventory.yml").read_text()
    newer = root(buyer, "newer.pem")
    assert newer != pem
    assert buyer.changes() == {
        ("bundle", None): {"issuer-changed"},
        ("folder", "desk1"): {"issuer-changed"},
        ("folder", "ipm1"): {"issuer-changed"},
    }
    buyer.build()
    assert (buyer.host("desk1") / "ca-cert.pem").read_bytes() == newer
    assert buyer.changes() == {}
    (buyer.dist / "ca/ca-cert.pem").unlink()
    assert buyer.actions() == {("bundle", None): "restore"}


def test_without_a_bundle_a_client_that_shows_nothing_needs_no_folder(buyer: Shop) -> None:
    buyer.build()
    assert not buyer.host("desk1").exists()


def test_mozillas_list_is_chosen_from_and_a_newer_one_tells_who_comes_and_goes(buyer: Shop) -> None:
    certdata = buyer.folder / "certdata.txt"
    certdata.write_bytes(EXCERPT.read_bytes())
    buyer.edit('kind = "third-party"', 'kind = "third-party"\ncertdata = "certdata.txt"')
    buyer.build()
    found = x509.load_pem_x509_certificates((buyer.host("desk1") / "ca-cert.pem").read_bytes())
    names = {one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for one in found}
    assert {"ISRG Root X2", "AffirmTrust Premium ECC"} <= names
    assert buyer.changes() == {}

    certdata.write_bytes(b"# a newer one, with the same authorities\n" + EXCERPT.read_bytes())
    assert buyer.changes() == {}
    newer = EXCERPT.read_text("utf-8").replace("ISRG Root X2", "Distrusted ISRG Root X2")
    new = {"label": "New Root", "name": "New Root"}
    newer += certificate_object(certificate("New Root"), **new) + trust_object(**new)  # type: ignore[arg-type]
    certdata.write_text(newer, "utf-8")
    (change,) = [one for one in buyer.plan().changes if one.artifact.value == "bundle"]
    told = {
        (one.old or one.new or "").partition(" (SHA-256 ")[0]: one.old is None for one in change.differences
    }
    assert told == {"New Root": True, "ISRG Root X2": False}
    buyer.build()
    assert buyer.changes() == {}


def test_an_expired_authority_goes_by_itself(buyer: Shop) -> None:
    (buyer.folder / "certdata.txt").write_bytes(EXCERPT.read_bytes())
    buyer.edit('kind = "third-party"', 'kind = "third-party"\ncertdata = "certdata.txt"')
    buyer.build()
    later = buyer.plan(at=TODAY.replace(year=2030))
    (change,) = [one for one in later.changes if one.artifact.value == "bundle"]
    assert [(one.old or "").partition(" (")[0] for one in change.differences] == ["NetLock Arany"]


def test_a_bundle_that_holds_no_certificate_is_a_problem_and_nothing_is_made(buyer: Shop) -> None:
    (buyer.folder / "root.pem").write_text(
        "# certdata.txt, renamed\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\n"
    )
    buyer.edit('kind = "third-party"', BUNDLE)
    (error,) = buyer.load().errors
    assert error.problem.rule == "bundle-holds-no-certificate"
    assert error.problem.place.path == ("ca", "bundle")
    assert 'certdata = "root.pem"' in (error.problem.help or "")
    with pytest.raises(Fault):
        buyer.build()
    assert not buyer.store.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><title>Log in to the proxy</title>", "a web page"),
        (b"", "empty"),
        (EXCERPT.read_bytes()[:20_000], "cut off"),
    ],
)
def test_what_is_not_mozillas_list_is_said_and_the_old_bundle_stays(
    buyer: Shop, content: bytes, words: str
) -> None:
    certdata = buyer.folder / "certdata.txt"
    certdata.write_bytes(EXCERPT.read_bytes())
    buyer.edit('kind = "third-party"', 'kind = "third-party"\ncertdata = "certdata.txt"')
    buyer.build()
    before = (buyer.host("desk1") / "ca-cert.pem").read_bytes()
    certdata.write_bytes(content)
    (error,) = buyer.load().errors
    assert (error.problem.rule, error.problem.place.path) == (
        "bundle-holds-no-certificate",
        ("ca", "certdata"),
    )
    assert words in error.problem.message
    with pytest.raises(Fault):
        buyer.build()
    assert (buyer.host("desk1") / "ca-cert.pem").read_bytes() == before


def test_a_bundle_that_is_not_there_is_a_problem(buyer: Shop) -> None:
    buyer.edit('kind = "third-party"', BUNDLE)
    assert [one.problem.rule for one in buyer.load().errors] == ["file-unreadable"]


def test_from_an_authority_of_ones_own_to_a_bought_certificate_the_old_one_stays_meanwhile(
    built_shop: Shop,
) -> None:
    old = (built_shop.host("ipm1") / "server-cert.pem").read_bytes()
    built_shop.edit('common_name = "Acme Print CA"', 'kind = "third-party"')
    assert built_shop.changes()[("request", "ipm1")] == {"issuer-changed"}
    built_shop.build()
    assert (built_shop.host("ipm1") / "server-cert.pem").read_bytes() == old
    assert (built_shop.host("ipm1") / "server.csr").exists()
    assert built_shop.changes() == {}


def test_a_store_of_the_format_before_requests_is_read_and_upgraded(built_shop: Shop) -> None:
    with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
        connection.executescript(
            "DROP INDEX open_request; DROP TABLE request; DROP TABLE installation;"
            "DROP TABLE skip; DROP TABLE backup; ALTER TABLE folder DROP COLUMN asks_clients;"
            "ALTER TABLE authority DROP COLUMN retired_at; PRAGMA user_version = 1;"
        )
    assert built_shop.changes() == {}
    built_shop.edit('common_name = "Acme Print CA"', 'kind = "third-party"')
    ipmpki.build(built_shop.load())
    with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert set(read_issued(built_shop.store).requests) == {
        f"{name}.example.com" for name in ("ipm1", "desk1", "desk2")
    }
