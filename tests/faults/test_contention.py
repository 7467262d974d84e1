"""Two builds at once: the second says who holds the store, and leaves everything as it is."""

from __future__ import annotations

import getpass
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.running import COMMAND, LONGEST, ipmpki, start

if TYPE_CHECKING:
    from tests.faults.ledger import Ledger

HOLDER = (sys.executable, "-m", "tests.faults.victim", "hold", "pki.toml")


def test_the_second_build_says_who_holds_the_store(ledger: Ledger) -> None:
    fleet = Fleet.of(6)
    fleet.write(ledger.folder)
    first = start(ledger.folder, *HOLDER)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        before = sight(ledger.folder)
        second = ipmpki(ledger.folder, "build")
        second.failed(
            "pki.db is held by", f"process {first.pid}", getpass.getuser(), f"{datetime.now(UTC):%Y-%m-%d}"
        )
        assert sight(ledger.folder) == before
        planned = ipmpki(ledger.folder, "plan", "--exit-code")
        assert planned.status == 3, planned
        assert ipmpki(ledger.folder, "check").status == 0
        assert sight(ledger.folder) == before
        _, err = first.communicate(b"go on\n", timeout=LONGEST)
        assert first.returncode == 0, err.decode()
    finally:
        first.kill()
        first.wait()
    ledger.judge_complete(fleet)


def test_a_killed_holder_holds_nothing(ledger: Ledger) -> None:
    fleet = Fleet.of(6)
    fleet.write(ledger.folder)
    first = start(ledger.folder, *HOLDER)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
    finally:
        first.kill()
        first.communicate(timeout=LONGEST)
    assert first.returncode == -signal.SIGKILL
    assert ipmpki(ledger.folder, "build").status == 0
    ledger.judge_complete(fleet)


def test_of_builds_started_together_each_builds_or_says_who_does(ledger: Ledger) -> None:
    fleet = Fleet.of(30)
    fleet.write(ledger.folder)
    builds = [start(ledger.folder, *COMMAND, "build") for _ in range(4)]
    ends = []
    for one in builds:
        _, err = one.communicate(timeout=LONGEST)
        ends.append(one.returncode)
        assert one.returncode == 0 or b"pki.db is held by" in err, err.decode()
    assert set(ends) <= {0, 4}
    assert 0 in ends
    ledger.judge_complete(fleet)
