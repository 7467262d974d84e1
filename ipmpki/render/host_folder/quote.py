"""Quoting for scripts and YAML: whatever comes from pki.toml enters one of them through here."""

from __future__ import annotations

import re

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


def quote_yaml(text: str) -> str:
    """Return ``text`` as a scalar of YAML in double quotes, on one line and in ASCII (YAML 1.2.2, 7.3.1).

    What Ansible would take for a template gets its tag ``!unsafe``, so that it stays what it is. Raises
    ValueError for NUL, which no name, path or argument on a host can hold.
    """
    _refuse_nul(text)
    tag = "!unsafe " if _TEMPLATE.search(text) else ""
    return f'{tag}"{_NOT_PLAIN_IN_YAML.sub(_yaml_escape, text)}"'


_TEMPLATE = re.compile(r"\{[{%#]")
_NOT_PLAIN_IN_YAML = re.compile(r"[^ !#-\[\]-~]")
_ONE_BYTE, _TWO_BYTES = 0xFF, 0xFFFF


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in '"\\':
        return f"\\{match[0]}"
    if code <= _ONE_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _TWO_BYTES else f"\\U{code:08x}"


def _refuse_nul(text: str) -> None:
    if _NUL in text:
        message = f"a NUL character cannot be quoted for a script: {text!r}"
        raise ValueError(message)
