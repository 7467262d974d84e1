"""Fixtures: an old PKI, and the folder beside it that it is adopted into."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ipmpki import load, plan
from tests.cli.command import Outcome, ipmpki
from tests.operations.adopt.old import OldPki, print_shop

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.operations.project import Project
    from ipmpki.plans.plan import Plan


@dataclass
class Heir:
    """A folder for the new pki.toml, beside the old one."""

    old: OldPki
    folder: Path

    @property
    def declaration(self) -> Path:
        """The new pki.toml."""
        return self.folder / "pki.toml"

    @property
    def store(self) -> Path:
        """The new store."""
        return self.folder / "pki.db"

    def adopt(self, *options: object) -> Outcome:
        """Adopt the old folder."""
        return ipmpki("adopt", self.old.folder, "--into", self.declaration, *options)

    def load(self, **options: Any) -> Project:
        """The new declaration and its store."""
        return load(self.declaration, **options)

    def plan(self, **options: Any) -> Plan:
        """What a build would do."""
        return plan(self.load(), **options)

    def changes(self) -> dict[tuple[str, str | None], tuple[str, str]]:
        """What a build would do to certificates and the CRL: action and reasons, by artifact and host."""
        return {
            (change.artifact.value, change.host): (
                change.action.value,
                "; ".join(f"{reason.code}: {reason.detail}" for reason in change.reasons),
            )
            for change in self.plan().changes
            if change.action.value != "restore" and change.artifact.value != "playbook"
        }


@pytest.fixture(scope="session")
def _made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return print_shop(tmp_path_factory.mktemp("old") / "demoCA").folder


@pytest.fixture
def heir(tmp_path: Path) -> Heir:
    """An old folder that is yet to be made."""
    (tmp_path / "new").mkdir()
    (tmp_path / "demoCA").mkdir()
    return Heir(OldPki(tmp_path / "demoCA"), tmp_path / "new")


@pytest.fixture
def shop_heir(heir: Heir, _made_shop: Path) -> Heir:
    """An old print shop: a server, two clients in force, one revoked, and a CRL."""
    shutil.copytree(_made_shop, heir.old.folder, dirs_exist_ok=True)
    return heir
