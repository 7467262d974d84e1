"""What install.ps1 does where no run of the tests can go by itself: another computer's name, another account,
a program that changes a file in between. Its own functions are asked, or one of them has a fault put in."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.powershell import CLIENT, SAMPLES, SERVER
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import PrepareWindows

CLIENT_BUNDLE = bundle_of("client", "windows", mutual=True)

NAMES = [
    ("ipm1", "ipm1.example.com", True),
    ("IPM1.Example.COM", "ipm1.example.com", True),
    ("ipm1.other.com", "ipm1.example.com", False),
    ("ipm2", "ipm1.example.com", False),
    ("ipm1.example.com", "ipm1", True),
]


def test_a_computer_is_known_by_its_whole_name_or_by_one_without_domain(windows_host: PrepareWindows) -> None:
    asked = "\n".join(f"Test-SameHost '{actual}' '{declared}'" for actual, declared, _ in NAMES)
    assert windows_host().ask(asked) == [str(same) for *_, same in NAMES]


def test_a_computer_has_names_without_a_dot_behind_them(windows_host: PrepareWindows) -> None:
    names = windows_host().ask("Get-ActualName")
    assert names
    assert all(name and not name.endswith(".") for name in names)


ELSEWHERE = """
$Options.Root = ''
function Get-ActualName {{ 'other.example.com' }}
{before}
$failed = ''
try {{ Assert-ThisHost }} catch {{ $failed = Get-Cause $_ }}
"$ExitCode|$failed|$WrongHost|$ForcedHost|$($Notes.Count)"
"""


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", "3|this is HERE, and the folder was made for ipm1.example.com. Nothing was changed; -Force"),
        ("$Options.Force = $true", "1||||True|1"),
        ("$Options.Verify = $true", "1||this is HERE, and the folder was made for ipm1.example.com|False|0"),
        ("$Options.Root = 'x'", "1|||False|1"),
        ("function Get-ActualName { 'x'; 'IPM1' }", "1|||False|0"),
    ],
)
def test_another_computer_is_refused_unless_forced(
    windows_host: PrepareWindows, before: str, found: str
) -> None:
    (line,) = windows_host().ask(ELSEWHERE.format(before=before))
    name = os.uname().nodename
    assert line.startswith(found.replace("||||", "|||").replace("HERE", name)), line


@pytest.mark.parametrize(("role", "others"), [("client", "-User or -Root"), ("server", "say -Root")])
def test_who_is_no_administrator_is_told_how_to_start_it(
    windows_host: PrepareWindows, role: str, others: str
) -> None:
    """The token is a stand-in: Linux has none."""
    said = windows_host(bundle_of(role, "windows")).ask(
        "function Get-CurrentUser { 'somebody' }\n"
        "function Test-Administrator($User) { $User -ne 'somebody' }\n"
        "try { Assert-Administrator } catch { Get-Cause $_ }\n"
        "function Test-Administrator($User) { $User -eq 'somebody' }\n"
        "Assert-Administrator; $ExitCode"
    )
    assert "only an administrator can install here" in said[0]
    assert "Run as administrator" in said[0]
    assert others in said[0]
    assert said[1:] == ["1"]


SPLIT = "S-1-5-4"
TOKENS: dict[str, tuple[str, bool, list[str], dict[str, int], str]] = {
    "SYSTEM": ("S-1-5-18", True, [], {}, "which has none that anybody prints from"),
    "a service": ("S-1-5-19", False, [], {}, "which has none that anybody prints from"),
    "a network service": ("S-1-5-20", False, [], {}, "which has none that anybody prints from"),
    "a user": ("S-1-5-21-1-2-3-1001", False, [SPLIT], {"admin": 0}, ""),
    "an elevated user": ("S-1-5-21-1-2-3-1001", False, [SPLIT], {}, "without 'Run as administrator'"),
    "an administrator of a remote session": ("S-1-5-21-1-2-3-1001", False, ["S-1-5-2"], {}, ""),
    "without User Account Control": ("S-1-5-21-1-2-3-1001", False, [SPLIT], {"EnableLUA": 0}, ""),
    "with it": ("S-1-5-21-1-2-3-1001", False, [SPLIT], {"EnableLUA": 1}, "started as an administrator"),
    "the built-in Administrator": ("S-1-5-21-1-2-3-500", False, [SPLIT], {}, ""),
    "the built-in Administrator, filtered": (
        "S-1-5-21-1-2-3-500",
        False,
        [SPLIT],
        {"FilterAdministratorToken": 1},
        "without 'Run as administrator'",
    ),
}


def test_a_user_installs_by_the_token_that_is_his_own(windows_host: PrepareWindows) -> None:
    """User Account Control keeps the profile's owner apart from who is elevated; the tokens are stand-ins."""
    asked = []
    for sid, is_system, groups, policy, _ in TOKENS.values():
        values = "; ".join(f"{name} = {value}" for name, value in policy.items() if name != "admin")
        members = ", ".join(f"@{{ Value = '{group}' }}" for group in groups)
        asked.append(
            f"function Test-Administrator($User) {{ ${str(bool(policy.get('admin', 1))).lower()} }}\n"
            f"function Get-ItemProperty {{ [pscustomobject]@{{ {values} }} }}\n"
            f"$found = [pscustomobject]@{{ IsSystem = ${str(is_system).lower()}; Name = 'WS\\jo'; "
            f"User = @{{ Value = '{sid}' }}; Groups = @({members}) }}\n"
            "try { Assert-OwnProfile $found; '' } catch { Get-Cause $_ }"
        )
    said = windows_host(CLIENT_BUNDLE).ask("\n".join(asked))
    assert len(said) == len(TOKENS)
    for (what, (*_, words)), line in zip(TOKENS.items(), said, strict=True):
        assert (words in line) if words else (line == ""), what
        assert not words or r"WS\jo" in line


