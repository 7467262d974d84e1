"""install.sh, run for real below a folder (DESIGN §8)."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.fleet import KeywordNames
from tests.render.bundles import bundle_of, pair, write_folder
from tests.render.installation import (
    CLIENT,
    CLIENT_SAMPLE,
    SAMPLE,
    SERVER,
    SERVER_SAMPLE,
    SHELLS,
    Installation,
    public_sight,
    sight,
)
from tests.tools import require

if TYPE_CHECKING:
    from tests.render.conftest import Prepare


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fake(folder: Path, name: str, script: str) -> None:
    """Put a program that answers with ``script`` on a PATH that begins with ``folder``."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def faking(installation: Installation, tmp_path: Path, **programs: str) -> Installation:
    for name, script in programs.items():
        fake(tmp_path / "fakes", name, script)
    installation.env = {**installation.env, "PATH": f"{tmp_path / 'fakes'}:{os.environ['PATH']}"}
    return installation


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("not run as root, who alone may give files away")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_installs_once_verifies_rolls_back_and_uninstalls(prepare: Prepare, shell: str) -> None:
    installation = prepare(bundle_of(mutual=True, keywords=KeywordNames(ca_file="CAFile")), shell)
    installation.write(SERVER_SAMPLE, SAMPLE)
    before = installation.write(f"{CLIENT}/ca-cert.pem", b"the vendor's\n").read_bytes()
    untouched = public_sight(installation.root)

    said = installation.run()
    assert installation.server("server-key.pem").read_bytes() == pair("first")[1]
    assert mode(installation.server("server-key.pem")) == 0o600
    assert mode(installation.server("server-cert.pem")) == 0o644
    assert mode(installation.client("ipmssl.cfg")) == 0o644
    assert installation.server("ipmssl.cfg").read_bytes() == (
        b"# TLS of InfoPrint Manager\n#\nEnableTLS = 1\nCertFile = server-cert.pem\nKeyFile = server-key.pem\n"
        b"CAFile = ca-cert.pem\n"
    )
    assert "pdshutdown" in said.splitlines()[-1]

    installed = sight(installation.root)
    assert "already up to date" in installation.run()
    assert sight(installation.root) == installed
    assert "nothing differs" in installation.run("--verify")

    installation.run("--rollback")
    assert installation.client("ca-cert.pem").read_bytes() == before
    assert not installation.server("server-key.pem").exists()

    installation.run()
    installation.run("--uninstall")
    seen = public_sight(installation.root)
    assert {name: seen[name] for name in untouched} == untouched
    assert not [name for name in seen if name not in untouched and (installation.root / name).is_file()]
    assert not (installation.root / CLIENT / ".ipmpki").exists()


