"""``ipmpki status``: what people, monitors and calendars are told."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import icalendar
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ipmpki.cli import status as status_command
from ipmpki.declaration.vocabulary import RevocationReason
from ipmpki.operations.installed import record_installed
from ipmpki.operations.revoke import revoke
from tests.cli.command import ipmpki
from tests.cli.pseudoterminal import on_terminal
from tests.operations.test_client_ca import DECLARATION
from tests.plans.test_requests import BOUGHT, BUNDLE, root
from tests.render.test_json_outputs import validate
from tests.shop import HEAD, SERVER, TODAY, Shop, client
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.command import Outcome

KEPT = '\n[[hosts]]\nname = "kept.example.com"\nrole = "client"\ncsr = "csr/kept.csr"\n'
LATER = TODAY + timedelta(days=75)
"""When desk1's certificate, of 60 days, has ended, and desk2's, of 100, is to be renewed."""


def ask(shop: Shop, *options: str, at: datetime = LATER) -> Outcome:
    return ipmpki("status", shop.declaration, "--at", f"{at:%Y-%m-%dT%H:%M:%SZ}", *options)


def alter(shop: Shop, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(shop.store)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def mixed(tmp_path: Path) -> Shop:
    """A shop in which something is of every kind."""
    hosts = client("desk1", lifetime="60d") + client("desk2", lifetime="100d") + client("gone") + KEPT
    shop = Shop(tmp_path, text=HEAD + SERVER + hosts)
    shop.build()
    shop.edit(client("gone"), client("fresh"))
    return shop


# --- The table ------------------------------------------------------------------------------------

TABLE = """\
As of 2027-02-07 12:00 UTC:

  HOST               ROLE    STATE       ENDS IN      ON HOST  NEXT STEP
▲ fresh.example.com  client  not issued  -                     build, then install
▲ kept.example.com   client  awaited     -                     bring csr/kept.csr
✕ desk1.example.com  client  expired     15 days ago  ?        build, then install
▲ desk2.example.com  client  renew soon  24 days      ?        build, then install
▲ gone.example.com   client  valid       321 days     ?        build withdraws it
✓ ipm1.example.com   server  valid       321 days     ?        renew from 2027-11-26
✓ (number 1)         CRL     valid       322 days              renew from 2027-11-26
✓ (Acme Print CA)    CA      valid       3574 days             new CA from 2035-09-21

