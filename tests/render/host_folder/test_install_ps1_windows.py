"""install.ps1 on wine's Windows: programs, accounts and files that only Windows has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.powershell import asked
from tests.render.host_folder.windows_machine import CLIENT, SYSTEM_AND_ADMINISTRATORS

if TYPE_CHECKING:
    from tests.render.host_folder.windows_machine import WindowsMachine

pytestmark = pytest.mark.exhaustive

STRANGER = "S-1-5-21-1-2-3-1001"
POLICIES = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
PROFILE = r"C:\users\root\AppData\Roaming\Ricoh\InfoPrint Manager\ssl"


@pytest.mark.parametrize("name", ["net.bat", "net.com", "reload.cmd"])
def test_a_program_in_the_current_folder_is_not_taken_for_the_restart_command(
    machine: WindowsMachine, name: str
) -> None:
    """Whoever may write where the administrator stands would be the administrator."""
    marker = machine.path(r"C:\ran")
    marker.unlink(missing_ok=True)
    word = name.partition(".")[0]
    folder = machine.carry(bundle_of("client", "windows", restart=f"{word} help"))
    (folder / name).write_bytes(b"@echo attacked> C:\\ran\r\n")
    said = machine.run(folder, "-Restart", status=0 if word == "net" else 5)
    assert not marker.exists()
    if word == "net":
        assert "the restart command has run" in said
    else:
        assert "the files are in place, but the restart command failed" in said


def test_the_restart_command_stands_in_the_folder_of_windows(machine: WindowsMachine) -> None:
    shown = machine.path(r"C:\shown")
    shown.unlink(missing_ok=True)
    command = 'echo "%CD%|%NoDefaultCurrentDirectoryInExePath%"> C:\\shown'
    folder = machine.carry(bundle_of("client", "windows", restart=command))
    machine.run(folder, "-Restart")
    place, alone = shown.read_text().strip().strip('"').split("|")
    assert (place.lower(), alone) == (r"c:\windows\system32", "1")


@pytest.mark.parametrize("root", [r"HKLM:\x", "Env:x", r"nowhere:\x"])
def test_a_root_that_is_no_folder_is_wrong_usage(machine: WindowsMachine, root: str) -> None:
    script = write_folder(bundle_of(os="windows"), machine.place / "carried") / "install.ps1"
    outcome = machine.powershell.run(script, "-Root", root)
    assert outcome.status == 2, outcome
    assert "-Root " in outcome.error
    assert "Nothing was changed." in outcome.error


def test_a_user_installs_in_the_profile_with_rights_of_his_own(machine: WindowsMachine) -> None:
    """Where User Account Control is off there is one token, be it an administrator's."""
    user = machine.powershell.command("[Security.Principal.WindowsIdentity]::GetCurrent().User.Value").strip()
    machine.powershell.command(
        f"[void](New-Item -Force -Path '{POLICIES}'); Set-ItemProperty '{POLICIES}' EnableLUA 0"
    )
    folder = machine.carry(bundle_of("client", "windows", mutual=True))
    said = machine.run(folder, "-User")
    assert "-User: this is the profile of" in said
    key = rf"{PROFILE}\client-key.pem"
    assert machine.rights(key) == f"D:P{SYSTEM_AND_ADMINISTRATORS}(A;;FA;;;{user})"
    assert not machine.path(CLIENT).exists()
    machine.run(folder, "-User", "-Verify")
    machine.set_rights(key, f"O:{user}D:P{SYSTEM_AND_ADMINISTRATORS}(A;;FA;;;{user})(A;;FR;;;{STRANGER})")
    assert "may read it" in machine.run(folder, "-User", "-Verify", status=1)
    machine.run(folder, "-User", "-Uninstall")
    assert not machine.path(key).exists()


