"""An editor that was not written here: Neovim shows what the server says, and does what it offers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.problems import fleet_with
from tests.tools import require

SESSION = Path(__file__).with_name("session.lua")


def test_a_mistake_is_seen_explained_and_mended_in_neovim(tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text(fleet_with("alias = []"), "utf-8")
    done = subprocess.run(
        [require("nvim"), "--headless", "-u", "NONE", "-i", "NONE", "-c", f"luafile {SESSION}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHON": sys.executable, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text("utf-8"))
    line = fleet_with("alias = []").splitlines().index("alias = []")
    assert told["before"] == [["unknown-key", line, 0, len("alias")]]
    assert "A key that pki.toml does not know." in told["hover"]
    assert {"aliases", "ips", "os"} <= set(told["offered"])
    assert "ipm1.example.com" in told["outline"]
    assert told["titles"] == ["Write 'aliases'"]
    assert told["after"] == 0
    assert (tmp_path / "pki.toml").read_text("utf-8") == fleet_with("aliases = []")
