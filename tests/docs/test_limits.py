"""The limits that docs/security.md tells are those that hold."""

from __future__ import annotations

import importlib

from tests.docs.pages import tables

UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2}


def test_every_limit_is_as_it_is_told() -> None:
    (told,) = (table for table in tables("docs/security.md") if table[0][:1] == ["limit"])
    assert len(told) > 15
    for what, most, where in told[1:]:
        number, _, unit = most.partition(" ")
        module, _, name = where.strip("`").rpartition(".")
        assert getattr(importlib.import_module(module), name) == int(number) * UNITS[unit], what
