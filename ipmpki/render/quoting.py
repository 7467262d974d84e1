"""Quoting for the two script dialects: whatever comes from pki.toml enters a script through here."""

from __future__ import annotations

_NUL = "\0"

# PowerShell takes these for a single quote as well: language specification 2.3.5.2, "single-quote-character".
_POWERSHELL_DOUBLED = {ord(quote): quote * 2 for quote in "'\u2018\u2019\u201a\u201b"}


def quote_sh(text: str) -> str:
    """Return ``text`` as one word of POSIX sh, in single quotes (XCU 2.2.2); newlines stay.

    Raises ValueError for NUL, which no shell can hold.
    """
    _refuse_nul(text)
    return "'" + text.replace("'", "'\\''") + "'"


def quote_powershell(text: str) -> str:
    """Return ``text`` as a verbatim string literal of PowerShell, in single quotes; newlines stay.

    The typographic single quotes end a literal too, so they are doubled like the plain one. Raises
    ValueError for NUL, which no script file can hold.
    """
    _refuse_nul(text)
    return "'" + text.translate(_POWERSHELL_DOUBLED) + "'"


def _refuse_nul(text: str) -> None:
    if _NUL in text:
        message = f"a NUL character cannot be quoted for a script: {text!r}"
        raise ValueError(message)
