"""Ansible rolls out to Windows: held against stand-ins of the modules of ansible.windows.

They check the parameters they are given, put the files where they are told, and play install.ps1's part by
its options, words and exit statuses. Neither Windows nor PowerShell has had a part in this.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.shop import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.render.ansible.running import Rollout

pytestmark = pytest.mark.exhaustive
POWERSHELL = [
    r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
    *["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"],
]
BOTH = {"desk1", "desk2"}


@pytest.fixture
def desks(rollout_of: Callable[..., Rollout]) -> Rollout:
    """Three Windows clients, in batches of two."""
    return rollout_of(*(client(f"desk{number}", os="windows") for number in (1, 2, 3)))


def options(rollout: Rollout, name: str) -> list[list[str]]:
    """The options of install.ps1 each time it was run on a host, without -Root, which is always given."""
    found = []
    for line in (rollout.root(name) / "calls").read_text().splitlines():
        call = json.loads(line)
        assert call["files"] == sorted(path.name for path in rollout.shop.host(name).iterdir())
        program, given = call["argv"][:7], call["argv"][7:]
        assert program[:-1] == POWERSHELL
        assert program[-1].endswith(r"\install.ps1")
        assert call["rights"].startswith("/inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:")
        assert given.pop(given.index("-Root") + 1) == str(rollout.root(name))
        found.append([option for option in given if option != "-Root"])
    return found


def test_installer_modes_and_truth_about_changes(desks: Rollout) -> None:
    desks.play("install.yml", "--check", "--diff", "-vvv")
    assert not (desks.root("desk1") / "installed").exists()
    assert desks.play("install.yml").hosts("changed") == {*BOTH, "desk3"}
    assert desks.play("install.yml").hosts("changed") == set()
    assert desks.play("verify.yml", "--check").hosts("changed") == set()
    (desks.root("desk2") / "installed").unlink()
    assert desks.play("verify.yml", status=2).hosts("failed") == {"desk2"}
    assert options(desks, "desk1") == [["-DryRun"], [], [], ["-Verify"], ["-Verify"]]


def test_the_first_broken_host_is_the_last_that_is_tried(desks: Rollout) -> None:
    (desks.shop.host("desk1") / "broken").touch()
    played = desks.play("install.yml", status=2)
    assert "desk1" in played.hosts("failed")
    assert not desks.root("desk3").exists()


def test_variables_become_options_and_are_no_templates(rollout_of: Callable[..., Rollout]) -> None:
    desk = client("desk1", os="windows", restart_command="net stop x")
    rollout = rollout_of("", desk, ipmpki_owner="{{ 7 * 7 }} 'o\"d\\")
    rollout.play("install.yml", "-e", "ipmpki_force=true ipmpki_restart=yes")
    rollout.play("rollback.yml", "--limit", "desk1.example.com")
    owner = ["-Owner", "{{ 7 * 7 }} 'o\"d\\"]
    assert options(rollout, "desk1") == [[*owner, "-Force", "-Restart"], ["-Rollback"]]
