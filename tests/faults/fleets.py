"""Declarations of fleets for the tests of faults: EC clients, which cost no time, and a server or two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
schema = 1

[ipm.linux.keywords]
by_hand = ["mutual_auth"]

[ca]
common_name = "Acme Print CA"
key = "ec-p256"

[tls]
mutual_auth = "{mutual_auth}"

[defaults]
os = "linux"
key = "ec-p256"
"""


@dataclass
class Fleet:
    """A fleet that a test changes: each client's alias, and how many certificates each host must have had."""

    servers: int = 1
    aliases: dict[str, str] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    count: int = 0
    settings: str = ""
    is_mutual: bool = True
    renamed: int = 0

    @classmethod
    def of(cls, clients: int, servers: int = 1) -> Fleet:
        """A fleet of so many servers and clients."""
        fleet = cls(servers)
        for number in range(servers):
            fleet.issued[_server(number)] = 1
        fleet.add(clients)
        return fleet

    @property
    def certified(self) -> set[str]:
        """The names of the hosts that have a certificate."""
        return self.hosts if self.is_mutual else self.hosts - set(self.aliases)

    @property
    def hosts(self) -> set[str]:
        """The names of all hosts."""
        return {_server(number) for number in range(self.servers)} | set(self.aliases)

    def add(self, clients: int) -> None:
        """Add clients that never were before."""
        for _ in range(clients):
            name = f"pc{self.count:03}.example.com"
            self.aliases[name] = f"a{self.count:03}.example.com"
            self.issued[name] = int(self.is_mutual)
            self.count += 1

    def remove(self, names: list[str]) -> None:
        """Remove clients."""
        for name in names:
            del self.aliases[name]

    def rename(self, names: list[str]) -> None:
        """Give clients another alias, so that each needs another certificate."""
        for name in names:
            self.issued[name] += self.is_mutual
            self.renamed += 1
            self.aliases[name] = f"n{self.renamed}-{name}"

    def bring_back(self, names: list[str]) -> None:
        """Declare clients again that were removed."""
        for name in names:
            self.aliases[name] = f"back.{name}"
            self.issued[name] += self.is_mutual

    def toggle_mutual(self) -> None:
        """Turn mutual authentication off or on: servers need another certificate, clients one or none."""
        self.is_mutual = not self.is_mutual
        for name in self.certified:
            self.issued[name] += 1

    def text(self) -> str:
        """The declaration."""
        servers = (
            f'[[hosts]]\nname = "{_server(number)}"\nrole = "server"\nkey = "rsa-2048"\n'
            f'ips = ["10.0.9.{number + 1}"]\n'
            for number in range(self.servers)
        )
        clients = (
            f'[[hosts]]\nname = "{name}"\nrole = "client"\naliases = ["{alias}"]\n'
            for name, alias in self.aliases.items()
        )
        head = HEAD.format(mutual_auth="required" if self.is_mutual else "off")
        return "\n".join((head, self.settings, *servers, *clients))

    def write(self, folder: Path) -> Path:
        """Write pki.toml; as an editor does, at once."""
        path = folder / "pki.toml"
        path.write_text(self.text(), encoding="utf-8")
        return path


def _server(number: int) -> str:
    return f"server{number}.example.com"