6 certificates: 2 valid, 1 to renew soon, 1 expired, 1 awaited, 1 not issued.
"""


def test_the_table_shows_what_is_missing_and_then_what_ends_first(mixed: Shop) -> None:
    outcome = ask(mixed)
    assert max(map(len, TABLE.splitlines())) <= 90
    assert outcome.out == (
        f"{TABLE}Not known to be installed: ipm1.example.com and 2 more.\n"
        f"Next: ipmpki plan {mixed.declaration}, then build.\n"
        f"When a host has installed: ipmpki installed {mixed.declaration} HOST...\n"
    )
    assert (outcome.status, outcome.err) == (1, "")


def test_a_sound_shop_has_nothing_to_do(built_shop: Shop) -> None:
    outcome = ask(built_shop, at=TODAY)
    assert outcome.out.endswith("\n\n3 certificates: 3 valid.\n")
    assert (outcome.status, outcome.err) == (0, "")


def test_hosts_that_need_no_certificate_are_counted_but_not_listed(shop: Shop) -> None:
    shop.edit("required", "off")
    shop.build()
    outcome = ask(shop, at=TODAY)
    assert "desk1" not in outcome.out
    assert outcome.out.endswith("1 certificate: 1 valid; 2 hosts need none.\n")


def test_a_client_that_needs_none_any_more_has_its_certificate_withdrawn(built_shop: Shop) -> None:
    built_shop.edit("required", "off")
    built_shop.build()
    record_installed(built_shop.load(), ["ipm1.example.com"])
    assert ask(built_shop, at=TODAY).out.count("build withdraws it") == 2


def test_a_revoked_certificate_is_told_before_its_end(built_shop: Shop) -> None:
    revoke(built_shop.load(), "desk1.example.com", RevocationReason.SUPERSEDED)
    outcome = ask(built_shop, at=TODAY)
    assert re.search(r"✕ desk1\S+ +client +revoked +396 days +\? +build, then install", outcome.out)
    assert outcome.status == 1


def test_a_host_whose_own_key_is_lost_has_to_make_another(shop: Shop) -> None:
    shop.write(shop.text + KEPT)
    shop.build()
    alter(shop, "UPDATE certificate SET host = 'kept.example.com' WHERE host LIKE 'desk1%'")
    revoke(shop.load(), "kept.example.com", RevocationReason.KEY_COMPROMISE)
    assert re.search(
        r"✕ kept\S+ +client +revoked +396 days +\? +bring csr/kept\.csr", ask(shop, at=TODAY).out
    )


def test_renewals_that_are_spread_are_told_on_their_days(shop: Shop) -> None:
    shop.edit("[tls]", '[defaults]\nrenew_spread = "60d"\n[tls]')
    shop.build()
    standings = json.loads(ask(shop, "--format", "json", at=TODAY).out)["standings"]
    days = {one["renew_from"] for one in standings if one["kind"] in {"server", "client"}}
    assert len(days) == 3
    first = datetime.fromisoformat(min(days))
    assert {change.host for change in shop.plan(at=first).changes if change.action.value == "renew"} == {
        one["name"] for one in standings if one["renew_from"] == min(days)
    }


def test_a_wish_in_pki_toml_counts_at_once_as_in_a_plan(built_shop: Shop) -> None:
    built_shop.edit("[tls]", '[defaults]\nrenew_before = "390d"\n[tls]')
    at = TODAY + timedelta(days=8)
    assert ask(built_shop, at=at).out.count("  renew soon  ") == 4  # with the revocation list
    assert len(built_shop.plan(at=at).changes) > 0


def test_the_days_on_which_a_build_renews_are_those_of_the_plan(mixed: Shop) -> None:
    for day in (69, 70, 71, 366, 367, 368):
        at = TODAY + timedelta(days=day)
        planned = {
            change.host
            for change in mixed.plan(at=at).changes
            if change.action.value == "renew" and change.host is not None
        }
        standings = json.loads(ask(mixed, "--format", "json", at=at).out)["standings"]
        told = {
            one["name"]
            for one in standings
            if one["state"] in {"renew-soon", "expired"} and one["next_step"] == "build" and one["serial"]
        }
        assert told == planned


def test_near_the_end_of_the_ca_its_successor_is_the_next_step(shop: Shop) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\nlifetime = "400d"\n\n[tls]')
    shop.build()
    early = ask(shop, at=TODAY + timedelta(days=190))
    assert re.search(r"✓ \(Acme Print CA\) +CA +valid", early.out)
    late = ask(shop, at=TODAY + timedelta(days=280))
    assert re.search(r"▲ \(Acme Print CA\) +CA +renew soon +119 days +build its successor", late.out)
    gone = ask(shop, at=TODAY + timedelta(days=401))
    assert re.search(r"✕ \(Acme Print CA\) +CA +expired +1 day ago +replace the CA", gone.out)
    assert gone.status == 1


def test_certificates_that_end_with_their_ca_wait_for_its_successor_to_be_installed(shop: Shop) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\nlifetime = "400d"\n\n[tls]')
    shop.build()
    shop.now = TODAY + timedelta(days=370)

    def steps() -> set[str]:
        standings = json.loads(ask(shop, "--format", "json", at=shop.now).out)["standings"]
        return {one["next_step"] for one in standings if one["kind"] in {"server", "client"}}

    assert steps() == {"build"}  # which makes the successor
    shop.build()
    assert not shop.plan().changes
    assert steps() == {"install"}
    record_installed(shop.load(), None)
    assert steps() == {"build"}  # which issues them anew
    assert {one.artifact.value for one in shop.plan().changes} >= {"server-certificate", "client-certificate"}


def test_what_hosts_have_installed_is_told_and_until_when_the_rest_is_to_be(built_shop: Shop) -> None:
    assert re.search(r"desk1\S+ +client +valid +\d+ days +\? +renew from", ask(built_shop, at=TODAY).out)
    record_installed(built_shop.load(), ["desk1.example.com"])
    assert re.search(r"desk1\S+ +client +valid +\d+ days +yes +renew from", ask(built_shop, at=TODAY).out)
    built_shop.edit(
        'name = "desk1.example.com"\n', 'name = "desk1.example.com"\naliases = ["d1.example.com"]\n'
    )
    built_shop.build()
    told = ask(built_shop, at=TODAY).out
    assert re.search(r"✕ desk1\S+ +client +valid +\d+ days +no +overdue since 2026-11-24", told)
    assert "ipmpki installed" in told
    one = next(
        one
        for one in json.loads(ask(built_shop, "--format", "json", at=TODAY).out)["standings"]
        if one["name"] == "desk1.example.com"
    )
    assert (one["is_installed"], one["install_by"], one["next_step"]) == (
        False,
        "2026-11-24T12:00:00Z",
        "install",
    )


def test_while_one_authority_takes_over_from_another_both_are_shown(built_shop: Shop) -> None:
    built_shop.edit('common_name = "Acme Print CA"\n', 'common_name = "Acme Print CA"\ngeneration = 2\n')
    built_shop.build()
    told = ask(built_shop, at=TODAY).out
    assert "until all have installed" in told
    assert "Not known to trust both CAs yet: ipm1.example.com and 2 more." in told
    assert len(re.findall(r"\(Acme Print CA(?:, old)?\)", told)) == 2
    assert len(re.findall(r"\? +install$", told, re.M)) == 3


def test_what_is_bought_is_ordered_and_then_awaited(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=BOUGHT + SERVER + client("desk1"))
    shop.build()
    outcome = ask(shop, at=TODAY)
    assert re.search(r"▲ ipm1\S+ +server +awaited +- +import what comes", outcome.out)
    assert f"When a certificate has come: ipmpki import {shop.declaration} FILE...\n" in outcome.out
    (one,) = json.loads(ask(shop, "--format", "json").out)["standings"]
    assert one["awaited_since"] == "2026-11-24T12:00:00Z"


def test_the_trust_bundle_is_listed_last_as_it_has_no_end(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=BOUGHT + SERVER)
    root(shop)
    shop.edit('kind = "third-party"', BUNDLE)
    shop.build()
    rows = ask(shop, at=TODAY).out.split("\n\n")[1].splitlines()
    assert re.fullmatch(r"✓ \(1 trusted authority\) +CAs +valid +- +-", rows[-1])
    text = ask(shop, "--format", "prometheus", at=TODAY).out
    assert 'ipmpki_certificates{pki="pki.toml",state="awaited"} 1' in text
    assert "authority" not in text


def test_in_the_mixed_mode_a_server_has_two_lines(tmp_path: Path) -> None:
    root_shop = Shop(tmp_path, text=DECLARATION)
    root(root_shop)
    root_shop.build()
    outcome = ask(root_shop, at=TODAY)
    assert re.search(r"▲ ipm1\S+ +server +awaited +- +import what comes\n", outcome.out)
    assert re.search(r"✓ ipm1\S+ +client +valid +396 days", outcome.out)
    assert re.search(r"✓ \(Acme Print CA\) +CA +valid", outcome.out)
    assert re.search(r"✓ \(1 trusted authority\) +CAs +valid", outcome.out)
    metrics = ask(root_shop, "--format", "prometheus", at=TODAY).out
    checked = subprocess.run([require("promtool"), "check", "metrics"], input=metrics, text=True, check=False)
    assert checked.returncode == 0
    renewal = events_of(ask(root_shop, "--format", "ics", at=TODAY))[1]
    assert renewal["SUMMARY"] == "Renew certificates: 2 hosts, the revocation list"


def test_what_is_to_be_bought_is_to_be_ordered(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=BOUGHT + SERVER)
    shop.build()
    shop.write(BOUGHT + SERVER + SERVER.replace("ipm1", "ipm2").replace("print.", "print2."))
    assert re.search(r"▲ ipm2\S+ +server +not issued +- +build, then order", ask(shop, at=TODAY).out)


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_on_a_narrow_terminal_a_long_name_has_a_line_of_its_own(shop: Shop, columns: int) -> None:
    shop.write(shop.text + client("a-long-name-for-a-printer.printing.headquarters"))
    shop.build()
    shown = on_terminal(shop.folder, columns, "status", "--at", f"{TODAY:%Y-%m-%dT%H:%M:%SZ}")
    plain = re.sub(r"\x1b\[\d*m", "", shown)
    assert "a-long-name-for-a-printer.printing.headquarters" in plain
    assert ("hosts of example.com:" in plain) == (columns <= 80)  # else the whole name has room
    lines = [line for line in plain.splitlines() if "printing.headquarters" not in line]
    assert columns < 80 or max(map(len, lines)) <= columns
    assert "4 certificates: 4 valid." in lines


def test_on_a_terminal_colour_repeats_what_marks_and_words_say(mixed: Shop) -> None:
    at = f"{LATER:%Y-%m-%d}"
    shown = on_terminal(mixed.folder, 100, "status", "--at", at)
    assert "\x1b[31m✕ desk1.example.com" in shown
    assert "\x1b[33m▲ desk2.example.com" in shown
    assert "\n✓ ipm1.example.com" in shown
    plain = on_terminal(mixed.folder, 100, "status", "--at", at, env={"NO_COLOR": "1"})
    assert plain == re.sub(r"\x1b\[\d*m", "", shown)


def test_where_the_character_set_has_no_marks_letters_stand(mixed: Shop) -> None:
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    shown = on_terminal(mixed.folder, 100, "status", "--at", f"{LATER:%Y-%m-%d}", env=env)
    assert "X desk1.example.com" in shown
    assert "! desk2.example.com" in shown
    assert "  ipm1.example.com" in shown
    assert shown.isascii()


# --- What of the declaration cannot be read -------------------------------------------------------


@pytest.mark.parametrize("mistake", ['name = "desk1.example.com', "name = 5", 'nmae = "desk1.example.com"'])
def test_a_mistake_in_pki_toml_hides_no_certificate(built_shop: Shop, mistake: str) -> None:
    built_shop.edit('name = "desk1.example.com"', mistake)
    outcome = ask(built_shop, at=TODAY)
    assert outcome.out.count("valid  ") == 5
    assert "withdraw" not in outcome.out
    assert (
        "cannot be read, so this may lack hosts that are not in the store: see 'ipmpki check" in outcome.err
    )
    assert outcome.status == 0


def test_a_pki_toml_of_garbage_hides_no_certificate(built_shop: Shop) -> None:
    built_shop.declaration.write_bytes(b"\x00\xff not toml [[[")
    outcome = ask(built_shop, "--format", "nagios", at=TODAY)
    assert outcome.status == 0
    assert re.search(r"^IPMPKI OK - 3 certificates valid, .*pki\.toml has \d+ errors? \|", outcome.out)


def test_a_store_elsewhere_is_found_for_all_that_is_wrong(shop: Shop) -> None:
    shop.write('store = "sub/our.db"\n' + shop.text)
    (shop.folder / "sub").mkdir()
    shop.build()
    shop.edit('role = "server"', 'role = "sever"')
    shop.edit("[tls]", "[tsl]")
    assert ask(shop, at=TODAY).status == 0
    assert ipmpki("log", shop.declaration).status == 0


# --- JSON -----------------------------------------------------------------------------------------


def test_the_json_is_as_its_schema_says(mixed: Shop) -> None:
    document = json.loads(ask(mixed, "--format", "json").out)
    validate(document, "status")
    states = {one["name"]: one["state"] for one in document["standings"]}
    assert states["desk1.example.com"] == "expired"
    assert document["summary"] == {
        "valid": 2,
        "renew-soon": 1,
        "expired": 1,
        "not-yet-valid": 0,
        "revoked": 0,
        "awaited": 1,
        "not-issued": 1,
    }
    kept = next(one for one in document["standings"] if one["name"] == "kept.example.com")
    assert (kept["next_step"], kept["request_file"]) == ("bring-request", "csr/kept.csr")


def test_the_exit_status_of_json_says_whether_something_is_broken(mixed: Shop) -> None:
    assert ask(mixed, "--format", "json", at=TODAY).status == 0
    assert ask(mixed, "--format", "json", "-o", str(mixed.folder / "status.json"), at=TODAY).status == 0
    assert ask(mixed, "--format", "json").status == 1
    assert ask(mixed, "--format", "json", "-o", str(mixed.folder / "status.json")).status == 1
    revoke(mixed.load(), "desk2.example.com", RevocationReason.KEY_COMPROMISE)
    assert ask(mixed, "--format", "json", at=TODAY).status == 1


def test_renew_from_is_when_a_build_renews_to_the_second(built_shop: Shop) -> None:
    document = json.loads(ask(built_shop, "--format", "json", at=TODAY).out)
    one = next(found for found in document["standings"] if found["name"] == "desk1.example.com")
    moment = datetime.fromisoformat(one["renew_from"])
    metrics = text_string_to_metric_families(ask(built_shop, "--format", "prometheus", at=TODAY).out)
    assert moment.timestamp() in {
        sample.value
        for family in metrics
        for sample in family.samples
        if sample.name == "ipmpki_certificate_renew_from_timestamp_seconds"
        and sample.labels["host"] == "desk1.example.com"
    }
    built_shop.now = moment - timedelta(seconds=1)
    assert ("client-certificate", "desk1") not in built_shop.actions()
    built_shop.now = moment
    assert built_shop.actions()["client-certificate", "desk1"] == "renew"


# --- Prometheus -----------------------------------------------------------------------------------


def test_promtool_finds_nothing_to_complain_of(mixed: Shop) -> None:
    metrics = ask(mixed, "--format", "prometheus")
    checked = subprocess.run(
        [require("promtool"), "check", "metrics"],
        input=metrics.out,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert metrics.status == 0


def test_the_metrics_are_read_back(mixed: Shop) -> None:
    text = ask(mixed, "--format", "prometheus").out
    families = {family.name: family for family in text_string_to_metric_families(text)}
    ends = {
        sample.labels["host"]: sample.value
        for sample in families["ipmpki_certificate_not_after_timestamp_seconds"].samples
    }
    assert ends["desk1.example.com"] == (TODAY + timedelta(days=60, hours=-1, seconds=-1)).timestamp()
    assert set(ends) == {f"{name}.example.com" for name in ("desk1", "desk2", "gone", "ipm1")}
    states = {
        sample.labels["host"]: sample.labels["state"]
        for sample in families["ipmpki_certificate_state"].samples
    }
    assert states["kept.example.com"] == "awaited"
    counts = {s.labels["state"]: s.value for s in families["ipmpki_certificates"].samples}
    assert sum(counts.values()) == 6
    assert all(
        sample.timestamp is None and sample.labels["pki"] == "Acme Print CA"
        for family in families.values()
        for sample in family.samples
    )


def test_an_awkward_name_of_a_ca_is_escaped(shop: Shop) -> None:
    shop.edit("Acme Print CA", 'Acme \\"Print\\" C\\\\A, Inc')
    shop.build()
    text = ask(shop, "--format", "prometheus", at=TODAY).out
    assert {
        sample.labels["pki"] for family in text_string_to_metric_families(text) for sample in family.samples
    } == {'Acme "Print" C\\A, Inc'}
    assert '(Acme "Print" C\\A, Inc)' in ask(shop, at=TODAY).out


def test_what_a_backslash_and_a_letter_mean_to_prometheus_is_not_in_a_name(shop: Shop) -> None:
    shop.edit("Acme Print CA", r"Acme \\new \\\"CA\"")
    shop.build()
    text = ask(shop, "--format", "prometheus", at=TODAY).out
    label = re.compile(r'pki="((?:[^"\\\n]|\\[\\"n])*)"')
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    found = [label.search(line) for line in samples]
    assert {one[1] for one in found if one} == {r"Acme \\new \\\"CA\""}
    assert all(found), "the exposition format knows three escapes, and no bare backslash"


def test_a_file_for_the_collector_is_written_at_once_and_for_all_to_read(mixed: Shop) -> None:
    file = mixed.folder / "ipmpki.prom"
    assert ask(mixed, "--format", "prometheus", "-o", str(file)).out == ""
    assert file.read_text() == ask(mixed, "--format", "prometheus").out
    assert file.stat().st_mode & 0o777 == 0o644
    inode = file.stat().st_ino
    mixed.store.write_bytes(b"garbage" * 1000)
    assert ask(mixed, "--format", "prometheus", "-o", str(file)).status == 4
    assert file.stat().st_ino == inode
    assert {path.name for path in mixed.folder.glob("*.prom*")} == {"ipmpki.prom"}


# --- Nagios ---------------------------------------------------------------------------------------

LABEL = r"(?:'(?:[^'=]|'')+'|[^'=\s]+)"
NUMBER = r"-?\d+(?:\.\d+)?"
RANGE = rf"(?:@?(?:(?:{NUMBER}|~)?:)?(?:{NUMBER})?)"
PERFDATA = re.compile(
    rf"{LABEL}=(?P<value>{NUMBER}|U)(?P<unit>s|us|ms|%|B|KB|MB|GB|TB|c)?"
    rf"(?:;{RANGE}(?:;{RANGE}(?:;(?:{NUMBER})?(?:;(?:{NUMBER})?)?)?)?)?"
)
"""https://www.monitoring-plugins.org/doc/guidelines.html, sections 2.5 and 2.6."""


