"""What nobody sees in a declaration is told before anything is issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.shop import HEAD, SERVER, Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "line",
    [
        'keywords = { mutual_auth = "MUT=a\u200bb" }',
        'server_account = "ipm\u202e1"',
        'restart_command = "systemctl restart \u2066ipm"',
    ],
)
def test_a_character_that_nobody_sees_is_an_error(tmp_path: Path, line: str) -> None:
    shop = Shop(tmp_path, text=f"{HEAD}[ipm]\n{line}\n{SERVER}")
    told = [one.problem.message for one in shop.load().problems if one.problem.rule == "wrong-value"]
    assert len(told) == 1
    assert "what nobody sees" in told[0]
