"""System tools that tests drive: skipped by name on a laptop, demanded in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def require(tool: str) -> str:
    """Return the path of ``tool``; where it is missing, skip the test, or fail it when ``CI`` is set."""
    path = shutil.which(tool)
    if path is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{tool} is not installed, and CI must have it")
    pytest.skip(f"{tool} is not installed")
