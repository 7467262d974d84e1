"""ansible-lint finds nothing in dist/ansible, by the rules of its strictest profile."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.render.ansible.running import COLLECTIONS, ansible
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A built shop with a host of every system."""
    systems = [client(f"pc-{system}", os=system) for system in ("aix", "windows", "macos")]
    text = HEAD + '\n[rollout]\nbatch = [1, "25%"]\n' + SERVER + "".join(systems)
    shop = Shop(tmp_path, text=text)
    shop.build()
    return shop


def lint(shop: Shop) -> subprocess.CompletedProcess[str]:
    """Run ansible-lint on dist/ansible, without network; ``-v`` as it then names the files it has read."""
    return subprocess.run(
        [ansible("ansible-lint"), "-v", "--offline", "--profile", "production", "--strict", "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=shop.dist / "ansible",
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(shop.folder / "ansible"),
            "NO_COLOR": "1",
        },
    )


@pytest.mark.exhaustive
def test_the_production_profile_is_clean(shop: Shop) -> None:
    linted = lint(shop)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "Profile 'production' was required, and it passed" in linted.stderr
    assert "Error loading plugin" not in linted.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["install", "verify", "rollback", "host", "posix", "windows"])
def test_every_file_is_judged(shop: Shop, name: str) -> None:
    path = shop.dist / "ansible" / f"{name}.yml"
    path.write_text(re.sub(r"ansible\.builtin\.(fail|include_tasks):", r"\1:", path.read_text(), count=1))
    assert f"{name}.yml" in lint(shop).stdout, "a module without its collection was not found"
