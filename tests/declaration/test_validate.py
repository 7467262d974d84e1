"""From documents to a fleet: all that the model refuses, each once, and what remains."""

# ruff: noqa: E501 -- a case stands on one line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration import model, tables
from ipmpki.declaration.validate import included_patterns, validate
from ipmpki.operations import check
from tests.problems import AUTHORITY, CLIENT, checked, fleet_with, places_of, rules_of, server

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = '[[hosts]]\nname = "ipm1.example.com"\nrole = "server"\n'
WHOLE = AUTHORITY + server() + CLIENT


BY_HAND = "[ipm.keywords]\nby_hand = ['mutual_auth']\n"


def test_a_sound_declaration_has_no_problem() -> None:
    found = checked(WHOLE)
    assert found.problems == ()
    assert found.fleet is not None
    assert found.fleet.is_whole


def _keys(table: type[tables.Table], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key in model.known_keys(table, path):
        if key != "hosts":
            yield (*path, key)
            yield from _keys(table, (*path, key))


_VALUES = {"a string": '"x"', "an integer": "99999999999999999999", "an array": "[]", "a table": "{}"}


@pytest.mark.parametrize("path", list(_keys(tables.Declaration)), ids=".".join)
@pytest.mark.parametrize("kind", _VALUES)
def test_no_value_is_told_to_be_what_it_is(path: tuple[str, ...], kind: str) -> None:
    found = checked(f"{'.'.join(path)} = {_VALUES[kind]}\n{server()}{CLIENT}")
    for problem in found.problems:
        assert f"must be {kind}, not {kind}" not in problem.problem.message


@pytest.mark.parametrize(
    ("text", "rule", "path"),
    [
        ("x = 1\n" + WHOLE, "unknown-key", ("x",)),
        (fleet_with("x = 1"), "unknown-key", ("hosts", 0, "x")),
        (WHOLE + "[x]\ny = 1\n", "unknown-key", ("x",)),
        (WHOLE + '[ipm.hpux]\nserver_account = "x"\n', "unknown-key", ("ipm", "hpux")),
        (server() + CLIENT, "missing-key", ("ca",)),
        ("[ca]\n" + server() + CLIENT, "missing-key", ("ca", "common_name")),
        ('[ca]\ncertificate = "c"\n' + server() + CLIENT, "missing-key", ("ca", "key_file")),
        ('[ca]\nkey_file = "c"\n' + server() + CLIENT, "missing-key", ("ca", "certificate")),
        (WHOLE + '[[hosts]]\nname = "a.example.com"\n', "missing-key", ("hosts", 2, "role")),
        (WHOLE + '[[hosts]]\nrole = "client"\n', "missing-key", ("hosts", 2, "name")),
        ("schema = true\n" + WHOLE, "wrong-type", ("schema",)),
        ("schema = 1.0\n" + WHOLE, "wrong-type", ("schema",)),
        ('schema = "1"\n' + WHOLE, "wrong-type", ("schema",)),
        ("schema = 2\n" + WHOLE, "wrong-value", ("schema",)),
        ("store = 1\n" + WHOLE, "wrong-type", ("store",)),
        ('store = ""\n' + WHOLE, "wrong-value", ("store",)),
        ('store = "a\\u0000b"\n' + WHOLE, "wrong-value", ("store",)),
        ('include = "sites/*.toml"\n' + WHOLE, "wrong-type", ("include",)),
        ("ca = 1\n" + server() + CLIENT, "wrong-type", ("ca",)),
        ("[[ca]]\n" + server() + CLIENT, "wrong-type", ("ca",)),
        (AUTHORITY + "country = 'de'\n" + server() + CLIENT, "wrong-value", ("ca", "country")),
        (AUTHORITY + "organization = ' '\n" + server() + CLIENT, "wrong-value", ("ca", "organization")),
        (AUTHORITY + "locality = \"a\\nb\"\n" + server() + CLIENT, "wrong-value", ("ca", "locality")),
        (AUTHORITY + "kind = 'public'\n" + server() + CLIENT, "wrong-value", ("ca", "kind")),
        (AUTHORITY + "key = 'rsa-1024'\n" + server() + CLIENT, "key-too-weak", ("ca", "key")),
        (AUTHORITY + "passphrase = 'x'\n" + server() + CLIENT, "wrong-type", ("ca", "passphrase")),
        (AUTHORITY + "passphrase = {}\n" + server() + CLIENT, "wrong-value", ("ca", "passphrase")),
        (AUTHORITY + "passphrase = {env='A', file='B'}\n" + server() + CLIENT, "wrong-value", ("ca", "passphrase")),
        (AUTHORITY + "passphrase = {env=''}\n" + server() + CLIENT, "wrong-value", ("ca", "passphrase", "env")),
        (AUTHORITY + "passphrase = {var='A'}\n" + server() + CLIENT, "unknown-key", ("ca", "passphrase", "var")),
        (WHOLE + "[tls]\nmutual_auth = true\n", "wrong-type", ("tls", "mutual_auth")),
        (WHOLE + "[tls]\nmutual_auth = 'on'\n", "wrong-value", ("tls", "mutual_auth")),
        (WHOLE + "[defaults]\nos = 'solaris'\n", "wrong-value", ("defaults", "os")),
        (WHOLE + "[defaults]\nkey = 'rsa-1024'\n", "key-too-weak", ("defaults", "key")),
        (WHOLE + "[ipm]\nserver_account = \"a\\tb\"\n", "wrong-value", ("ipm", "server_account")),
        (WHOLE + "[ipm.keywords]\nca_file = 'a b'\n", "wrong-value", ("ipm", "keywords", "ca_file")),
        (WHOLE + "[ipm.keywords]\nmutual_auth = '=1'\n", "wrong-value", ("ipm", "keywords", "mutual_auth")),
        (WHOLE + "[rules]\nignore = [1]\n", "wrong-type", ("rules", "ignore", 0)),
        (fleet_with("os = 'osx'"), "wrong-value", ("hosts", 0, "os")),
        (fleet_with("key = 'rsa-512'"), "key-too-weak", ("hosts", 0, "key")),
        (fleet_with("key = 'RSA 1024'"), "key-too-weak", ("hosts", 0, "key")),
        (fleet_with("key = 'rsa-2047'"), "key-too-weak", ("hosts", 0, "key")),
        (fleet_with("key = 'rsa-2049'"), "wrong-value", ("hosts", 0, "key")),
        (fleet_with("key = 2048"), "wrong-type", ("hosts", 0, "key")),
        (fleet_with("lifetime = 397"), "wrong-type", ("hosts", 0, "lifetime")),
        (fleet_with("lifetime = 2027-01-01"), "wrong-type", ("hosts", 0, "lifetime")),
        (fleet_with("lifetime = '0d'"), "wrong-value", ("hosts", 0, "lifetime")),
        (fleet_with("lifetime = '-1d'"), "wrong-value", ("hosts", 0, "lifetime")),
        (fleet_with("lifetime = '397 d'"), "wrong-value", ("hosts", 0, "lifetime")),
        (fleet_with("lifetime = '101y'"), "wrong-value", ("hosts", 0, "lifetime")),
        (fleet_with("aliases = 'a.example.com'"), "wrong-type", ("hosts", 0, "aliases")),
        (fleet_with("aliases = ['a.example.com', 1, 'b.example.com']"), "wrong-type", ("hosts", 0, "aliases", 1)),
        (fleet_with("ips = {}"), "wrong-type", ("hosts", 0, "ips")),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem(text: str, rule: str, path: tuple[str | int, ...]) -> None:
    assert places_of(text) == [(rule, path)]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("alias = []", "did you mean 'aliases'?"),
        ("IPs = []", "did you mean 'ips'?"),
        ("life_time = '1d'", "did you mean 'lifetime'?"),
        ("hostname = 'x'", "known keys here are name, role, os, subject, aliases, ips, key, lifetime, renew_before, renew_key, csr, restart_command, server_name, tls_port, formerly"),
        ("mutual_auth = 'off'", "'mutual_auth' belongs under [tls]"),
        ("store = 'x'", "'store' belongs at the top of the file, above the first [table]"),
        ("os = 'osx'", "did you mean 'macos'? write 'aix', 'linux', 'windows' or 'macos'"),
        ("os = 'Linux'", "did you mean 'linux'? write 'aix', 'linux', 'windows' or 'macos'"),
        ("os = 'hpux'", "write 'aix', 'linux', 'windows' or 'macos'"),
        ("os = 1", "write 'aix', 'linux', 'windows' or 'macos', with the quotes"),
        ("lifetime = 90", 'write: lifetime = "90d"'),
        ("lifetime = 0.5", 'write: lifetime = "397d"'),
        ("lifetime = '13 months'", "did you mean '13m'? write a number and one of d, w, m, y (days, weeks, months, years), such as '397d'"),
        ("lifetime = 'forever'", "write a number and one of d, w, m, y (days, weeks, months, years), such as '397d'"),
        ("subject = ['*.example.com']", 'write: subject = "*.example.com"'),
        ("subject = {}", 'write: subject = "*.example.com"'),
        ("ips = '10.1.2.3'", 'write: ips = ["10.1.2.3"]'),
        ("ips = 10", 'write: ips = ["…"]'),
        ("ips = [10]", "put it into quotes"),
    ],
)  # fmt: skip
def test_the_remedy_says_what_to_write(line: str, remedy: str) -> None:
    assert [one.problem.help for one in checked(fleet_with(line)).problems] == [remedy]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[hosts]\nname = 'x'\n" + AUTHORITY, "write every host as [[hosts]], with two pairs of brackets"),
        ("[[tls]]\n" + WHOLE, "write [tls], with one pair of brackets, and its keys below"),
        ("hosts = ['x']\n" + AUTHORITY, 'write every host as [[hosts]] with its keys below, or as { name = "…", role = "…" }'),
        ("schema = '1'\n" + WHOLE, "write: schema = 1"),
        (WHOLE + "[tls]\nmutual_auth = false\n", "did you mean 'off'? write 'off' or 'required', with the quotes"),
    ],
)  # fmt: skip
def test_the_remedy_for_a_table_says_how_to_write_it(text: str, remedy: str) -> None:
    assert [one.problem.help for one in checked(text).problems] == [remedy]


