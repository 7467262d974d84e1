"""Running commands as the shell would, without starting a process for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ipmpki.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind: its exit status and what it printed."""

    status: int
    out: str
    err: str


@dataclass
class Terminal:
    """A shell in a folder."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Outcome:
        """Run ``ipmpki`` with these arguments."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            run(list(arguments))
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        return Outcome(int(leaving.value.code or 0), printed.out, printed.err)

    def write(self, name: str, text: str) -> Path:
        """Put a file into the folder, as UTF-8 and with these very line ends."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        return path

    def read(self, name: str) -> str:
        """What a file holds."""
        return (self.folder / name).read_bytes().decode("utf-8")
