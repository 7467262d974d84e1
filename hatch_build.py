"""Puts the date of the commit into what is built: ``ipmpki --version`` shows it, and no git is asked then."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILE = "ipmpki/commit-date"
"""Git ignores it; a wheel and an sdist hold it, and what is built of an sdist takes it from there."""
LATER = " or later"


class CommitDate(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the file where an editable install looks for it, and puts it into everything else."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file to what is built; without git and without the file, nothing."""
        here = Path(self.root) / FILE
        date = commit_date(Path(self.root))
        if date is None:
            if here.exists():
                build_data["force_include"][str(here)] = FILE
        elif version == "editable":
            here.write_text(f"{date.removesuffix(LATER)}{LATER}", "utf-8")
        else:
            self.folder = tempfile.TemporaryDirectory()
            made = Path(self.folder.name, "commit-date")
            made.write_text(date, "utf-8")
            made.chmod(0o644)
            build_data["force_include"][str(made)] = FILE


def commit_date(root: Path) -> str | None:
    """The day of the last commit (UTC), "or later" where files were changed since; None outside a clone."""
    if not (root / ".git").exists():
        return None
    day = _git(root, "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{day}{LATER}" if day and changed else day or None


def _git(root: Path, *arguments: str) -> str:
    try:
        return subprocess.run(  # noqa: S603 -- the arguments are those above
            ["git", "-C", str(root), *arguments],  # noqa: S607 -- the git of whoever builds
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