def told(outcome: Outcome) -> tuple[str, dict[str, str]]:
    """The text and the performance data of one line that follows the guidelines to the letter."""
    assert outcome.err == ""
    assert outcome.out.count("\n") == 1
    text, bar, data = outcome.out.rstrip("\n").partition(" | ")
    assert len(outcome.out) < 4096
    state = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[outcome.status]
    assert text.startswith(f"IPMPKI {state} - ")
    measures = {}
    if bar:
        for one in data.split(" "):
            assert PERFDATA.fullmatch(one), one
            label, _, value = one.partition("=")
            assert len(label) <= 19 or not label.isascii() or label.isidentifier()
            measures[label] = value
    return text.partition(" - ")[2], measures


def test_a_sound_shop_is_ok(built_shop: Shop) -> None:
    text, measures = told(ask(built_shop, "--format", "nagios", at=TODAY))
    assert text == "3 certificates valid, desk1.example.com ends in 396 days"
    assert measures["certificate_days"] == "396.96"
    assert measures["valid"] == "3;;;0"


def test_what_has_expired_is_critical_and_named_first(mixed: Shop) -> None:
    outcome = ask(mixed, "--format", "nagios")
    text, measures = told(outcome)
    assert outcome.status == 2
    assert text == (
        "desk1.example.com expired 15 days ago, fresh.example.com has no certificate yet,"
        " kept.example.com is awaited and 1 more; not known to be installed: ipm1.example.com and 2 more"
    )
    assert measures["certificate_days"] == "-15.04"
    assert (measures["expired"], measures["awaited"]) == ("1;;;0", "1;;;0")


