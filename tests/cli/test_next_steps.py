"""Words and next steps: what a command says fits a terminal, and what it advises can be done."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.installed import record_installed
from tests.cli.command import ipmpki
from tests.cli.pseudoterminal import on_terminal
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "print.valley-mutual.com"
SERVERS = f"""
[[hosts]]
name = "prtaix1.{DOMAIN}"
role = "server"
os = "aix"
[[hosts]]
name = "prtwin1.{DOMAIN}"
role = "server"
os = "windows"
"""
CLIENTS = "".join(
    f'[[hosts]]\nname = "{name}.{DOMAIN}"\nrole = "client"\nos = "{system}"\nkey = "ec-p256"\n'
    for name, system in (("claims-desk-17", "windows"), ("mac1", "macos"))
)
HEAD = """\
schema = 1
[ca]
common_name = "Valley Mutual Print CA"
key = "ec-p256"
[tls]
mutual_auth = "required"
[ipm]
server_name = "ipm1"
"""


@pytest.fixture
def site(tmp_path: Path) -> Shop:
    """Servers and clients with names of some length, all installed."""
    shop = Shop(tmp_path, text=HEAD + SERVERS + CLIENTS)
    shop.build()
    record_installed(shop.load(), None)
    return shop


def a_renewal(shop: Shop) -> None:
    """Everything was renewed a while ago, and nobody has installed it."""
    shop.now += timedelta(days=370)
    shop.build()


def a_rollover(shop: Shop) -> None:
    """The authority is being replaced."""
    shop.edit('key = "ec-p256"\n[tls]', 'key = "ec-p256"\ngeneration = 2\n[tls]')
    shop.build()


def new_names(shop: Shop) -> None:
    """Every host has another name in its certificate, in a declaration that was not built."""
    for name in ("prtaix1", "mac1"):
        shop.edit(f'name = "{name}.{DOMAIN}"', f'name = "{name}.{DOMAIN}"\naliases = ["{name}-b.{DOMAIN}"]')


@pytest.mark.parametrize("happened", [a_renewal, a_rollover, new_names], ids=lambda one: one.__name__)
def test_what_is_said_most_fits_a_terminal_of_80_columns(site: Shop, happened: object) -> None:
    assert callable(happened)
    happened(site)
    day = f"{site.now + timedelta(days=2):%Y-%m-%d}"
    commands = (["status", "--at", day], ["plan", "--at", day], ["build"])
    for command in commands:
        shown = on_terminal(site.folder, 80, *command, env={"NO_COLOR": "1"}, with_errors=True)
        wide = [line for line in shown.splitlines() if len(line) > 80]
        assert not wide, (command, wide)
    shown = on_terminal(site.folder, 80, "status", "--at", day, env={"NO_COLOR": "1"}, with_errors=True)
    for name in ("prtaix1", "prtwin1", "mac1"):  # each in one line, by the name that its domain leaves
        assert any(
            line[2:].startswith((f"{name} ", name)) and ("server" in line or "client" in line)
            for line in shown.splitlines()
        )
    assert f"hosts of {DOMAIN}:" in shown


def test_a_short_name_is_taken_where_only_one_host_can_be_meant(site: Shop) -> None:
    assert "recorded as installed: 1 host" in ipmpki("installed", site.declaration, "prtaix1").out
    assert f"mac1.{DOMAIN}: client certificate" in ipmpki("show", site.declaration, "mac1").out
    assert f"mac1.{DOMAIN}" in ipmpki("log", site.declaration, "--host", "MAC1").out
    assert (
        f"changed prtwin1.{DOMAIN}"
        in ipmpki("host", "set", site.declaration, "prtwin1", "--key", "rsa-3072").out
    )
    revoked = ipmpki("revoke", site.declaration, "prtwin1", "--reason", "superseded")
    assert revoked.out.startswith(f"revoked: prtwin1.{DOMAIN}")
    assert f"removed mac1.{DOMAIN}" in ipmpki("host", "remove", site.declaration, "mac1").out


def test_a_short_name_that_several_hosts_begin_with_is_not(site: Shop) -> None:
    site.write(
        f'{site.text}[[hosts]]\nname = "mac1.lab.valley-mutual.com"\nrole = "client"\nkey = "ec-p256"\n'
    )
    site.build()
    for command in (["installed"], ["show"], ["host", "remove"]):
        refused = ipmpki(*command, site.declaration, "mac1")
        assert refused.status == 2, refused
        assert "mac1" in refused.err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("rename", "set --rename"), ("delete", "remove"), ("lst", "list"), ("edit", "set")],
)
def test_a_command_about_hosts_that_is_not_there_leads_to_the_one_that_does_that(
    word: str, meant: str
) -> None:
    refused = ipmpki("host", word)
    assert refused.status == 2
    assert f"did you mean 'ipmpki host {meant}'?" in refused.err


def test_a_deleted_dist_is_made_again_and_nobody_is_sent_to_hosts_that_have_it(site: Shop) -> None:
    shutil.rmtree(site.dist)
    built = ipmpki("build", site.declaration).out
    assert "Nothing is to be installed on 4 hosts" in " ".join(built.split())
    assert "Next, install" not in built
    assert "Nothing is left to install" in " ".join((site.dist / "report.txt").read_text().split())


def test_a_build_that_does_little_says_what(site: Shop) -> None:
    (site.dist / "ansible" / "README.txt").unlink()
    assert ipmpki("build", site.declaration).out.startswith("Done: 1 restored: playbook; ")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('server_name = "ipm1"', 'server_name = "ipm2"', "its restart command changed"),
        (
            'server_name = "ipm1"',
            'server_account = "ipm1"\nserver_name = "ipm1"',
            "the account of its server",
        ),
        ("[ipm]", '[ipm]\nkeywords = { ca_file = "CaFile" }', "the keywords for its ipmssl.cfg changed"),
    ],
)
def test_a_plan_says_which_settings_changed(site: Shop, old: str, new: str, said: str) -> None:
    site.edit(old, new)
    (change,) = [one for one in site.plan().changes if one.host == f"prtaix1.{DOMAIN}"]
    assert said in change.reasons[0].detail


def test_two_authorities_in_a_rollover_can_be_told_apart(site: Shop) -> None:
    a_rollover(site)
    shown = json.loads(ipmpki("status", site.declaration, "--format", "json").out)
    names = [one["name"] for one in shown["standings"] if one["kind"] == "authority"]
    assert sorted(names) == ["Valley Mutual Print CA", "Valley Mutual Print CA, old"]


def test_a_command_of_aix_and_linux_is_not_handed_to_a_windows_server(site: Shop) -> None:
    site.edit('server_name = "ipm1"', 'restart_command = "pdshutdown ipm1 && startsrv ipm1"')
    site.build()
    readmes = {
        name: " ".join((site.dist / "hosts" / f"{name}.{DOMAIN}" / "README.txt").read_text().split())
        for name in ("prtaix1", "prtwin1")
    }
    assert "pdshutdown ipm1 && startsrv ipm1" in readmes["prtaix1"]
    assert "pdshutdown" not in readmes["prtwin1"]
    assert "Management Console (File, Stop Server)" in readmes["prtwin1"]


def test_a_command_that_windows_has_is_handed_to_its_server(site: Shop) -> None:
    site.edit('server_name = "ipm1"', 'restart_command = "net stop ipm && net start ipm"')
    site.build()
    readme = (site.dist / "hosts" / f"prtwin1.{DOMAIN}" / "README.txt").read_text()
    assert "net stop ipm && net start ipm" in readme


def test_examples_in_remedies_are_of_the_domain_that_the_file_has(site: Shop) -> None:
    site.write(f'{site.text}[[hosts]]\nname = "foo"\nrole = "client"\n[[hosts]]\nrole = "client"\n')
    shown = ipmpki("check", site.declaration).err
    assert f"'foo.{DOMAIN}'" in shown
    assert f'name = "ipm1.{DOMAIN}"' in shown
    assert "example.com" not in shown


def test_rules_are_listed_by_what_they_find_and_found_by_a_word(tmp_path: Path) -> None:
    listed = ipmpki("rules").out.splitlines()
    assert "alias-invalid" in listed[1]
    assert listed[1].endswith("An alias is not a name that DNS can hold")
    assert all(len(line) <= 80 for line in on_terminal(tmp_path, 80, "rules").splitlines())
    found = ipmpki("explain", "mutual")
    assert found.status == 0
    assert "third-party-with-mutual-auth" in found.out
    assert "client-ca-not-kept-apart" in found.out
    assert "alias-invalid" not in found.out
    assert ipmpki("explain", "third party with mutual").out.startswith("# third-party-with-mutual-auth")


def test_a_wrong_passphrase_of_a_key_in_the_store_says_what_to_do_where_it_is_forgotten(
    site: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CA_PASSPHRASE", "correct horse battery")
    site.edit('key = "ec-p256"\n[tls]', 'key = "ec-p256"\npassphrase = { env = "CA_PASSPHRASE" }\n[tls]')
    assert ipmpki("build", site.declaration).status == 0
    monkeypatch.setenv("CA_PASSPHRASE", "another one")
    new_names(site)
    refused = ipmpki("build", site.declaration)
    assert refused.status != 0
    assert "the authority's key in the store" in refused.err
    assert "forgotten" in refused.err
    assert "--replace-ca" in refused.err
    assert "openssl" not in refused.err
    monkeypatch.setenv("NEW", "yet another one")
    arguments = ("--old-passphrase-env", "CA_PASSPHRASE", "--new-passphrase-env", "NEW")
    refused = ipmpki("passphrase", site.declaration, *arguments)
    assert "forgotten" in refused.err


def test_the_way_on_with_a_forgotten_passphrase_works(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CA_PASSPHRASE", "correct horse battery")
    site.edit('key = "ec-p256"\n[tls]', 'key = "ec-p256"\npassphrase = { env = "CA_PASSPHRASE" }\n[tls]')
    assert ipmpki("build", site.declaration).status == 0
    monkeypatch.setenv("CA_PASSPHRASE", "another one")
    site.edit('key = "ec-p256"\npass', 'key = "ec-p256"\ngeneration = 2\npass')
    built = ipmpki("build", site.declaration, "--replace-ca")
    assert built.status == 0, built.err
