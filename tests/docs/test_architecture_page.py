"""docs/architecture.md is true of the code."""

from __future__ import annotations

import ast
import re

from tests.docs.pages import ROOT, tables

PURPOSES, IMPORTS, CHANGES = tables("docs/architecture.md")
ALLOWED = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in IMPORTS[1:]}
PACKAGES = {path.parent.name for path in (ROOT / "ipmpki").glob("*/__init__.py")}


def test_every_package_has_its_place_on_the_page() -> None:
    assert {row[0].strip("`") for row in PURPOSES[1:]} == PACKAGES == ALLOWED.keys()
    assert IMPORTS[-1] == ["`cli`", "all of these"]


def imported(package: str) -> set[tuple[str, str]]:
    """Which other packages a package imports, for typing too, and by which file."""
    found = set()
    for path in (ROOT / "ipmpki" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{one.name}" for one in node.names]
            else:
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            parts = [name.split(".") for name in names if name.startswith("ipmpki.")]
            found |= {(part[1], str(path.relative_to(ROOT))) for part in parts if part[1] in PACKAGES}
    return found


def test_no_package_imports_what_the_page_does_not_allow() -> None:
    for package in PACKAGES - {"cli"}:
        for other, file in imported(package):
            assert other in ALLOWED[package] | {package}, f"{file} imports {other}"


def test_the_table_has_no_circle() -> None:
    above: set[str] = set()
    for package, allowed in ALLOWED.items():
        assert allowed <= above, package
        above.add(package)


def test_the_twelve_commonest_changes_name_their_files() -> None:
    assert len(CHANGES[1:]) == 12
    for change, place in CHANGES[1:]:
        assert re.search(r"`ipmpki/[\w/.]+`", place), change
