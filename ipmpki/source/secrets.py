"""Keeping passphrases that were written into the file out of everything that is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipmpki.diagnostics.problem import DocumentPath, Place

_SECRET = re.compile(
    r"""(?P<key>\b(?:pass_?phrase|pass_?word|secret|pin-value)["']?[ \t]*[=:]?)(?P<value>.*)""", re.IGNORECASE
)
_REFERENCE = re.compile(
    r"""\b(?:env["']?[ \t]*=[ \t]*(?:"[A-Za-z_][A-Za-z0-9_]*"|'[A-Za-z_][A-Za-z0-9_]*')"""
    r"""|file["']?[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'))"""
)
_WHERE = re.compile(r"""\b(?:env|file)["']?[ \t]*=""")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USUAL_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


AUTHORITIES = ("ca", "client_ca")
"""The tables that declare an authority, and may say where the passphrase of its key is."""


def is_variable_name(text: str) -> bool:
    """Whether a shell could set an environment variable of this name (POSIX.1-2017, XBD section 8.1)."""
    return _VARIABLE.fullmatch(text) is not None


def is_usual_variable_name(text: str) -> bool:
    """Whether it is written as names of variables are, in capitals, and so no passphrase by mistake."""
    return _USUAL_VARIABLE.fullmatch(text) is not None


def is_passphrase(path: DocumentPath) -> bool:
    """Whether a path is that of a table about a passphrase."""
    return len(path) == 2 and path[0] in AUTHORITIES and path[1] == "passphrase"  # noqa: PLR2004 -- as said


def may_hold_secret(line: str) -> bool:
    """Whether a source line looks as if a passphrase were written on it."""
    return _SECRET.search(line) is not None


def without_secrets(line: str, place: Place) -> str:
    """A source line fit to be shown: a passphrase that was written into the file is starred out.

    It may stand in a report or a CI log that more people read than the file. ``env`` and ``file`` say
    where a passphrase is, not what it is.
    """
    if is_passphrase(place.path[:2]) and len(place.path) > 2:  # noqa: PLR2004 -- a key of that table
        key, equals, value = line.partition("=")
        if key.strip() != "file" and "passphrase" not in key:
            return key + equals + _star(value) if _REFERENCE.match(line.lstrip()) is None else line
    match = _SECRET.search(line)
    return line[: match.start("value")] + _star(match["value"]) if match else line


def _star(value: str) -> str:
    kept = [match.span() for shape in (_REFERENCE, _WHERE) for match in shape.finditer(value)]
    return "".join(
        character if character in " \t{},=#" or any(start <= index < end for start, end in kept) else "*"
        for index, character in enumerate(value)
    )
