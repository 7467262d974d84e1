"""A clock that stands still, so that what a test says of a day holds on every day."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def stop(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Let commands that are run in this process load their declaration, and judge, at this time."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return at.astimezone(tz)

    for verb in ("load", "history", "status"):
        monkeypatch.setattr(f"ipmpki.operations.{verb}.datetime", Stopped)
