"""The mixed mode: servers' certificates are bought, those of clients issued by an authority of one's own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ipmpki.operations.import_bought import import_certificates
from ipmpki.operations.installed import record_installed
from ipmpki.plans.plan import Artifact
from ipmpki.store.sqlite.queries import read_issued
from tests.operations.import_bought.seller import SERVER_AUTH, Seller, pem
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = '[ca]\ncommon_name = "Acme Print CA"\nkey = "ec-p256"\n'
MIXED = '[ca]\nkind = "third-party"\nbundle = "root.pem"\n\n' + PRIVATE.replace("[ca]", "[client_ca]")
TOLD = '\n[ipm.keywords]\nca_file = "NameReadOffTheSample"\n'
DECLARATION = HEAD.replace(PRIVATE, MIXED) + TOLD + SERVER + client("desk1")


@pytest.fixture(scope="module")
def seller() -> Seller:
    return Seller()


@pytest.fixture
def shop(tmp_path: Path, seller: Seller) -> Shop:
    """A mixed shop before its first build."""
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    return Shop(tmp_path, text=DECLARATION)


@pytest.fixture
def supplied(shop: Shop, seller: Seller) -> Shop:
    """The same with the server's certificate bought, imported and published."""
    shop.build()
    bring(shop, seller)
    shop.build()
    return shop


def bring(shop: Shop, seller: Seller) -> None:
    request = x509.load_pem_x509_csr((shop.host("ipm1") / "server.csr").read_bytes())
    came = pem(seller.sell(request), seller.intermediate)
    assert import_certificates(shop.load(), [("came", came)], passphrase=lambda _: None).problems == ()


