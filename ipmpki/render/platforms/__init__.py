"""One file per operating system: folders, owners, script dialect, and how to restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.render.platforms import aix, linux, macos, windows
from ipmpki.render.platforms.definition import Dialect, Platform

if TYPE_CHECKING:
    from ipmpki.declaration.vocabulary import OperatingSystem

__all__ = ["Dialect", "Platform", "platform_of"]

_PLATFORMS: dict[OperatingSystem, Platform] = {
    platform.os: platform for platform in (aix.PLATFORM, linux.PLATFORM, macos.PLATFORM, windows.PLATFORM)
}


def platform_of(os: OperatingSystem) -> Platform:
    """Return the platform of an operating system."""
    return _PLATFORMS[os]