@pytest.mark.parametrize(
    ("day", "options", "status"),
    [
        (366, (), 0),
        (367, (), 1),
        (397, (), 2),
        (367, ("--warning", "10"), 0),
        (387, ("--warning", "10"), 1),
        (387, ("--critical", "10"), 2),
        (387, ("--warning", "20", "--critical", "9"), 1),
        (388, ("--warning", "20", "--critical", "9"), 2),
        (0, ("--warning", "36525"), 1),
    ],
)
def test_windows_and_thresholds(built_shop: Shop, day: int, options: tuple[str, ...], status: int) -> None:
    record_installed(built_shop.load(), None)
    outcome = ask(built_shop, "--format", "nagios", *options, at=TODAY + timedelta(days=day))
    _, measures = told(outcome)
    assert outcome.status == status
    if options == ("--warning", "20", "--critical", "9"):
        assert measures["certificate_days"].endswith(".96;20:;9:")


def test_a_bar_in_a_name_does_not_begin_the_performance_data(tmp_path: Path) -> None:
    shop = Shop(tmp_path, text=HEAD.replace("Acme Print CA", "Acme | x=1").replace("required", "off"))
    shop.write(shop.text + client("desk1"))
    shop.build()
    (line,) = ask(shop, "--format", "nagios", at=TODAY + timedelta(days=20_000)).out.splitlines()
    text, bar, data = line.partition("|")
    assert ("Acme / x=1" in text, bar) == (True, "|")
    assert all(re.fullmatch(r"\w+=-?[\d.]+(;[\d.:]*){0,3}", one) for one in data.split()), data


