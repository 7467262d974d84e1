"""A store that is lost, empty or old is never believed beside what dist/ proves."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

import ipmpki
from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.recovery.authority import StoreLost
from ipmpki.operations.revoke import revoke
from ipmpki.plans.saved_plan import read_plan_json, render_plan_json
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = HEAD + client("desk1") + client("desk2")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two clients, which cost no time, built."""
    shop = Shop(tmp_path, text=CLIENTS)
    shop.build()
    return shop


def crl(shop: Shop) -> x509.CertificateRevocationList:
    """The published revocation list."""
    return x509.load_pem_x509_crl((shop.dist / "ca" / "crl.pem").read_bytes())


def number(shop: Shop) -> int:
    """Its number."""
    return crl(shop).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serial(shop: Shop, name: str) -> int:
    """The serial number of a client's published certificate."""
    pem = (shop.host(name) / "client-cert.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).serial_number


def authority(shop: Shop) -> bytes:
    """The published authority."""
    return (shop.dist / "ca" / "ca-cert.pem").read_bytes()


# --- The authority is lost ------------------------------------------------------------------------------


def test_without_its_store_a_published_authority_is_never_replaced(shop: Shop) -> None:
    before = shop.bytes_on_disk()
    shop.store.unlink()
    for work in (shop.plan, shop.build):
        with pytest.raises(StoreLost, match="but in dist/ lies 'Acme Print CA'") as lost:
            work()
        assert lost.value.exit_status == 4
        for way in ("ipmpki restore", "ipmpki adopt", "--replace-ca"):
            assert way in (lost.value.remedy or "")
    assert shop.bytes_on_disk() == before
    assert not shop.store.exists()


def test_check_tells_of_the_lost_store_as_an_error(shop: Shop) -> None:
    shop.store.unlink()
    assert [one.problem.rule for one in shop.load().problems if one.problem.rule == "store-lost"]
    done = run("check", str(shop.declaration))
    assert (done.status, "store-lost" in done.err) == (1, True)


def test_with_leave_a_build_begins_anew(shop: Shop) -> None:
    before = authority(shop)
    shop.store.unlink()
    shop.build(replace_ca=True)
    assert authority(shop) != before
    assert shop.plan().changes == ()
    assert not shop.load().errors


def test_after_dist_was_moved_away_a_build_begins_anew(shop: Shop) -> None:
    shop.store.unlink()
    shop.dist.rename(shop.folder / "old")
    shop.build()


def test_the_store_of_another_authority_is_not_believed(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Shop(other, text=CLIENTS)
    stranger.build()
    shutil.copyfile(stranger.store, shop.store)
    with pytest.raises(StoreLost, match=r"pki\.db holds another authority"):
        shop.build()


def test_a_successor_that_the_store_has_forgotten_is_not_passed_over(shop: Shop) -> None:
    shutil.copyfile(shop.store, shop.folder / "old.db")
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\ngeneration = 2\n\n[tls]')
    shop.build()
    shutil.copyfile(shop.folder / "old.db", shop.store)
    with pytest.raises(StoreLost, match="in dist/ lies 'Acme Print CA'"):
        shop.build()


def test_keys_of_hosts_alone_are_enough_to_refuse(shop: Shop) -> None:
    shop.store.unlink()
    shutil.rmtree(shop.dist / "ca")
    for host in ("desk1", "desk2"):
        (shop.host(host) / "ca-cert.pem").unlink()
    with pytest.raises(StoreLost, match="the keys and certificates of 2 hosts"):
        shop.build()


def test_a_damaged_file_of_the_authority_is_restored_as_ever(shop: Shop) -> None:
    before = authority(shop)
    (shop.dist / "ca" / "ca-cert.pem").write_bytes(before[:200])
    shop.build()
    assert authority(shop) == before


# --- The file is empty ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["status", "check", "plan", "build", "doctor", "log", "installed"])
def test_an_empty_store_is_refused_by_every_command(shop: Shop, command: str) -> None:
    shop.store.write_bytes(b"")
    words = ("--all",) if command == "installed" else ()
    done = run(command, str(shop.declaration), *words)
    assert done.status == 4
    assert "pki.db is empty" in done.out + done.err
    assert "ipmpki restore" in done.out + done.err
    if command in {"check", "plan", "build"}:
        assert "but in dist/ lies 'Acme Print CA'" in done.err
        assert "--replace-ca" in done.err
    assert shop.store.read_bytes() == b""


def test_a_first_build_that_is_killed_leaves_no_empty_store(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=CLIENTS)
    (tmp_path / ".pki.db.new").write_bytes(b"")
    (tmp_path / ".pki.db.new-journal").write_bytes(b"")
    shop.build()
    assert not list(tmp_path.glob(".pki.db.new*"))


# --- The store is old -----------------------------------------------------------------------------------


@pytest.fixture
def older(shop: Shop) -> Shop:
    """A shop whose store was put back by hand as it was before a key was compromised and replaced."""
    shutil.copyfile(shop.store, shop.folder / "old.db")
    shop.now += timedelta(days=1)
    revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE)
    shop.build()
    assert number(shop) == 2
    shutil.copyfile(shop.folder / "old.db", shop.store)
    shop.now += timedelta(days=1)
    return shop


def test_revocations_that_the_store_has_forgotten_stay_in_force(older: Shop) -> None:
    listed = {(one.serial_number, one.revocation_date_utc) for one in crl(older)}
    new = serial(older, "desk1")
    older.build()
    assert {(one.serial_number, one.revocation_date_utc) for one in crl(older)} == listed
    assert number(older) == 2
    assert serial(older, "desk1") == new
    assert older.plan().changes == ()


def test_a_list_after_it_goes_on_from_the_published_number(older: Shop) -> None:
    older.build()
    revoke(older.load(), "desk2.example.com", RevocationReason.SUPERSEDED)
    older.build()
    assert number(older) == 3
    assert len(list(crl(older))) == 2


def test_the_plan_tells_what_is_taken_over_and_is_exact(older: Shop) -> None:
    plan = older.plan()
    told = "\n".join(reason.detail for change in plan.changes for reason in change.reasons)
    assert "the revocation list in dist/, number 2 of" in told
    assert "its number and 1 revocation are taken over" in told
    assert f"serial number {serial(older, 'desk1'):X}, that is newer than the store" in told
    saved = read_plan_json(render_plan_json(plan).encode(), "tonight.plan")
    assert older.build(saved=saved).plan.changes == plan.changes


def test_check_warns_of_the_older_store(older: Shop) -> None:
    (found,) = [one.problem for one in older.load().problems if one.problem.rule == "store-outdated"]
    assert "it knows revocation list 1, and dist/ca/crl.pem is number 2" in found.message


def test_a_certificate_without_its_key_is_known_again_and_replaced(older: Shop) -> None:
    lost = serial(older, "desk1")
    (older.host("desk1") / "client-key.pem").unlink()
    older.build()
    assert serial(older, "desk1") != lost
    revoke(older.load(), f"{lost:x}", RevocationReason.SUPERSEDED)


def test_a_list_that_somebody_else_signed_proves_nothing(older: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Shop(other, text=CLIENTS)
    stranger.build()
    for _ in range(3):
        revoke(stranger.load(), "desk2.example.com", RevocationReason.SUPERSEDED)
        stranger.build()
    shutil.copyfile(stranger.dist / "ca" / "crl.pem", older.dist / "ca" / "crl.pem")
    older.build()
    assert {one.serial_number for one in crl(older)}.isdisjoint(one.serial_number for one in crl(stranger))


def test_a_host_that_came_since_keeps_its_certificate(shop: Shop) -> None:
    shutil.copyfile(shop.store, shop.folder / "old.db")
    shop.write(CLIENTS + client("desk3"))
    shop.now += timedelta(days=1)
    shop.build()
    new = serial(shop, "desk3")
    shutil.copyfile(shop.folder / "old.db", shop.store)
    shop.build()
    assert serial(shop, "desk3") == new


def test_restore_says_what_is_newer_and_knows_it_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "correct-horse-battery")
    words = (str(shop.declaration), str(shop.folder / "old.backup"), "--passphrase-env", "PW")
    assert run("backup", *words).status == 0
    shop.now += timedelta(days=1)
    revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE)
    shop.build()
    (listed,) = crl(shop)
    shop.store.unlink()
    done = run("restore", *words)
    assert done.status == 0
    assert "Newer in dist/ than in the backup" in done.err
    assert "number 2 of" in done.err
    issued = shop.load().issued
    assert issued.revocation_list is not None
    assert issued.revocation_list.number == 2
    assert issued.current["desk1.example.com"].serial == serial(shop, "desk1") != listed.serial_number


def test_an_authority_of_ones_own_whose_files_are_there_is_known_again(tmp_path: Path) -> None:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Own -days 3650"
    extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    made = ("openssl", *words.split(), "-keyout", "ca-key.pem", "-out", "ca-cert.pem", *extensions)
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "ca-key.pem").chmod(0o600)
    own = '[ca]\ncertificate = "ca-cert.pem"\nkey_file = "ca-key.pem"\n'
    text = CLIENTS.replace('[ca]\ncommon_name = "Acme Print CA"\nkey = "ec-p256"\n', own)
    shop = Shop(tmp_path, text=text)
    shop.now = ipmpki.load(shop.declaration).now
    shop.build()
    revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE)
    shop.build()
    (listed,) = crl(shop)
    new = serial(shop, "desk1")
    shop.store.unlink()
    plan = shop.plan()
    assert shop.build().plan.changes == plan.changes
    assert [one.serial_number for one in crl(shop)] == [listed.serial_number]
    assert (number(shop), serial(shop, "desk1")) == (2, new)