def test_a_host_whose_role_is_unreadable_is_still_checked_for_the_rest() -> None:
    text = AUTHORITY + '[[hosts]]\nname = "a_b.example.com"\nrole = "x"\nips = ["10.1.2.3/24"]\n'
    assert rules_of(text) == ["name-invalid", "wrong-value", "ip-invalid"]


def test_a_host_that_is_no_table_leaves_the_others_their_places() -> None:
    text = 'hosts = [1, {name = "a_b.example.com", role = "server"}, {}]\n' + AUTHORITY
    assert places_of(text) == [
        ("wrong-type", ("hosts", 0)),
        ("name-invalid", ("hosts", 1, "name")),
        ("missing-key", ("hosts", 2, "name")),
        ("missing-key", ("hosts", 2, "role")),
    ]


@pytest.mark.parametrize(
    "text",
    [
        fleet_with("rol = 'x'").replace('role = "server"\n', "", 1),
        AUTHORITY.replace("common_name", "comon_name") + server() + CLIENT,
        WHOLE.replace("[[hosts]]", "[[host]]"),
        AUTHORITY + "kind = 'x'\n" + server() + CLIENT,
        AUTHORITY + "kind = 'publik'\n" + server() + CLIENT + "[tls]\nmutual_auth = 'required'\n" + BY_HAND,
        AUTHORITY + "lifetime = 'x'\n" + server("lifetime = '20y'") + CLIENT,
        fleet_with("lifetime = 'x'\nrenew_before = '400d'"),
        fleet_with("renew_before = 'x'\nlifetime = '10d'"),
        WHOLE + "[defaults]\nlifetime = 'x'\nrenew_before = '400d'\n",
        WHOLE + "[defaults]\nrenew_before = 'x'\nlifetime = '10d'\n",
        fleet_with("os = 'mcos'") + "[defaults]\nos = 'macos'\n",
        fleet_with("key = 'rsa2'") + "[defaults]\nkey = 'ec-p256'\n",
        AUTHORITY + server().replace("server", "sever"),
        AUTHORITY + server() + CLIENT.replace("client", "cleint"),
        AUTHORITY + server("aliases = [1, 'x.example.com']") + CLIENT,
        AUTHORITY + server("aliases = [1]") + server("aliases = ['']", name="b.example.com")[:-16] + CLIENT,
        "include = ['']\n" + AUTHORITY,
    ],
)
def test_an_unreadable_value_has_no_second_problem(text: str) -> None:
    assert len(checked(text).problems) == 1


