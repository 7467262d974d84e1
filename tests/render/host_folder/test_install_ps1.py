"""install.ps1, run by PowerShell for Linux below a root: what it does, says and ends with."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from ipmpki.declaration.vocabulary import OperatingSystem
from tests.extent import mostly_exhaustive
from tests.faults.mounts import remount, tmpfs
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.powershell import CLIENT, SAMPLES, WindowsHost, pwsh
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.host_folder.contents import HostBundle
    from tests.render.conftest import PrepareWindows
    from tests.render.host_folder.powershell import PowerShell

KEYWORDS = KeywordNames(ca_file="CaFile", crl_file="CrlFile", mutual_auth="VerifyClient=yes")
HOSTS = {
    "server": bundle_of(os="windows"),
    "mutual server": bundle_of(os="windows", mutual=True, keywords=KEYWORDS, crl=b"a CRL\n"),
    "client": bundle_of("client", "windows"),
    "mutual client": bundle_of("client", "windows", mutual=True),
}


def carry(bundle: HostBundle, folder: Path) -> None:
    """Carry another folder of the host to where the first stood."""
    shutil.rmtree(folder)
    write_folder(bundle, folder)


@pytest.mark.parametrize("label", mostly_exhaustive(HOSTS, every_time=["mutual server", "mutual client"]))
def test_it_installs_once_verifies_and_uninstalls_to_what_stood_before(
    windows_host: PrepareWindows, label: str
) -> None:
    host = windows_host(HOSTS[label])
    role = "server" if "server" in label else "client"
    host.write(f"{CLIENT}/ipmssl.cfg", b"; mine\r\n;EnableTLS = 0\r\n")
    host.write(f"{CLIENT}/ca-cert.pem", b"what stood here\n")
    before = host.sight()
    assert "this would change" in host.run("-DryRun")
    assert host.sight() == before
    said = host.run()
    assert f"{'ipm1.example.com'}: changed\n" in said
    assert host.client("ipmssl.cfg").read_bytes().startswith(b"; mine\r\nEnableTLS = 1\r\n")
    for file in host.folder.glob("*.pem"):
        area = host.server if role == "server" else host.client
        assert area(file.name).read_bytes() == file.read_bytes()
        assert (area(file.name).stat().st_mode & 0o777) == (0o600 if "-key" in file.name else 0o644)
        assert area(file.name).parent.stat().st_mode & 0o777 == 0o755
    assert host.client("ca-cert.pem").read_bytes() == (host.folder / "ca-cert.pem").read_bytes()
    after = host.sight()
    assert "already up to date" in host.run()
    assert "nothing differs" in host.run("-Verify")
    assert host.sight() == after
    host.client("ca-cert.pem").write_bytes(b"another\n")
    assert "other content" in host.run("-Verify", status=1)
    host.client("ca-cert.pem").write_bytes((host.folder / "ca-cert.pem").read_bytes())
    host.run("-Uninstall")
    assert host.sight() == before
    assert not host.state().exists()
    assert "nothing here was put by install.ps1" in host.run("-Uninstall")


def test_rollback_goes_back_change_by_change_whatever_the_clock_says(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    host.run()
    first = host.sight()
    # As if the computer's clock had been a year fast.
    (backup,) = host.state().glob("backup-*")
    backup.rename(backup.with_name("backup-000001-20991231T000000Z"))
    carry(bundle_of("client", "windows", mutual=True, label="second"), host.folder)
    host.run()
    assert sorted(path.name[:13] for path in host.state().glob("backup-*")) == [
        "backup-000001",
        "backup-000002",
    ]
    host.run("-Rollback")
    assert host.sight() == first
    host.run("-Rollback")
    assert host.sight() == {"Windows": None, CLIENT: None}
    assert "no backup" in host.run("-Rollback", status=1)


def test_a_folder_that_is_no_whole_backup_is_named(windows_host: PrepareWindows) -> None:
    host = windows_host(HOSTS["client"])
    host.run()
    host.state("backup-of-mine").mkdir()
    host.state("backup-000009-20261201T000000Z").mkdir()
    before = host.sight()
    assert "is no whole backup" in host.run("-Rollback", status=1)
    assert host.sight() == before
    host.state("backup-000009-20261201T000000Z").rmdir()
    host.run("-Rollback")
    assert not host.client("ca-cert.pem").exists()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["-Nonsense"], 2, "unknown option '-Nonsense'"),
        (["-Verify:"], 2, "needs a value behind the colon"),
        (["-DryRun:maybe"], 2, "unknown option 'maybe'"),
        (["-Verify", "-Rollback"], 2, "exclude each other"),
        (["-Verify", "-DryRun"], 2, "stands alone"),
        (["-Owner"], 2, "-Owner needs a value"),
        (["-Owner", "-Force"], 2, "wants the name of an account"),
        (["-Rollback", "-Owner", "me"], 2, "gives no key away"),
        (["-User"], 2, "made for a server"),
        (["-NewKey"], 2, "is not its own"),
        (["-Restart"], 2, "declares no restart_command"),
        (["-Repair"], 2, "-Root does without"),
        (["-Owner", "S-1-x"], 1, "no account or group 'S-1-x' here"),
        (["-Owner", "S-1-5-", "-DryRun"], 1, "no account or group"),
        (["-Rollback"], 1, "there is no backup"),
        (["-Uninstall"], 0, "nothing here was put by install.ps1"),
        (["-Verify"], 1, "missing"),
        (["-Verify:$false", "-DryRun"], 0, "this would change"),
        (["-Help"], 0, "usage: install.cmd"),
    ],
)
def test_each_end_has_its_status_and_its_words(
    windows_host: PrepareWindows, options: list[str], status: int, words: str
) -> None:
    host = windows_host()
    said = host.run(*options, status=status)
    assert words in said
    assert ("Nothing was changed." in said) is (
        status == 2 or "no account" in words or "no backup" in words or "would" in words
    )
    assert host.sight() == {}


def test_wrong_usage_of_the_root_is_said(windows_host: PrepareWindows) -> None:
    host = windows_host()
    script = host.folder / "install.ps1"
    for options, words in [
        ((), "this is not Windows: -Root DIR is needed"),
        (("-Root", "Env:x"), "no folder of files"),
        (("-Root", "nowhere:x"), "nowhere"),
        (("-Root",), "-Root needs a value"),
    ]:
        outcome = host.powershell.run(script, *options)
        assert (outcome.status, words in outcome.error) == (2, True), outcome


@pytest.mark.parametrize("label", ["server", "client", "mutual client", "everything"])
def test_the_help_names_the_options_that_install_sh_has_for_such_a_host(
    windows_host: PrepareWindows, tmp_path: Path, label: str
) -> None:
    bundle = HOSTS.get(label) or bundle_of("client", "windows", mutual=True, own_key=True, restart="x")
    said = windows_host(bundle).run("-Help")
    explained = {line.split()[0] for line in said.splitlines() if line.startswith("  -")}
    on_unix = replace(bundle, host=replace(bundle.host, os=OperatingSystem.LINUX))
    script = write_folder(on_unix, tmp_path / "sh") / "install.sh"
    help_of_sh = subprocess.run(["sh", script, "--help"], capture_output=True, text=True, check=True).stdout
    other = {line.split()[0] for line in help_of_sh.splitlines() if line.startswith("  --")}
    as_here = {"-" + "".join(word.capitalize() for word in option.strip("-").split("-")) for option in other}
    assert explained == as_here | {"-Repair", "-Help"}
    for option in explained - {"-Help"}:
        assert option in said.partition("(nothing)")[0], "the first lines name it, too"
    for status in range(6):
        assert f"{status} " in said.partition("exit status:")[2]


@pytest.mark.parametrize(
    "option",
    mostly_exhaustive(["-Verify:", "-DryRun:", "-Rollback:", "-Owner:", "/?:"], every_time=["-Verify:"]),
)
def test_a_last_word_with_a_colon_is_wrong_usage_although_powershell_drops_it(
    windows_host: PrepareWindows, option: str
) -> None:
    host = windows_host(HOSTS["client"])
    done = start(host.folder / "install.ps1", "-Root", str(host.root), option)
    assert done.returncode == 2, done
    assert host.sight() == {}


def start(script: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it as people do: by a process of its own."""
    command = [pwsh(), "-NoProfile", "-File", str(script), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_damaged_folder_is_refused_before_anything_is_done(windows_host: PrepareWindows) -> None:
    host = windows_host()
    (host.folder / "server-cert.pem").write_bytes(b"other\n")
    assert "is not what ipmpki wrote" in host.run(status=4)
    (host.folder / "server-cert.pem").unlink()
    assert "is missing" in host.run(status=4)
    assert host.sight() == {}


def test_a_target_that_is_a_folder_is_named_before_anything_is_done(windows_host: PrepareWindows) -> None:
    host = windows_host(HOSTS["mutual client"])
    host.client("ipmssl.cfg").mkdir(parents=True)
    before = host.sight()
    for options in (["-DryRun"], []):
        said = host.run(*options, status=1)
        assert "ipmssl.cfg is a folder, not a file. Move it away" in said
        assert "Nothing was changed." in said
        assert host.sight() == before


@pytest.mark.parametrize("command", ["true", "exit 3"])
def test_a_restart_runs_and_one_that_fails_is_due_at_the_next_run(
    windows_host: PrepareWindows, command: str
) -> None:
    host = windows_host(bundle_of("client", "windows", restart=command))
    worked = command == "true"
    said = host.run("-Restart", status=0 if worked else 5)
    assert ("the restart command has run" in said) is worked
    if worked:
        assert "Running" not in host.run("-Restart")
    else:
        assert "the files are in place, but the restart command failed (exit status 3)" in said
        assert "nothing was changed now" in host.run("-Restart", status=1)
        said = host.run("-Uninstall", "-Restart", status=5)
        assert "what had been put here is gone" in said
        assert host.state("restart-due").exists()
        carry(bundle_of("client", "windows", restart="true"), host.folder)
        host.run("-Uninstall", "-Restart")
    host.run("-Uninstall")
    assert host.sight() == {}


def test_what_people_wrote_since_is_kept_by_uninstall_and_by_rollback(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    settings = host.write(f"{CLIENT}/ipmssl.cfg", b"Port = 1\r\n#EnableTLS = 0\r\n")
    host.run()
    settings.write_bytes(settings.read_bytes() + b"Mine = 2\r\n")
    carry(bundle_of("client", "windows", mutual=True, label="second"), host.folder)
    host.run()
    settings.write_bytes(b"First = 0\r\n" + settings.read_bytes())
    host.client("client-key.pem").write_bytes(b"a key put there by hand\n")
    said = host.run("-Rollback")
    assert b"First = 0\r\n" in settings.read_bytes()
    assert b"Mine = 2\r\n" in settings.read_bytes()
    assert host.client("client-key.pem.kept-1").read_bytes() == b"a key put there by hand\n"
    assert "client-key.pem.kept-1  what somebody has put there since is kept" in said
    said = host.run("-Uninstall")
    assert settings.read_bytes() == b"First = 0\r\nPort = 1\r\n#EnableTLS = 0\r\nMine = 2\r\n"
    assert set(host.sight()) == {
        "Windows", CLIENT, f"{CLIENT}/ipmssl.cfg", f"{CLIENT}/client-key.pem.kept-1",
    }  # fmt: skip


def test_a_file_of_its_own_making_stays_where_somebody_added_to_it(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", keywords=KEYWORDS))
    host.write(f"{SAMPLES}/client/ipmssl.cfg", b"; sample\r\n;EnableTLS 0\r\n")
    host.run()
    settings = host.client("ipmssl.cfg")
    assert settings.read_bytes() == b"; sample\r\nEnableTLS 1\r\nCaFile ca-cert.pem\r\n"
    settings.write_bytes(settings.read_bytes() + b"Mine 2\r\n")
    host.run("-Uninstall")
    assert settings.read_bytes() == b"; sample\r\n;EnableTLS 0\r\nMine 2\r\n"


def test_a_hand_made_key_between_two_installs_is_kept_by_uninstall(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    host.run()
    host.client("client-key.pem").write_bytes(b"by hand\n")
    assert "was changed since install.ps1 put it there; -Rollback puts that back" in host.run()
    host.run("-Uninstall")
    assert host.sight() == {
        "Windows": None, CLIENT: None, f"{CLIENT}/client-key.pem.kept-1": b"by hand\n",
    }  # fmt: skip


def test_uninstall_with_the_originals_gone_takes_the_oldest_backup_or_refuses(
    windows_host: PrepareWindows,
) -> None:
    host = windows_host(HOSTS["client"])
    host.write(f"{CLIENT}/ca-cert.pem", b"what stood here\n")
    host.run()
    shutil.rmtree(host.state("original"))
    after = host.sight()
    (backup,) = host.state().glob("backup-*")
    aside = backup.rename(host.root.parent / "aside")
    assert "no copy of that is left" in host.run("-Uninstall", status=1)
    assert host.sight() == after
    aside.rename(backup)
    host.run("-Uninstall")
    assert host.client("ca-cert.pem").read_bytes() == b"what stood here\n"


RECORDS = {
    "installed": [
        "file client ..\\..\\x.pem {digest} no",
        "file client ca-cert.pem {digest}",
        "file nowhere ca-cert.pem {digest} no",
        "file client ca-cert.pem {digest} no\nfile client ca-cert.pem {digest} no",
        "folder client 99",
        "sets of lines",
    ],
    "commit/put": ["client ../../secret", "client"],
    "commit/gone": ["client ../../secret", "server server-key.pem extra"],
    "commit/used": ["..", "backup-1/../../.."],
    "commit/stamp": ["../../stamp"],
}


@pytest.mark.parametrize(
    ("name", "lines"),
    [(name, lines) for name, several in RECORDS.items() for lines in several],
)
def test_what_is_remembered_is_held_against_its_form(
    windows_host: PrepareWindows, name: str, lines: str
) -> None:
    host = windows_host(HOSTS["client"])
    secret = host.write("secret", b"not ours\n")
    host.run()
    before = host.sight()
    host.state(name).parent.mkdir(exist_ok=True)
    host.state(name).write_text(lines.format(digest="0" * 64))
    status = 1 if name == "installed" else 5
    for options in ([], ["-Uninstall"]):
        said = host.run(*options, status=status)
        assert "so nothing that is remembered is believed" in said
        assert f"line {lines.count(chr(10)) + 1}" in said
    assert host.sight() == before
    assert secret.exists()


@pytest.mark.parametrize("where", ["folder", "way", "file", "state", "hard link"])
def test_links_are_refused_and_nothing_is_done_where_they_lead(
    windows_host: PrepareWindows, tmp_path: Path, where: str
) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_bytes(b"EnableTLS=0\n")
    link = {
        "folder": host.root / CLIENT,
        "way": host.root / "Windows",
        "file": host.client("ipmssl.cfg"),
        "state": host.state(),
        "hard link": host.client("ca-cert.pem"),
    }[where]
    link.parent.mkdir(parents=True, exist_ok=True)
    if where == "hard link":
        os.link(elsewhere / "file", link)
    else:
        link.symlink_to(elsewhere / "file" if where == "file" else elsewhere)
    for options in (["-DryRun"], [], ["-Uninstall"] if where != "file" else []):
        if options == ["-Uninstall"] and where == "hard link":
            continue
        said = host.run(*options, status=1)
        assert "hard link" in said if where == "hard link" else "is a link" in said
        assert "Nothing was changed." in said
    assert [path.name for path in elsewhere.iterdir()] == ["file"]
    assert (elsewhere / "file").read_bytes() == b"EnableTLS=0\n"


def test_a_folder_that_others_may_write_is_not_installed_from_unless_it_is_trusted(
    windows_host: PrepareWindows,
) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    (host.folder / "client-key.pem").chmod(0o644)
    host.folder.chmod(0o777)
    said = host.run(status=4)
    assert "may be written by other accounts" in said
    assert "-TrustFolder" in said
    assert host.sight() == {}
    assert "-TrustFolder: " in host.run("-TrustFolder", "-DryRun")
    host.folder.chmod(0o755)
    above = host.folder.parent
    above.chmod(0o777)
    assert f"{above} may be written" in host.run(status=4)
    above.chmod(0o1777)
    assert "client-key.pem may be read by other accounts" in host.run()


def test_two_at_once_are_told_apart(windows_host: PrepareWindows, linux_powershell: PowerShell) -> None:
    host = windows_host(HOSTS["client"])
    host.run()
    carry(bundle_of("client", "windows", label="second"), host.folder)
    held = linux_powershell.command(
        f"$global:held = [IO.File]::Open('{str(host.state('running')).replace(chr(39), chr(39) * 2)}', "
        "'Create', 'Write', 'None')"
    )
    assert held.strip() == ""
    assert "is another install.ps1 at work here?" in host.run(status=1)
    linux_powershell.command("$global:held.Dispose()")
    assert "changed" in host.run()


def test_two_that_start_at_once_leave_one_whole_set(windows_host: PrepareWindows, tmp_path: Path) -> None:
    host = windows_host(HOSTS["client"])
    folders = [host.folder, write_folder(bundle_of("client", "windows", label="second"), tmp_path / "second")]
    command = [pwsh(), "-NoProfile", "-File"]
    both = [
        subprocess.Popen(
            [*command, str(folder / "install.ps1"), "-Root", str(host.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    for process in both:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0 or "is another install.ps1 at work here?" in error, error
    assert 0 in {process.returncode for process in both}
    assert host.client("ca-cert.pem").read_bytes() in {
        (folder / "ca-cert.pem").read_bytes() for folder in folders
    }
    assert not [
        path for path in host.root.rglob("*") if path.name in {"prepare", "commit", ".ipmpki-new", "running"}
    ]
    host.run("-Uninstall")
    assert host.sight() == {}


@pytest.mark.exhaustive
def test_a_full_disk_leaves_the_old_set_and_says_so(tmp_path: Path, linux_powershell: PowerShell) -> None:
    """The disk takes a little more each time, until all has room; what is half made is thrown away."""
    first = write_folder(bundle_of("client", "windows", mutual=True), tmp_path / "first")
    second = write_folder(bundle_of("client", "windows", mutual=True, label="second"), tmp_path / "second")
    page = os.sysconf("SC_PAGE_SIZE")
    with tmpfs(tmp_path / "disk", "size=1m") as disk:
        host = WindowsHost(linux_powershell, first, disk)
        host.run()
        old = host.sight()
        refused = 0
        for pages in range(1, 60):
            used = shutil.disk_usage(disk).used
            remount(disk, f"size={used + pages * page}")
            outcome = linux_powershell.run(second / "install.ps1", "-Root", str(disk))
            remount(disk, "size=1m")
            if outcome.status == 0:
                break
            refused += 1
            assert outcome.status == 1, outcome
            assert "Nothing was changed." in outcome.error
            assert host.sight() == old
            assert not [path for path in disk.rglob("*") if path.name in {"prepare", "commit", ".ipmpki-new"}]
        assert refused > 3
        assert host.client("ca-cert.pem").read_bytes() == (second / "ca-cert.pem").read_bytes()
        host.run("-Rollback")
        assert host.sight() == old


@pytest.mark.exhaustive
def test_all_is_on_the_disk_before_the_rename_that_decides(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    strace = require("strace")
    host = windows_host(HOSTS["mutual client"])
    trace = tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-y",
        "-e",
        "trace=fsync,rename",
        "-o",
        str(trace),
        pwsh(),
        "-NoProfile",
        "-File",
    ]
    command += [str(host.folder / "install.ps1"), "-Root", str(host.root)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    before, decides, _ = trace.read_text().partition('/.ipmpki/commit"')
    assert decides
    for name in ("ca-cert.pem", "client-cert.pem", "client-key.pem", "ipmssl.cfg"):
        assert f".ipmpki-new/{name}>" in before, name
    for name in ("put", "gone", "stamp", "installed", "contents"):
        assert f"/{name}>" in before, name


CONSTRAINED = (
    "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; & '{}' {}; exit $LASTEXITCODE"
)


@pytest.mark.parametrize("bundle", [HOSTS["client"], bundle_of(os="windows", restart="echo 'ä' “x”")])
def test_where_scripts_are_locked_down_it_says_so_and_still_helps(
    windows_host: PrepareWindows, bundle: HostBundle
) -> None:
    """As AppLocker and App Control run what they do not know."""
    host = windows_host(bundle)
    script = str(host.folder / "install.ps1").replace("'", "''")
    for options, status, words in (
        (f"-Root '{str(host.root).replace(chr(39), chr(39) * 2)}'", 1, "in its ConstrainedLanguage mode"),
        ("-Help", 0, "usage: install.cmd"),
    ):
        command = [pwsh(), "-NoProfile", "-NonInteractive", "-Command", CONSTRAINED.format(script, options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (status, ""), done
        assert words in done.stdout
        if status == 1:
            for told in (
                "AppLocker or App Control",
                "README.txt tells the way by hand",
                "Nothing was changed.",
            ):
                assert told in done.stdout
    assert host.sight() == {}


def test_the_words_of_a_signature_change_nothing(windows_host: PrepareWindows) -> None:
    host = windows_host(HOSTS["client"])
    script = host.folder / "install.ps1"
    block = b"\r\n# SIG # Begin signature block\r\n# MIIabc\r\n# SIG # End signature block\r\n"
    script.write_bytes(script.read_bytes() + block)
    host.run()
    assert "nothing differs" in host.run("-Verify")


def test_a_user_installs_in_the_profile_and_hears_what_overrides_it(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    said = host.run("-User")
    place = host.root / "AppData/Roaming/Ricoh/InfoPrint Manager/ssl"
    assert (place / "client-key.pem").stat().st_mode & 0o777 == 0o600
    assert "this\n      one is not there. Let an administrator run install.cmd without -User" in said
    assert not host.client("").exists()
    assert "nothing differs" in host.run("-User", "-Verify")
    host.run()
    assert "overrides this one, keyword by keyword" not in host.run("-User"), (
        "nothing changed, nothing to advise"
    )
    host.run("-User", "-Uninstall")
    assert not (host.root / "AppData").exists()
    assert host.client("client-key.pem").exists()


def test_a_way_back_that_nobody_can_know_is_refused_and_deletes_no_copy(windows_host: PrepareWindows) -> None:
    host = windows_host(HOSTS["client"])
    host.write(f"{CLIENT}/ca-cert.pem", b"the company's")
    host.run()
    record = host.state("installed").read_bytes()
    host.state("installed").write_bytes(record + b"\n\n")
    assert "is not what install.ps1 writes" in host.run("-Uninstall", status=1)
    host.state("installed").write_bytes(b"")
    assert "is missing or empty, so nobody can tell" in host.run("-Uninstall", status=1)
    host.state("installed").unlink()
    assert "is missing or empty, so nobody can tell" in host.run("-Uninstall", status=1)
    host.state("installed").mkdir()
    assert "installed is a folder, not a file" in host.run("-Uninstall", status=1)
    assert host.state("original/client/ca-cert.pem").read_bytes() == b"the company's"
    host.state("installed").rmdir()
    host.state("installed").write_bytes(record)
    (backup,) = host.state().glob("backup-*")
    (backup / "contents").write_bytes(b"")
    assert "is missing or empty. Put it back" in host.run("-Rollback", status=1)


def test_a_file_in_the_place_of_the_folder_for_new_files_is_found_before_the_change(
    windows_host: PrepareWindows,
) -> None:
    host = windows_host(HOSTS["client"])
    host.write(f"{CLIENT}/.ipmpki-new", b"")
    for options in ((), ("-DryRun",)):
        assert ".ipmpki-new is a file, not a folder. Move it away" in host.run(*options, status=1)


def test_a_restart_that_fails_after_an_uninstall_names_what_repeats_it(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows", restart="exit 3"))
    host.run()
    said = host.run("-Uninstall", "-Restart", status=5)
    assert "what had been put here is gone, but the restart command failed (exit status 3)" in said
    assert "or run install.cmd -Uninstall -Restart again." in said
