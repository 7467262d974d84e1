"""Thorough and slow tests run only when they are asked for: ``pytest -m exhaustive``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "exhaustive: thorough and slow, run by -m exhaustive")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the exhaustive tests out where no -m chose among the tests."""
    if config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty folder, whose store will be looked at."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Ledger(folder)
