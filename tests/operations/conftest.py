"""A site that has been built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.operations.build import build
from ipmpki.operations.load import load
from tests.faults.fleets import Fleet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fleet() -> Fleet:
    """A fleet of clients, which cost no time."""
    return Fleet.of(3, servers=0)


@pytest.fixture
def site(tmp_path: Path, fleet: Fleet) -> Path:
    """The folder of a declaration that was built."""
    folder = tmp_path / "site"
    folder.mkdir()
    fleet.write(folder)
    build(load(folder / "pki.toml"))
    return folder
