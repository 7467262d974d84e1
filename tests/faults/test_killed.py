"""A build is killed at any instant: nothing issued is lost or doubled, nothing published is half there."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.issue.workers import usable_cores
from tests.faults.fleets import Fleet
from tests.faults.ledger import Ledger
from tests.faults.running import COMMAND, LONGEST, started

if TYPE_CHECKING:
    from tests.preloaded import AnyProcess

SERVERS = 2
VICTIM = ("-m", "tests.faults.victim")


class Campaign:
    """Edits, builds and kills in an order that a seed decides."""

    def __init__(self, base: Path, seed: int, clients: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self.base = base
        self.clients = clients
        self.kills = 0
        self.amid_publishing = 0
        self.amid_issuing = 0
        self._sites = 0
        self._patience = 0.8
        self._fresh()

    def _fresh(self) -> None:
        self._sites += 1
        folder = self.base / f"site{self._sites}"
        folder.mkdir()
        self.ledger = Ledger(folder)
        self.fleet = Fleet.of(self.clients, SERVERS)
        self.fleet.write(folder)
        self.work = self.clients + SERVERS

    def _edit(self) -> None:
        """Let some hosts have other names, go, or come: what is left for the next build to do varies."""
        names = sorted(self.fleet.aliases)
        some = self.random.sample(names, min(len(names), self.random.randint(5, 120)))
        match self.random.randrange(4):
            case 0:
                self.fleet.rename(some)
            case 1:
                self.fleet.remove(some[:40])
            case 2:
                self.fleet.remove(some[:10])
                self.fleet.rename(some[10:])
            case 3:
                self.fleet.add(len(some) // 2)
        self.fleet.write(self.ledger.folder)
        self.work = len(some)

    def run(self, kills: int) -> None:
        """Go on until so many builds have been killed."""
        while self.kills < kills:
            wanted = min(self.random.choice((1, 1, 2, 3)), kills - self.kills)
            for _ in range(8):
                before = self.kills
                self._strike()
                self.ledger.judge_all()
                wanted -= self.kills - before
                if not wanted or self.kills == before:
                    break
            self.ledger.finish(self.fleet)
            if self.random.random() < 0.15:
                self._fresh()
            else:
                self._edit()

    def _strike(self) -> None:
        strikes = (self._at_event, self._at_event, self._amid_the_work, self._amid_the_work, self._anywhen)
        died = self.random.choice(strikes)()
        if not died:
            return
        self.kills += 1
        folder = self.ledger.folder
        self.amid_publishing += (folder / ".dist.staging").exists()
        self.amid_issuing += (folder / "pki.db-journal").exists()

    def _at_event(self) -> bool:
        """At the n-th time that it touches the site: this finds every gap between two steps."""
        number = str(self.random.randint(1, 40 + 9 * self.work))
        with started(self.ledger.folder, *VICTIM, "die", number, "pki.toml") as process:
            return _end(process)

    def _amid_the_work(self) -> bool:
        """At any moment from its opening the store, such as in the middle of SQLite's work."""
        with started(self.ledger.folder, *VICTIM, "tell", "pki.toml") as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(self.random.uniform(0, self._patience))
            process.kill()
            died = _end(process)
        self._patience *= 1.1 if died else 0.7  # as quick as this machine is now
        return died

    def _anywhen(self) -> bool:
        """At any moment since its start."""
        with started(self.ledger.folder, *COMMAND, "build") as process:
            time.sleep(self.random.uniform(0, 2 * self._patience))
            process.kill()
            return _end(process)


def _end(process: AnyProcess) -> bool:
    """Wait for a build; whether it was killed. Otherwise it must have gone through."""
    _, err = process.communicate(timeout=LONGEST)
    assert process.returncode in {0, -signal.SIGKILL}, err.decode()
    return bool(process.returncode)


@pytest.mark.parametrize("seed", [1])
def test_a_build_killed_at_random_moments_loses_nothing(tmp_path: Path, seed: int) -> None:
    Campaign(tmp_path, seed, clients=30).run(kills=5)


@pytest.mark.parametrize("folders", [1, 150, 330])
def test_a_build_killed_while_its_workers_publish_loses_nothing(ledger: Ledger, folders: int) -> None:
    fleet = Fleet.of(clients=398, servers=SERVERS)
    fleet.write(ledger.folder)
    with started(ledger.folder, *COMMAND, "build") as process:
        _wait_for_folders(ledger.folder, folders)
        process.kill()
        _end(process)
    ledger.judge_all()
    ledger.finish(fleet)


@pytest.mark.skipif(usable_cores() < 2, reason="there are workers where there is more than one core")
def test_a_build_goes_through_though_a_worker_is_killed(ledger: Ledger) -> None:
    fleet = Fleet.of(clients=398, servers=SERVERS)
    fleet.write(ledger.folder)
    with started(ledger.folder, *COMMAND, "build") as process:
        _wait_for_folders(ledger.folder, 1)
        workers = _children(process.pid)
        for worker in workers[:1]:
            os.kill(worker, signal.SIGKILL)
        _, err = process.communicate(timeout=LONGEST)
    assert workers, "nobody was there to kill"
    assert (process.returncode, err) == (0, b"")
    ledger.judge_all()
    ledger.finish(fleet)


def _wait_for_folders(folder: Path, count: int) -> None:
    """Wait until so many hosts' folders have been published."""
    hosts = folder / "dist/hosts"
    deadline = time.monotonic() + LONGEST
    while not hosts.is_dir() or len(list(hosts.iterdir())) < count:
        assert time.monotonic() < deadline, "nothing is published"
        time.sleep(0.001)


def _children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_build_killed_at_a_hundred_random_moments_loses_nothing(tmp_path: Path, seed: int) -> None:
    campaign = Campaign(tmp_path, seed, clients=198)
    campaign.run(kills=10)
    assert campaign.amid_publishing, "no kill came amid the publishing"
