"""No secret is readable by others, not even for an instant, whatever the umask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import preloaded
from tests.faults.fleets import Fleet
from tests.faults.running import LONGEST, ipmpki

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.ledger import Ledger


def test_nothing_is_ever_wider_than_it_may_be(ledger: Ledger) -> None:
    fleet = Fleet.of(5)
    clients = sorted(fleet.aliases)
    changes: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: fleet.rename(clients[:3]),
        lambda: fleet.remove(clients[:2]),
    )
    for change in changes:
        change()
        file = fleet.write(ledger.folder)
        words = ("-m", "tests.faults.victim", "watch", str(file))
        watched = preloaded.run(*words, cwd=ledger.folder, timeout=LONGEST)
        assert watched.returncode == 0, watched.stderr.decode()
        looks, *too_wide = watched.stdout.decode().splitlines()
        assert not too_wide
        times, with_journal = map(int, looks.split())
        assert times > 50, "the watcher saw next to nothing"
        assert with_journal > 3, "the watcher never saw SQLite's journal"
    ledger.judge_complete(fleet)


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_a_umask_makes_no_difference_to_who_can_read_what(ledger: Ledger, umask: int) -> None:
    fleet = Fleet.of(3)
    fleet.write(ledger.folder)
    assert ipmpki(ledger.folder, "build", umask=umask).status == 0
    ledger.judge_complete(fleet)
