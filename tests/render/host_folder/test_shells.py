"""install.sh does and says the same under every shell, byte for byte."""

from __future__ import annotations

import os
import re
import shutil
from functools import cache
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, pair, write_folder
from tests.render.host_folder.installation import (
    CLIENT,
    CLIENT_SAMPLE,
    SAMPLE,
    SERVER_SAMPLE,
    SHELLS,
    Installation,
    sight,
)
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ipmpki.render.host_folder.contents import HostBundle

RESTART = r"echo '50% \n' done"
KEYWORDS = KeywordNames(ca_file="CAFile", mutual_auth="VerifyClient=require")
STAMP = re.compile(rb"(backup|undone|pem|cfg)-(?:\d{6}-)?\d{8}T\d{6}Z(-\d\d)?")


class Day:
    """A host on which install.sh runs many times; what it said and what then stood there is kept."""

    def __init__(self, folder: Path, shell: str, bundle: HostBundle) -> None:
        self.place = folder
        (folder / "ro'ot $dir").mkdir(parents=True)
        (folder / "fakes").mkdir()
        self.installation = Installation(
            write_folder(bundle, folder / "Jo's 50% stick"), folder / "ro'ot $dir", shell
        )
        self.seen: list[object] = []

    def run(self, *options: str, status: int = 0) -> None:
        said = self.installation.run(*options, status=status)
        self.look(options, said)

    def run_bare(self, *options: str, status: int, **fakes: str) -> None:
        """Run without ``--root``, where the programs of ``fakes`` say that the script may not work."""
        for name, script in fakes.items():
            path = self.place / "fakes" / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        self.installation.env = {"PATH": f"{self.place / 'fakes'}:{os.environ['PATH']}"}
        said = self.installation.run_bare(*options, status=status)
        self.installation.env = {}
        self.look(options, said)

    def look(self, options: tuple[str, ...], said: str) -> None:
        stamps: dict[bytes, bytes] = {}
        tree = sight(self.installation.root, identity=False)
        for name in tree:
            for stamp in STAMP.finditer(name.encode()):
                stamps.setdefault(stamp[0], b"%s-%d" % (stamp[1], len(stamps)))
        said_bytes = said.encode()
        for stamp in STAMP.finditer(said_bytes):
            stamps.setdefault(stamp[0], b"%s-gone" % stamp[1])

        def bare(content: object) -> object:
            if not isinstance(content, bytes):
                return content
            content = content.replace(os.fsencode(self.place), b"PLACE")
            for stamp in sorted(stamps, key=len, reverse=True):
                content = content.replace(stamp, stamps[stamp])
            return content

        self.seen.append((options, bare(said_bytes)))
        self.seen += [(bare(name.encode()), *map(bare, marks)) for name, marks in tree.items()]

    def renew(self, bundle: HostBundle) -> None:
        write_folder(bundle, self.installation.folder)


def short_day(folder: Path, shell: str) -> list[object]:
    day = Day(folder, shell, bundle_of(mutual=True, keywords=KeywordNames(ca_file="CAFile")))
    host = day.installation
    host.write(SERVER_SAMPLE, SAMPLE + b"; Enabletls=1\r\nENABLETLS = 2\n\tEnableTLS\t= 3 # twice\n")
    host.write(f"{CLIENT}/ca-cert.pem", b"the vendor's \\n 100%s\n")
    day.run("--nonsense \\t %s", status=2)
    day.run("--dry-run")
    day.run()
    day.run()
    host.server("server-key.pem").chmod(0o644)
    host.server("ca-cert.pem").unlink()
    host.client("ca-cert.pem").write_bytes(b"other\n")
    day.run("--verify", status=1)
    whole = (host.folder / "ca-cert.pem").read_bytes()
    (host.folder / "ca-cert.pem").write_bytes(whole + b"\n")
    day.run(status=4)
    (host.folder / "ca-cert.pem").write_bytes(whole)
    day.run("--rollback")
    day.run()
    day.run("--uninstall")
    return day.seen


def long_day(folder: Path, shell: str) -> list[object]:
    day = Day(folder, shell, bundle_of(mutual=True, keywords=KEYWORDS, account="nobody", restart=RESTART))
    host = day.installation
    host.write(SERVER_SAMPLE, SAMPLE.replace(b"\n", b"\r\n") + b"no final newline")
    host.write(CLIENT_SAMPLE, b"; EnableTLS yes or no\n;EnableTLS yes\n")
    day.run_bare(status=3, hostname="echo other", uname="echo other.example.com", id="echo 0")
    day.run_bare("--force", status=1, id="echo 1000")
    day.run("--owner", "no such account:here $HOME 'x", status=0)
    day.run("--owner", "daemon:sys", "--restart")
    day.run("--verify", status=1)
    day.renew(bundle_of(label="second", restart="exit 7"))
    day.run("--verify", status=1)
    day.run("--dry-run", "--restart")
    day.run("--restart", status=5)
    day.run("--rollback", "--dry-run")
    day.run("--rollback")
    day.run("--rollback")
    day.run("--rollback")
    day.run("--rollback", status=1)
    day.run("--restart", status=5)
    host.server("ipmssl.cfg").write_bytes(host.server("ipmssl.cfg").read_bytes() + b"Port 1\n")
    host.server("ca-cert.pem").write_bytes(b"by hand\n")
    day.run("--uninstall", "--dry-run")
    day.run("--uninstall")
    day.run("--uninstall")
    return day.seen


