"""Sites built from examples/, and hosts of theirs installed by their own scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import preloaded
from tests.places import EXAMPLES
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST = 120.0
"""Seconds that nothing here takes, however loaded the machine: beyond it, something hangs."""


@dataclass(frozen=True)
class Host:
    """A host as declared."""

    name: str
    os: str
    role: str
    subject: str | None
    aliases: tuple[str, ...]
    ips: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A folder with a pki.toml that was built."""

    folder: Path

    @property
    def crl(self) -> Path:
        """The published revocation list."""
        return self.folder / "dist/ca/crl.pem"

    def host(self, role: str, system: str) -> Host:
        """The first host of a role and an operating system."""
        declared = tomllib.loads((self.folder / "pki.toml").read_text(encoding="utf-8"))
        usual = declared.get("defaults", {}).get("os", "linux")
        for one in declared["hosts"]:
            if (one["role"], one.get("os", usual)) == (role, system):
                return Host(
                    one["name"],
                    system,
                    role,
                    one.get("subject"),
                    tuple(one.get("aliases", ())),
                    tuple(one.get("ips", ())),
                )
        message = f"{self.folder} declares no {role} on {system}"
        raise LookupError(message)

    def bundle(self, host: Host) -> Path:
        """A host's published folder."""
        return self.folder / "dist/hosts" / host.name

    def edited(self, folder: Path, edit: Callable[[str], str]) -> Site:
        """A copy of this site, with its store, whose declaration was edited, and that was built again."""
        shutil.copytree(self.folder, folder)
        file = folder / "pki.toml"
        old = file.read_text(encoding="utf-8")
        new = edit(old)
        assert new != old
        file.write_text(new, encoding="utf-8")
        build(folder)
        return Site(folder)

    def settled(self) -> Site:
        """The same, with what was published said to be installed everywhere, and built once more."""
        words = ("-m", "ipmpki", "installed", "pki.toml", "--all")
        done = preloaded.run(*words, cwd=self.folder, timeout=LONGEST)
        assert done.returncode == 0, done.stderr.decode()
        build(self.folder)
        return self


@dataclass(frozen=True)
class Installed:
    """A host below a root, as its install script left it."""

    host: Host
    root: Path

    @property
    def ca(self) -> Path:
        """Whom this host trusts."""
        return self.root / "etc/ipm/ca-cert.pem"

    @property
    def certificate(self) -> Path:
        """Its certificate."""
        return self._own("cert")

    @property
    def key(self) -> Path:
        """Its key."""
        return self._own("key")

    def _own(self, kind: str) -> Path:
        folder = "var/pddir/default_cell/ssl" if self.host.role == "server" else "etc/ipm"
        return self.root / folder / f"{self.host.role}-{kind}.pem"


def build(folder: Path) -> None:
    """Build a site with the command line."""
    done = preloaded.run("-m", "ipmpki", "build", "pki.toml", cwd=folder, timeout=LONGEST)
    assert done.returncode == 0, done.stderr.decode()


def example(name: str, folder: Path) -> Site:
    """Build an example in a folder of its own."""
    folder.mkdir()
    shutil.copy(EXAMPLES / name / "pki.toml", folder)
    build(folder)
    return Site(folder)


def install(site: Site, host: Host, root: Path) -> Installed:
    """Install a host's bundle below a root."""
    root.mkdir(parents=True)
    done = subprocess.run(
        [require("sh"), str(site.bundle(host) / "install.sh"), "--root", str(root)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Installed(host, root)