def test_problems_come_in_document_order_files_in_the_order_given() -> None:
    text = 'include = ["b.toml", "a.toml"]\n' + fleet_with("x = 1").replace("ipm1", "ipm_1")
    site = '[[hosts]]\nname = "{}_.example.com"\nrole = "client"\nx = 1\n'
    found = checked(text, ("b.toml", site.format("b")), ("a.toml", site.format("a")))
    shown = [(one.label.file, one.label.span.start.line if one.label.span else 0) for one in found.problems]
    assert shown == [
        ("pki.toml", 6),
        ("pki.toml", 8),
        ("b.toml", 2),
        ("b.toml", 4),
        ("a.toml", 2),
        ("a.toml", 4),
    ]


def test_included_hosts_join_the_fleet_with_places_of_their_own() -> None:
    found = checked(WHOLE, ("sites/a.toml", '[[hosts]]\nname = "a.example.com"\nrole = "client"\n'))
    assert found.problems == ()
    assert found.fleet is not None
    assert [(host.name, host.place.file, host.place.path) for host in found.fleet.hosts] == [
        ("ipm1.example.com", "pki.toml", ("hosts", 0)),
        ("desk1.example.com", "pki.toml", ("hosts", 1)),
        ("a.example.com", "sites/a.toml", ("hosts", 0)),
    ]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[tls]\n", "an included file holds [[hosts]] only; everything else stands in pki.toml"),
        ("[[host]]\n", "an included file holds [[hosts]] only"),
    ],
)
def test_an_included_file_holds_hosts_only(text: str, remedy: str) -> None:
    found = checked(WHOLE, ("sites/a.toml", text))
    assert [(one.label.file, one.problem.help) for one in found.problems] == [("sites/a.toml", remedy)]


