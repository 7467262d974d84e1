"""Runs install.ps1: one PowerShell process for many runs, on Linux and on wine's Windows.

``IPMPKI_PWSH`` and ``IPMPKI_POWERSHELL_WINE`` name the programs. The first is looked for on the PATH, too.
The second is a PowerShell for Windows that ``-Serve`` keeps for many runs: it reads a line of JSON for each,
and answers with one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.render.host_folder.install_ps1 import ascii_literal
from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOP = Path(__file__).parent / "windows" / "serve.ps1"


class Outcome(NamedTuple):
    """What a run said, both streams, and its exit status."""

    status: int
    output: str
    error: str

    @property
    def said(self) -> str:
        return self.output + self.error


def pwsh() -> str:
    """Return the PowerShell for Linux; where there is none, skip the test, or fail it when ``CI`` is set."""
    return _program("IPMPKI_PWSH", "pwsh") or unavailable("pwsh")


def powershell_wine() -> str:
    """Return the PowerShell for Windows that runs under wine, as ``pwsh`` does."""
    return _program("IPMPKI_POWERSHELL_WINE", "powershell-wine") or unavailable("powershell-wine")


def _program(variable: str, name: str) -> str | None:
    return shutil.which(os.environ.get(variable) or name)


@dataclass
class PowerShell:
    """A process that runs scripts one after the other.

    One under wine makes way for another after ``lasts`` runs: .NET's collector, which crashes there, is not
    called for by so many.
    """

    program: list[str]
    on_windows: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    lasts: int = 10_000
    runs: int = 0
    process: subprocess.Popen[str] | None = None

    @classmethod
    def on_linux(cls) -> PowerShell:
        return cls([pwsh(), "-NoProfile", "-NonInteractive", "-File", str(_LOOP)], on_windows=False)

    @classmethod
    def under_wine(cls, environment: Mapping[str, str]) -> PowerShell:
        return cls([powershell_wine(), "-Serve"], True, environment, lasts=6)

    def run(
        self, script: Path, *arguments: str, environment: Mapping[str, str | None] | None = None
    ) -> Outcome:
        """Run a script in its own folder; ``environment`` holds for it and those that follow it."""
        request = {
            "args": ["-File", self.path(script), *arguments],
            "environment": dict(environment or {}),
            "folder": self.path(script.parent),
        }
        return self.ask(request)

    def command(self, text: str) -> str:
        """Run a text of PowerShell that must not fail, and return what it wrote."""
        outcome = self.ask({"args": ["-Command", text]})
        assert (outcome.status, outcome.error) == (0, ""), outcome
        return outcome.output

    def ask(self, request: Mapping[str, object]) -> Outcome:
        if self.runs % self.lasts == 0:
            self.close()
            self.process = _start(self.program, self.environment)
        self.runs += 1
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        noise = ""
        # What a program that the script starts writes goes straight to standard output.
        while not (line := self.process.stdout.readline()).startswith('{"status":'):
            assert line, "PowerShell has ended: " + noise
            noise += line
        answer = json.loads(line)
        output = noise + answer["output"].replace("\r\n", "\n")
        return Outcome(answer["status"], output, answer["error"].replace("\r\n", "\n"))

    def path(self, path: Path) -> str:
        return "Z:" + str(path).replace("/", "\\") if self.on_windows else str(path)

    def close(self) -> None:
        if self.process is None or self.process.stdin is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    # What wine says of devices and fonts is nobody's business.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", **environment},
    )


def asked(folder: Path, text: str) -> Path:
    """Write a script of the functions and variables of a folder's install.ps1, which itself is not run, and a
    text that asks them something; ends with 0 unless the text says otherwise."""
    functions, found, _ = (folder / "install.ps1").read_text().partition("\ntry {\n  Invoke-Main")
    assert found
    script = folder.parent / "ask.ps1"
    script.write_text(f"{functions}\n{text}\nexit 0\n")
    return script


SERVER = "ProgramData/RICOH/InfoPrint Manager/var/pddir/ssl"
CLIENT = "Windows/ipm"
SAMPLES = "Program Files/RICOH/InfoPrint Manager/cfg-samples/ssl"


@dataclass
class WindowsHost:
    """A host's folder and the root below which its install.ps1 works."""

    powershell: PowerShell
    folder: Path
    root: Path

    def run(self, *options: str, status: int = 0) -> str:
        """Run install.ps1 below the root and return what it said; its exit status must be ``status``."""
        outcome = self.powershell.run(
            self.folder / "install.ps1", "-Root", self.powershell.path(self.root), *options
        )
        assert outcome.status == status, outcome.said
        for key in self.folder.glob("*-key.pem"):
            assert key.read_text().splitlines()[1] not in outcome.said
        return outcome.said

    def ask(self, text: str) -> list[str]:
        """Ask the functions of its install.ps1 something, for a run below the root; return the lines."""
        root = ascii_literal(self.powershell.path(self.root))
        start = f"$Options.Root = {root}\n$State = Get-Target 'client' '.ipmpki'\n"
        outcome = self.powershell.run(asked(self.folder, start + text))
        assert (outcome.status, outcome.error) == (0, ""), outcome
        return outcome.output.splitlines()

    def with_mistake(self, function: str, text: str) -> WindowsHost:
        """Return the same host with a copy of the folder whose ``function`` does ``text`` first."""
        folder = self.folder.parent / f"mistaken {self.folder.name}"
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        script, count = re.subn(
            rf"^(function {function}(?:\(.*?\))? \{{)(.*?\}}?)$",
            lambda found: f"{found[1]}\n    {text}\n{found[2]}",
            (folder / "install.ps1").read_text(),
            count=1,
            flags=re.M,
        )
        assert count == 1, function
        (folder / "install.ps1").write_text(script)
        return replace(self, folder=folder)

    def server(self, name: str) -> Path:
        return self.root / SERVER / name

    def client(self, name: str) -> Path:
        return self.root / CLIENT / name

    def state(self, name: str = "") -> Path:
        return self.root / CLIENT / ".ipmpki" / name

    def write(self, path: str, content: bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def sight(self) -> dict[str, bytes | None]:
        """What stands below the root but for what install.ps1 remembers: names, and contents of files."""
        return {
            str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.root.rglob("*"))
            if ".ipmpki" not in path.parts
        }