def test_the_folders_on_the_way_are_those_below_the_root(windows_host: PrepareWindows) -> None:
    host = windows_host()
    assert host.ask("Get-Way 'client'") == [str(host.root / "Windows"), str(host.root / CLIENT)]
    way = host.ask("Get-Way 'server'")
    assert way[0] == str(host.root / "ProgramData")
    assert way[-1] == str(host.root / SERVER)


@pytest.mark.parametrize("programs", ["Program Files", "Program Files (x86)"])
def test_each_area_has_a_sample_of_its_own(windows_host: PrepareWindows, programs: str) -> None:
    host = windows_host()
    samples = SAMPLES.replace("Program Files", programs)
    host.write(f"{samples}/server/ipmssl.cfg", b"; the server's\n")
    host.write(f"{samples}/client/ipmssl.cfg", b"; the client's\n")
    host.run()
    assert host.server("ipmssl.cfg").read_bytes().startswith(b"; the server's\n")
    assert host.client("ipmssl.cfg").read_bytes().startswith(b"; the client's\n")


def test_a_key_of_another_certificate_or_no_key_at_all_is_refused(windows_host: PrepareWindows) -> None:
    for key in (pair("another")[1], b"none at all\nnothing like it\n"):
        host = windows_host(replace(bundle_of(os="windows"), key=key))
        assert "server-cert.pem and server-key.pem do not belong together" in host.run(status=4)
        assert host.sight() == {}


def test_a_carried_folder_of_somebody_else_is_refused_unless_he_called_sudo(
    windows_host: PrepareWindows,
) -> None:
    if os.geteuid() != 0:
        unavailable("root, who alone may give files away,")
    host = windows_host(CLIENT_BUNDLE)
    os.chown(host.folder, 4321, -1)
    said = host.run(status=4)
    assert f"{host.folder} belongs to another account, of number 4321" in said
    environment: dict[str, str | None] = {"SUDO_UID": "4321"}
    script = host.folder / "install.ps1"
    try:
        outcome = host.powershell.run(script, "-Root", str(host.root), "-DryRun", environment=environment)
    finally:
        host.powershell.ask({"args": ["-Command", "''"], "environment": {"SUDO_UID": None}})
    assert outcome.status == 0, outcome


