"""``ipmpki log`` and ``ipmpki show``: what happened to a PKI, and to one host of it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.store.sqlite.queries import read_issued
from tests import clock
from tests.cli.command import ipmpki
from tests.cli.pseudoterminal import on_terminal
from tests.operations.test_client_ca import DECLARATION
from tests.plans.test_requests import BOUGHT, root
from tests.render.test_json_outputs import validate
from tests.shop import SERVER, TODAY, Shop, client
from tests.tools import require

if TYPE_CHECKING:
    from ipmpki.store.records import IssuedCertificate
    from tests.cli.terminal import Terminal

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _in_the_third_week(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.stop(monkeypatch, TODAY + 2 * WEEK)


@pytest.fixture
def aged_shop(built_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose server got another address after a week, and which gave a desk up after two."""
    monkeypatch.setenv("SUDO_USER", "ann")
    built_shop.now = TODAY + WEEK
    built_shop.edit("10.1.2.3", "10.1.2.4")
    built_shop.build()
    built_shop.now = TODAY + 2 * WEEK
    built_shop.edit(client("desk2"), "")
    built_shop.build()
    return built_shop


def current(shop: Shop, name: str) -> IssuedCertificate:
    return read_issued(shop.store).current[f"{name}.example.com"]


def openssl(shop: Shop, name: str, *options: str) -> str:
    file = next(shop.host(name).glob("*-cert.pem"))
    names = [path for path in shop.host(name).glob("*-cert.pem") if path.name != "ca-cert.pem"]
    completed = subprocess.run(
        [require("openssl"), "x509", "-noout", "-in", str((names or [file])[0]), *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return completed.stdout.strip().partition("=")[2]


# --- The log --------------------------------------------------------------------------------------


def test_the_log_says_when_who_what_for_whom_and_why_the_newest_last(aged_shop: Shop) -> None:
    outcome = ipmpki("log", aged_shop.declaration)
    lines = outcome.out.splitlines()
    assert (outcome.status, outcome.err) == (0, "")
    assert lines[0].startswith("2026-11-24 12:00:00  ")
    assert re.search(r"  authority made +create: issuer-changed: ", lines[0])
    assert re.fullmatch(
        r"2026-12-01 12:00:00  ann as \S+ +certificate replaced +ipm1\.example\.com   names-changed: ip: .*",
        lines[5],
    )
    assert re.fullmatch(
        r"2026-12-08 12:00:00  ann as \S+ +certificate revoked +desk2\.example\.com  host-removed: .*",
        lines[6],
    )
    assert lines[7].endswith("number 2")
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("options", "whats"),
    [
        (("-n", "1"), ["revocation-list-made"]),
        (("--host", "desk2.example.com"), ["certificate-issued", "certificate-revoked"]),
        (("--host", "DESK2.example.COM", "-n", "1"), ["certificate-revoked"]),
        (("--since", "2026-12-02"), ["certificate-revoked", "revocation-list-made"]),
        (("--since", "2026-12-08T12:00:00"), ["certificate-revoked", "revocation-list-made"]),
        (("--since", "2026-12-08T12:00:01"), []),
        (("--since", "2026-12-01", "--host", "ipm1.example.com"), ["certificate-replaced"]),
        (("-n", "1000"), None),
    ],
)
def test_what_the_log_is_asked_for(
    aged_shop: Shop, options: tuple[str, ...], whats: list[str] | None
) -> None:
    document = json.loads(ipmpki("log", aged_shop.declaration, "--format", "json", *options).out)
    validate(document, "log")
    found = [event["what"] for event in document["events"]]
    assert found == whats if whats is not None else len(found) == 8


def test_nothing_done_since_is_said(aged_shop: Shop) -> None:
    outcome = ipmpki("log", aged_shop.declaration, "--since", "2030-01-01")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == "nothing was done since 2030-01-01 00:00 UTC\n"


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_number_of_entries_is_positive(aged_shop: Shop, number: str) -> None:
    assert ipmpki("log", aged_shop.declaration, "-n", number).status == 2


@pytest.mark.parametrize("command", [("log", "--host"), ("show",)])
def test_an_unknown_host_is_guessed(aged_shop: Shop, command: tuple[str, ...]) -> None:
    name, *option = command
    outcome = ipmpki(name, aged_shop.declaration, *option, "dsk2.example.com")
    assert outcome.status == 2
    assert "'dsk2.example.com'" in outcome.err
    assert "did you mean 'desk2.example.com'?" in outcome.err


def test_on_a_narrow_terminal_the_reason_has_lines_of_its_own(aged_shop: Shop) -> None:
    shown = on_terminal(aged_shop.folder, 76, "log").splitlines()
    assert max(map(len, shown)) <= 76
    assert "    names-changed: ip: 10.1.2.3 -> 10.1.2.4" in shown


def test_a_text_in_the_ledger_cannot_drive_the_terminal(aged_shop: Shop) -> None:
    with contextlib.closing(sqlite3.connect(aged_shop.store)) as connection, connection:
        connection.execute("UPDATE event SET detail = detail || char(27) || '[31m' || char(10) || 'forged'")
    for command in (("log",), ("show", "desk1.example.com")):
        outcome = ipmpki(command[0], aged_shop.declaration, *command[1:])
        assert outcome.status == 0
        assert "\x1b" not in outcome.out
        assert "\nforged" not in outcome.out


# --- A certificate and those before it ------------------------------------------------------------


def test_a_certificate_is_told_in_words(aged_shop: Shop) -> None:
    outcome = ipmpki("show", aged_shop.declaration, "ipm1.example.com")
    assert (outcome.status, outcome.err) == (0, "")
    told = outcome.out
    serial, fingerprint = (
        openssl(aged_shop, "ipm1", "-serial"),
        openssl(aged_shop, "ipm1", "-fingerprint", "-sha256"),
    )
    assert told.startswith("ipm1.example.com: server certificate, valid\n")
    for line in (
        "  Names         ipm1.example.com, print.example.com",
        "  Addresses     10.1.2.4",
        "  Valid from    2026-12-01 11:00 UTC",
        "  Subject       CN=ipm1.example.com",
        "  Valid until   2028-01-02 10:59 UTC, 389 days left",
        "  Current       yes",
        "  May act as    server (serverAuth), client (clientAuth)",
        "  Key           RSA, 2048 bits",
        "  Issued by     CN=Acme Print CA",
        "  Revoked       no",
        f"  Serial        {serial}",
        f"  SHA-256       {fingerprint[:48]}",
    ):
        assert f"\n{line}\n" in told, line
    assert re.search(
        r"\n  Issued        2026-12-01 12:00 UTC by ann as \S+; names-changed: ip: 10\.1\.2\.3", told
    )
    before = told.partition("Before it, 1 certificate:\n")[2]
    assert "Valid         2026-11-24 to 2027-12-26, retired\n" in before
    assert "10.1.2.3\n" in before
    assert "No longer used since 2026-12-01 12:00 UTC; names-changed: ip: " in before
    assert max(map(len, told.splitlines())) <= 80


def test_a_host_that_is_gone_is_remembered(aged_shop: Shop) -> None:
    told = ipmpki("show", aged_shop.declaration, "desk2.example.com").out
    assert told.startswith("desk2.example.com: client certificate, revoked\n")
    assert "\n  No longer used since 2026-12-08 12:00 UTC; host-removed: it is no longer\n" in told
    assert "\n  Revoked       2026-12-08 12:00 UTC, cessation-of-operation\n" in told
    assert told.endswith("\nNo certificate of this host came before it.\n")


def test_the_json_is_as_its_schema_says(aged_shop: Shop) -> None:
    document = json.loads(ipmpki("show", aged_shop.declaration, "ipm1.example.com", "--format", "json").out)
    validate(document, "show")
    shown, (before,) = document["certificate"], document["before"]
    assert shown["addresses"] == ["10.1.2.4"]
    assert shown["extended_key_usage"] == ["serverAuth", "clientAuth"]
    assert (shown["state"], before["state"]) == ("valid", "retired")
    assert before["retired_by"]["serial"] == shown["serial"]
    assert shown["fingerprint"] == openssl(aged_shop, "ipm1", "-fingerprint", "-sha256").replace(":", "")


@pytest.mark.parametrize(
    "form",
    [
        lambda serial: f"{serial:X}",
        lambda serial: f"{serial:x}",
        lambda serial: f"0x{serial:X}",
        lambda serial: serial.to_bytes(20, "big").hex(":"),
        lambda serial: serial.to_bytes(20, "big").hex(" ").upper(),
        str,
    ],
)
def test_a_serial_number_may_be_written_in_any_way(aged_shop: Shop, form: object) -> None:
    serial = current(aged_shop, "desk1").serial
    outcome = ipmpki("show", aged_shop.declaration, form(serial))  # type: ignore[operator]
    assert outcome.out.startswith("desk1.example.com: client certificate")


def test_an_old_certificate_is_shown_by_its_serial_number(aged_shop: Shop) -> None:
    newest = json.loads(ipmpki("show", aged_shop.declaration, "ipm1.example.com", "--format", "json").out)
    told = ipmpki("show", aged_shop.declaration, newest["before"][0]["serial"]).out
    assert told.startswith(
        "ipm1.example.com: server certificate, retired\n  There is a newer one: ipmpki show "
    )
    assert "10.1.2.3" in told
    assert "No certificate of this host came before it." in told


@pytest.mark.parametrize("wanted", ["0", "FF", "1" * 49, "f" * 41, "99:zz", "--", " ", "💥", "x" * 5000])
def test_what_nobody_knows_is_said_so(aged_shop: Shop, wanted: str) -> None:
    outcome = ipmpki("show", aged_shop.declaration, "--", wanted)
    assert outcome.status == 2
    assert "the store knows no host or serial number" in outcome.err or "missing" in outcome.err
    assert len(outcome.err) < 500


def test_a_host_without_a_certificate_is_told_apart(shop: Shop) -> None:
    shop.write(BOUGHT + SERVER)
    shop.build()
    outcome = ipmpki("show", shop.declaration, "ipm1.example.com")
    assert outcome.status == 2
    assert "'ipm1.example.com' has had no certificate yet" in outcome.err
    assert f"ipmpki log {shop.declaration} --host ipm1.example.com" in outcome.err


def test_a_servers_second_certificate_has_a_name_of_its_own(shop: Shop) -> None:
    shop.write(DECLARATION)
    root(shop)
    shop.build()
    only = ipmpki("show", shop.declaration, "ipm1.example.com")
    assert only.out.startswith("ipm1.example.com/client: client certificate, valid\n")
    assert ipmpki("show", shop.declaration, "ipm1.example.com/client").out == only.out
    log = ipmpki("log", shop.declaration, "--host", "ipm1.example.com").out
    assert "certificate issued  ipm1.example.com/client  new-host: " in log
    assert re.search(r"request made +ipm1\.example\.com  ", log)


def test_of_two_certificates_of_a_server_each_tells_of_its_own(shop: Shop) -> None:
    shop.build()
    with contextlib.closing(sqlite3.connect(shop.store)) as connection, connection:
        for table in ("certificate", "event"):
            connection.execute(
                f"UPDATE {table} SET host = 'ipm1.example.com/client' WHERE host = 'desk1.example.com'"  # noqa: S608 -- ours
            )
    told = ipmpki("show", shop.declaration, "ipm1.example.com").out
    assert told.startswith(
        "ipm1.example.com: server certificate, valid\n  Its own programs show another one "
    )
    assert "ipmpki show\n  ipm1.example.com/client\n" in told
    document = json.loads(ipmpki("show", shop.declaration, "ipm1.example.com", "--format", "json").out)
    validate(document, "show")
    assert document["also"] == "ipm1.example.com/client"


def test_no_key_is_ever_shown(aged_shop: Shop) -> None:
    for arguments in (("show", "ipm1.example.com"), ("log",), ("status",)):
        for form in ("json", None):
            options = ("--format", form) if form else ()
            outcome = ipmpki(arguments[0], aged_shop.declaration, *arguments[1:], *options)
            assert outcome.out
            assert "PRIVATE" not in outcome.out
            assert "BEGIN" not in outcome.out


@pytest.mark.parametrize("columns", [10, 40, 80, 300])
def test_the_story_fits_the_terminal(aged_shop: Shop, columns: int) -> None:
    shown = on_terminal(aged_shop.folder, columns, "show", "ipm1.example.com")
    assert "Valid until" in shown
    if columns >= 80:
        assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show",), "the host's HOST|SERIAL is missing"),
        (("show", "ipm1.example.com", "pki.toml"), "FILE comes before HOST|SERIAL"),
        (("show", "missing.toml", "ipm1.example.com"), "'missing.toml' cannot be read"),
        (("log", "missing.toml"), "does not exist"),
    ],
)
def test_wrong_use_is_told(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(built_shop.folder)
    outcome = ipmpki(*arguments)
    assert outcome.status == 2
    assert words in outcome.err


def test_here_the_file_may_be_left_out(aged_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(aged_shop.folder)
    assert ipmpki("show", "ipm1.example.com").status == 0
    assert ipmpki("log").status == 0


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("ipmpki show pki.toml d", ["plain,desk1.example.com", "plain,desk2.example.com"]),
        ("ipmpki log pki.toml --host i", ["plain,ipm1.example.com"]),
        ("ipmpki status --format n", ["plain,nagios"]),
        ("ipmpki show gone.toml d", []),
    ],
)
def test_hosts_are_completed_from_the_store(
    aged_shop: Shop, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, answer: list[str]
) -> None:
    assert aged_shop.folder == terminal.folder
    monkeypatch.setenv("_IPMPKI_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    assert terminal().out.split() == answer
