"""docs/architecture.md is true of the code."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, tables
from tests.test_architecture import FLOORS

PURPOSES, IMPORTS, CHANGES = tables("docs/architecture.md")
ALLOWED = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in IMPORTS[1:]}
PACKAGES = {path.parent.name for path in (ROOT / "ipmpki").glob("*/__init__.py")}


def test_every_package_has_its_place_on_the_page() -> None:
    assert {row[0].strip("`") for row in PURPOSES[1:]} == PACKAGES == ALLOWED.keys()
    assert IMPORTS[-1] == ["`cli`", "all of these"]


def test_the_table_is_the_one_that_is_held() -> None:
    assert {package: set(below.split()) for package, below in FLOORS.items()} == {
        **ALLOWED,
        "cli": PACKAGES - {"cli"},
    }


def test_the_twelve_commonest_changes_name_their_files() -> None:
    assert len(CHANGES[1:]) == 12
    for change, place in CHANGES[1:]:
        assert re.search(r"`ipmpki/[\w/.]+`", place), change