def test_what_is_remembered_is_for_its_owner_alone(windows_host: PrepareWindows) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.write(f"{CLIENT}/ipmssl.cfg", b"#EnableTLS = 0\n")
    host.run()
    for path in (host.state(), *host.state().rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_file_that_cannot_be_put_in_place_leaves_what_stood_before(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    before = host.sight()
    newer = replace(
        host,
        folder=write_folder(bundle_of("client", "windows", mutual=True, label="second"), tmp_path / "newer"),
    )
    fails = "$global:Times++; if ($global:Times -eq {count}) {{ throw 'the disk is full' }}"
    for count in (1, 2, 3):
        newer.powershell.command("$global:Times = 0")
        said = newer.with_mistake("Move-InPlaceOf", fails.format(count=count)).run(status=1)
        assert "a file could not be put in place; what had stood here was put back. the disk is full" in said
        assert "Nothing was changed." in said
        assert host.sight() == before
        assert not host.state("undo").exists()
    newer.powershell.command("$global:Times = 1")
    both = newer.with_mistake("Move-InPlaceOf", "$global:Times++; if ($global:Times -gt 2) { throw 'no' }")
    assert "Not all old files could be put back: run it again" in both.run(status=5)
    assert host.state("undo").is_dir()
    said = newer.run("-DryRun")
    assert "of a failed run, whose old files the next run puts back" in said
    assert said.count("replace ") == 3
    said = newer.run()
    assert (
        "An earlier run failed and was interrupted when it put the old files back: they are put back." in said
    )
    assert "changed" in said
    newer.run("-Rollback")
    assert host.sight() == before


@pytest.mark.parametrize("how", ["other content", "gone", "back again"])
def test_a_file_that_changes_at_once_is_seen(windows_host: PrepareWindows, how: str) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    newer = replace(
        host, folder=write_folder(bundle_of("client", "windows", label="second"), host.folder.parent / "n")
    )
    before = host.sight()
    target = host.client("client-key.pem" if how == "back again" else "ca-cert.pem")
    path = f"'{str(target).replace(chr(39), chr(39) * 2)}'"
    does = f"[IO.File]::Delete({path})" if how == "gone" else f"[IO.File]::WriteAllText({path}, 'x')"
    said = newer.with_mistake("Assert-Outcome", does).run(status=1)
    assert f"{target} is not as it was put there a moment ago" in said
    assert host.sight() == before


def test_a_folder_that_somebody_makes_first_is_seen(windows_host: PrepareWindows, tmp_path: Path) -> None:
    host = windows_host(CLIENT_BUNDLE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    makes = (
        f"if ($Path.EndsWith('Windows')) {{ [void][IO.Directory]::CreateSymbolicLink($Path, '{elsewhere}') }}"
    )
    said = host.with_mistake("New-Folder", makes).run(status=1)
    assert "is a link, which may lead anywhere. It was not there a moment ago: who made it?" in said
    assert list(elsewhere.iterdir()) == []


def test_a_rollback_that_was_killed_in_between_goes_back_once(windows_host: PrepareWindows) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    first = host.sight()

    newer = replace(
        host,
        folder=write_folder(
            bundle_of("client", "windows", mutual=True, label="second"), host.folder.parent / "n"
        ),
    )
    newer.run()
    ends = "if ($null -ne $script:Lock) { $script:Lock.Dispose() }; $global:Killed = $true; exit 9"
    killed = newer.with_mistake("Move-InPlace", ends)
    script = killed.folder / "install.ps1"
    text = script.read_text().replace(
        "finally {   # which runs", "finally { if ($global:Killed) { exit 9 } # which runs"
    )
    script.write_text(text)
    newer.powershell.run(script, "-Root", str(host.root), "-Rollback")
    newer.powershell.command("$global:Killed = $false")
    assert host.state("commit").is_dir()
    assert "completes" in newer.run("-Rollback", "-DryRun")
    newer.run("-Rollback")
    assert host.sight() == first
    newer.run("-Rollback")
    assert not host.client("ca-cert.pem").exists()


def test_a_dry_run_after_a_kill_knows_the_record_that_will_be(windows_host: PrepareWindows) -> None:
    host = windows_host(CLIENT_BUNDLE)
    ends = "$script:Lock.Dispose(); $global:Killed = $true; exit 9"
    killed = host.with_mistake("Move-InPlace", ends)
    script = killed.folder / "install.ps1"
    text = script.read_text().replace(
        "finally {   # which runs", "finally { if ($global:Killed) { exit 9 } # which runs"
    )
    script.write_text(text)
    host.powershell.run(script, "-Root", str(host.root))
    host.powershell.command("$global:Killed = $false")
    said = host.run("-Uninstall", "-DryRun")
    for name in ("ca-cert.pem", "client-cert.pem", "client-key.pem", "ipmssl.cfg"):
        assert f"remove   {name}" in said
    host.run("-Uninstall")
    assert host.sight() == {}


def test_preparations_of_a_killed_run_are_thrown_away_and_told_of(windows_host: PrepareWindows) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    host.state("prepare").mkdir()
    host.client(".ipmpki-new").mkdir()
    said = host.run()
    assert "was interrupted before it changed anything: its preparations are thrown away." in said
    assert "already up to date" in said
    assert not host.state("prepare").exists()
    assert not host.client(".ipmpki-new").exists()


def test_what_was_written_into_a_file_of_its_own_making_is_kept_by_rollback(
    windows_host: PrepareWindows,
) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.write(f"{SAMPLES}/client/ipmssl.cfg", b"; sample\r\n;EnableTLS 0\r\n")
    host.run()
    settings = host.client("ipmssl.cfg")
    settings.write_bytes(settings.read_bytes() + b"Mine 2\r\n")
    assert "what was written into it since stays" in host.run("-Rollback")
    assert settings.read_bytes() == b"; sample\r\n;EnableTLS 0\r\nMine 2\r\n"


def test_a_record_that_is_a_link_is_not_read(windows_host: PrepareWindows, tmp_path: Path) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    record = host.state("installed")
    shutil.move(record, tmp_path / "elsewhere")
    record.symlink_to(tmp_path / "elsewhere")
    for options in ([], ["-Uninstall"], ["-Verify"]):
        assert f"{record} is a link" in host.run(*options, status=1)


def test_there_is_no_place_for_a_request_where_a_folder_has_its_name(windows_host: PrepareWindows) -> None:
    require("openssl")
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited"))
    (host.folder / "server.csr").mkdir()
    for options in (["-DryRun"], []):
        said = host.run("-NewKey", *options, status=1)
        assert "there is no place for the request" in said
        assert "server.csr is a folder" in said
        assert "Nothing was changed." in said
        assert host.sight() == {}


def test_a_waiting_key_is_told_of_and_waits_on(windows_host: PrepareWindows) -> None:
    require("openssl")
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited"))
    said = host.run("-NewKey", "-DryRun")
    assert said.rstrip().endswith("Nothing was changed.\nNext: run it without -DryRun.")
    host.run("-NewKey")
    waiting = host.state("waiting-key.pem").read_bytes()
    said = host.run(status=1)
    assert f"A new key waits for it, {host.state('waiting-key.pem')}" in said
    assert "Nothing was changed." in said
    plain = replace(host, folder=write_folder(bundle_of(os="windows"), host.folder.parent / "plain"))
    assert "Nothing in this folder needs it" in plain.run()
    assert host.state("waiting-key.pem").read_bytes() == waiting
    assert "made here by install.ps1 -NewKey" in plain.run("-Uninstall")
    assert not host.state().exists()


@pytest.mark.parametrize(
    ("function", "text", "words"),
    [
        ("New-Request", "$global:Asked = 0", "the request is not for the key"),
        ("New-Key", "return 'nothing'", "failed"),
    ],
)
def test_what_openssl_makes_is_looked_at(
    windows_host: PrepareWindows, function: str, text: str, words: str
) -> None:
    require("openssl")
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited"))
    mistaken = host.with_mistake(function, text)
    if function == "New-Request":
        mistaken = mistaken.with_mistake("Invoke-Openssl", "if ($Words -contains '-pubout') { return 'x' }")
    said = mistaken.run("-NewKey", status=1)
    assert words in said
    assert "Nothing was changed." in said
    assert host.sight() == {}
    assert list(mistaken.folder.glob("*.csr*")) == []


def test_a_file_that_is_held_for_a_moment_is_moved_by_the_fifth_try(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows"))
    host.powershell.command("$global:Times = 0")
    held = "$global:Times++; if ($global:Times -lt {count}) {{ throw 'it is held' }}"
    host.with_mistake("Move-Once", held.format(count=5)).run()
    assert host.client("ca-cert.pem").exists()
    host.run("-Uninstall")
    host.powershell.command("$global:Times = 0")
    said = host.with_mistake("Move-Once", held.format(count=99)).run(status=1)
    assert "it is held Nothing was changed." in said
    assert host.sight() == {}


def test_a_key_that_was_put_there_by_hand_is_kept_once_and_under_a_free_name(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.run()
    host.client("client-key.pem.kept-1").write_bytes(b"an older one\n")
    for label in ("second", "third"):
        host.client("client-key.pem").write_bytes(b"by hand\n")
        bundle = bundle_of("client", "windows", mutual=True, label=label)
        replace(host, folder=write_folder(bundle, tmp_path / label)).run()
    said = host.run("-Uninstall")
    assert said.count("what somebody had put there in between is kept") == 1
    assert host.sight() == {
        "Windows": None,
        CLIENT: None,
        f"{CLIENT}/client-key.pem.kept-1": b"an older one\n",
        f"{CLIENT}/client-key.pem.kept-2": b"by hand\n",
    }
    assert host.client("client-key.pem.kept-2").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_was_made_here_is_remembered_once(windows_host: PrepareWindows, tmp_path: Path) -> None:
    host = windows_host(bundle_of(os="windows"))
    host.run()
    newer = replace(host, folder=write_folder(bundle_of(os="windows", label="second"), tmp_path / "second"))
    newer.run()
    lines = host.state("installed").read_text().splitlines()
    assert [line for line in lines if line.startswith("folder ")] == ["folder client 2", "folder server 6"]
    newer.run("-Rollback")
    lines = host.state("installed").read_text().splitlines()
    assert [line for line in lines if line.startswith("folder ")] == ["folder client 2", "folder server 6"]
    host.run("-Uninstall")
    assert host.sight() == {}


def test_a_key_under_its_own_name_alone_is_for_its_owner(windows_host: PrepareWindows) -> None:
    host = windows_host(CLIENT_BUNDLE)
    host.write(f"{CLIENT}/client-cert.pem", b"what stood here\n")
    host.run()
    host.client("client-cert.pem").write_bytes(b"by hand\n")
    said = host.run("-Uninstall")
    assert "client-cert.pem.kept-1  what had stood there before is kept" in said
    assert "was changed since install.ps1 put it there, and stays" in said
    assert host.client("client-cert.pem").read_bytes() == b"by hand\n"
    assert host.client("client-cert.pem.kept-1").read_bytes() == b"what stood here\n"
    assert "there is nothing to remove" in host.run("-Uninstall") or not host.state().exists()


def test_the_end_of_each_run_says_what_comes_next(windows_host: PrepareWindows) -> None:
    require("openssl")
    host = windows_host(bundle_of(os="windows", own_key=True, label="awaited"))
    said = host.run(status=1)
    assert (
        "awaited. install.cmd -NewKey makes a key and the request; README.txt tells the rest. Nothing" in said
    )
    said = host.run("-NewKey")
    assert said.endswith(
        "Next: carry server.csr to pki.toml, put it there as csr/server.csr, run\n"
        "      'ipmpki build', carry the new folder here, and run install.cmd.\n"
    )
    said = host.run("-NewKey", "-DryRun")
    assert "in place of the one that waits there" not in said
    assert "the key that was made before still waits in" in said
    assert "-NewKey changes nothing in use: not with -Restart" in host.run("-NewKey", "-Restart", status=2)
    for bundle, words in (
        (bundle_of(os="windows"), "Next: stop the server in the InfoPrint"),
        (CLIENT_BUNDLE, "Next: restart this computer"),
    ):
        other = replace(windows_host(bundle, name=bundle.host.role.value), root=host.root)
        assert words in other.run()
