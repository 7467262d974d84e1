"""Runs install.sh below a folder, and sees what it did."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "ksh": ("ksh",),
    "mksh": ("mksh",),
    "zsh": ("zsh", "--emulate", "sh"),
    "busybox": ("busybox", "sh"),
    "yash": ("yash", "--posixly-correct"),
    "posh": ("posh",),
}

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"

SERVER = "var/pddir/default_cell/ssl"
CLIENT = "etc/ipm"
SERVER_SAMPLE = "usr/lpp/pd/cfg-samples/ssl/server/ipmssl.cfg"
CLIENT_SAMPLE = "usr/lpp/pd/cfg-samples/ssl/client/ipmssl.cfg"

SAMPLE = b"# TLS of InfoPrint Manager\n#\n#EnableTLS = 0\n#CertFile = <certificate>\n#KeyFile = <key>\n"


@dataclass
class Installation:
    """A host's folder and the root below which its script works."""

    folder: Path
    root: Path
    shell: str = "dash"
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *options: str, status: int = 0, prefix: tuple[str, ...] = ()) -> str:
        """Run install.sh with ``--root`` and return what it said; its exit status must be ``status``."""
        return self.run_bare("--root", str(self.root), *options, status=status, prefix=prefix)

    def run_bare(self, *options: str, status: int = 0, prefix: tuple[str, ...] = ()) -> str:
        """Run install.sh with just these options."""
        shell, *as_posix = SHELLS[self.shell]
        set_path(self.folder / "install.sh", self.env.get("PATH", SYSTEM_PATH))
        done = subprocess.run(
            [*prefix, require(shell), *as_posix, str(self.folder / "install.sh"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.env},
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == status, said
        for key in self.folder.glob("*-key.pem"):
            assert key.read_text().splitlines()[1] not in said
        return said

    def server(self, name: str) -> Path:
        return self.root / SERVER / name

    def client(self, name: str) -> Path:
        return self.root / CLIENT / name

    def write(self, path: str, content: bytes, mode: int = 0o644) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)
        return target


def set_path(script: Path, path: str) -> None:
    """Let install.sh find its programs in ``path``, as it takes the caller's PATH for none of its own."""
    text = script.read_text()
    line = f"\nPATH={shlex.quote(path)}; export PATH\n"
    if line not in text:
        script.write_text(re.sub(r"\nPATH=.*; export PATH\n", lambda _: line, text, count=1))


def sight(root: Path, *, identity: bool = True) -> dict[str, tuple[object, ...]]:
    """What stands below ``root``: with ``identity``, inode and time of each file too."""
    seen: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        marks: tuple[object, ...] = (oct(status.st_mode), status.st_uid, status.st_gid)
        if path.is_file():
            marks += (path.read_bytes(),)
        if identity:
            marks += (status.st_ino, status.st_mtime_ns)
        seen[str(path.relative_to(root))] = marks
    return seen


def public_sight(root: Path) -> dict[str, tuple[object, ...]]:
    """What stands below ``root`` but for what install.sh remembers."""
    return {name: marks for name, marks in sight(root, identity=False).items() if ".ipmpki" not in name}
