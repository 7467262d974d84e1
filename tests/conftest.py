"""Fixtures that all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that has built nothing yet."""
    return Shop(tmp_path)


@pytest.fixture
def built_shop(shop: Shop) -> Shop:
    """A shop after its first build."""
    shop.build()
    return shop
