"""Edits, damage, kills, builds in any order: each build leaves an empty plan, and a second does nothing."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.installed import record_installed
from ipmpki.operations.load import load
from ipmpki.operations.plan import plan
from tests.faults.fleets import Fleet
from tests.faults.running import LONGEST, started

if TYPE_CHECKING:
    from tests.faults.ledger import Ledger


class Walk:
    """A site, a model of what it should hold, and steps that a seed decides."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self.ledger = ledger
        self.fleet = Fleet.of(4)
        self.removed: list[str] = []
        self.fleet.write(ledger.folder)
        self.ledger.finish(self.fleet)

    def step(self) -> None:
        """Change something, maybe die of it, build; then nothing is left to do."""
        steps = (self.rename, self.remove, self.add, self.bring_back, self.toggle, self.settle, self.damage)
        for step in self.random.sample(steps, self.random.choice((1, 1, 2))):
            step()
            if self.random.random() < 0.3:
                self.die()
            self.ledger.finish(self.fleet)
        self.ledger.judge_second_build()

    def rename(self) -> None:
        self.fleet.rename(self._some())
        self.fleet.write(self.ledger.folder)

    def remove(self) -> None:
        gone = self._some()[:-1] or self._some()[:1]
        self.fleet.remove(gone)
        self.removed += gone
        self.fleet.write(self.ledger.folder)

    def add(self) -> None:
        self.fleet.add(self.random.randint(1, 3))
        self.fleet.write(self.ledger.folder)

    def bring_back(self) -> None:
        self.fleet.bring_back(self.removed)
        self.removed = []
        self.fleet.write(self.ledger.folder)

    def toggle(self) -> None:
        """It takes two steps, of which the second waits for the hosts: they all install the first at once."""
        self.fleet.toggle_mutual()
        declaration = self.fleet.write(self.ledger.folder)
        build(load(declaration))
        record_installed(load(declaration), None)

    def settle(self) -> None:
        """Another owner: scripts and settings differ, no certificate does."""
        self.fleet.settings = f'[ipm]\nserver_account = "user{self.random.randrange(1000)}"\n'
        self.fleet.write(self.ledger.folder)

    def damage(self) -> None:
        """Somebody was at work in dist/."""
        dist = self.ledger.folder / "dist"
        files = sorted(path for path in dist.rglob("*") if path.is_file())
        for path in self.random.sample(files, 3):
            harm = self.random.randrange(5)
            if not path.exists():
                continue
            if harm == 0:
                path.unlink()
            elif harm == 1:
                path.write_bytes(path.read_bytes()[:-7])
            elif harm == 2:
                path.chmod(0o400)
            elif harm == 3:
                shutil.rmtree(path.parent)
            elif "hosts" in path.parts:
                path.unlink()
                path.mkdir()
            else:
                path.unlink()
        assert plan(load(self.ledger.folder / "pki.toml")).changes

    def die(self) -> None:
        number = str(self.random.randint(1, 70))
        command = ("-m", "tests.faults.victim", "die", number, "pki.toml")
        with started(self.ledger.folder, *command) as process:
            process.communicate(timeout=LONGEST)
        self.ledger.look()
        self.ledger.judge_modes()

    def _some(self) -> list[str]:
        names = sorted(self.fleet.aliases)
        return self.random.sample(names, self.random.randint(0, len(names)))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_walk(ledger: Ledger, seed: int) -> None:
    walk = Walk(ledger, seed)
    for _ in range(5):
        walk.step()


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(100, 116))
def test_a_long_walk(ledger: Ledger, seed: int) -> None:
    walk = Walk(ledger, seed)
    for _ in range(15):
        walk.step()
