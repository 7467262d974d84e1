"""Mutual authentication is turned on and off in two steps, each of which waits for the hosts."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ipmpki.operations.installed import record_installed, record_skipped
from ipmpki.store.records import InstallationSource
from ipmpki.store.sqlite.open import open_store
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.plans.plan import Plan

OFF = HEAD.replace('"required"', '"off"') + '\n[ipm.keywords]\nmutual_auth = "AskReadOffTheSample"\n'
TURNED_ON = ('mutual_auth = "off"', 'mutual_auth = "required"')
TURNED_OFF = ('mutual_auth = "required"', 'mutual_auth = "off"')
CLIENTS = client("desk1") + client("desk2")
EVERY = ("desk1", "desk2", "ipm1")


def stage(plan: Plan) -> tuple[str, tuple[str, ...]]:
    """Where a plan stands, and the short names of the hosts that it waits for."""
    assert plan.mutual_auth is not None
    return plan.mutual_auth.stage.value, tuple(name.partition(".")[0] for name in plan.mutual_auth.waiting)


def installed(shop: Shop, *names: str) -> None:
    record_installed(shop.load(), [f"{name}.example.com" for name in names])


def request_for(name: str) -> bytes:
    """A request in PEM for a new key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def asks(shop: Shop) -> bool:
    """Whether the published folder of the server has it ask clients for certificates."""
    return '"AskReadOffTheSample": "1"' in (shop.host("ipm1") / "settings.json").read_text("utf-8")


@pytest.fixture
def off(tmp_path: Path) -> Shop:
    """A shop without mutual authentication, installed everywhere."""
    shop = Shop(tmp_path, text=OFF + SERVER + CLIENTS)
    shop.build()
    installed(shop, *EVERY)
    return shop


@pytest.fixture
def on(tmp_path: Path) -> Shop:
    """A shop with mutual authentication from its first day, installed everywhere."""
    shop = Shop(tmp_path, text=OFF.replace('"off"', '"required"') + SERVER + CLIENTS)
    shop.build()
    installed(shop, *EVERY)
    assert asks(shop)
    assert shop.plan().mutual_auth is None
    return shop


def test_turned_on_every_host_gets_a_certificate_before_a_server_asks(off: Shop) -> None:
    off.edit(*TURNED_ON)
    assert stage(off.plan()) == ("hand-out", ("ipm1", "desk1", "desk2"))
    off.build()
    assert not asks(off)
    assert (off.host("desk1") / "client-cert.pem").exists()
    installed(off, "desk1", "ipm1")
    assert stage(off.plan()) == ("hand-out", ("desk2",))
    assert off.plan().changes == ()
    installed(off, "desk2")
    assert stage(off.plan()) == ("ask", ())
    assert off.changes() == {
        ("folder", "ipm1"): {"settings-changed"},
        ("report", None): {"files-changed"},
    }
    off.build()
    assert asks(off)
    assert off.plan().mutual_auth is None
    assert off.plan().changes == ()


def test_turned_off_no_server_asks_before_a_certificate_is_taken_back(on: Shop) -> None:
    on.edit(*TURNED_OFF)
    assert stage(on.plan()) == ("release", ("ipm1",))
    assert on.changes() == {("folder", "ipm1"): {"settings-changed"}}
    on.build()
    assert not asks(on)
    assert on.plan().changes == ()
    installed(on, "ipm1")
    assert stage(on.plan()) == ("withdraw", ())
    assert on.actions()[("client-certificate", "desk1")] == "revoke"
    assert on.actions()[("server-certificate", "ipm1")] == "replace"
    on.build()
    assert not list(on.dist.rglob("client-cert.pem"))
    assert on.plan().mutual_auth is None
    assert on.plan().changes == ()


def test_a_fleet_of_which_no_server_is_published_yet_has_no_stages(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + CLIENTS)
    assert shop.plan().mutual_auth is None
    shop.edit(SERVER, "")
    shop.build()
    assert shop.plan().mutual_auth is None


def test_a_host_that_is_skipped_holds_up_neither_way(off: Shop) -> None:
    off.edit(*TURNED_ON)
    off.build()
    installed(off, "desk1", "ipm1")
    record_skipped(off.load(), ["desk2.example.com"], "on leave")
    assert stage(off.plan()) == ("ask", ())
    off.build()
    off.edit(*TURNED_OFF)
    off.build()
    record_skipped(off.load(), ["ipm1.example.com"], "in repair")
    assert stage(off.plan()) == ("withdraw", ())


def test_who_thinks_better_of_it_halfway_is_led_back_the_same_way(off: Shop) -> None:
    off.edit(*TURNED_ON)
    off.build()
    installed(off, "ipm1")
    off.edit(*TURNED_OFF)
    assert stage(off.plan()) == ("withdraw", ())
    off.edit(*TURNED_ON)
    assert stage(off.plan()) == ("hand-out", ("desk1", "desk2"))


def test_a_host_that_comes_when_servers_ask_already_starts_nothing_anew(on: Shop) -> None:
    on.write(on.text + client("desk3"))
    assert on.plan().mutual_auth is None
    on.build()
    assert asks(on)


