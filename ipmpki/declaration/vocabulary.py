"""The words of the declaration that have a fixed set of values."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Role(StrEnum):
    """What a host is to InfoPrint Manager."""

    SERVER = "server"
    CLIENT = "client"


class OperatingSystem(StrEnum):
    """The systems InfoPrint Manager runs on, as far as a declaration has to know them.

    Their folders, tools and commands are in :mod:`ipmpki.render.platforms`.
    """

    label: str
    """What its maker calls it."""
    runs_servers: bool
    """Whether there is an InfoPrint Manager server for it."""
    other_names: tuple[str, ...]
    """What people call it in place of its name."""

    AIX = "aix", "AIX", True
    LINUX = "linux", "Linux", True, "rhel", "redhat", "suse", "sles", "ubuntu", "debian", "centos"
    WINDOWS = "windows", "Windows", True, "win", "win32", "win64"
    MACOS = "macos", "macOS", False, "osx", "mac", "darwin"

    def __new__(cls, name: str, label: str, runs_servers: bool, *other_names: str) -> Self:
        """A member is its name, with what belongs to it."""
        found = str.__new__(cls, name)
        found._value_ = name
        found.label = label
        found.runs_servers = runs_servers
        found.other_names = other_names
        return found


class Profile(StrEnum):
    """A kind of leaf certificate: its key usage and extended key usage."""

    SERVER = "server"
    SERVER_MUTUAL = "server-mutual"
    CLIENT = "client"


class RevocationReason(StrEnum):
    """Why a host's certificate is revoked: RFC 5280, section 5.3.1.

    Without what is not a host's (cACompromise, aACompromise), what could be undone (certificateHold), and
    what takes an entry back (removeFromCRL).
    """

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation-of-operation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"
