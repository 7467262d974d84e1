"""Shops to roll out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.render.ansible.running import Rollout
from tests.shop import HEAD, SERVER, Shop, client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def rollout_of(tmp_path: Path) -> Callable[..., Rollout]:
    """Builds a shop with these further hosts, in these batches."""

    def build(
        *hosts: str, batch: str = "2", server: str = "", folder: Path = tmp_path, **variables: str
    ) -> Rollout:
        shop = folder / "shop"
        shop.mkdir(parents=True)
        text = HEAD + f"\n[rollout]\nbatch = {batch}\n" + server + "".join(hosts)
        return Rollout(Shop(shop, text=text), folder, tmp_path / "tmp", variables)

    return build


@pytest.fixture
def desks(rollout_of: Callable[..., Rollout]) -> Rollout:
    """Two clients, in one batch."""
    return rollout_of(client("desk1"), client("desk2"))


@pytest.fixture
def room(rollout_of: Callable[..., Rollout]) -> Rollout:
    """A server and three clients, in batches of two."""
    return rollout_of(client("desk1"), client("desk2"), client("desk3"), server=SERVER)
