"""What a platform is: the facts of one operating system that the scripts and the README stand on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ipmpki.render.prose import Code, Sentence

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
    administrator; nothing runs them. ``install_command`` is what to run in a host's folder, in a few words,
    and ``how_to_install`` the same as a sentence.
    """

    os: OperatingSystem
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
    install_command: str = "sudo sh install.sh"
    how_to_install: Sentence = ("There, run ", Code("sudo sh install.sh"), ".")

    @property
    def title(self) -> str:
        """What its maker calls the system."""
        return self.os.label