def hard_day(folder: Path, shell: str) -> list[object]:
    day = Day(folder, shell, bundle_of("client", mutual=True, own_key=True, label="expired"))
    host = day.installation
    day.run(status=1)
    host.write(f"{CLIENT}/client-key.pem", pair("expired")[1], 0o600)
    day.run()
    day.run("--verify", status=1)
    host.write(f"{CLIENT}/client-key.pem", b"no key\n", 0o640)
    host.client("").chmod(0o777)
    day.run("--verify", status=1)
    host.client("").chmod(0o755)
    day.renew(bundle_of("client", mutual=True))
    host.client("ca-cert.pem").unlink()
    host.client("ca-cert.pem").symlink_to(host.write("roots.pem", b"the company's roots\n"))
    day.run("--owner", "root:daemon")
    day.run("--owner=root:daemon")
    (host.folder / "client-key.pem").unlink()
    day.run(status=4)
    day.renew(bundle_of("client"))
    host.client("ca-cert.pem").unlink()
    host.client("ca-cert.pem").mkdir()
    day.run(status=1)
    host.client("ca-cert.pem").rmdir()
    # A run that was killed: first before, then behind the rename that decides.
    shutil.copytree(host.client(".ipmpki"), host.client(".ipmpki/prepare"))
    day.run("--dry-run")
    day.run()
    host.client(".ipmpki/commit").mkdir()
    host.write(f"{CLIENT}/.ipmpki/commit/stamp", b"backup-20200101T000000Z\n")
    host.write(f"{CLIENT}/.ipmpki-new/ca-cert.pem", b"from a killed run\n")
    day.run("--verify", status=1)
    day.run()
    day.run("--verify", "--rollback", status=2)
    day.run("--root", status=2)
    day.run("--help")
    return day.seen


def kept_day(folder: Path, shell: str) -> list[object]:
    """The host's keys are its own, but not by chance: openssl is given two, one after the other."""
    day = Day(folder, shell, bundle_of("client", mutual=True, own_key=True, label="awaited"))
    host = day.installation
    (folder / "keys").mkdir()
    for number, label in enumerate(("own", "another", "own"), start=1):
        (folder / f"keys/{number}").write_bytes(pair(f"rsa {label}")[1])
    path = folder / "fakes/openssl"
    path.write_text(
        f'#!/bin/sh\n[ $1 = genpkey ] || exec {require("openssl")} "$@"\nfor out; do :; done\n'
        f'set -- \'{folder}\'/keys/*\nmv "$1" "$out"\n'
    )
    path.chmod(0o755)
    host.env = {"PATH": f"{folder / 'fakes'}:{os.environ['PATH']}"}
    asked = host.folder / "client.csr"

    def come(label: str) -> None:
        day.seen.append(asked.read_bytes())
        bundle = bundle_of("client", mutual=True, own_key=True, label=f"rsa {label}")
        write_folder(bundle, host.folder)

    day.run(status=1)
    day.run("--new-key", "--dry-run")
    day.run("--new-key", "--owner", "root:daemon")
    day.run("--new-key")
    day.run("--verify", status=1)
    come("own")
    day.run("--dry-run")
    day.run()
    day.run("--new-key")
    day.run("--verify")
    day.run()
    come("another")
    day.run("--verify", status=1)
    day.run()
    day.run("--rollback", "--dry-run")
    day.run("--rollback")
    day.run()
    day.run("--new-key", "--dry-run", "--force")
    day.run("--new-key", "--force")
    day.run("--rollback")
    come("expired")
    day.run(status=1)
    day.run("--verify", status=1)
    host.client("client-key.pem").unlink()
    day.run(status=1)
    day.run("--uninstall", "--dry-run")
    day.run("--uninstall")
    day.run(status=1)
    day.run("--new-key", "--verify", status=2)
    (host.folder / "request.cnf").unlink()
    day.run("--new-key", status=4)
    return day.seen


DAYS: dict[str, Callable[[Path, str], list[object]]] = {
    "short": short_day,
    "long": long_day,
    "hard": hard_day,
    "kept": kept_day,
}


@pytest.fixture(scope="session")
def under_dash(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[object]]:
    return cache(lambda day: DAYS[day](tmp_path_factory.mktemp("dash") / "place", "dash"))


@pytest.mark.parametrize(
    "shell", mostly_exhaustive([shell for shell in SHELLS if shell != "dash"], every_time=["mksh"])
)
@pytest.mark.parametrize(
    "day",
    [
        "short",
        pytest.param("long", marks=pytest.mark.exhaustive),
        pytest.param("hard", marks=pytest.mark.exhaustive),
        pytest.param("kept", marks=pytest.mark.exhaustive),
    ],
)
def test_every_shell_says_and_does_what_dash_does(
    tmp_path: Path, under_dash: Callable[[str], list[object]], day: str, shell: str
) -> None:
    if day != "short" and os.geteuid() != 0:
        unavailable("root, who alone may give files away,")
    assert DAYS[day](tmp_path / "place", shell) == under_dash(day)