@pytest.mark.parametrize(
    ("include", "patterns"),
    [
        ('["a.toml", "b/*.toml"]', ["a.toml", "b/*.toml"]),
        ('"a.toml"', []),
        ('["", 1, "a.toml"]', ["a.toml"]),
    ],
)
def test_the_patterns_of_included_files_come_with_their_places(include: str, patterns: list[str]) -> None:
    document = check.read("pki.toml", f"include = {include}\n".encode()).document
    assert [pattern for pattern, _ in included_patterns(document)] == patterns
    for pattern, place in included_patterns(document):
        values: object = document.values
        for step in place.path:
            values = values[step]  # type: ignore[index]
        assert values == pattern


def test_a_file_that_could_not_be_read_leaves_the_fleet_in_pieces() -> None:
    documents = [check.read("pki.toml", AUTHORITY.encode()).document]
    assert validate(documents).fleet is not None
    whole, pieces = validate(documents).fleet, validate(documents, is_whole=False).fleet
    assert whole is not None
    assert whole.is_whole
    assert pieces is not None
    assert not pieces.is_whole


def test_a_text_with_nothing_in_it_says_what_is_missing() -> None:
    assert rules_of("") == ["missing-key", "no-server"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("1", None),
        ("2", None),
        ("0", "wrong-value"),
        ("-1", "wrong-value"),
        ("true", "wrong-type"),
        ("2.0", "wrong-type"),
        ('"2"', "wrong-type"),
    ],
)
def test_a_generation_counts_from_one(written: str, rule: str | None) -> None:
    text = AUTHORITY + f"generation = {written}\n" + server() + CLIENT
    assert [one.problem.rule for one in checked(text).problems] == ([rule] if rule else [])
