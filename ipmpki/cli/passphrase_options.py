"""Where a command gets a passphrase from: never its arguments, which every user of a computer can list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipmpki.cli import console
from ipmpki.diagnostics.fault import WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = 12
"""Fewer characters than this can be guessed by whoever has the file and a few graphics cards."""


def passphrase_options(of: str, prefix: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The two options --[PREFIX-]passphrase-env and -file; ``of`` says in the help whose passphrase it is."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option, metavar, where in (
            ("file", "PATH", "the first line of this file"),
            ("env", "NAME", "this environment variable"),
        ):
            function = click.option(
                f"--{prefix}passphrase-{option}", metavar=metavar, help=f"Take {of} from {where}."
            )(function)
        return function

    return decorate


def given(env: str | None, file: str | None, prefix: str = "") -> bytes | None:
    """The passphrase from where the options say; None where they say nothing."""
    if env is not None and file is not None:
        raise WrongUse(
            "the passphrase is to be read from two places",
            f"say either --{prefix}passphrase-env or --{prefix}passphrase-file",
        )
    if env is None and file is None:
        return None
    from ipmpki.declaration.fleet import PassphraseSource
    from ipmpki.operations.passphrase import passphrase_from

    return passphrase_from(Path(), PassphraseSource(env, file), whose="the passphrase", fault=WrongUse)


def ask(words: str, *, options: str, twice: bool = False) -> bytes:
    """Ask for a passphrase on the terminal. Raises WrongUse, naming the ``options``, where there is none."""
    if not sys.stdin.isatty():
        raise WrongUse("there is no terminal to ask for the passphrase on", f"say where it is: {options}")
    return console.ask(words, twice=twice).encode(errors="surrogateescape")


def warn_if_short(passphrase: bytes) -> None:
    """Tell a person that what they chose protects little."""
    if len(passphrase.decode(errors="replace")) < _SHORT:
        console.say_warning(
            f"the passphrase has fewer than {_SHORT} characters: whoever gets the file can try all such"
        )
