"""A site of a test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty folder, whose store will be looked at."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Ledger(folder)
