"""A mistake put into any function of install.ps1 is noticed by its tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from ipmpki.render.host_folder.script_parts import PARTS
from tests.render.host_folder.mutants import Mutant, all_mutants, is_unnoticed, mutants_of, survives

# Some change nothing that anybody could see: a second look, a wait, what another check finds as well.
HARMLESS = 0.15


@pytest.mark.nightly
@pytest.mark.parametrize("part", PARTS)
def test_hardly_a_mistake_put_into_a_function_of_install_ps1_goes_unnoticed(part: str) -> None:
    mutants = [mutant for mutant in all_mutants(seed=1, each=1) if mutant.part == part]
    assert mutants
    with FileLock(Path(tempfile.gettempdir()) / "ipmpki-mutants.lock"):  # there is one Windows for all
        unnoticed = [mutant for mutant in mutants if is_unnoticed(mutant, wine=True)]
    assert len(unnoticed) <= max(1, HARMLESS * len(mutants)), "\n".join(map(str, unnoticed))


def test_mistakes_are_those_of_a_hurried_hand() -> None:
    made = set(mutants_of("  if ($a -eq 1 -and -not $b) { Stop-Install 1 'x' }   # why"))
    assert made == {
        "  if ($a -ne 1 -and -not $b) { Stop-Install 1 'x' }",
        "  if ($a -eq 1 -or -not $b) { Stop-Install 1 'x' }",
        "  if ($a -eq 1 -and $b) { Stop-Install 1 'x' }",
        "  if ($a -eq 1 -and -not $b) { Stop-Install 5 'x' }",
        "",
    }


@pytest.mark.exhaustive
def test_a_mistake_is_noticed_and_its_absence_too() -> None:
    mutant = next(one for one in all_mutants(seed=1, each=50, only="^Test-SameHost$") if "-eq" in one.before)
    tests = [str(Path(__file__).with_name("test_install_ps1_functions.py"))]
    assert not survives(mutant, tests, "not nightly")
    harmless = Mutant(
        mutant.part, mutant.function, mutant.line, mutant.before, mutant.before + "   # as it was"
    )
    assert survives(harmless, tests, "not nightly")