def test_what_cannot_be_replaced_is_named_by_a_dry_run_too(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of("client", "windows", mutual=True))
    machine.run(folder)
    newer = machine.carry(bundle_of("client", "windows", mutual=True, label="second"), "second")
    before = {path.name: path.read_bytes() for path in machine.path(CLIENT).iterdir() if path.is_file()}
    for options in ("-DryRun", "-Uninstall -DryRun", "-Rollback", ""):
        held = machine.powershell.ask(
            {
                "args": [
                    "-Command",
                    f"$env:LEDGER = '{machine.powershell.path(machine.place / 'ledger')}'; "
                    rf"$held = [IO.File]::Open('{CLIENT}\client-key.pem', 'Open', 'Read', 'ReadWrite'); "
                    f"& '{machine.powershell.path(newer / 'install.ps1')}' -Force {options}; "
                    "$held.Dispose(); exit $LASTEXITCODE",
                ],
            }
        )
        assert held.status == 1, held
        assert r"client-key.pem cannot be replaced: another program has it open. Stop the" in held.said
        assert "Nothing was changed." in held.said
    assert before == {
        path.name: path.read_bytes() for path in machine.path(CLIENT).iterdir() if path.is_file()
    }


def test_openssl_is_taken_where_administrators_alone_may_change_it(machine: WindowsMachine) -> None:
    bundle = bundle_of(os="windows", own_key=True, label="awaited")
    ours = r"C:\Program Files\OpenSSL-Win64\bin"
    machine.write(rf"{ours}\openssl.exe", b"")
    other = r"C:\tools"
    machine.write(rf"{other}\openssl.exe", b"")
    ledger = machine.powershell.path(machine.place / "ledger")
    ask = (
        f"$env:LEDGER = '{ledger}'; $SetsRights = $true; $env:PATH = '.;tools;{other}\\;C:\\windows'\n"
        "try { Find-Openssl } catch { Get-Cause $_ }"
    )
    open_to_all = f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1301bf;;;AU)"
    try:
        assert machine.ask(bundle, ask).strip() == rf"{ours}\openssl.exe"
        machine.set_rights(ours, open_to_all)
        assert machine.ask(bundle, ask).strip() == rf"{other}\openssl.exe"
        machine.set_rights(rf"{other}\openssl.exe", open_to_all)
        said = machine.ask(bundle, ask)
        assert "there is no openssl here that only administrators may change" in said
        assert rf"{other}\openssl.exe may be written by" in said
        machine.set_rights(rf"{other}\openssl.exe", f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}")
        machine.set_rights(other, f"O:{STRANGER}D:P{SYSTEM_AND_ADMINISTRATORS}")
        assert rf"{other} belongs to" in machine.ask(bundle, ask)
        machine.path(rf"{other}\openssl.exe").unlink()
        machine.path(rf"{ours}\openssl.exe").unlink()
        assert "there is no openssl here, which makes keys and requests" in machine.ask(bundle, ask)
    finally:
        for path in (ours, other):
            machine.path(rf"{path}\openssl.exe").unlink(missing_ok=True)
            machine.path(path).rmdir()


def test_the_calls_of_windows_make_what_is_not_there_and_share_it_with_nobody(
    machine: WindowsMachine,
) -> None:
    """The functions that the ledger stands in for elsewhere; what NTFS makes of it, wine cannot say."""
    place = machine.make(CLIENT)
    text = rf"""
$file = '{place}\file'
$stream = Open-SecuredFile $file $PrivateFile
try {{ [IO.File]::Open($file, 'Open', 'Read', 'ReadWrite').Dispose(); 'shared' }} catch {{ 'held' }}
$stream.WriteByte(65)
$stream.Dispose()
[IO.File]::ReadAllText($file)
try {{ (Open-SecuredFile $file $PrivateFile).Dispose(); 'opened' }} catch {{ 'refused' }}
New-SecuredFolder '{place}\folder' $PrivateFolder
[IO.Directory]::Exists('{place}\folder')
Set-FolderRights '{place}\folder' $PublicFolder
foreach ($path in @($file, '{place}\folder')) {{ (Get-Sddl $path) -match '\AO:.*D:' }}
(New-Security 'File' ($OwnerPart + $PrivateFile)).GetSecurityDescriptorSddlForm('Access,Owner')
(New-Security 'Directory' ($OwnerPart + $PublicFolder)).GetSecurityDescriptorSddlForm('Access,Owner')
"""
    outcome = machine.powershell.run(
        asked(write_folder(bundle_of(os="windows"), machine.place / "carried"), text)
    )
    assert outcome.status == 0, outcome
    assert outcome.output.splitlines() == [
        "held",
        "A",
        "refused",
        "True",
        "True",
        "True",
        f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}",
        "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)",
    ]
    assert machine.path(rf"{place}\file").stat().st_mode & 0o007 == 0


