"""A computer with Windows, as wine has it, whose NTFS rights the ledger keeps."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.render.host_folder.bundles import write_folder
from tests.render.host_folder.ledger import put_ledger
from tests.render.host_folder.powershell import asked

if TYPE_CHECKING:
    from ipmpki.render.host_folder.contents import HostBundle
    from tests.render.host_folder.powershell import PowerShell

CLIENT = r"C:\windows\ipm"
SERVER = r"C:\ProgramData\RICOH\InfoPrint Manager\var\pddir\ssl"
USERS_READ = "(A;;0x1200a9;;;BU)"
SYSTEM_AND_ADMINISTRATORS = "(A;;FA;;;SY)(A;;FA;;;BA)"


@dataclass
class WindowsMachine:
    """``place`` is a folder of this test's, in which the ledger and what is carried here stand."""

    powershell: PowerShell
    place: Path

    @property
    def drive(self) -> Path:
        prefix = os.environ.get("WINEPREFIX")
        if prefix is None:
            caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
            prefix = str(caches / "powershell-7.6.9" / "prefix")
        return Path(prefix) / "drive_c"

    def clean(self) -> None:
        self.powershell.command("'a Windows'")
        shutil.rmtree(self.drive / "windows/ipm", ignore_errors=True)
        shutil.rmtree(self.drive / "ProgramData/RICOH", ignore_errors=True)
        shutil.rmtree(self.drive / "users/root/AppData/Roaming/Ricoh", ignore_errors=True)
        (self.place / "ledger").mkdir(exist_ok=True)

    def carry(self, bundle: HostBundle, name: str = "carried") -> Path:
        folder = write_folder(bundle, self.place / name)
        put_ledger(folder)
        return folder

    def run(self, folder: Path, *options: str, status: int = 0) -> str:
        outcome = self.powershell.run(
            folder / "install.ps1",
            *options,
            "-Force",
            environment={"LEDGER": self.powershell.path(self.place / "ledger")},
        )
        assert outcome.status == status, outcome.said
        assert self.alarms() == []
        return outcome.said

    def ask(self, bundle: HostBundle, text: str) -> str:
        """Run a text with the functions and variables of a host's install.ps1, which itself is not run."""
        script = asked(self.carry(bundle, "asked"), text)
        outcome = self.powershell.run(script)
        assert (outcome.status, outcome.error) == (0, ""), outcome
        return outcome.output

    def log(self) -> list[str]:
        log = self.place / "ledger/log"
        return log.read_text().splitlines() if log.exists() else []

    def alarms(self) -> list[str]:
        return [line for line in self.log() if line.startswith("ALARM")]

    def set_rights(self, path: str, sddl: str) -> None:
        """Give a file or folder rights, and an owner where ``sddl`` names one; the log does not tell."""
        log = "\n".join([*self.log(), ""])
        self.powershell.command(f"{self._ledger}; [Ledger]::Set('{path}', '{sddl}')")
        (self.place / "ledger/log").write_text(log)

    def rights(self, path: str) -> str:
        return self.powershell.command(f"{self._ledger}; [Ledger]::Get('{path}')").strip()

    @property
    def _ledger(self) -> str:
        return f"$env:LEDGER = '{self.powershell.path(self.place / 'ledger')}'"

    def path(self, windows: str) -> Path:
        return self.drive / windows.removeprefix("C:\\").replace("\\", "/")

    def make(self, windows: str) -> str:
        self.path(windows).mkdir(parents=True, exist_ok=True)
        return windows

    def write(self, windows: str, content: bytes) -> str:
        self.path(windows).parent.mkdir(parents=True, exist_ok=True)
        self.path(windows).write_bytes(content)
        return windows
