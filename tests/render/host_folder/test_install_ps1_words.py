"""What install.ps1 prints: nothing that others wrote drives a terminal or turns its writing about."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.powershell import CLIENT, SAMPLES, Outcome, WindowsHost

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.host_folder.powershell import PowerShell

# A title for the window, a bell, a C1 control, text turned about, a space of no width, an invisible tag.
HOSTILE = "a\x1b]0;owned\x07\x9b2J\u202eb\u200bc\U000e0041"
SHOWN = r"a\x1b]0;owned\x07\u009b2J\u202eb\u200bc\udb40\udc41"
HARMLESS = "Drucküche 印刷 \U0001f5a8\tx\u00a0y"


@pytest.fixture
def hostile_host(tmp_path: Path, linux_powershell: PowerShell) -> WindowsHost:
    """A client whose folder and root have such names."""
    folder = write_folder(bundle_of("client", "windows", mutual=True, restart="false"), tmp_path / HOSTILE)
    root = tmp_path / f"{HOSTILE} {HARMLESS}"
    root.mkdir()
    return WindowsHost(linux_powershell, folder, root)


def outcome_of(host: WindowsHost, *options: str) -> Outcome:
    outcome = host.powershell.run(host.folder / "install.ps1", *options)
    raw = re.sub(r"[\n\tA-Za-z0-9]", "", outcome.said)
    assert {letter for letter in raw if letter in HOSTILE and not letter.isprintable()} == set()
    return outcome


def test_names_and_lines_of_others_are_shown_and_never_obeyed(hostile_host: WindowsHost) -> None:
    host = hostile_host
    line = f"#EnableTLS = 0 # {HOSTILE} {HARMLESS}\r\n".encode()
    host.write(f"{CLIENT}/ipmssl.cfg", line)
    at = str(host.root)
    for options in (["-DryRun"], [], ["-Verify"], ["-Uninstall"]):
        outcome = outcome_of(host, "-Root", at, *options)
        assert outcome.status == 0, outcome
        assert SHOWN in outcome.output
        if options != ["-Verify"]:
            assert f"{SHOWN} {HARMLESS}/Windows/ipm" in outcome.output
        if options in ([], ["-DryRun"]):
            assert f"EnableTLS = 1 # {SHOWN} {HARMLESS}" in outcome.output
    assert host.client("ipmssl.cfg").read_bytes() == line


def test_messages_of_failures_are_shown_and_never_obeyed(hostile_host: WindowsHost) -> None:
    host = hostile_host
    at = str(host.root)
    assert SHOWN in outcome_of(host, "-Root", f"{HOSTILE}:x").error
    assert SHOWN in outcome_of(host, "-Root", at, f"-{HOSTILE}").error
    assert SHOWN in outcome_of(host, "-Root", at, "-Owner", f"S-1-{HOSTILE}").error
    host.write(f"{SAMPLES}/client/ipmssl.cfg", b"\0")
    assert f"{SHOWN} {HARMLESS}" in outcome_of(host, "-Root", at).error
    (host.root / SAMPLES / "client/ipmssl.cfg").unlink()
    assert outcome_of(host, "-Root", at, "-Restart").status == 5
    record = host.state("installed")
    record.write_text(f"{record.read_text()}\n{HOSTILE}\n")
    assert f"'{SHOWN}', is not what install.ps1 writes" in outcome_of(host, "-Root", at).error
    (host.folder / "ca-cert.pem").unlink()
    assert f"{SHOWN}{os.sep}ca-cert.pem is missing" in outcome_of(host, "-Root", at).error


def test_one_place_alone_writes(tmp_path: Path) -> None:
    bundle = bundle_of("client", "windows", mutual=True, own_key=True, restart="x")
    script = (write_folder(bundle, tmp_path / "carried") / "install.ps1").read_text()
    _, found, rest = script.partition("\nSet-StrictMode")
    assert found
    assert rest.count("Write-Host") == 1
    assert rest.count("[Console]::Error") == 1