def test_rights_are_judged_and_named_for_what_they_are(machine: WindowsMachine) -> None:
    base = f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}"
    asked = {
        f"Find-Intruder '{base}(A;;0x1301bf;;;AU)' $WritesFolder $Trusted": "may be written by ",
        f"Find-Intruder '{base}(A;;0x1301bf;;;AU)' $TakesFolder $Trusted": "may be taken over by ",
        f"Find-Intruder '{base}(A;;FR;;;AU)' $ReadsFile $Trusted": "may be read by ",
        f"Find-Intruder '{base}(A;IO;FA;;;AU)' $WritesFolder $Trusted": "",
        f"Find-Intruder '{base}(D;;FA;;;AU)' $WritesFolder $Trusted": "",
        f"Find-Intruder '{base}(A;;FA;;;{STRANGER})' $WritesFolder (@('{STRANGER}') + $Trusted)": "",
        "Find-RightsFault 'O:BAD:NO_ACCESS_CONTROL' @('*') @()": "open to everybody",
        "Resolve-Account 'LocalSystem'": "S-1-5-18",
        "Resolve-Account 'S-1-5-'": "",
        f"Resolve-Account '{STRANGER}'": STRANGER,
        "Resolve-Account 'nobody of that name'": "",
        "Test-Crowd 'S-1-5-32-544'": "False",
        "Test-Crowd 'S-1-5-32-545'": "True",
        "$Options.Owner = 'LocalSystem'; Initialize-Rights; $Account": "",
        f"$Options.Owner = '{STRANGER}'; Initialize-Rights; $Account": STRANGER,
        "Get-KeyRights": f"D:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;{STRANGER})",
        "Get-SettingsRights 'server'": f"D:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;{STRANGER})",
        "(Get-SettingsRights 'client') -eq $PublicFile": "True",
        "(Get-FolderRights 'client') -eq $PublicFolder": "True",
        "(Get-FolderRights 'server').EndsWith(')(A;OICI;0x1200a9;;;" + STRANGER + ")')": "True",
        "function Get-Sddl { 'O:BAD:AI(A;OICIID;FR;;;AU)(A;ID;FA;;;BA)' }; Get-KeptRights 'x'": (
            "D:P(A;OICI;FR;;;AU)(A;;FA;;;BA)"
        ),
        "function Get-Sddl { 'O:BA' }; (Get-KeptRights 'x') -eq $PrivateFile": "True",
        "function Get-Sddl { 'O:BAD:NO_ACCESS_CONTROL' }; (Get-KeptRights 'x') -eq $PrivateFile": "True",
        f"function Get-Sddl {{ '{base}(A;;FR;;;BU)(A;;FR;;;AU)' }}; Test-Rights 'x' $PublicFile": "",
        "Test-Rights 'x' $PrivateFile": " may read it",
        "Get-ShortPath 'client' (Get-Folder 'client')": ".",
        "Get-ShortPath 'client' 'C:\\x'": "C:\\x",
    }
    text = "$SetsRights = $true\n" + "\n".join(f"'_' + $({ask})" for ask in asked)
    said = machine.ask(bundle_of(os="windows"), text).splitlines()
    for (ask, wanted), line in zip(asked.items(), said, strict=True):
        assert wanted in line, (ask, line)
        assert wanted != "" or line == "_", (ask, line)


def test_the_way_to_a_folder_begins_where_windows_keeps_it(machine: WindowsMachine) -> None:
    said = machine.ask(bundle_of(os="windows"), "Get-Way 'client'; Get-Way 'server'").splitlines()
    assert said[:2] == [r"C:\windows", r"C:\windows\ipm"]
    assert said[2] == r"C:\ProgramData"
    assert said[-1] == r"C:\ProgramData\RICOH\InfoPrint Manager\var\pddir\ssl"
