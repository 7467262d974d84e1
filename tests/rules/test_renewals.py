"""Renewals and lifetimes as of a day, for a system, and where an authority elsewhere decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ipmpki.rules.context import Surroundings
from ipmpki.store.records import Issued
from tests.problems import AUTHORITY, CLIENT, NOW, certificate_until, checked, rules_of, server

BOUGHT = '[ca]\nkind = "third-party"\ncertdata = "certdata.txt"\n'
ACME = '\n[[hosts]]\nname = "ipm1.acme.com"\nrole = "server"\n'
DESK = '\n[[hosts]]\nname = "desk1.acme.com"\nrole = "client"\n'


def rules_on(day: str, text: str) -> list[str]:
    """What is found as of a day."""
    surroundings = Surroundings(datetime.fromisoformat(day).replace(tzinfo=UTC))
    return [one.problem.rule for one in checked(text, surroundings=surroundings).problems]


@pytest.mark.parametrize(
    ("day", "longest"),
    [("2026-03-14", 398), ("2026-03-15", 200), ("2027-03-14", 200), ("2027-03-15", 100), ("2029-03-15", 47)],
)
def test_what_is_sold_shrinks_on_fixed_days(day: str, longest: int) -> None:
    for days, found in ((longest, []), (longest + 1, ["lifetime-not-sold"])):
        assert rules_on(day, BOUGHT + ACME + f'lifetime = "{days}d"\nrenew_before = "20d"\n' + DESK) == found
    assert rules_on(day, BOUGHT + ACME + f'renew_before = "{longest - 1}d"\nlifetime = "5y"\n' + DESK) == [
        "lifetime-not-sold"
    ]
    window = BOUGHT + f'[defaults]\nrenew_before = "{longest}d"\nlifetime = "5y"\n' + ACME + DESK
    assert set(rules_on(day, window)) == {"lifetime-not-sold", "renewal-window-wider-than-sold"}


def test_a_company_may_sell_for_as_long_as_it_likes() -> None:
    company = BOUGHT.replace("certdata =", "bundle =")
    assert rules_on("2030-01-01", company + ACME + 'lifetime = "5y"\nrenew_before = "1y"\n' + DESK) == []


def test_a_lifetime_that_nobody_wrote_is_nobodys_mistake() -> None:
    assert rules_on("2030-01-01", BOUGHT + ACME + DESK) == []


MIXED = (
    BOUGHT
    + '[client_ca]\ncommon_name = "Acme Print Client CA"\n[tls]\nmutual_auth = "required"\n'
    + '[ipm.keywords]\nca_file = "CaFile"\n'
)


def test_a_lifetime_that_counts_for_certificates_issued_here_is_not_one_to_buy() -> None:
    text = MIXED + '[defaults]\nlifetime = "397d"\n' + ACME + DESK
    assert "lifetime-not-sold" not in rules_on("2030-01-01", text)


def test_the_authority_of_clients_is_held_against_what_it_issues() -> None:
    short = MIXED.replace("[tls]", 'lifetime = "500d"\n[tls]')
    found = checked(short + ACME + DESK).problems
    assert [one.problem.place.path for one in found if one.problem.rule == "ca-shorter-than-two-leaves"] == [
        ("client_ca", "lifetime")
    ]


def test_an_authority_that_exists_already_is_as_old_as_it_is() -> None:
    text = '[ca]\ncertificate = "ca.pem"\nkey_file = "ca.key"\nlifetime = "500d"\n' + server() + CLIENT
    assert rules_of(text) == []


# --- The restart cycle ----------------------------------------------------------------------------

LATE = "renewal-window-shorter-than-restart-cycle"


def with_cycle(tables: str, keys: str = "") -> list[str]:
    return rules_of(AUTHORITY + tables + server(keys) + CLIENT)


def test_a_servers_system_has_the_last_word_on_its_restarts() -> None:
    assert with_cycle('[ipm]\nrestart_every = "90d"\n') == [LATE]
    assert with_cycle('[ipm]\nrestart_every = "90d"\n[ipm.linux]\nrestart_every = "7d"\n') == []
    assert with_cycle('[ipm]\nrestart_every = "7d"\n[ipm.linux]\nrestart_every = "90d"\n') == [LATE]
    assert with_cycle('[ipm]\nrestart_every = "7d"\n[ipm.aix]\nrestart_every = "90d"\n') == []


def test_a_window_as_long_as_the_cycle_has_a_restart_in_it() -> None:
    assert with_cycle('[ipm]\nrestart_every = "30d"\n') == []
    assert with_cycle('[ipm]\nrestart_every = "31d"\n') == [LATE]
    assert with_cycle('[ipm]\nrestart_every = "90d"\n', 'renew_before = "90d"') == []


def test_clients_are_not_restarted_with_the_servers() -> None:
    text = AUTHORITY + '[ipm]\nrestart_every = "20d"\n' + server() + CLIENT + 'renew_before = "10d"\n'
    assert rules_of(text) == []


def test_the_cycle_is_judged_by_no_window_that_could_not_be_read() -> None:
    text = AUTHORITY + '[ipm]\nrestart_every = "90d"\n[defaults]\nrenew_before = 30\n' + server() + CLIENT
    assert rules_of(text) == ["wrong-type"]


def test_a_cycle_that_is_a_number_gets_the_words_for_it() -> None:
    (found,) = checked(AUTHORITY + "[ipm]\nrestart_every = 7\n" + server() + CLIENT).problems
    assert found.problem.help == 'write: restart_every = "7d"'


# --- A whole fleet on one day ---------------------------------------------------------------------


def fleet_of(hosts: int, *, defaults: str = "", days_apart: int = 0) -> list[str]:
    """What is found of a fleet that was built, with so many days between two hosts' certificates."""
    by_hand = '[ipm.keywords]\nby_hand = ["mutual_auth"]\n'
    text = AUTHORITY + f'[tls]\nmutual_auth = "required"\n{by_hand}[defaults]\n{defaults}\n' + server()
    text += "".join(CLIENT.replace("desk1", f"desk{number}") for number in range(1, hosts))
    names = ["ipm1.example.com", *(f"desk{number}.example.com" for number in range(1, hosts))]
    held = {
        name: certificate_until(name, NOW + timedelta(days=300 + number * days_apart))
        for number, name in enumerate(names)
    }
    found = checked(text, surroundings=Surroundings(NOW, issued=Issued(current=held))).problems
    return [one.problem.rule for one in found]


def test_a_fleet_that_one_person_installs_in_a_day_may_come_due_on_one() -> None:
    assert fleet_of(30) == []
    assert fleet_of(31) == ["renewals-on-one-day"]


def test_a_fleet_that_is_spread_or_was_built_bit_by_bit_is_no_matter() -> None:
    assert fleet_of(40, defaults='renew_spread = "60d"') == []
    assert fleet_of(40, days_apart=1) == []


def test_a_day_that_has_come_is_the_plans_to_tell() -> None:
    assert "renewals-on-one-day" not in fleet_of(40, defaults='renew_before = "300d"')