def subject_key(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def issuer_of(path: Path) -> str:
    return subject_key(path).issuer.rfc4514_string()


def settings(shop: Shop, host: str) -> dict[str, dict[str, str]]:
    """What is set in each ipmssl.cfg of a host."""
    document = json.loads((shop.host(host) / "settings.json").read_text())
    return {one["role"]: one["settings"] for one in document["files"]}


def test_a_first_build_orders_for_servers_and_issues_for_clients(shop: Shop) -> None:
    assert shop.actions() == {
        ("ca-certificate", None): "create",
        ("bundle", None): "create",
        ("request", "ipm1"): "create",
        ("client-certificate", "ipm1"): "create",
        ("client-certificate", "desk1"): "create",
        ("crl", None): "create",
        ("playbook", None): "create",
    }
    shop.build()
    plan = shop.plan()
    assert plan.changes == ()
    assert [(one.host, one.artifact) for one in plan.awaited] == [
        ("ipm1.example.com", Artifact.SERVER_CERTIFICATE)
    ]
    assert {path.name for path in shop.host("ipm1").iterdir()} == {
        *("README.txt", "manifest.json", "server.csr")
    }
    assert issuer_of(shop.host("desk1") / "client-cert.pem") == "CN=Acme Print CA"
    before = shop.bytes_on_disk()
    shop.build()
    assert shop.bytes_on_disk() == before


def test_a_servers_request_asks_for_server_authentication_alone(shop: Shop, seller: Seller) -> None:
    shop.build()
    request = x509.load_pem_x509_csr((shop.host("ipm1") / "server.csr").read_bytes())
    asked = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(asked) == [ExtendedKeyUsageOID.SERVER_AUTH]
    sold = pem(seller.sell(request, purposes=[SERVER_AUTH]), seller.intermediate)
    imported = import_certificates(shop.load(), [("came", sold)], passphrase=lambda _: None)
    assert (imported.problems, imported.was_changed) == ((), True)


def test_servers_believe_the_private_authority_of_clients_and_clients_the_bundle(
    supplied: Shop, seller: Seller
) -> None:
    server, desk = supplied.host("ipm1"), supplied.host("desk1")
    own = (supplied.dist / "ca/client-ca-cert.pem").read_bytes()
    assert (supplied.dist / "ca/ca-cert.pem").read_bytes() == pem(seller.root)
    assert (desk / "ca-cert.pem").read_bytes() == (server / "ca-cert.pem").read_bytes() == pem(seller.root)
    assert (server / "client-ca-cert.pem").read_bytes() == own
    assert not (desk / "client-ca-cert.pem").exists()
    found = settings(supplied, "ipm1")
    assert found["server"]["NameReadOffTheSample"] == "client-ca-cert.pem"
    assert found["server"]["CertFile"] == "server-cert.pem"
    assert found["client"]["NameReadOffTheSample"] == "ca-cert.pem"
    assert found["client"]["CertFile"] == "client-cert.pem"
    assert issuer_of(server / "client-cert.pem") == "CN=Acme Print CA"
    assert (server / "client-key.pem").stat().st_mode & 0o777 == 0o600
    assert (server / "client-key.pem").read_bytes() != (server / "server-key.pem").read_bytes()
    assert supplied.changes() == {}


def test_without_the_keyword_a_servers_only_file_is_the_authority_of_clients(
    shop: Shop, seller: Seller
) -> None:
    shop.edit(TOLD, "")
    assert "client-ca-not-kept-apart" in {one.problem.rule for one in shop.load().problems}
    shop.build()
    bring(shop, seller)
    shop.build()
    own = (shop.dist / "ca/client-ca-cert.pem").read_bytes()
    assert (shop.host("ipm1") / "ca-cert.pem").read_bytes() == own
    assert not (shop.host("ipm1") / "client-ca-cert.pem").exists()
    assert (shop.host("desk1") / "ca-cert.pem").read_bytes() == pem(seller.root)


def test_a_removed_server_loses_both_certificates_each_in_its_way(supplied: Shop) -> None:
    supplied.edit(SERVER, "")
    plan = supplied.plan()
    told = {(one.action.value, one.artifact.value): one.reasons[0].detail for one in plan.changes if one.host}
    assert set(told) == {
        ("remove", "server-certificate"),
        ("revoke", "client-certificate"),
        ("remove", "folder"),
    }
    assert "ask the authority to revoke it" in told["remove", "server-certificate"]
    supplied.build()
    assert supplied.changes() == {}
    assert set(read_issued(supplied.store).current) == {"desk1.example.com"}
    crl = x509.load_pem_x509_crl((supplied.dist / "ca/crl.pem").read_bytes())
    assert len(crl) == 1


def test_what_a_servers_programs_show_is_renewed_in_time(supplied: Shop) -> None:
    supplied.now += timedelta(days=390)
    assert "certificate-expiring" in {one.problem.rule for one in supplied.load().problems}
    assert supplied.actions()["client-certificate", "ipm1"] == "renew"
    before = (supplied.host("ipm1") / "client-cert.pem").read_bytes()
    supplied.build()
    assert (supplied.host("ipm1") / "client-cert.pem").read_bytes() != before
    assert ("client-certificate", "ipm1") not in supplied.changes()


def test_coming_from_an_authority_of_ones_own_clients_keep_what_they_have(
    tmp_path: Path, seller: Seller
) -> None:
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    shop = Shop(tmp_path, text=DECLARATION.replace(MIXED, PRIVATE))
    shop.build()
    kept = (shop.host("desk1") / "client-cert.pem").read_bytes()
    shop.edit(PRIVATE, MIXED)
    assert not shop.plan().replaces_ca
    assert shop.actions()["request", "ipm1"] == "create"
    shop.build()
    assert (shop.host("desk1") / "client-cert.pem").read_bytes() == kept
    bring(shop, seller)
    shop.build()
    shop.edit(MIXED, PRIVATE)
    assert not shop.plan().replaces_ca
    assert shop.actions()["server-certificate", "ipm1"] == "replace"
    shop.build()
    assert issuer_of(shop.host("ipm1") / "server-cert.pem") == "CN=Acme Print CA"
    assert not (shop.host("ipm1") / "client-cert.pem").exists()
    assert shop.changes() == {}


def test_back_to_an_authority_of_ones_own_nothing_is_ordered_any_more(shop: Shop) -> None:
    shop.build()
    shop.edit(MIXED, PRIVATE)
    assert shop.actions()["request", "ipm1"] == "remove"
    shop.build()
    assert read_issued(shop.store).requests == {}
    assert shop.plan().awaited == ()
    assert shop.changes() == {}


def test_a_server_that_keeps_its_key_gets_no_second_one(shop: Shop) -> None:
    shop.edit('role = "server"\n', 'role = "server"\ncsr = "csr/ipm1.csr"\n')
    assert "server-programs-without-certificate" in {one.problem.rule for one in shop.load().problems}
    assert ("client-certificate", "ipm1") not in shop.actions()


def test_another_authority_for_clients_needs_leave(supplied: Shop) -> None:
    supplied.edit("Acme Print CA", "Acme Client CA")
    plan = supplied.plan()
    assert plan.replaces_ca
    assert {one.detail for change in plan.changes for one in change.reasons} >= {
        "subject in [client_ca] changed"
    }
    assert ("server-certificate", "ipm1") not in supplied.actions()
    supplied.build(replace_ca=True)
    assert issuer_of(supplied.host("desk1") / "client-cert.pem") == "CN=Acme Client CA"
    assert b"BEGIN CERTIFICATE" in (supplied.host("ipm1") / "client-ca-cert.pem").read_bytes()
    assert supplied.changes() == {}


def test_the_report_tells_of_both(supplied: Shop) -> None:
    text = (supplied.dist / "report.txt").read_text()
    assert "As a client" in text
    assert "Trust bundle" in text
    page = (supplied.dist / "report.html").read_text()
    assert "believe nobody else" in page
    hosts = {one["name"]: one for one in json.loads((supplied.dist / "report.json").read_text())["hosts"]}
    assert hosts["ipm1.example.com"]["tools_certificate"]["profile"] == "client"
    assert hosts["desk1.example.com"]["tools_certificate"] is None


def test_a_lost_authoritys_file_is_put_back(supplied: Shop) -> None:
    (supplied.dist / "ca/client-ca-cert.pem").unlink()
    assert supplied.actions() == {("ca-certificate", None): "restore"}
    supplied.build()
    assert supplied.changes() == {}


def test_mutual_authentication_is_turned_off_and_on_again_in_steps(supplied: Shop) -> None:
    """What a server's own programs show was issued here: it stays until no server asks, and comes first."""
    record_installed(supplied.load(), None)
    supplied.edit('"required"', '"off"')
    supplied.build()
    assert client_certificates(supplied) == 2
    assert stage(supplied) == "release"
    record_installed(supplied.load(), ["ipm1.example.com"])
    assert stage(supplied) == "withdraw"
    supplied.build()
    assert client_certificates(supplied) == 0
    assert stage(supplied) is None
    record_installed(supplied.load(), None)

    supplied.edit('"off"', '"required"')
    supplied.build()
    assert client_certificates(supplied) == 2
    assert stage(supplied) == "hand-out"
    record_installed(supplied.load(), None)
    assert stage(supplied) == "ask"
    supplied.build()
    assert stage(supplied) is None


def test_without_its_authority_what_clients_show_is_let_go_at_once(supplied: Shop) -> None:
    """Nobody could renew or revoke it: no step could keep it up."""
    record_installed(supplied.load(), None)
    text = supplied.text.replace('"required"', '"off"')
    supplied.write(text.replace(PRIVATE.replace("[ca]", "[client_ca]"), ""))
    assert stage(supplied) is None
    assert supplied.actions()[("client-certificate", "desk1")] == "remove"


def stage(shop: Shop) -> str | None:
    turn = shop.plan().mutual_auth
    return turn.stage.value if turn is not None else None


def client_certificates(shop: Shop) -> int:
    """How many hosts have a certificate to show where they are clients."""
    return len(list(shop.dist.rglob("client-cert.pem")))
