"""Worker processes sign and publish: it comes to what one process would have made, whoever is killed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from ipmpki.issue import certificates, workers
from ipmpki.operations.build import build
from ipmpki.operations.load import load
from ipmpki.operations.plan import plan
from ipmpki.x509 import keys
from tests.faults.fleets import Fleet
from tests.faults.killing import killed_at

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.declaration.key_types import KeyType
    from ipmpki.x509.keys import PrivateKey
    from tests.faults.ledger import Ledger

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="workers are copies of the process on Linux alone"
)


@pytest.fixture(autouse=True)
def two_workers_for_any_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers on any machine, for few hosts too, and beside the threads that a test runner has."""
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)
    monkeypatch.setattr(workers, "_can_copy", lambda: True)
    monkeypatch.setattr(workers, "FEWEST", 2)
    monkeypatch.setattr(workers, "REPORTED_AT_ONCE", 3)
    monkeypatch.setattr(certificates, "FEWEST_FOR_WORKERS", 2)


def test_keys_made_by_two_workers_are_all_different(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate, here = keys.generate, os.getpid()

    def watched(kind: KeyType) -> PrivateKey:
        (tmp_path / f"made-by-{os.getpid()}").touch()
        return generate(kind)

    monkeypatch.setattr(keys, "generate", watched)
    fleet = Fleet.of(clients=60)
    build(load(fleet.write(ledger.folder)))
    makers = {path.name for path in tmp_path.glob("made-by-*")} - {f"made-by-{here}"}
    assert len(makers) == 2, "the authority's key is made here, those of hosts by workers"
    ledger.judge_all()  # each certificate is for the key beside it, and no key is there twice
    ledger.finish(fleet)


def test_a_second_build_finds_nothing_to_do(ledger: Ledger) -> None:
    path = Fleet.of(clients=20).write(ledger.folder)
    assert build(load(path)).plan.changes
    assert plan(load(path)).changes == ()


@pytest.mark.parametrize("touch", [*range(5, 60, 11), 75, 110, 170])
def test_builder_and_workers_killed_at_their_nth_touch_lose_nothing(ledger: Ledger, touch: int) -> None:
    fleet = Fleet.of(clients=24)
    path = fleet.write(ledger.folder)
    killed_at(touch, lambda: build(load(path)))
    ledger.judge_all()
    ledger.finish(fleet)
