"""What a platform is: the facts of one operating system that the scripts and the README stand on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipmpki.declaration.vocabulary import OperatingSystem


class Dialect(StrEnum):
    """The language of a platform's install script."""

    SH = "sh"
    POWERSHELL = "powershell"


@dataclass(frozen=True, slots=True)
class Platform:
    """One operating system. Folders and samples are written as that system writes them.

    ``server_folder`` and ``server_sample`` are None where InfoPrint Manager has no server. A sample is the
    shipped ``ipmssl.cfg`` itself, not its folder. ``user_folder`` is the client's for one user, which the
    administrator's, ``client_folder``, overrides. ``digest_tools`` are the programs that may compute a
    SHA-256 there, the surest first. ``server_restart`` and ``client_restart`` are instructions for an
    administrator; nothing runs them.
    """

    os: OperatingSystem
    title: str
    dialect: Dialect
    separator: str
    server_folder: str | None
    server_sample: str | None
    client_folder: str
    client_sample: str
    user_folder: str
    superuser: str
    digest_tools: tuple[str, ...]
    server_restart: str
    client_restart: str
