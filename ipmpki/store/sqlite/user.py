"""By whom a ledger's entry was made: for the record, never a ground to refuse anything."""

from __future__ import annotations

import getpass
import os

_LONGEST = 64


def login_name() -> str:
    """The user this process works for, such as ``ann`` or, through sudo, ``ann as root``; never fails.

    The operating system is asked first: LOGNAME and USER are whatever the environment says.
    """
    user = _account()
    caller = _printable(os.environ.get("SUDO_USER", ""))  # sudo(8): who invoked it
    return f"{caller} as {user}" if caller and caller != user else user


def _account() -> str:
    try:
        import pwd
    except ImportError:  # Windows
        return _from_environment() or "unknown"
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):  # no entry in the password file, as in a container
        return f"uid {os.geteuid()}"


def _from_environment() -> str:
    try:
        return _printable(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return ""


def _printable(name: str) -> str:
    return name if name.isprintable() and len(name) <= _LONGEST else ""
