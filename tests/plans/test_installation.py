"""What each host has in use, and by when it has to install: one answer for plan, status and report."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.installed import record_installed, record_receipts
from ipmpki.operations.revoke import revoke
from ipmpki.plans.installation import Cause, in_use_of
from ipmpki.render.report.collect import report_of
from ipmpki.render.report.words import take_census, write_headline
from ipmpki.store.records import InstallationSource
from ipmpki.store.sqlite.schema import VERSION
from tests.cli.command import ipmpki as run
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ipmpki.plans.installation import InUse

CLIENTS = HEAD + client("desk1") + client("desk2")
CRL = '\n[ipm]\nkeywords = { crl_file = "CrlFile" }\n'


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two clients that have installed what was built."""
    shop = Shop(tmp_path, text=CLIENTS)
    shop.build()
    record_installed(shop.load(), None)
    return shop


def stand(shop: Shop, name: str = "desk1") -> InUse:
    """How a host stands."""
    project = shop.load()
    assert project.fleet is not None
    host = next(one for one in project.fleet.hosts if one.name == f"{name}.example.com")
    return in_use_of(host, project.fleet, project.issued)


def causes(shop: Shop, name: str = "desk1") -> list[Cause]:
    """Why a host has to install."""
    return [duty.cause for duty in stand(shop, name).duties]