def test_what_is_awaited_is_a_warning(shop: Shop) -> None:
    shop.write(shop.text + KEPT)
    shop.build()
    outcome = ask(shop, "--format", "nagios", at=TODAY)
    assert outcome.status == 1
    assert told(outcome)[0] == "kept.example.com is awaited"


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.toml",),
        ("--at", "yesterday"),
        ("--warning", "-1"),
        ("--warning", "7", "--critical", "30"),
        ("--no-such-option",),
        ("--output", "/nonexistent/folder/file"),
        ("one.toml", "two.toml"),
    ],
)
@pytest.mark.parametrize("form", [("--format", "nagios"), ("--format=nagios",)])
def test_every_failure_is_one_line_and_unknown(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], form: tuple[str, ...]
) -> None:
    monkeypatch.chdir(built_shop.folder)
    outcome = ipmpki("status", *form, *arguments)
    assert outcome.status == 3
    assert told(outcome)[0]


def test_an_unforeseen_failure_is_unknown_too(built_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ipmpki.operations.status.watch", fail)
    text, _ = told(ask(built_shop, "--format", "nagios"))
    assert text == "ipmpki failed in a way it should not: ZeroDivisionError"


def test_thresholds_are_for_monitors_alone(built_shop: Shop) -> None:
    outcome = ask(built_shop, "--warning", "7")
    assert outcome.status == 2
    assert "--format nagios" in outcome.err


def test_help_is_help_with_nagios_too() -> None:
    outcome = ipmpki("status", "--format", "nagios", "--help")
    assert outcome.status == 0
    assert outcome.out.startswith("Usage: ")


# --- The calendar ---------------------------------------------------------------------------------


def events_of(outcome: Outcome) -> list[icalendar.Event]:
    content = outcome.out
    assert content.replace("\r\n", "").isprintable()
    assert all(len(line.encode()) <= 75 for line in content.split("\r\n"))
    calendar = icalendar.Calendar.from_ical(content)
    assert set(calendar.required) <= set(calendar)
    events = [one for one in calendar.walk("VEVENT") if isinstance(one, icalendar.Event)]
    assert not [error for event in calendar.walk() for error in event.errors]
    assert len({str(event["UID"]) for event in events}) == len(events)
    return events


def test_a_calendar_has_what_is_to_be_done_each_day_with_alarms(mixed: Shop) -> None:
    events = events_of(ask(mixed, "--format", "ics"))
    days = [(event.decoded("DTSTART"), str(event["SUMMARY"])) for event in events]
    assert days == [
        (date(2027, 2, 7), "Certificates are missing: 2 hosts"),
        (date(2027, 2, 7), "Certificates expire: desk1.example.com"),
        (date(2027, 2, 7), "Renew certificates: desk2.example.com"),
        (date(2027, 3, 4), "Certificates expire: desk2.example.com"),
        (date(2027, 11, 26), "Renew certificates: ipm1.example.com, the revocation list"),
        (date(2027, 12, 26), "Certificates expire: 2 hosts, the revocation list"),
        (date(2035, 9, 21), "Make a new CA: the authority 'Acme Print CA'"),
        (date(2036, 11, 21), "Certificates expire: the authority 'Acme Print CA'"),
    ]
    for event in events:
        (alarm,) = event.walk("VALARM")
        assert alarm["ACTION"] == "DISPLAY"
        assert set(alarm.required) <= set(alarm)
        expected = -timedelta(days=7) if "expire" in str(event["SUMMARY"]) else timedelta(hours=9)
        assert alarm.decoded("TRIGGER") == expected
    # What a build takes back is not renewed before.
    assert "gone.example.com" not in str(events[4]["DESCRIPTION"])
    assert "\ngone.example.com\nipm1.example.com\n" in str(events[5]["DESCRIPTION"])


def test_the_same_day_keeps_its_identity_from_one_calendar_to_the_next(built_shop: Shop) -> None:
    first, second = (
        [str(event["UID"]) for event in events_of(ask(built_shop, "--format", "ics", at=TODAY + later))]
        for later in (timedelta(), timedelta(days=10))
    )
    assert first == second


def test_a_big_fleets_day_is_one_event_that_names_the_first_hundred(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipmpki.render.status.ics._MOST_LISTED", 2)
    renewal = events_of(ask(built_shop, "--format", "ics", at=TODAY))[0]
    assert str(renewal["DESCRIPTION"]).endswith("desk1.example.com\ndesk2.example.com\nand 2 more")


def test_text_of_any_script_folds_between_characters(shop: Shop) -> None:
    shop.edit("Acme Print CA", "Drückerei 印刷; \\\\, GmbH " + "ö" * 12)
    shop.build()
    events = events_of(ask(shop, "--format", "ics", at=TODAY))
    assert f"Make a new CA: the authority 'Drückerei 印刷; \\, GmbH {'ö' * 12}'" in [
        str(event["SUMMARY"]) for event in events
    ]


def test_a_calendar_s_text_has_no_bare_semicolon_comma_or_backslash(shop: Shop) -> None:
    """RFC 5545, section 3.3.11: strict readers end a value there, lenient ones let it pass."""
    shop.edit("Acme Print CA", r"Acme; Print, \\CA")
    shop.build()
    lines = ask(shop, "--format", "ics", at=TODAY).out.replace("\r\n ", "").splitlines()
    texts = [
        line.partition(":")[2] for line in lines if line.startswith(("SUMMARY:", "DESCRIPTION:", "NAME:"))
    ]
    assert [one for one in texts if r"Acme\; Print\, \\CA" in one], texts
    for one in texts:
        assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", one), one


@pytest.mark.parametrize("format_", status_command.FORMATS)
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "1970-01-01"])
def test_on_any_day_there_is_an_answer(mixed: Shop, format_: str, day: str) -> None:
    outcome = ipmpki("status", mixed.declaration, "--format", format_, "--at", day)
    assert outcome.status in {0, 1, 2}
    assert outcome.err == ""
    assert outcome.out


