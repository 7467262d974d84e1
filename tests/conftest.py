"""Fixtures that all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.x509 import sealed_file
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt cost nothing in the tests' own process; where this is undone, it is the real one."""
    monkeypatch.setattr(sealed_file, "_COST", {"n": 2, "r": 8, "p": 1})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that has built nothing yet."""
    return Shop(tmp_path)


@pytest.fixture
def built_shop(shop: Shop) -> Shop:
    """A shop after its first build."""
    shop.build()
    return shop
