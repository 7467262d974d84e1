"""Certificates that were bought come in: matched, judged, taken or refused, published."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from ipmpki.diagnostics.fault import Fault
from ipmpki.operations.import_bought import Imported, import_certificates
from ipmpki.store.sqlite.queries import read_issued
from tests.operations.import_bought.seller import CLIENT_AUTH, SERVER_AUTH, Seller, pem
from tests.operations.verify import mint
from tests.shop import HEAD, SERVER, Shop, client
from tests.x509.mozilla.writing import certificate_object, octal, trust_object

if TYPE_CHECKING:
    from pathlib import Path

BOUGHT = HEAD.replace('common_name = "Acme Print CA"', 'kind = "third-party"\nbundle = "root.pem"').replace(
    "required", "off"
)
SECOND = SERVER.replace("ipm1", "ipm2").replace('aliases = ["print.example.com"]\nips = ["10.1.2.3"]\n', "")


@pytest.fixture(scope="module")
def seller() -> Seller:
    return Seller()


@pytest.fixture
def buyer(tmp_path: Path, seller: Seller) -> Shop:
    """A shop that has ordered a certificate for each of its two servers."""
    (tmp_path / "root.pem").write_bytes(pem(seller.root))
    shop = Shop(tmp_path, text=BOUGHT + SERVER + SECOND + client("desk1"))
    shop.build()
    return shop


def request_of(shop: Shop, host: str = "ipm1", role: str = "server") -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr((shop.host(host) / f"{role}.csr").read_bytes())


def bring(shop: Shop, *files: bytes, force: bool = False, passphrase: bytes | None = None) -> Imported:
    named = [(f"file{number}", content) for number, content in enumerate(files, start=1)]
    return import_certificates(shop.load(), named, passphrase=lambda _: passphrase, force=force)


def outcomes(imported: Imported) -> dict[str, str]:
    return {one.host.partition(".")[0]: one.outcome.value for one in imported.arrivals}


def rules(imported: Imported) -> set[str]:
    return {one.problem.rule for one in imported.problems}


def test_what_an_authority_with_an_unsound_key_sold_is_refused(buyer: Shop, seller: Seller) -> None:
    other = Seller()
    vars(other).update(vars(seller) | {"_key": mint.unsound_key()})
    vars(other).pop("intermediate", None)
    imported = bring(buyer, pem(other.sell(request_of(buyer)), other.intermediate))
    assert outcomes(imported) == {"ipm1": "refused"}
    assert [one.problem.message for one in imported.problems if one.problem.rule == "key-unsound"] == [
        "the key of 'Trust Unlimited TLS' has an exponent of 65 bits, more than programs can use"
    ]


def test_what_was_ordered_is_taken_and_published_with_its_key_and_chain(buyer: Shop, seller: Seller) -> None:
    leaf = seller.sell(request_of(buyer))
    imported = bring(buyer, pem(seller.root, seller.intermediate), pem(leaf))
    assert (outcomes(imported), imported.problems) == ({"ipm1": "taken"}, ())
    assert ("request", "ipm1") not in buyer.changes()
    buyer.build()
    folder = buyer.host("ipm1")
    assert (folder / "server-cert.pem").read_bytes() == pem(leaf, seller.intermediate)
    key = serialization.load_pem_private_key((folder / "server-key.pem").read_bytes(), None)
    assert key.public_key() == leaf.public_key()
    assert (folder / "server-key.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "ca-cert.pem").read_bytes() == pem(seller.root)
    assert (folder / "install.sh").exists()
    assert not (folder / "server.csr").exists()
    assert "ipm1" in (buyer.dist / "ansible/inventory.yml").read_text()
    assert "ipm1" not in (buyer.dist / "requests.txt").read_text()
    assert buyer.changes() == {}
    assert [one.host for one in buyer.plan().awaited] == ["ipm2.example.com"]


def test_the_same_once_more_changes_nothing(buyer: Shop, seller: Seller) -> None:
    came = pem(seller.sell(request_of(buyer)), seller.intermediate)
    bring(buyer, came)
    buyer.build()
    before = buyer.bytes_on_disk()
    event = read_issued(buyer.store).last_event
    assert outcomes(bring(buyer, came)) == {"ipm1": "known"}
    buyer.build()
    assert buyer.bytes_on_disk() == before
    assert read_issued(buyer.store).last_event == event


def test_several_hosts_come_in_one_go(buyer: Shop, seller: Seller) -> None:
    both = [seller.sell(request_of(buyer, host)) for host in ("ipm2", "ipm1")]
    assert outcomes(bring(buyer, pem(*both, seller.intermediate))) == {"ipm1": "taken", "ipm2": "taken"}


def as_der(leaf: x509.Certificate, seller: Seller) -> list[bytes]:
    return [one.public_bytes(serialization.Encoding.DER) for one in (leaf, seller.intermediate)]


def as_pkcs7(leaf: x509.Certificate, seller: Seller) -> list[bytes]:
    return [
        pkcs7.serialize_certificates([seller.root, leaf, seller.intermediate], serialization.Encoding.DER)
    ]


def as_pkcs7_text(leaf: x509.Certificate, seller: Seller) -> list[bytes]:
    return [pkcs7.serialize_certificates([leaf, seller.intermediate], serialization.Encoding.PEM)]


def as_pkcs12(leaf: x509.Certificate, seller: Seller) -> list[bytes]:
    secret = serialization.BestAvailableEncryption(b"secret")
    return [pkcs12.serialize_key_and_certificates(None, None, leaf, [seller.intermediate], secret)]


def as_zip(leaf: x509.Certificate, seller: Seller) -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("order/README.txt", "Thank you for your order.")
        archive.writestr("order/ipm1.crt", pem(leaf))
        archive.writestr("order/chain.p7b", as_pkcs7(seller.intermediate, seller)[0])
    return [packed.getvalue()]


@pytest.mark.parametrize("form", [as_der, as_pkcs7, as_pkcs7_text, as_pkcs12, as_zip])
def test_every_form_that_authorities_send_is_read(buyer: Shop, seller: Seller, form: object) -> None:
    files = form(seller.sell(request_of(buyer)), seller)  # type: ignore[operator]
    imported = bring(buyer, *files, passphrase=b"secret")
    assert (outcomes(imported), imported.problems) == ({"ipm1": "taken"}, ())


@pytest.mark.parametrize(
    ("passphrase", "words"), [(None, "needs a passphrase"), (b"wrong", "does not open the PKCS#12 file")]
)
def test_a_passphrase_that_is_not_had_is_said(
    buyer: Shop, seller: Seller, passphrase: bytes | None, words: str
) -> None:
    imported = bring(buyer, *as_pkcs12(seller.sell(request_of(buyer)), seller), passphrase=passphrase)
    assert words in imported.problems[0].problem.message
    assert "secret" not in repr(imported)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"PK\x03\x04 but no more", b"\x30\x03\x02\x01\x03", b"\x00" * 99]
)
def test_what_is_no_certificate_is_said_and_takes_nothing(buyer: Shop, content: bytes) -> None:
    imported = bring(buyer, content)
    assert imported.arrivals == ()
    assert imported.problems


def test_all_that_is_wrong_is_said_at_once_with_the_line_and_nothing_is_taken(
    buyer: Shop, seller: Seller
) -> None:
    leaf = seller.sell(
        request_of(buyer),
        names=["ipm1.example.com", "www.ipm1.example.com"],
        purposes=[CLIENT_AUTH],
        begins=buyer.now + timedelta(days=2),
        without=x509.KeyUsage,
    )
    imported = bring(buyer, b"a remark\n" + pem(leaf))
    assert outcomes(imported) == {"ipm1": "refused"}
    assert rules(imported) >= {
        "name-not-covered",
        "name-not-ordered",
        "purpose-missing",
        "certificate-not-yet-valid",
        "chain-incomplete",
    }
    assert {one.label.span.start.line for one in imported.problems if one.label.span} == {2}
    assert read_issued(buyer.store).current == {}
    assert outcomes(bring(buyer, pem(leaf), force=True)) == {"ipm1": "refused"}


def test_a_mere_warning_is_for_force_to_take(buyer: Shop, seller: Seller) -> None:
    leaf = seller.sell(request_of(buyer, "ipm2"), names=["ipm2.example.com", "www.ipm2.example.com"])
    came = pem(leaf, seller.intermediate)
    imported = bring(buyer, came)
    assert (outcomes(imported), rules(imported)) == ({"ipm2": "refused"}, {"name-not-ordered"})
    assert outcomes(bring(buyer, came, force=True)) == {"ipm2": "taken"}


def test_a_certificate_for_a_key_that_is_not_here_is_never_taken(buyer: Shop, seller: Seller) -> None:
    old = seller.sell(request_of(buyer))
    buyer.edit('aliases = ["print.example.com"]', 'aliases = ["pr.example.com"]')
    buyer.build()
    imported = bring(buyer, pem(old, seller.intermediate), force=True)
    assert (imported.arrivals, rules(imported)) == ((), {"not-requested"})


def test_another_sellers_certificate_is_not_trusted(buyer: Shop) -> None:
    other = Seller("Somebody Else")
    imported = bring(buyer, pem(other.sell(request_of(buyer)), other.intermediate, other.root), force=True)
    assert outcomes(imported) == {"ipm1": "refused"}
    assert rules(imported) & {"issuer-not-trusted", "chain-incomplete"}


def test_public_authorities_cease_to_grant_client_authentication(buyer: Shop, seller: Seller) -> None:
    buyer.edit('mutual_auth = "off"', 'mutual_auth = "required"')
    buyer.build()
    leaf = seller.sell(request_of(buyer), purposes=[SERVER_AUTH])
    imported = bring(buyer, pem(leaf, seller.intermediate))
    assert (outcomes(imported), rules(imported)) == ({"ipm1": "refused"}, {"purpose-missing"})


def test_one_that_cannot_work_keeps_no_other_from_being_taken(buyer: Shop, seller: Seller) -> None:
    good = seller.sell(request_of(buyer))
    bad = seller.sell(request_of(buyer, "ipm2"), purposes=[CLIENT_AUTH])
    assert outcomes(bring(buyer, pem(good, bad, seller.intermediate))) == {
        "ipm1": "taken",
        "ipm2": "refused",
    }


def test_a_renewal_is_ordered_in_time_and_takes_the_place_of_the_old(buyer: Shop, seller: Seller) -> None:
    old = seller.sell(request_of(buyer))
    bring(buyer, pem(old, seller.intermediate))
    buyer.build()
    buyer.now += timedelta(days=180)
    assert buyer.changes()[("request", "ipm1")] == {"expiring"}
    buyer.build()
    folder = buyer.host("ipm1")
    assert (folder / "server-cert.pem").read_bytes() == pem(old, seller.intermediate)
    new = seller.sell(request_of(buyer), begins=buyer.now - timedelta(hours=1))
    assert new.public_key() != old.public_key()
    assert outcomes(bring(buyer, pem(new, seller.intermediate))) == {"ipm1": "taken"}
    buyer.build()
    assert (folder / "server-cert.pem").read_bytes() == pem(new, seller.intermediate)
    key = serialization.load_pem_private_key((folder / "server-key.pem").read_bytes(), None)
    assert key.public_key() == new.public_key()
    assert outcomes(bring(buyer, pem(new, old, seller.intermediate))) == {"ipm1": "known"}
    with contextlib.closing(sqlite3.connect(buyer.store)) as connection:
        assert connection.execute("SELECT count(*) FROM certificate").fetchone() == (2,)


def test_a_certificate_that_was_bought_and_is_removed_is_for_its_seller_to_revoke(
    buyer: Shop, seller: Seller
) -> None:
    bring(buyer, pem(seller.sell(request_of(buyer)), seller.intermediate))
    buyer.build()
    buyer.edit(SERVER, "")
    changes = {change.artifact.value: change for change in buyer.plan().changes}
    assert "ask the authority to revoke it" in changes["server-certificate"].reasons[0].detail
    buyer.build()
    assert not buyer.host("ipm1").exists()
    assert buyer.changes() == {}


def test_nothing_is_imported_where_nothing_is_bought_or_was_ordered(
    built_shop: Shop, tmp_path: Path, seller: Seller
) -> None:
    with pytest.raises(Fault, match="issued here"):
        bring(built_shop, b"")
    folder = tmp_path / "fresh"
    folder.mkdir()
    (folder / "root.pem").write_bytes(pem(seller.root))
    with pytest.raises(Fault, match="nothing has been ordered yet"):
        bring(Shop(folder, text=BOUGHT + SERVER), b"")


def test_without_a_bundle_nobody_is_believed(buyer: Shop, seller: Seller) -> None:
    buyer.edit('\nbundle = "root.pem"', "")
    with pytest.raises(Fault, match="no trust bundle"):
        bring(buyer, pem(seller.sell(request_of(buyer))))


def test_a_bundle_that_no_build_has_seen_is_recorded_by_the_import(buyer: Shop, seller: Seller) -> None:
    (buyer.folder / "root.pem").write_bytes(b"# renewed\n" + pem(seller.root))
    assert outcomes(bring(buyer, pem(seller.sell(request_of(buyer)), seller.intermediate))) == {
        "ipm1": "taken"
    }
    assert ("bundle", None) in buyer.actions() or buyer.build()
    buyer.build()
    assert buyer.changes() == {}


def listed(root: x509.Certificate, until: bytes) -> str:
    """A certdata.txt with one root, trusted for what it issues until a moment."""
    name = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    length = root.serial_number.bit_length() // 8 + 1
    told = {"label": str(name), "name": str(name), "serial": root.serial_number.to_bytes(length, "big")}
    der = root.public_bytes(serialization.Encoding.DER)
    limit = octal("CKA_NSS_SERVER_DISTRUST_AFTER", until)
    return "BEGINDATA\n" + certificate_object(der, **told, more=limit) + trust_object(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize(("until", "outcome"), [(b"261201000000Z", "taken"), (b"261101000000Z", "refused")])
def test_a_root_that_mozilla_has_limited_vouches_for_what_it_issued_before(
    buyer: Shop, seller: Seller, until: bytes, outcome: str
) -> None:
    (buyer.folder / "certdata.txt").write_text(listed(seller.root, until))
    buyer.edit('bundle = "root.pem"', 'certdata = "certdata.txt"')
    buyer.build()
    until_day = f"20{until[:2].decode()}-{until[2:4].decode()}-{until[4:6].decode()}"
    report = json.loads((buyer.dist / "report.json").read_text())["bundle"]
    assert report["limits"] == [
        {"authority": "Trust Unlimited Root", "issued_until": f"{until_day}T00:00:00Z"}
    ]
    assert f"{until_day}  Trust Unlimited Root" in (buyer.dist / "report.txt").read_text()
    assert f"{until_day} <bdi>Trust Unlimited Root" in (buyer.dist / "report.html").read_text()
    imported = bring(buyer, pem(seller.sell(request_of(buyer)), seller.intermediate), force=True)
    assert outcomes(imported) == {"ipm1": outcome}
    assert rules(imported) == (set() if outcome == "taken" else {"issued-after-distrust"})


def test_an_authority_that_leaves_the_bundle_is_told_for_every_host_below_it(
    buyer: Shop, seller: Seller
) -> None:
    both = [seller.sell(request_of(buyer, host)) for host in ("ipm1", "ipm2")]
    bring(buyer, pem(*both, seller.intermediate))
    buyer.build()
    assert "authority-leaves-bundle" not in {one.problem.rule for one in buyer.load().problems}
    (buyer.folder / "root.pem").write_bytes(pem(Seller("Somebody Else").root))
    found = [one.problem for one in buyer.load().problems if one.problem.rule == "authority-leaves-bundle"]
    assert len(found) == 2
    assert "'CN=Trust Unlimited TLS'" in found[0].message
    (change,) = [one for one in buyer.plan().changes if one.artifact.value == "bundle"]
    assert {(one.new or one.old or "").partition(" (")[0] for one in change.differences} == {
        "Somebody Else Root",
        "Trust Unlimited Root",
    }


def test_the_report_shows_what_came(buyer: Shop, seller: Seller) -> None:
    bring(buyer, pem(seller.sell(request_of(buyer)), seller.intermediate))
    buyer.build()
    hosts = {one["name"]: one for one in json.loads((buyer.dist / "report.json").read_text())["hosts"]}
    assert hosts["ipm1.example.com"]["status"] == "valid"
    assert hosts["ipm2.example.com"]["status"] == "awaited"


def test_of_several_certificates_for_one_key_the_one_that_works_is_taken(buyer: Shop, seller: Seller) -> None:
    request = request_of(buyer)
    longest = seller.sell(request, days=390, purposes=[CLIENT_AUTH])
    good, older = seller.sell(request, days=199), seller.sell(request, days=90)
    imported = bring(buyer, pem(longest, older, good, seller.intermediate))
    found = [(one.outcome.value, one.certificate.serial, one.why) for one in imported.arrivals]
    assert found[0] == ("taken", good.serial_number, "")
    assert found[1][:2] == ("passed over", longest.serial_number)
    assert "server" in found[1][2]
    assert found[2] == ("passed over", older.serial_number, "another for the same key holds longer")
    assert imported.problems == ()
    assert read_issued(buyer.store).current["ipm1.example.com"].serial == good.serial_number


def test_where_none_of_several_works_the_first_is_refused_and_the_others_say_why(
    buyer: Shop, seller: Seller
) -> None:
    request = request_of(buyer)
    wrong = [seller.sell(request, days=days, purposes=[CLIENT_AUTH]) for days in (90, 199)]
    imported = bring(buyer, pem(*wrong, seller.intermediate))
    assert [one.outcome.value for one in imported.arrivals] == ["refused", "passed over"]
    assert all("server" in one.why for one in imported.arrivals[1:])
    assert read_issued(buyer.store).current == {}
