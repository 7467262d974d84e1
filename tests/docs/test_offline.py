"""docs/offline.md: what is carried over is enough to install ipmpki where there is no network."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, blocks
from tests.tools import require, unavailable

if TYPE_CHECKING:
    from pathlib import Path

THERE, HERE = (block.text for block in blocks("docs/offline.md") if block.remark == "run by")
UNREACHABLE = """
import errno, socket
try:
    socket.create_connection(("192.0.2.1", 443), 1)
except OSError as error:
    raise SystemExit(error.errno != errno.ENETUNREACH)
raise SystemExit("there is a network")
"""
NO_NETWORK = ("--user", "--map-root-user", "--net")


@pytest.mark.exhaustive
def test_ipmpki_is_installed_in_a_namespace_without_a_network(tmp_path: Path) -> None:
    unshare = require("unshare")
    if subprocess.run([unshare, *NO_NETWORK, "true"], capture_output=True, check=False).returncode:
        unavailable("a namespace without a network (unshare --net)")
    there, here, stick = tmp_path / "there", tmp_path / "here", tmp_path / "stick"
    shutil.copytree(
        ROOT,
        there,
        ignore=shutil.ignore_patterns(".venv", "build", ".*_cache", "__pycache__", "dist", "pki.db"),
    )
    here.mkdir()
    subprocess.run(["/bin/sh", "-ec", THERE], cwd=there, check=True)
    stick.mkdir()
    shutil.move(there / "ipmpki-wheels", stick)
    script = (
        f"python3 -c '{UNREACHABLE}'\n{HERE.replace('/media/stick', str(stick))}\n"
        "ipmpki/bin/ipmpki --version\n"
        "ipmpki/bin/ipmpki init pki.toml && ipmpki/bin/ipmpki check pki.toml\n"
    )
    installed = subprocess.run(
        [unshare, *NO_NETWORK, "/bin/sh", "-ec", script],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout.startswith("ipmpki ")
    assert "no problems" in installed.stdout + installed.stderr
