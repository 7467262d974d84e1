"""A declarative config compiler for a print shop's private PKI."""

from __future__ import annotations

from ipmpki.version import __version__

TYPE_CHECKING = False  # typing's own would cost --version a third of its time
if TYPE_CHECKING:
    from typing import Any

    from ipmpki.operations.project import Built, Project, Refused, build, check, load, plan

__all__ = ["Built", "Project", "Refused", "__version__", "build", "check", "load", "plan"]


def __getattr__(name: str) -> Any:
    """Import the library's verbs when they are asked for, so that ``ipmpki --version`` pays for none."""
    if name in __all__:
        from ipmpki.operations import project

        return getattr(project, name)
    message = f"module 'ipmpki' has no attribute '{name}'"
    raise AttributeError(message)
