"""Revoking by hand: recorded, listed and replaced by the next build, and refused by real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.diagnostics.fault import Fault, WrongUse
from ipmpki.operations.import_bought import import_certificates
from ipmpki.operations.revoke import revoke
from tests import clock
from tests.cli.command import ipmpki
from tests.handshake.parties import CLIENTS, Caller, answering, serving
from tests.operations.import_bought.seller import Seller, pem
from tests.operations.test_host_requests import KEPT, key, put, request
from tests.shop import HEAD, SERVER, TODAY, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

KEYWORD = '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'
STOLEN = RevocationReason.KEY_COMPROMISE
SUPERSEDED = RevocationReason.SUPERSEDED


def leaf(shop: Shop, host: str, role: str = "client") -> x509.Certificate:
    return x509.load_pem_x509_certificate((shop.host(host) / f"{role}-cert.pem").read_bytes())


def listed(shop: Shop) -> dict[int, str]:
    """The serial numbers of the published list, each with its reason."""
    crl = x509.load_pem_x509_crl((shop.dist / "ca/crl.pem").read_bytes())
    found = {}
    for entry in crl:
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        except x509.ExtensionNotFound:
            reason = "unspecified"
        found[entry.serial_number] = reason
    return found


def test_a_revoked_certificate_is_listed_and_replaced_by_the_next_build(built_shop: Shop) -> None:
    old = leaf(built_shop, "desk1")
    done = revoke(built_shop.load(), "desk1.example.com", STOLEN)
    assert [one.serial for one in done.revoked] == [old.serial_number]
    assert "revoked-and-not-replaced" in {one.problem.rule for one in built_shop.load().problems}
    assert built_shop.changes()["client-certificate", "desk1"] == {"revoked"}
    assert built_shop.actions() == {
        ("client-certificate", "desk1"): "replace",
        ("crl", None): "renew",
        ("report", None): "restore",
    }
    built_shop.build()
    new = leaf(built_shop, "desk1")
    assert new.public_key() != old.public_key()
    assert listed(built_shop) == {old.serial_number: "keyCompromise"}
    assert built_shop.changes() == {}


def test_servers_get_the_list_that_a_revocation_by_hand_is_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + KEYWORD + SERVER + client("desk1"))
    shop.build()
    stolen = leaf(shop, "desk1")
    revoke(shop.load(), "desk1.example.com", STOLEN)
    shop.build()
    of_the_server = x509.load_pem_x509_crl((shop.host("ipm1") / "crl.pem").read_bytes())
    assert [entry.serial_number for entry in of_the_server] == [stolen.serial_number]
    assert shop.changes() == {}


def test_taking_out_a_revoked_host_leaves_its_reason(built_shop: Shop) -> None:
    stolen = leaf(built_shop, "desk1").serial_number
    revoke(built_shop.load(), "desk1.example.com", STOLEN)
    built_shop.edit(client("desk1"), "")
    built_shop.build()
    assert listed(built_shop) == {stolen: "keyCompromise"}
    assert built_shop.changes() == {}


def test_what_ended_before_it_was_ever_listed_is_listed_once(built_shop: Shop) -> None:
    """RFC 5280, section 3.3: not before it appears on one list issued beyond its validity."""
    old = leaf(built_shop, "desk1")
    revoke(built_shop.load(), "desk1.example.com", STOLEN)
    built_shop.now = old.not_valid_after_utc + timedelta(days=1)
    built_shop.build()
    assert listed(built_shop)[old.serial_number] == "keyCompromise"
    other = leaf(built_shop, "desk2")
    revoke(built_shop.load(), "desk2.example.com", STOLEN)
    built_shop.build()
    assert set(listed(built_shop)) == {other.serial_number}


def test_revoking_twice_says_so_and_changes_nothing(built_shop: Shop) -> None:
    revoke(built_shop.load(), "desk1.example.com", SUPERSEDED)
    store = built_shop.store.read_bytes()
    again = revoke(built_shop.load(), "DESK1.example.com", STOLEN)
    assert (again.revoked, len(again.before)) == ((), 1)
    built_shop.build()
    assert list(listed(built_shop).values()) == ["superseded"]
    assert store != built_shop.store.read_bytes()


def test_a_stolen_key_takes_everything_of_its_host_along(built_shop: Shop) -> None:
    first = leaf(built_shop, "desk1").serial_number
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    second = leaf(built_shop, "desk1").serial_number
    done = revoke(built_shop.load(), "desk1.example.com", STOLEN)
    assert {one.serial for one in done.revoked} == {first, second}
    built_shop.build()
    assert listed(built_shop).keys() == {first, second}


def test_one_certificate_is_revoked_by_its_serial_number(built_shop: Shop) -> None:
    first = leaf(built_shop, "desk1").serial_number
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    written = ":".join(f"{first:040X}"[at : at + 2] for at in range(0, 40, 2))
    revoke(built_shop.load(), written, SUPERSEDED)
    assert built_shop.actions() == {("crl", None): "renew", ("report", None): "restore"}
    built_shop.build()
    assert listed(built_shop) == {first: "superseded"}


def test_a_host_that_keeps_its_key_on_renewal_gets_another_after_a_revocation(built_shop: Shop) -> None:
    built_shop.edit("[tls]", '[defaults]\nrenew_key = "keep"\n\n[tls]')
    old = leaf(built_shop, "desk1")
    revoke(built_shop.load(), "desk1.example.com", SUPERSEDED)
    built_shop.build()
    assert leaf(built_shop, "desk1").public_key() != old.public_key()


def test_a_mistyped_host_is_guessed_at(built_shop: Shop) -> None:
    with pytest.raises(WrongUse) as fault:
        revoke(built_shop.load(), "dekst1.example.com", STOLEN)
    assert "desk1.example.com" in (fault.value.remedy or "")
    with pytest.raises(WrongUse):
        revoke(built_shop.load(), "12:34", STOLEN)


def test_before_the_first_build_there_is_nothing_to_revoke(shop: Shop) -> None:
    with pytest.raises(Fault, match="no store"):
        revoke(shop.load(), "desk1.example.com", STOLEN)
    assert not shop.store.exists()


def test_a_bought_certificate_is_ordered_anew_and_its_seller_has_to_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.stop(monkeypatch, TODAY)
    seller = Seller()
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    head = HEAD.replace('common_name = "Acme Print CA"', 'kind = "third-party"\nbundle = "root.pem"')
    shop = Shop(tmp_path, text=head.replace("required", "off") + SERVER + client("desk1"))
    shop.build()
    first = x509.load_pem_x509_csr((shop.host("ipm1") / "server.csr").read_bytes())
    came = pem(seller.sell(first), seller.intermediate)
    import_certificates(shop.load(), [("came", came)], passphrase=lambda _: None)
    shop.build()
    told = ipmpki("revoke", shop.declaration, "ipm1.example.com", "--reason", "key-compromise")
    assert told.status == 0
    assert "ask the authority" in told.out
    assert shop.changes()["request", "ipm1"] == {"revoked"}
    shop.build()
    other = x509.load_pem_x509_csr((shop.host("ipm1") / "server.csr").read_bytes())
    assert other.public_key() != first.public_key()


def test_a_compromised_key_of_a_hosts_own_is_never_certified_again(tmp_path: Path) -> None:
    (tmp_path / "csr").mkdir()
    shop = Shop(tmp_path, text=HEAD + KEPT)
    put(shop, request(key()))
    shop.build()
    old = leaf(shop, "ipm1", "server")
    revoke(shop.load(), "ipm1.example.com", STOLEN)
    assert "request-of-compromised-key" in {one.problem.rule for one in shop.load().problems}
    plan = shop.plan()
    assert [one.file for one in plan.awaited] == ["csr/ipm1.csr"]
    shop.build()
    assert leaf(shop, "ipm1", "server").serial_number == old.serial_number
    put(shop, request(key()))
    assert shop.actions()["server-certificate", "ipm1"] == "replace"
    shop.build()
    assert leaf(shop, "ipm1", "server").public_key() != old.public_key()
    assert shop.changes() == {}


def test_a_server_with_the_new_list_refuses_the_revoked_client(tmp_path: Path) -> None:
    shop = Shop(tmp_path, now=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5))
    shop.build()
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    for name in ("ca-cert.pem", "client-cert.pem", "client-key.pem"):
        (stolen / name).write_bytes((shop.host("desk1") / name).read_bytes())
    thief = Caller(stolen / "ca-cert.pem", stolen / "client-cert.pem", stolen / "client-key.pem")
    assert is_let_in(shop, thief, tmp_path / "before")
    revoke(shop.load(), "desk1.example.com", STOLEN)
    shop.build()
    desk = shop.host("desk1")
    owner = Caller(desk / "ca-cert.pem", desk / "client-cert.pem", desk / "client-key.pem")
    assert not is_let_in(shop, thief, tmp_path / "after")
    assert is_let_in(shop, owner, tmp_path / "owner")


def is_let_in(shop: Shop, caller: Caller, log: Path) -> bool:
    own, ca = shop.host("ipm1"), shop.dist / "ca"
    files = ("-cert", own / "server-cert.pem", "-key", own / "server-key.pem", "-CAfile", own / "ca-cert.pem")
    demands = ("-Verify", "1", "-verify_return_error", "-crl_check", "-CRL", ca / "crl.pem")
    with serving(log, *map(str, (*files, *demands)), answering("openssl")) as server:
        return CLIENTS["openssl"](server, caller, "ipm1.example.com")


@pytest.mark.parametrize("reason", [one.value for one in RevocationReason])
def test_the_list_gives_the_reason(shop: Shop, reason: str) -> None:
    shop.now = datetime.now(UTC) - timedelta(minutes=1)  # the command goes by the machine's own clock
    shop.build()
    assert ipmpki("revoke", shop.declaration, "desk1.example.com", "--reason", reason).status == 0
    shop.now += timedelta(minutes=2)
    shop.build()
    (given,) = listed(shop).values()
    words = reason.split("-")
    assert given == words[0] + "".join(word.capitalize() for word in words[1:])
