"""Failures of the work itself, as opposed to problems of the declaration: fault and remedy are two fields."""

from __future__ import annotations


class Fault(Exception):
    """Work that could not be done. ``exit_status`` is what the command line ends with."""

    exit_status = 4

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UnreadableFile(Fault):
    """A file the command was told to read cannot be read."""

    exit_status = 2


class WrongUse(Fault):
    """The command was asked for something that needs another option or another file."""

    exit_status = 2


class WrongDeclaration(Fault):
    """The declaration asks for what its files or the store cannot give."""

    exit_status = 1
