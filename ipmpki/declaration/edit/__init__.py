"""The editor of pki.toml: hosts are added, removed and changed in its text, all else stays as it is."""

from __future__ import annotations

from ipmpki.declaration.edit.host_text import Change, Extend, Put, Reduce, Unset
from ipmpki.declaration.edit.hosts import (
    add_host,
    already_declared,
    declares,
    names_in,
    not_declared,
    remove_host,
    set_host,
)

__all__ = [
    "Change",
    "Extend",
    "Put",
    "Reduce",
    "Unset",
    "add_host",
    "already_declared",
    "declares",
    "names_in",
    "not_declared",
    "remove_host",
    "set_host",
]
