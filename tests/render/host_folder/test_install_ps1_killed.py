"""install.ps1 that is killed, or stopped by Ctrl-C: the host has the old set or the new one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.powershell import CLIENT, pwsh

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import PrepareWindows
    from tests.render.host_folder.powershell import WindowsHost

# Each place at which the disk changes, or an interrupted run is completed.
STEPS = [
    "New-PrivateFolder",
    "Write-NewFile",
    "Write-Lines",
    "Move-Over",
    "Move-InPlace",
    "Move-InPlaceOf",
    "Complete-Change",
    "Remove-Tree",
    "Remove-File",
]
KILL = "if ($null -ne $script:Lock) { $script:Lock.Dispose() }; exit 9"
OFTEN = [("Move-Over", 3), ("Complete-Change", 1)]


def interrupt(folder: Path, function: str, occasion: int, how: str) -> Path:
    """A copy of the folder whose install.ps1 ends, by ``how``, where it calls that function once more."""
    copy = folder.parent / f"interrupted {folder.name}"
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    script = copy / "install.ps1"
    text = script.read_text()
    before, found, after = text.partition(f"function {function}(")
    if not found:
        before, found, after = text.partition(f"function {function} {{")
        opened, body = "", after
    else:
        opened, _, body = after.partition(") {")
        opened += ") {"
    assert found, function
    count = f"$global:Occasion++\n    if ($global:Occasion -eq {occasion}) {{ {how} }}\n"
    text = before + found + opened + "\n    " + count + body
    script.write_text("$global:Occasion = 0\n" + text.replace("\r\n", "\n"))
    return script


def sets(host: WindowsHost, second: Path) -> tuple[dict[str, bytes | None], dict[str, bytes | None]]:
    """Return what stands there after each folder was installed; the first one's files stand there again."""
    host.run()
    old = host.sight()
    assert host.powershell.run(second / "install.ps1", "-Root", str(host.root)).status == 0
    new = host.sight()
    host.run("-Rollback")
    assert host.sight() == old
    return old, new


@pytest.mark.parametrize(
    ("step", "occasion"),
    mostly_exhaustive([(step, count) for step in STEPS for count in (1, 2, 3, 5, 8)], every_time=OFTEN),
)
def test_after_a_kill_the_next_run_has_the_old_set_or_the_new_one(
    windows_host: PrepareWindows, tmp_path: Path, step: str, occasion: int
) -> None:
    """'exit' passes every catch, and what the script does at its end is left out: it does nothing more."""
    host = windows_host(bundle_of("client", "windows", mutual=True))
    second = write_folder(bundle_of("client", "windows", mutual=True, label="second"), tmp_path / "second")
    old, new = sets(host, second)
    script = interrupt(second, step, occasion, KILL)
    head, found, _ = script.read_text().rpartition("\ntry {\n  Invoke-Main $args")
    assert found
    script.write_text(f"{head}\nInvoke-Main $args\nif ($null -ne $Lock) {{ $Lock.Dispose() }}\nexit 0\n")
    host.powershell.run(script, "-Root", str(host.root))
    between = host.sight()
    assert host.powershell.run(second / "install.ps1", "-Root", str(host.root), "-DryRun").status == 0
    assert host.sight() == between
    completed = host.powershell.run(second / "install.ps1", "-Root", str(host.root))
    assert completed.status == 0, completed.said
    again = host.powershell.run(second / "install.ps1", "-Root", str(host.root))
    assert "already up to date" in again.output
    assert host.sight() == new
    host.run("-Rollback")
    assert host.sight() == old


def test_a_dry_run_after_a_kill_shows_what_the_run_then_does(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    second = write_folder(bundle_of("client", "windows", mutual=True, label="second"), tmp_path / "second")
    sets(host, second)
    script = interrupt(second, "Move-InPlace", 1, "$script:Lock.Dispose(); exit 9")
    text = script.read_text().replace("finally {   # which runs", "finally { exit 9 # which runs")
    script.write_text(text)
    host.powershell.run(script, "-Root", str(host.root))
    assert host.state("commit").is_dir()
    said = host.run("-DryRun")
    assert "of an interrupted run, which the next run completes" in said
    assert said.count("replace ") == 3, (
        "the first folder's files come back over what the second's run completes"
    )
    done = host.run()
    assert done.count("replace ") == 3
    assert "already up to date" in host.run()


def test_a_rollback_that_was_killed_at_its_end_goes_back_once(
    windows_host: PrepareWindows, tmp_path: Path
) -> None:
    host = windows_host(bundle_of("client", "windows"))
    second = write_folder(bundle_of("client", "windows", label="second"), tmp_path / "second")
    host.run()
    old = host.sight()
    host.powershell.run(second / "install.ps1", "-Root", str(host.root))
    host.run("-Rollback")
    host.state("rolled-back").mkdir()
    said = host.run("-Rollback")
    assert "was interrupted at its end" in said
    assert host.sight() == old


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("step", "status", "words"),
    [
        ("Write-Preparation", 1, "interrupted. Nothing was changed."),
        ("Move-InPlace", 5, "interrupted when all was prepared; the change was completed."),
        ("Complete-Change", 5, "the change was completed."),
        ("Show-Words", 5, "interrupted after the change, which stands"),
    ],
)
def test_ctrl_c_completes_or_undoes_and_says_so(
    windows_host: PrepareWindows, tmp_path: Path, step: str, status: int, words: str
) -> None:
    host = windows_host(bundle_of("client", "windows", mutual=True))
    second = write_folder(bundle_of("client", "windows", mutual=True, label="second"), tmp_path / "second")
    old, new = sets(host, second)
    waiting = tmp_path / "waiting"
    how = f"[IO.File]::WriteAllText('{waiting}', ''); Start-Sleep -Seconds 60"
    script = interrupt(second, step, 1, how)
    process = subprocess.Popen(
        [pwsh(), "-NoProfile", "-File", str(script), "-Root", str(host.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not waiting.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, words in error) == (status, True), error
    assert host.sight() == (old if status == 1 else new)
    assert not [path for path in host.root.rglob("*") if path.name in {"prepare", "commit", ".ipmpki-new"}]
    assert (host.root / CLIENT / ".ipmpki").is_dir()
