"""``import ipmpki`` is a typed library with four verbs, and costs nothing until one is used."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ipmpki
from ipmpki.diagnostics.fault import UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def test_the_four_verbs_build_a_shop(shop: Shop) -> None:
    project = ipmpki.load(shop.declaration)
    assert ipmpki.check(project) == project.problems == ()
    planned = ipmpki.plan(project)
    assert ipmpki.build(project).plan.changes == planned.changes
    assert ipmpki.plan(ipmpki.load(shop.declaration)).changes == ()


def test_the_verbs_are_functions_whatever_was_imported_before() -> None:
    script = (
        "import ipmpki, ipmpki.operations.plan, ipmpki.plans.make, ipmpki.cli.main\n"
        "print(all(map(callable, (ipmpki.load, ipmpki.check, ipmpki.plan, ipmpki.build))))"
    )
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert completed.stdout == "True\n"


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = {"click", "pydantic", "cryptography", "jinja2", "rich"}
    script = f"import sys, ipmpki; print(sorted({heavy} & set(sys.modules)))"
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert completed.stdout == "[]\n"


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compile'"):
        ipmpki.compile  # noqa: B018 -- the access is what is tested


def test_a_refused_build_carries_the_project_with_its_problems(shop: Shop) -> None:
    shop.edit("10.1.2.3", "10.1.2.300")
    with pytest.raises(ipmpki.Refused) as refused:
        ipmpki.build(ipmpki.load(shop.declaration))
    assert [one.problem.rule for one in refused.value.project.problems] == ["ip-invalid"]


def test_a_declaration_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read") as fault:
        ipmpki.load(tmp_path / "pki.toml")
    assert fault.value.remedy
