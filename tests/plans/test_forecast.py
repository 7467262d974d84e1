"""The calendar of the years ahead tells the days on which builds will find something to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.installed import record_installed
from ipmpki.operations.plan import calendar
from ipmpki.plans.forecast import Task
from tests import clock
from tests.cli.command import ipmpki
from tests.shop import HEAD, SERVER, TODAY, Shop, client

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.plans.forecast import Work

SHORT = '[defaults]\nlifetime = "90d"\nrenew_before = "20d"\nrenew_spread = "25d"\n\n[tls]'
CRL = '\n[ipm.keywords]\ncrl_file = "NameReadOffTheSample"\n'


def ahead(shop: Shop, years: int) -> tuple[Work, ...]:
    return calendar(shop.load(), shop.now + timedelta(days=365 * years))


def days_with_work(shop: Shop, years: int) -> dict[str, set[str]]:
    """What really comes: the builds of each day for years, with what they renewed."""
    found: dict[str, set[str]] = {}
    for _ in range(365 * years):
        shop.now += timedelta(days=1)
        renewed = {
            one.host or one.artifact.value
            for one in shop.plan().changes
            if one.artifact.value.endswith("certificate") or one.artifact.value == "crl"
        }
        if renewed:
            found[f"{shop.now:%Y-%m-%d}"] = renewed
            shop.build()
    return found


def test_the_days_are_those_on_which_builds_find_work(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD.replace("[tls]", SHORT) + SERVER + client("desk1") + client("desk2"))
    shop.build()
    told: dict[str, set[str]] = {}
    for one in ahead(shop, 1):
        names = set(one.hosts) if one.task is Task.RENEW else {"crl"}
        told.setdefault(f"{one.due:%Y-%m-%d}", set()).update(names)
    came = days_with_work(shop, 1)
    assert len(came) > 8
    assert told == came


def test_a_successor_resets_the_years_of_the_hosts(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD.replace("[tls]", SHORT) + SERVER + client("desk1"))
    shop.edit('key = "ec-p256"\n\n', 'key = "ec-p256"\nlifetime = "2y"\n\n')
    shop.build()
    work = ahead(shop, 3)
    (first,) = [one for one in work if one.task is Task.SUCCESSION][:1]
    assert first.hosts == ("ipm1.example.com", "desk1.example.com")
    shop.now = first.due - timedelta(days=1)
    shop.build()
    assert shop.plan().rollover is None
    shop.now = first.due
    assert shop.plan().rollover is not None
    for _ in range(3):
        shop.build()
        record_installed(shop.load(), None)
    after = [one for one in work if one.task is Task.RENEW and one.due > first.due]
    again = [one for one in ahead(shop, 1) if one.task is Task.RENEW]
    assert (after[0].due, after[0].hosts) == (again[0].due, again[0].hosts)


def test_servers_are_named_where_they_are_given_the_list(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD + CRL + SERVER + client("desk1"))
    shop.build()
    lists = [one for one in ahead(shop, 2) if one.task is Task.LIST]
    assert lists
    assert all(one.hosts == ("ipm1.example.com",) for one in lists)


def test_the_command_line_shows_it_by_day(built_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.stop(monkeypatch, TODAY)
    told = ipmpki("plan", built_shop.declaration, "--at", "2026-11-24", "--until", "2028-06-01")
    assert told.status == 0
    assert "2027-11-27  build: 3 hosts to be renewed; install by 2027-12-26 on" in told.out
    assert max(map(len, told.out.splitlines())) <= 96
    document = json.loads(
        ipmpki(
            "plan", built_shop.declaration, "--at", "2026-11-24", "--until", "2028-06-01", "--format", "json"
        ).out
    )
    assert {one["task"] for one in document["work"]} == {"renew", "revocation-list"}
    assert document["work"][0]["hosts"]


@pytest.mark.parametrize("option", [["--out", "x"], ["--exit-code"], ["--replace-ca"]])
def test_what_belongs_to_a_plan_does_not_go_with_a_calendar(built_shop: Shop, option: list[str]) -> None:
    assert ipmpki("plan", built_shop.declaration, "--until", "2030-01-01", *option).status == 2


def test_an_end_before_the_beginning_is_refused(built_shop: Shop) -> None:
    assert ipmpki("plan", built_shop.declaration, "--until", "2020-01-01").status == 2


def test_a_quiet_time_is_said_to_be_one(built_shop: Shop) -> None:
    told = ipmpki("plan", built_shop.declaration, "--at", "2026-11-24", "--until", "2026-12-24")
    assert told.out == "Nothing will be due from 2026-11-24 to 2026-12-24.\n"


def test_before_anything_is_issued_only_a_plan_can_tell(shop: Shop) -> None:
    assert calendar(shop.load(), datetime(2036, 1, 1, tzinfo=UTC)) == ()
