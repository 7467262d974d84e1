"""A declarative config compiler for a print shop's private PKI."""

from __future__ import annotations

from ipmpki.version import __version__

TYPE_CHECKING = False  # typing's own would cost --version a third of its time
if TYPE_CHECKING:
    from typing import Any

    from ipmpki.operations.build import Built, build
    from ipmpki.operations.load import check, load
    from ipmpki.operations.plan import plan
    from ipmpki.operations.project import Project, Refused

__all__ = ["Built", "Project", "Refused", "__version__", "build", "check", "load", "plan"]

_HOMES = {
    "Built": "build",
    "Project": "project",
    "Refused": "project",
    "build": "build",
    "check": "load",
    "load": "load",
    "plan": "plan",
}


def __getattr__(name: str) -> Any:
    """Import the library's verbs when they are asked for, so that ``ipmpki --version`` pays for none."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"ipmpki.operations.{_HOMES[name]}"), name)
    message = f"module 'ipmpki' has no attribute '{name}'"
    raise AttributeError(message)