def test_a_time_that_utc_does_not_have_is_refused(mixed: Shop) -> None:
    outcome = ipmpki("status", mixed.declaration, "--at", "0001-01-01T00:00:00+05:00")
    assert outcome.status == 2
    assert "is not a day" in outcome.err


# --- The store ------------------------------------------------------------------------------------


def test_dist_is_not_looked_at(built_shop: Shop) -> None:
    import shutil

    before = ask(built_shop, at=TODAY).out
    shutil.rmtree(built_shop.dist)
    assert ask(built_shop, at=TODAY).out == before


def test_before_the_first_build_there_is_nothing_to_watch(shop: Shop) -> None:
    outcome = ask(shop)
    assert outcome.status == 2
    assert "there is no store 'pki.db'" in outcome.err
    assert f"'ipmpki build {shop.declaration}' makes it" in outcome.err
    assert not shop.store.exists()


def test_now_is_the_default(built_shop: Shop) -> None:
    document = json.loads(ipmpki("status", built_shop.declaration, "--format", "json").out)
    at = datetime.fromisoformat(document["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)


# --- Backups ----------------------------------------------------------------------------------------


def back_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", "a long enough passphrase")
    target = shop.folder / "pki.backup"
    done = ipmpki("backup", shop.declaration, target, "--force", "--passphrase-env", "BACKUP_PASSPHRASE")
    assert done.status == 0, done.err
    assert "warning" not in done.err


def test_a_store_that_was_never_backed_up_is_told(built_shop: Shop) -> None:
    assert "backed up" not in ask(built_shop, at=TODAY).out
    outcome = ask(built_shop, "--backup-age", "30d", at=TODAY)
    assert (outcome.status, "The store was never backed up.\n" in outcome.out) == (1, True)
    line = ask(built_shop, "--format", "nagios", "--backup-age", "30d", at=TODAY)
    assert (line.status, line.out.startswith("IPMPKI WARNING - store never backed up |")) == (1, True)


def test_a_backup_of_all_that_there_is_never_grows_old(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(built_shop, monkeypatch)
    later = TODAY + timedelta(days=100)
    outcome = ask(built_shop, "--backup-age", "30d", at=later)
    assert outcome.status == 0
    assert "backed up" not in outcome.out


def test_what_changed_since_the_backup_may_wait_so_long_for_the_next(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(built_shop, monkeypatch)
    made = datetime.now(UTC)
    record_installed(built_shop.load(), None)
    assert ask(built_shop, "--backup-age", "30d", at=made + timedelta(days=30, seconds=-60)).status == 0
    overdue = made + timedelta(days=31)
    outcome = ask(built_shop, "--backup-age", "30d", at=overdue)
    assert outcome.status == 1
    assert "The store was backed up 31 days ago, and changed since.\n" in outcome.out
    assert ask(built_shop, at=overdue).status == 0
    line = ask(built_shop, "--format", "nagios", "--backup-age", "30d", at=overdue)
    assert (line.status, "store backed up 31 days ago, and changed since" in line.out) == (1, True)
    assert "backup_days=31" in line.out
    document = json.loads(ask(built_shop, "--format", "json", at=overdue).out)
    validate(document, "status")
    assert document["backup"]["changed_since"] is True
    back_up(built_shop, monkeypatch)
    assert json.loads(ask(built_shop, "--format", "json", at=overdue).out)["backup"]["changed_since"] is False


def test_prometheus_gets_the_time_of_the_backup_and_whether_it_has_all(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gauges() -> dict[str, float]:
        text = ask(built_shop, "--format", "prometheus", at=TODAY).out
        return {one.name: one.samples[0].value for one in text_string_to_metric_families(text)}

    assert "ipmpki_backup_timestamp_seconds" not in gauges()
    assert gauges()["ipmpki_store_changed_since_backup"] == 1
    back_up(built_shop, monkeypatch)
    assert gauges()["ipmpki_store_changed_since_backup"] == 0
    assert abs(gauges()["ipmpki_backup_timestamp_seconds"] - datetime.now(UTC).timestamp()) < 120


@pytest.mark.parametrize("written", ["0", "-1", "30 days", "1h", "99999999999", "٣d", ""])
def test_what_is_no_number_of_days_is_refused(built_shop: Shop, written: str) -> None:
    outcome = ask(built_shop, f"--backup-age={written}", at=TODAY)
    assert (outcome.status, "is not a number of days such as 30d" in outcome.err) == (2, True)


def test_a_backup_upgrades_no_store_of_an_older_version(
    built_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
        connection.execute("ALTER TABLE folder DROP COLUMN asks_clients")
        connection.execute("PRAGMA user_version = 4")
    monkeypatch.setenv("BACKUP_PASSPHRASE", "a long enough passphrase")
    target = built_shop.folder / "pki.backup"
    done = ipmpki("backup", built_shop.declaration, target, "--passphrase-env", "BACKUP_PASSPHRASE")
    assert done.status == 0
    assert "status does not know of it: pki.db is of an older version" in done.err
    with contextlib.closing(sqlite3.connect(built_shop.store)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
