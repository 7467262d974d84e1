"""System tools that tests drive: skipped by name on a laptop, demanded in CI."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from types import ModuleType


def require(tool: str) -> str:
    """Return the path of ``tool``; where it is missing, skip the test, or fail it when ``CI`` is set."""
    path = shutil.which(tool)
    if path is None:
        unavailable(tool)
    return path


def require_module(name: str) -> ModuleType:
    """Return a module that only tests use; where it is missing, as ``require`` does."""
    try:
        return importlib.import_module(name)
    except ImportError:
        unavailable(name)


def writes_goldens() -> bool:
    """Whether REGENERATE asks for golden files to be written anew, which CI, where they judge, never does."""
    if not os.environ.get("REGENERATE"):
        return False
    assert not os.environ.get("CI"), "golden files that CI wrote would judge nothing: unset REGENERATE"
    return True


def unavailable(what: str) -> NoReturn:
    """End a test whose means are not here: skip it by name on a laptop, fail it when ``CI`` is set."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here, and CI must have it")
    pytest.skip(f"{what} is not here")