def test_what_is_renewed_meanwhile_holds_nothing_up(off: Shop) -> None:
    off.edit(*TURNED_ON)
    off.build()
    installed(off, "desk1", "ipm1")
    off.edit('name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["till.example.com"]\n')
    off.build()
    assert stage(off.plan()) == ("hand-out", ("desk2",))


def test_a_certificate_that_is_seen_proves_no_settings(on: Shop) -> None:
    """A server that shows its newest certificate may still ask for what clients are to lose."""
    on.edit(*TURNED_OFF)
    on.build()
    with open_store(on.store, now=on.now) as store:
        seen = replace(
            store.issued().installed["ipm1.example.com"],
            source=InstallationSource.LIVE,
            files="",
            trusted=frozenset(),
        )
        store.record_installations([seen], "as it was seen")
    assert stage(on.plan()) == ("release", ("ipm1",))


def test_saying_twice_that_all_is_installed_does_no_harm(on: Shop) -> None:
    on.edit(*TURNED_OFF)
    on.build()
    installed(on, *EVERY)
    installed(on, *EVERY)
    assert stage(on.plan()) == ("withdraw", ())


def test_a_renewal_in_the_first_step_back_still_is_for_a_client(on: Shop) -> None:
    on.edit(*TURNED_OFF)
    on.build()
    on.edit('name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["till.example.com"]\n')
    assert on.actions()[("client-certificate", "desk1")] == "replace"
    on.build()
    assert (on.host("desk1") / "client-cert.pem").exists()


def test_a_request_of_a_hosts_own_key_is_read_while_servers_still_ask(on: Shop) -> None:
    """Its file is not looked at where mutual authentication is off: here it is needed once more."""
    (on.folder / "desk3.csr").write_bytes(request_for("desk3.example.com"))
    on.write(f'{on.text}\n[[hosts]]\nname = "desk3.example.com"\nrole = "client"\ncsr = "desk3.csr"\n')
    on.build()
    on.edit(*TURNED_OFF)
    assert stage(on.plan()) == ("release", ("ipm1",))
    assert on.plan().awaited == ()


def test_without_the_keyword_the_plan_says_what_is_to_be_done_by_hand(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + SERVER + CLIENTS)
    shop.build()
    installed(shop, *EVERY)
    shop.edit(*TURNED_OFF)
    for command in ("plan", "build"):
        assert "take out by hand what has it ask" in " ".join(run(command, shop.declaration).out.split())
    installed(shop, *EVERY)
    shop.build()
    installed(shop, *EVERY)
    shop.edit(*TURNED_ON)
    shop.build()
    installed(shop, *EVERY)
    for command in ("plan", "build"):
        assert "set by hand" in " ".join(run(command, shop.declaration).out.split())


def test_servers_asked_already_where_an_older_version_published_them_so(on: Shop) -> None:
    forget_who_asks(on)
    assert on.plan().mutual_auth is None
    on.edit(*TURNED_OFF)
    assert stage(on.plan()) == ("release", ("ipm1",))
    on.build()
    assert not asks(on)


def test_servers_did_not_ask_where_an_older_version_published_none_that_did(off: Shop) -> None:
    forget_who_asks(off)
    off.edit(*TURNED_ON)
    assert stage(off.plan())[0] == "hand-out"
    off.build()
    assert not asks(off)


def forget_who_asks(shop: Shop) -> None:
    """The store as a version left it that did not keep that."""
    with contextlib.closing(sqlite3.connect(shop.store)) as connection:
        connection.execute("ALTER TABLE folder DROP COLUMN asks_clients")
        connection.execute("PRAGMA user_version = 4")


def test_status_says_who_is_waited_for_and_what_is_next(off: Shop) -> None:
    off.edit(*TURNED_ON)
    off.build()
    told = run("status", off.declaration).out
    assert "Mutual authentication is turned on: servers ask when all have certificates." in told
    assert "Not known to be ready for that: ipm1.example.com and 2 more." in told
    assert "When a host has installed" in told
    installed(off, *EVERY)
    assert "Next: ipmpki plan" in run("status", off.declaration).out


def test_plan_build_and_report_tell_of_the_step_and_whom_it_waits_for(off: Shop) -> None:
    off.edit(*TURNED_ON)
    planned = " ".join(run("plan", off.declaration).out.split())
    assert "Mutual authentication is turned on without an outage, step 1 of 2" in planned
    built = " ".join(run("build", off.declaration).out.split())
    assert "in any order" in built
    assert "Not known of 3 hosts: ipm1.example.com, desk1.example.com, desk2.example.com." in built
    report = json.loads((off.dist / "report.json").read_text("utf-8"))
    assert report["mutual_auth_change"]["stage"] == "hand-out"
    text = " ".join((off.dist / "report.txt").read_text("utf-8").split())
    assert "being turned on: no server is to ask clients for certificates meanwhile" in text
    assert "this is the first of two steps" in text


def test_a_saved_plan_of_a_step_is_carried_out_as_it_stands(off: Shop) -> None:
    off.edit(*TURNED_ON)
    saved = off.folder / "plan.json"
    assert run("plan", off.declaration, "--out", saved).status == 0
    assert run("build", off.declaration, "--plan", saved).status == 0
    assert not asks(off)
