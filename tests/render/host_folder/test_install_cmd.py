"""install.cmd, run by wine's cmd.exe; in powershell.exe's place a program records its command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from shutil import copyfile

import pytest

from ipmpki.render.host_folder.folder import render_host
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.powershell import powershell_wine
from tests.tools import require


def install_cmd() -> bytes:
    files = render_host(bundle_of(os="windows"))
    return next(file.content for file in files if file.name == "install.cmd")


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Windows of wine's, whose powershell.exe records how it is started."""
    require("wine")
    compiler = require("x86_64-w64-mingw32-gcc")
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    environment = {
        **os.environ,
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "DISPLAY": "",
    }
    boot = ["wine", "wineboot", "--init"]
    subprocess.run(boot, env=environment, check=True, capture_output=True, timeout=300)
    shell = prefix / "drive_c/windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    shell.unlink(missing_ok=True)
    source = Path(__file__).parent / "windows" / "recording_shell.c"
    options = ["-nostdlib", "-Wl,-e,entry", "-mconsole", "-s", "-o", str(shell)]
    subprocess.run([compiler, *options, str(source), "-lkernel32"], check=True, timeout=120)
    return environment


@pytest.mark.exhaustive
def test_install_cmd_hands_its_arguments_on_and_the_exit_status_back(
    wine: dict[str, str], tmp_path: Path
) -> None:
    """No per cent sign: wine's cmd.exe expands what %~dp0 gave once more, which Windows' does not."""
    for folder in ("plain", "a b", "R&D c!d ^e (f)"):
        place = tmp_path / folder
        place.mkdir()
        (place / "install.cmd").write_bytes(install_cmd())
        for status in (0, 1, 4):
            done = start(place, {**wine, "RECORDED_STATUS": str(status), "ERRORLEVEL": "9"})
            assert done.returncode == status
            recorded = done.stdout.decode("utf-16-le")
            windows_place = "Z:" + str(place).replace("/", "\\")
            assert recorded.split('"', 2)[2].strip() == (
                f'-NoProfile -ExecutionPolicy Bypass -File "{windows_place}\\install.ps1" '
                r'-DryRun -Root "C:\x y" -User -Owner ACME\print'
            )


@pytest.mark.exhaustive
def test_install_cmd_takes_powershell_7_where_there_is_no_other_and_says_where_there_is_none(
    wine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "install.cmd").write_bytes(install_cmd())
    drive = Path(wine["WINEPREFIX"]) / "drive_c"
    shell = drive / "windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    newer = drive / "Program Files/PowerShell/7/pwsh.exe"
    aside = shell.rename(drive / "aside.exe")
    try:
        done = start(tmp_path, wine)
        assert done.returncode == 1
        assert b"there is no PowerShell here" in done.stderr
        newer.parent.mkdir(parents=True)
        copyfile(aside, newer)
        done = start(tmp_path, {**wine, "RECORDED_STATUS": "3"})
        assert done.returncode == 3
        assert r"PowerShell\7\pwsh.exe" in done.stdout.decode("utf-16-le")
    finally:
        newer.unlink(missing_ok=True)
        aside.rename(shell)


POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("value", "named"),
    [
        (("ExecutionPolicy", "REG_SZ", "AllSigned"), "AllSigned"),
        (("EnableScripts", "REG_DWORD", "0"), "Restricted"),
    ],
)
def test_install_cmd_says_that_group_policy_forbids_scripts(
    wine: dict[str, str], tmp_path: Path, value: tuple[str, str, str], named: str
) -> None:
    """A policy outranks the one on the command line, and PowerShell's own words name neither it nor a way."""
    place = tmp_path / "R&D"
    place.mkdir()
    (place / "install.cmd").write_bytes(install_cmd())
    script = place / "install.ps1"
    script.write_bytes(b"exit 0\r\n")
    name, kind, data = value
    change = ["wine", "reg", "add", POLICY, "/v", name, "/t", kind, "/d", data, "/f"]
    subprocess.run(change, env=wine, check=True, capture_output=True, timeout=120)
    try:
        done = start(place, wine)
        assert done.returncode == 1
        assert f'("Turn on Script Execution": {named})'.encode() in done.stderr
        assert b"README.txt" in done.stderr
        script.write_bytes(b"exit 0\r\n# SIG # Begin signature block\r\n")
        assert start(place, wine).returncode == (0 if named == "AllSigned" else 1)
    finally:
        remove = ["wine", "reg", "delete", POLICY, "/f"]
        subprocess.run(remove, env=wine, check=True, capture_output=True, timeout=120)
    assert start(place, wine).returncode == 0


@pytest.mark.exhaustive
def test_install_cmd_starts_install_ps1_and_hands_back_what_it_ends_with(
    wine: dict[str, str], tmp_path: Path
) -> None:
    """The whole way, by PowerShell 7 where there is no other; with the words as cmd.exe hands them on."""
    drive = Path(wine["WINEPREFIX"]) / "drive_c"
    shell = drive / "windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    place = write_folder(bundle_of("client", "windows", mutual=True), tmp_path / "R&D c!d (f)")
    subprocess.run(
        [powershell_wine(), "-Command", "1"], env=wine, check=True, capture_output=True, timeout=300
    )
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    newer = drive / "Program Files/PowerShell/7"
    newer.mkdir(parents=True, exist_ok=True)
    for path in (caches / "powershell-7.6.9/powershell-win-x64").iterdir():
        name = "pwsh.exe" if path.name == "powershell.exe" else path.name
        (newer / name).symlink_to(path)
    aside = shell.rename(drive / "aside.exe")
    target = drive / "x y/Windows/ipm"
    # .NET needs mscoree, and no collector under wine.
    settings = {**wine, "WINEDLLOVERRIDES": "mshtml=", "DOTNET_GCgen0size": "0x40000000"}

    def run(*options: str) -> tuple[int, str]:
        command = ["wine", "cmd", "/c", "install.cmd", *options]
        done = subprocess.run(
            command, cwd=place, env=settings, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    try:
        for options, status, words in (
            (["-Help"], 0, "usage: install.cmd"),
            (["-Root", r"C:\x y", "-DryRun"], 0, "this would change"),
            (["-Root", r"C:\x y", "-Verify:"], 2, "needs a value behind the colon"),
            (["-Root", r"HKLM:\x"], 2, "-Root "),
            (["-Root", r"C:\x y", "-Verify"], 1, "missing"),
        ):
            assert (status, True) == ((found := run(*options))[0], words in found[1]), found
            assert not target.exists()
        assert run("-Root", r"C:\x y")[0] == 0
        assert (target / "client-key.pem").read_bytes() == (place / "client-key.pem").read_bytes()
        assert "nothing differs" in run("-Root", r"C:\x y", "-Verify")[1]
        (place / "ca-cert.pem").write_bytes(b"other")
        assert run("-Root", r"C:\x y")[0] == 4
        assert run("-Root", r"C:\x y", "-Uninstall")[0] == 0
        assert not target.exists()
    finally:
        shutil.rmtree(newer)
        aside.rename(shell)


def start(place: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    options = ["-DryRun", "-Root", r"C:\x y", "-User", "-Owner", r"ACME\print"]
    command = ["wine", "cmd", "/c", "install.cmd", *options]
    return subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
