"""Runs the playbooks of a built dist/ansible against hosts that are folders, and sees what became of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.render.host_folder.quote import quote_yaml
from tests.render.host_folder.installation import sight
from tests.tools import unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.shop import Shop

COLLECTIONS = Path(__file__).parent / "collections"
"""A stand-in for the collection ansible.windows, which no registry of Python packages has."""

_RECAP = re.compile(r"^(\S+) +: (ok=\d+ .*)$", re.MULTILINE)


def ansible(tool: str) -> str:
    """The path of one of Ansible's programs, beside the interpreter that runs the tests."""
    beside = Path(sys.executable).with_name(tool)
    if not beside.is_file():
        unavailable(tool)
    return str(beside)


@dataclass(frozen=True)
class Played:
    """What a run said, and how often each host was ok, changed, failed and so on."""

    output: str
    recap: Mapping[str, Mapping[str, int]]

    def hosts(self, outcome: str) -> set[str]:
        """The short names of the hosts that had an outcome."""
        return {host.partition(".")[0] for host, counts in self.recap.items() if counts[outcome]}


@dataclass
class Rollout:
    """A shop whose hosts are folders below ``roots``; Ansible reaches each over the local connection."""

    shop: Shop
    folder: Path
    temporary: Path
    """The temporary folder of every host, and of Ansible itself, which takes no odd name for it."""
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build the shop, and say how its hosts are reached."""
        self.shop.build()
        for place in (self.temporary, self.roots):
            place.mkdir(parents=True)
        names = re.findall(r'^name = "(.*)"$', self.shop.text, re.MULTILINE)
        lines = ["all:", "  vars:", "    ansible_connection: local"]
        lines.append(f"    ansible_python_interpreter: {quote_yaml(sys.executable)}")
        lines += [f"    {name}: {quote_yaml(value)}" for name, value in self.variables.items()]
        lines.append("  hosts:")
        for name in names:
            lines += [f"    {quote_yaml(name)}:", f"      ipmpki_root: {quote_yaml(str(self.roots / name))}"]
        (self.folder / "hosts.yml").write_text("\n".join(lines) + "\n", "utf-8")

    @property
    def roots(self) -> Path:
        """Where the hosts are."""
        return self.folder / "roots"

    def root(self, name: str) -> Path:
        """A host, by its short name."""
        return self.roots / f"{name}.example.com"

    def sight(self) -> dict[str, tuple[object, ...]]:
        """All that stands on the hosts, down to inodes and times."""
        return sight(self.roots)

    def play(
        self, playbook: str, *options: str, status: int = 0, env: Mapping[str, str] | None = None
    ) -> Played:
        """Run a playbook, which must end with ``status``, show no key and leave none lying around."""
        done = subprocess.run(
            [
                ansible("ansible-playbook"),
                *("-i", str(self.shop.dist / "ansible/inventory.yml")),
                *("-i", str(self.folder / "hosts.yml")),
                str(self.shop.dist / "ansible" / playbook),
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self._environment(), **(env or {})},
            cwd=self.folder,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        assert done.returncode == status, output
        self._judge_keys(output)
        recap = {
            host: {name: int(count) for name, _, count in (one.partition("=") for one in counts.split())}
            for host, counts in _RECAP.findall(output)
        }
        return Played(output, recap)

    def _environment(self) -> dict[str, str]:
        return {
            "ANSIBLE_HOME": str(self.temporary),
            "ANSIBLE_LOCAL_TEMP": str(self.temporary),
            "ANSIBLE_REMOTE_TEMP": str(self.temporary),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",  # as an administrator would, to save time
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.temporary),
        }

    def _judge_keys(self, output: str) -> None:
        for key in self.shop.dist.glob("hosts/*/*-key.pem"):
            for line in key.read_text().splitlines():
                assert line not in output, f"{key} was shown"
        left = [path for path in self.temporary.rglob("*") if path.is_file() or "ipmpki-" in path.name]
        assert left == []
