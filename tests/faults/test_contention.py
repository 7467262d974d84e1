"""Two builds at once: the second says who holds the store, and leaves everything as it is."""

from __future__ import annotations

import contextlib
import getpass
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.fleets import Fleet
from tests.faults.ledger import sight
from tests.faults.running import COMMAND, LONGEST, ipmpki, started

if TYPE_CHECKING:
    from tests import preloaded
    from tests.faults.ledger import Ledger

HOLDER = ("-m", "tests.faults.victim", "hold", "pki.toml")


def test_the_second_build_says_who_holds_the_store(ledger: Ledger) -> None:
    fleet = Fleet.of(6)
    fleet.write(ledger.folder)
    with started(ledger.folder, *HOLDER) as first:
        _wait_until_it_holds(first)
        before = sight(ledger.folder)
        second = ipmpki(ledger.folder, "build")
        second.failed(
            "pki.db is held by", f"process {first.pid}", getpass.getuser(), f"{datetime.now(UTC):%Y-%m-%d}"
        )
        assert sight(ledger.folder) == before
        assert ipmpki(ledger.folder, "plan", "--exit-code").status == 3
        assert ipmpki(ledger.folder, "check").status == 0
        assert sight(ledger.folder) == before
        _, err = first.communicate(b"go on\n", timeout=LONGEST)
        assert first.returncode == 0, err.decode()
    ledger.judge_complete(fleet)


def test_a_killed_holder_holds_nothing(ledger: Ledger) -> None:
    fleet = Fleet.of(6)
    fleet.write(ledger.folder)
    with started(ledger.folder, *HOLDER) as first:
        _wait_until_it_holds(first)
    assert first.returncode == -signal.SIGKILL
    assert ipmpki(ledger.folder, "build").status == 0
    ledger.judge_complete(fleet)


def test_of_builds_started_together_each_builds_or_says_who_does(ledger: Ledger) -> None:
    fleet = Fleet.of(30)
    fleet.write(ledger.folder)
    ends = []
    with contextlib.ExitStack() as stack:
        builds = [stack.enter_context(started(ledger.folder, *COMMAND, "build")) for _ in range(3)]
        for one in builds:
            _, err = one.communicate(timeout=LONGEST)
            ends.append(one.returncode)
            assert one.returncode == 0 or b"pki.db is held by" in err, err.decode()
    assert set(ends) <= {0, 4}
    assert 0 in ends
    ledger.judge_complete(fleet)


def _wait_until_it_holds(process: preloaded.AnyProcess) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