def moment(time: datetime) -> str:
    """A time as commands take it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def monitor(shop: Shop, *words: str) -> tuple[int, str]:
    """What a monitor sees."""
    done = run("status", shop.declaration, "--format", "nagios", "--at", moment(shop.now), *words)
    return done.status, done.out


def renew(shop: Shop) -> datetime:
    """Let the time come and build; when the certificates before end."""
    ends = next(iter(shop.load().issued.current.values())).not_after
    shop.now = ends - timedelta(days=20)
    shop.build()
    return ends


# --- A renewal counts by the certificate before it ------------------------------------------------------


def test_a_renewal_that_nobody_installed_counts_by_the_certificate_before(shop: Shop) -> None:
    ends = renew(shop)
    told = stand(shop)
    assert (told.is_installed, told.install_by, told.in_use_end) == (False, ends, ends)
    assert causes(shop) == [Cause.RENEWAL]


@pytest.mark.parametrize("is_told", [True, False], ids=["was installed", "nobody ever told"])
def test_a_monitor_warns_as_the_day_nears_and_is_critical_once_it_has_passed(
    tmp_path: Path, *, is_told: bool
) -> None:
    shop = Shop(tmp_path, text=CLIENTS)
    shop.build()
    if is_told:
        record_installed(shop.load(), None)
    ends = renew(shop)
    assert monitor(shop)[0] == 0
    assert monitor(shop, "--warning", "30")[0] == 1
    shop.now = ends - timedelta(days=10)
    assert monitor(shop)[0] == 1
    assert monitor(shop, "--warning", "14", "--critical", "12")[0] == 2
    shop.now = ends + timedelta(days=1)
    status, line = monitor(shop)
    assert status == 2
    assert f"overdue since {ends:%Y-%m-%d}" in line


def test_after_the_day_status_ends_with_1_and_says_since_when(shop: Shop) -> None:
    ends = renew(shop)
    done = run("status", shop.declaration, "--at", moment(ends + timedelta(days=2)))
    assert done.status == 1
    assert f"overdue since {ends:%Y-%m-%d}" in done.out
    assert "Not installed in time: 2 hosts." in done.out
    words = ("--format", "json", "--at", moment(ends + timedelta(days=2)))
    (one, _) = [
        one
        for one in json.loads(run("status", shop.declaration, *words).out)["standings"]
        if one["kind"] == "client"
    ]
    assert (one["is_overdue"], one["install_because"], one["source"]) == (True, ["renewed"], "operator")


def test_metrics_and_calendar_know_the_day(shop: Shop) -> None:
    ends = renew(shop)
    metrics = run("status", shop.declaration, "--format", "prometheus").out
    labels = '{pki="Acme Print CA",host="desk1.example.com",certificate="client"}'
    for what in ("install_by", "in_use_not_after"):
        assert f"ipmpki_certificate_{what}_timestamp_seconds{labels} {ends.timestamp():.0f}" in metrics
    assert f"ipmpki_certificate_installed{labels} 0" in metrics
    calendar = run("status", shop.declaration, "--format", "ics", "--at", moment(shop.now)).out
    event = calendar[: calendar.index("SUMMARY:Install certificates: 2 hosts")].rpartition("BEGIN:VEVENT")[2]
    assert f"DTSTART;VALUE=DATE:{ends:%Y%m%d}" in event
    assert "TRIGGER:-P7D" in calendar


def test_once_installed_all_is_well(shop: Shop) -> None:
    ends = renew(shop)
    record_installed(shop.load(), None)
    shop.now = ends + timedelta(days=1)
    assert stand(shop).is_installed
    assert monitor(shop)[0] == 0


# --- Not known ------------------------------------------------------------------------------------------


def test_a_host_that_was_never_confirmed_is_fine_for_14_days_and_then_asked_after(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=CLIENTS)
    shop.build()
    shop.now += timedelta(days=13)
    assert monitor(shop)[0] == 0
    shop.now += timedelta(days=2)
    status, line = monitor(shop)
    assert (status, "not known to be installed: desk1.example.com and 1 more" in line) == (1, True)
    record_installed(shop.load(), ["desk1.example.com"])
    assert "not known to be installed: desk2.example.com |" in monitor(shop)[1]


def test_the_report_shows_no_green_banner_while_a_host_is_not_known_to_be_installed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD.replace("required", "off") + SERVER + client("desk1"))
    shop.build()
    for names, tone, title in (
        ([], "warning", "2 hosts not known to be installed"),
        (None, "ok", "All is well"),
    ):
        if names is None:
            record_installed(shop.load(), None)
        project = shop.load()
        report = report_of("pki.toml", project.fleet, project.issued, (), refused=False)
        headline = write_headline(report, take_census(report))
        assert (headline.tone, headline.title) == (tone, title)


def test_what_is_known_has_a_source_and_a_time(shop: Shop) -> None:
    assert stand(shop).source is InstallationSource.OPERATOR
    assert stand(shop).known_at == shop.now
    folder = shop.host("desk1")
    renew(shop)
    lines = [
        f"file client {file['name']} {file['sha256']} -"
        for file in json.loads((folder / "manifest.json").read_bytes())["files"]
    ]
    record_receipts(shop.load(), [("desk1.example.com", "\n".join(lines).encode())])
    assert (stand(shop).source, stand(shop).is_installed) == (InstallationSource.RECEIPT, True)


# --- Deadlines follow the reason ------------------------------------------------------------------------


def test_a_new_name_is_due_at_once(shop: Shop) -> None:
    shop.now += timedelta(days=3)
    shop.edit('name = "desk1.example.com"', 'name = "desk1.example.com"\naliases = ["d1.example.com"]')
    (change,) = [one for one in shop.plan().changes if one.host == "desk1.example.com"]
    assert change.install_by == shop.now
    shop.build()
    assert (causes(shop), stand(shop).install_by) == ([Cause.NAMES], shop.now)


def test_a_name_that_goes_may_wait_until_the_end(shop: Shop) -> None:
    shop.edit('name = "desk1.example.com"', 'name = "desk1.example.com"\naliases = ["d1.example.com"]')
    shop.build()
    record_installed(shop.load(), None)
    ends = stand(shop).in_use_end
    shop.now += timedelta(days=3)
    shop.edit('aliases = ["d1.example.com"]\n', "")
    shop.build()
    assert (causes(shop), stand(shop).install_by) == ([Cause.NAMES], ends)


def test_a_compromised_key_is_due_at_once_on_its_host_and_as_a_list_on_servers(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + CRL + SERVER + client("desk1"))
    shop.build()
    record_installed(shop.load(), None)
    shop.now += timedelta(days=3)
    revoke(shop.load(), "desk1.example.com", RevocationReason.KEY_COMPROMISE)
    planned = {one.host: one.install_by for one in shop.plan().changes if one.host is not None}
    assert planned == {"desk1.example.com": shop.now, "ipm1.example.com": shop.now}
    shop.build()
    assert (causes(shop), stand(shop).install_by) == ([Cause.COMPROMISED], shop.now)
    (duty,) = stand(shop, "ipm1").duties
    assert (duty.cause, duty.by) == (Cause.LIST, shop.now)
    assert duty.effect == "until then the compromised key of desk1.example.com is let in"


def test_a_list_is_due_by_the_end_of_the_one_that_the_server_has(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + CRL + SERVER + client("desk1") + client("desk2"))
    shop.build()
    record_installed(shop.load(), None)
    (held,) = shop.load().issued.revocation_lists.values()
    shop.now += timedelta(days=3)
    revoke(shop.load(), "desk1.example.com", RevocationReason.SUPERSEDED)
    shop.build()
    (duty,) = stand(shop, "ipm1").duties
    assert (duty.cause, duty.by) == (Cause.LIST, held.next_update)


def test_settings_have_no_date_and_are_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + CRL + SERVER + client("desk1"))
    shop.build()
    record_installed(shop.load(), None)
    shop.edit('crl_file = "CrlFile"', 'crl_file = "CRLFile"')
    shop.build()
    (duty,) = stand(shop, "ipm1").duties
    assert (duty.cause, duty.by) == (Cause.SETTINGS, None)


def test_a_changed_script_alone_leaves_a_host_installed(shop: Shop) -> None:
    with contextlib.closing(sqlite3.connect(shop.store)) as connection, connection:
        connection.execute("UPDATE folder SET inputs = 'of an older version'")
    script = shop.host("desk1") / "install.sh"
    script.write_bytes(script.read_bytes() + b"# older\n")
    shop.now += timedelta(days=1)
    shop.build()
    assert stand(shop).published_at == shop.now
    assert stand(shop).is_installed


def test_a_host_that_was_removed_and_comes_again_waits_for_nothing(shop: Shop) -> None:
    shop.write(HEAD + client("desk2"))
    shop.build()
    shop.write(CLIENTS)
    shop.build()
    assert not stand(shop).is_overdue(shop.now)


# --- Not valid yet --------------------------------------------------------------------------------------


def test_what_was_made_while_the_clock_was_ahead_is_shown_and_replaced(shop: Shop) -> None:
    today, shop.now = shop.now, shop.now + timedelta(days=380)
    shop.build()
    shop.now = today
    done = run("status", shop.declaration, "--at", moment(today))
    assert (done.status, done.out.count("not yet valid")) == (1, 3)
    assert monitor(shop)[0] == 2
    assert shop.changes()["client-certificate", "desk1"] == {"not-yet-valid"}
    shop.build()
    assert all(one.not_before <= today for one in shop.load().issued.current.values())


# --- Upgrading ------------------------------------------------------------------------------------------


def test_a_store_of_the_format_before_is_read_as_it_is_and_upgraded_by_a_build(shop: Shop) -> None:
    with contextlib.closing(sqlite3.connect(shop.store)) as connection, connection:
        for column in ("source", "files", "lists"):
            connection.execute(f"ALTER TABLE installation DROP COLUMN {column}")
        connection.execute("DROP TABLE skip")
        connection.execute("DROP TABLE backup")
        connection.execute("ALTER TABLE folder DROP COLUMN asks_clients")
        connection.execute("PRAGMA user_version = 3")
    assert stand(shop).is_installed
    renew(shop)
    assert causes(shop) == [Cause.RENEWAL]
    with contextlib.closing(sqlite3.connect(shop.store)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("SELECT source FROM installation").fetchall() == [("operator",)] * 2
