"""A SoftHSM with a token of the tests' own, and a site whose authority's key lies in it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.running import Outcome, ipmpki
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PIN = "geheime-1234"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
HOSTS = """
[ipm.keywords]
by_hand = ["mutual_auth"]

[tls]
mutual_auth = "required"

[[hosts]]
name = "ipm1.example.com"
role = "server"
ips = ["10.1.2.3"]

[[hosts]]
name = "desk1.example.com"
role = "client"
key = "ec-p256"
"""


@dataclass(frozen=True)
class Hsm:
    """SoftHSM's module with one token, "CA room", that has RSA, EC and doubled keys."""

    module: Path
    folder: Path

    def tool(self, *arguments: object) -> str:
        """Run OpenSC's pkcs11-tool, logged in."""
        return subprocess.run(
            [
                require("pkcs11-tool"),
                "--module",
                self.module,
                *("--token-label", "CA room", "--login", "--pin", PIN),
                *map(str, arguments),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def uri(self, key: str = "object=rsa", query: str = "") -> str:
        """A URI of a key in the token."""
        return f"pkcs11:token=CA%20room;{key}?module-path={self.module}{query}"

    def take(self, private: Path, label: str, number: int) -> None:
        """Put a key pair from a PEM file into the token."""
        for kind, options in (("privkey", ()), ("pubkey", ("-pubout",))):
            der = self.folder / f"{label}.{kind}.der"
            subprocess.run(
                [require("openssl"), "pkey", "-in", private, *options, "-outform", "DER", "-out", der],
                check=True,
            )
            self.tool("--write-object", der, "--type", kind, "--label", label, "--id", f"{number:02}")


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hsm]:
    """The token; commands find it by the environment."""
    found = [Path(one) for one in MODULES if Path(one).exists()]
    if not found:
        unavailable("SoftHSM's module")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("CA room", "other"):
        subprocess.run(
            [
                require("softhsm2-util"),
                "--init-token",
                "--free",
                "--label",
                label,
                "--pin",
                PIN,
                "--so-pin",
                "87654321",
            ],
            check=True,
            capture_output=True,
        )
    hsm = Hsm(found[0], folder)
    for number, (label, kind) in enumerate(
        (("rsa", "rsa:2048"), ("p256", "EC:secp256r1"), ("p384", "EC:secp384r1"), ("k256", "EC:secp256k1")), 1
    ):
        hsm.tool("--keypairgen", "--key-type", kind, "--label", label, "--id", f"{number:02}")
    for number in (11, 12):
        hsm.tool("--keypairgen", "--key-type", "EC:secp256r1", "--label", "twice", "--id", number)
    yield hsm
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@dataclass(frozen=True)
class Site:
    """A folder whose declaration names a key in a token."""

    folder: Path

    def declare(self, key_file: str, *lines: str, hosts: str = HOSTS) -> None:
        """Write pki.toml. Without a certificate among the lines, the authority is to be made."""
        name = (
            ()
            if any(line.startswith("certificate") for line in lines)
            else ('common_name = "Acme Print CA"',)
        )
        ca = "\n".join(("[ca]", *name, f'key_file = "{key_file}"', *lines))
        (self.folder / "pki.toml").write_text(f"schema = 1\n\n{ca}\n{hosts}")

    def __call__(self, *command: str, pin: str = PIN, env: Mapping[str, str] | None = None) -> Outcome:
        """Run a command with the PIN in the environment."""
        return ipmpki(self.folder, *command, env={"PIN": pin, **(env or {})})


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
