"""What the rules find beyond their golden declarations: edges, and no mistake reported twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ipmpki.diagnostics.problem import Place
from ipmpki.rules.context import KeyFile, Surroundings
from ipmpki.store.records import Issued
from tests.problems import AUTHORITY, CLIENT, NOW, checked, fleet_with, places_of, rules_of, server

LONG = ".".join(["a" * 60] * 5)


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        ('subject = "*.example.com"', []),
        ('subject = "IPM1.example.com"', []),
        ('subject = ""', ["name-invalid"]),
        ('subject = "*."', ["wildcard-too-broad"]),
        ('subject = "*"', ["wildcard-too-broad"]),
        ('subject = "*.com"', ["wildcard-too-broad"]),
        ('subject = "*.localdomain"', ["wildcard-too-broad"]),
        ('subject = "**.example.com"', ["partial-wildcard"]),
        ('subject = "*.*.com"', ["partial-wildcard"]),
        ('subject = "print*.example.com"', ["partial-wildcard"]),
        ('subject = "ipm1.*"', ["partial-wildcard"]),
        ('subject = "*ipm1"', ["partial-wildcard"]),
        ('subject = "*.10.1.2.3"', ["name-is-an-address"]),
        ('subject = "10.1.2.3"', ["name-is-an-address"]),
        ('subject = "*.exa_mple.com"', ["name-invalid"]),
        ('subject = "*.print.example.com"', ["wildcard-does-not-cover-name"]),
        ('subject = "*.example.org"', ["wildcard-does-not-cover-name"]),
        ('subject = "*.EXAMPLE.com"', []),
        ('subject = "ipm1"', ["subject-is-another-name"]),
        ('subject = "ipm2.example.com"', ["subject-is-another-name"]),
        ('aliases = ["*.example.com"]', ["alias-invalid"]),
        ('aliases = ["*.com"]', ["wildcard-too-broad"]),
        ('aliases = ["p*.example.com"]', ["partial-wildcard"]),
        ('aliases = ["10.1.2.3"]', ["alias-is-an-address"]),
        ('aliases = ["fe80::1%eth0"]', ["alias-is-an-address"]),
        ('aliases = [""]', ["alias-invalid"]),
        ('aliases = ["12345"]', ["alias-invalid"]),
        ('aliases = ["a_b", "a_b"]', ["alias-invalid", "alias-invalid"]),
        ('aliases = ["ipm1.example.com", "IPM1.example.com"]', ["alias-repeats-name", "alias-repeats-name"]),
        ('aliases = ["ipm1", "ipm1"]', ["single-label-alias", "repeated-alias", "single-label-alias"]),
        ('ips = ["224.0.0.1", "224.0.0.1"]', ["ip-not-an-endpoint", "ip-not-an-endpoint", "repeated-ip"]),
        ('ips = ["10.1.2.3", "x"]', ["ip-invalid"]),
        ('lifetime = "30d"', ["renewal-window-too-wide"]),
        ('lifetime = "31d"', ["renewed-too-often"]),
        ('lifetime = "37d"', []),
        ('lifetime = "5y"', []),
        ('lifetime = "1826d"', ["ca-shorter-than-two-leaves"]),
        ('lifetime = "10y"', ["ca-shorter-than-two-leaves"]),
        ('lifetime = "3651d"', ["leaf-outlives-ca"]),
    ],
)
def test_one_mistake_of_a_host_is_one_problem(keys: str, rules: list[str]) -> None:
    assert rules_of(fleet_with(keys)) == rules


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("*.example.com", ["name-invalid"]),
        ("*.com", ["wildcard-too-broad"]),
        ("print*.example.com", ["partial-wildcard"]),
        ("10.1.2.3", ["name-is-an-address"]),
        ("[fc00::1]", ["name-is-an-address"]),
        ("ipm1", ["name-not-fully-qualified"]),
        ("localhost", ["name-not-fully-qualified"]),
        ("12345", ["name-invalid"]),
        ("drücker", ["name-not-fully-qualified"]),
        ("drücker.example.com", []),
        (f"{'a' * 64}.example.com", ["name-invalid"]),
        (LONG, ["name-invalid"]),
        (f"{'a' * 52}.example.com", []),
        (f"{'a' * 53}.example.com", ["name-too-long"]),
    ],
)
def test_one_mistake_in_a_name_is_one_problem(name: str, rules: list[str]) -> None:
    assert rules_of(fleet_with("", name=name)) == rules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ipm1.example.com:6874", "'ipm1.example.com:6874' holds ':'"),
        ("ipm+1.example.com", "'ipm+1.example.com' holds '+', which names do not"),
        (f"{'a' * 64}.example", f"'{'a' * 64}.example' has a part of 64 characters between dots"),
        (LONG, f"'{LONG[:80]}…{LONG[-19:]}' has 304 characters"),
        ("a b_.example.com", "'a b_.example.com' holds a space"),
    ],
)
def test_the_fault_in_a_name_is_told_exactly(name: str, message: str) -> None:
    assert [one.problem.message for one in checked(fleet_with("", name=name)).problems] == [message]


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("10.1.2.3/24", "write the computer's own address, without the '/…': such as '10.1.2.3'"),
        ("10.1.2.3/32", "write the computer's own address, without the '/…': such as '10.1.2.3'"),
        ("10.1.2.3/x", "write the computer's own address, without the '/…': such as '10.1.2.3'"),
        ("10.1.2.0/24", "write the computer's own address"),
        ("10.1.2.255/24", "write the computer's own address"),
        ("10.1.3.255/255.255.254.0", "write the computer's own address"),
        ("10.1.2.255/23", "write the computer's own address, without the '/…': such as '10.1.2.255'"),
        ("10.1.2.254/31", "write the computer's own address, without the '/…': such as '10.1.2.254'"),
        ("fd00::/64", "write the computer's own address"),
        (
            "fd00::ffff:ffff:ffff:ffff/64",
            "write the computer's own address, without the '/…': such as 'fd00::ffff:ffff:ffff:ffff'",
        ),
        ("net/24", "write the computer's own address"),
        ("300.010.1.1", "write an address such as '10.1.2.3' or 'fc00::1'"),
    ],
)
def test_the_remedy_for_an_address_is_never_another_mistake(written: str, remedy: str) -> None:
    assert [one.problem.help for one in checked(fleet_with(f'ips = ["{written}"]')).problems] == [remedy]


def test_a_long_name_with_no_shorter_wildcard_has_to_be_shortened() -> None:
    name = f"{'a' * 60}.{'b' * 60}.example.com"
    assert [one.problem.help for one in checked(fleet_with("", name=name)).problems] == ["shorten it"]


def test_a_long_wildcard_is_too_long_at_the_subject() -> None:
    domain = f"{'b' * 60}.example.com"
    text = fleet_with(f'subject = "*.{domain}"', name=f"a.{domain}")
    assert places_of(text) == [("name-too-long", ("hosts", 0, "subject"))]


def test_a_client_that_gets_no_certificate_may_have_a_long_name_and_an_ec_key() -> None:
    client = f'\n[[hosts]]\nname = "{"a" * 60}.example.com"\nrole = "client"\nkey = "ec-p256"\n'
    assert rules_of(AUTHORITY + server() + client) == []
    mutual = '[tls]\nmutual_auth = "required"\n[ipm.keywords]\nby_hand = ["mutual_auth"]\n'
    assert rules_of(mutual + AUTHORITY + server() + client) == ["name-too-long"]


def test_a_host_copied_whole_is_a_duplicate_and_nothing_else() -> None:
    host = server('aliases = ["a.example.com"]\nips = ["10.1.2.3"]')
    assert rules_of(AUTHORITY + host + host + CLIENT) == ["duplicate-host"]


def test_an_alias_that_is_another_hosts_name_is_not_called_shared_as_well() -> None:
    hosts = server('aliases = ["c.example.com"]', name="a.example.com")
    hosts += server('aliases = ["c.example.com"]', name="b.example.com")
    hosts += server(name="c.example.com")
    assert rules_of(AUTHORITY + hosts + CLIENT) == ["alias-is-another-host", "alias-is-another-host"]


@pytest.mark.parametrize("shared", ['ips = ["127.0.0.1"]', 'ips = ["169.254.1.1"]'])
def test_an_address_that_is_no_computers_own_is_not_called_shared(shared: str) -> None:
    text = AUTHORITY + server(shared) + server(shared, name="b.example.com") + CLIENT
    assert len(set(rules_of(text))) == 1


def test_an_unreadable_alias_is_not_called_shared() -> None:
    text = (
        AUTHORITY + server('aliases = ["a_b"]') + server('aliases = ["a_b"]', name="b.example.com") + CLIENT
    )
    assert set(rules_of(text)) == {"alias-invalid"}


def test_ten_hosts_that_share_an_alias_are_one_problem_with_ten_places() -> None:
    hosts = "".join(server('aliases = ["a.example.com"]', name=f"h{n}.example.com") for n in range(10))
    (found,) = checked(AUTHORITY + hosts + CLIENT).problems
    assert found.problem.place.path == ("hosts", 1, "aliases", 0)
    assert [label.path[1] for label in found.related] == [0, *range(2, 10)]


def test_a_default_is_reported_once_however_many_hosts_have_it() -> None:
    defaults = '[defaults]\nkey = "ec-p256"\nlifetime = "20y"\nrenew_before = "21y"\n'
    hosts = "".join(server(name=f"h{n}.example.com") for n in range(5))
    mac = CLIENT + 'os = "macos"\n'
    assert sorted(places_of(defaults + AUTHORITY + hosts + mac)) == [
        ("leaf-outlives-ca", ("defaults", "lifetime")),
        ("lifetime-over-825-days", ("defaults", "lifetime")),
        ("renewal-window-too-wide", ("defaults", "renew_before")),
        ("server-key-cannot-encipher", ("defaults", "key")),
    ]


def test_macs_by_default_are_shown_where_the_default_is() -> None:
    text = '[defaults]\nos = "macos"\n' + AUTHORITY + server('os = "aix"\nlifetime = "3y"') + CLIENT
    (found,) = checked(text).problems
    assert found.problem.rule == "lifetime-over-825-days"
    assert [(label.path, label.message) for label in found.related] == [
        (("defaults", "os"), "clients are Macs by default")
    ]


@pytest.mark.parametrize(
    "ca",
    [
        '[ca]\nkind = "third-party"\nbundle = "root.pem"\nlifetime = "90d"\n',
        '[ca]\ncertificate = "c.pem"\nkey_file = "k.pem"\nlifetime = "90d"\n',
    ],
)
def test_the_lifetime_of_an_authority_made_elsewhere_is_not_judged(ca: str) -> None:
    assert rules_of(ca + server() + CLIENT) == []


# --- State ------------------------------------------------------------------------------------------


def ending(after: timedelta) -> Any:
    """An authority made for ten years, or a certificate of another one."""
    return SimpleNamespace(
        identity=1,
        authority=2,
        host="ipm1.example.com",
        not_before=NOW + after - timedelta(days=3650),
        not_after=NOW + after,
        revoked_at=None,
        is_compromised=lambda _: False,
    )


@pytest.mark.parametrize(
    ("left", "rules"),
    [
        (timedelta(days=31), []),
        (timedelta(days=30), ["certificate-expiring"]),
        (timedelta(seconds=1), ["certificate-expiring"]),
        (timedelta(0), ["certificate-expired"]),
        (timedelta(days=-1), ["certificate-expired"]),
    ],
)
def test_a_certificate_expires_within_its_renewal_window(left: timedelta, rules: list[str]) -> None:
    issued = Issued(current={"ipm1.example.com": ending(left), "gone.example.com": ending(-left)})
    found = checked(fleet_with(""), surroundings=Surroundings(NOW, (), issued)).problems
    assert [one.problem.rule for one in found] == rules


@pytest.mark.parametrize(
    ("left", "rules"),
    [
        (timedelta(days=428), []),
        (timedelta(days=397 + 30), ["certificate-expiring"]),
        (timedelta(0), ["certificate-expired"]),
    ],
)
def test_an_authority_is_warned_of_while_a_certificate_fits_in(left: timedelta, rules: list[str]) -> None:
    surroundings = Surroundings(NOW, (), Issued(signers=(ending(left),)))
    found = checked(fleet_with(""), surroundings=surroundings).problems
    assert [one.problem.rule for one in found] == rules
    existing = '[ca]\ncertificate = "c.pem"\nkey_file = "k.pem"\n' + server() + CLIENT
    found = checked(existing, surroundings=surroundings).problems
    assert [one.problem.place.path for one in found] == [("ca", "certificate")] * len(rules)
    third_party = '[ca]\nkind = "third-party"\nbundle = "root.pem"\n' + server() + CLIENT
    assert not checked(third_party, surroundings=surroundings).problems


@pytest.mark.parametrize(
    ("mode", "is_readable"), [(0o600, False), (0o400, False), (0, False), (0o640, True), (0o604, True)]
)
def test_a_key_file_is_for_its_owner_alone(mode: int, is_readable: bool) -> None:
    file = KeyFile("ca-key.pem", mode, Place("pki.toml", ("ca",)))
    found = checked(fleet_with(""), surroundings=replace(Surroundings(NOW), key_files=(file,))).problems
    assert [one.problem.rule for one in found] == ["private-key-readable"] * is_readable


MUTUAL = AUTHORITY + '[tls]\nmutual_auth = "required"\n[ipm.keywords]\nby_hand = ["mutual_auth"]\n'
EC_CLIENT = CLIENT + 'key = "ec-p256"\n'


@pytest.mark.parametrize(
    ("tables", "rules"),
    [
        ("[ipm]\nec_keys = false\n", ["ec-key-not-supported"]),
        ("[ipm.linux]\nec_keys = false\n", ["ec-key-not-supported"]),
        ("[ipm]\nec_keys = false\n[ipm.linux]\nec_keys = true\n", []),
        ("[ipm]\nec_keys = true\n[ipm.linux]\nec_keys = false\n", ["ec-key-not-supported"]),
        ("[ipm.aix]\nec_keys = false\n", []),
        ('[ipm]\nec_keys = false\n[ipm.linux]\nec_keys = "no"\n', ["wrong-type"]),
        ('[ipm]\nec_keys = "no"\n', ["wrong-type"]),
    ],
)
def test_whether_a_system_can_use_elliptic_keys_is_as_declared(tables: str, rules: list[str]) -> None:
    assert rules_of(MUTUAL + tables + server() + EC_CLIENT) == rules


def test_a_client_that_gets_no_key_needs_none_that_its_system_can_use() -> None:
    assert rules_of(AUTHORITY + "[ipm]\nec_keys = false\n" + server() + EC_CLIENT) == []


def test_a_server_whose_key_cannot_encipher_is_told_that_alone() -> None:
    text = MUTUAL + "[ipm]\nec_keys = false\n" + server('key = "ec-p256"') + CLIENT
    assert rules_of(text) == ["server-key-cannot-encipher"]


def test_addresses_of_servers_are_missed_only_where_others_have_them() -> None:
    second = server(name="ipm2.example.com")
    assert rules_of(AUTHORITY + server() + second + CLIENT) == []
    assert rules_of(AUTHORITY + server('ips = ["10.1.2.3"]') + second + CLIENT) == ["server-without-address"]
    assert rules_of(AUTHORITY + server('ips = ["10.1.2.x"]') + second + CLIENT) == ["ip-invalid"]
    assert rules_of(AUTHORITY + server() + CLIENT + 'ips = ["10.1.2.3"]\n') == []
    bought = '[ca]\nkind = "third-party"\nbundle = "root.pem"\n'
    assert rules_of(bought + server('ips = ["9.9.9.9"]') + second + CLIENT) == []
