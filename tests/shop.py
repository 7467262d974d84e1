"""A small print shop for tests: a folder with a pki.toml that is quick to build."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ipmpki

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.operations.build import Built
    from ipmpki.operations.project import Project
    from ipmpki.plans.plan import Change, Plan

TODAY = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

HEAD = """\
schema = 1

[ipm.linux.keywords]
by_hand = ["mutual_auth"]

[ca]
common_name = "Acme Print CA"
key = "ec-p256"

[tls]
mutual_auth = "required"
"""

SERVER = """
[[hosts]]
name = "ipm1.example.com"
role = "server"
os = "linux"
aliases = ["print.example.com"]
ips = ["10.1.2.3"]
"""


def client(name: str, **keys: str) -> str:
    """The declaration of a client with an EC key, which takes no time to make."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    return f'\n[[hosts]]\nname = "{name}.example.com"\nrole = "client"\nkey = "ec-p256"\n{lines}'


@dataclass
class Shop:
    """A folder with a declaration, and the time it is there."""

    folder: Path
    now: datetime = TODAY
    text: str = HEAD + SERVER + client("desk1") + client("desk2")
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the declaration."""
        self.write(self.text)

    @property
    def declaration(self) -> Path:
        """The shop's pki.toml."""
        return self.folder / "pki.toml"

    @property
    def dist(self) -> Path:
        """What a build publishes to."""
        return self.folder / "dist"

    @property
    def store(self) -> Path:
        """The shop's store."""
        return self.folder / "pki.db"

    def host(self, name: str) -> Path:
        """A host's folder, by its short name."""
        return self.dist / "hosts" / f"{name}.example.com"

    def write(self, text: str) -> None:
        """Declare something else."""
        self.text = text
        self.declaration.write_text(text, encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Change a piece of the declaration, which must be there."""
        assert old in self.text
        self.write(self.text.replace(old, new))

    def load(self) -> Project:
        """Read the declaration and the store."""
        return ipmpki.load(self.declaration, now=self.now)

    def plan(self, **options: Any) -> Plan:
        """What a build would change."""
        return ipmpki.plan(self.load(), **options)

    def build(self, **options: Any) -> Built:
        """Build."""
        return ipmpki.build(self.load(), **options)

    def changes(self, **options: Any) -> dict[tuple[str, str | None], set[str]]:
        """The planned changes: the codes of the reasons by artifact and short host name."""
        return {
            named(change): {reason.code.value for reason in change.reasons}
            for change in self.plan(**options).changes
        }

    def actions(self, **options: Any) -> dict[tuple[str, str | None], str]:
        """The planned actions by artifact and short host name."""
        return {named(change): change.action.value for change in self.plan(**options).changes}

    def bytes_on_disk(self) -> dict[str, tuple[bytes, int, int, int]]:
        """Every file below dist/: contents, mode, inode and time of change."""
        found = {}
        for path in sorted(self.dist.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(self.dist))] = (
                content,
                status.st_mode,
                status.st_ino,
                status.st_mtime_ns,
            )
        return found


def named(change: Change) -> tuple[str, str | None]:
    """A change's artifact and its host's short name."""
    return change.artifact.value, change.host.partition(".")[0] if change.host else None
