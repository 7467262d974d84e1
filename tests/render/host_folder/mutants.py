"""Mistakes put into the parts of install.ps1, and a run of the tests against each: one that no test notices
could be made by anybody, too.

``python -m tests.render.host_folder.mutants`` makes one for every function and says which survive; ``--seed``
chooses others, ``--each`` how many for a function, ``--only`` which functions. Those that the tests by
PowerShell for Linux do not notice are shown to the tests under wine, if ``--wine`` says so. As a plugin of
pytest this module lets the tests of that process read their parts from the folder ``IPMPKI_PARTS``.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.render import TEMPLATES
from ipmpki.render.host_folder import script_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TESTS = [
    str(HERE / name)
    for name in (
        "test_install_ps1.py",
        "test_install_ps1_settings.py",
        "test_install_ps1_new_key.py",
        "test_install_ps1_killed.py",
        "test_install_ps1_words.py",
        "test_install_ps1_functions.py",
    )
]
UNDER_WINE = [
    str(path) for path in (HERE / "test_install_ps1_rights.py", HERE / "test_install_ps1_windows.py")
]

DEFAULT = "not exhaustive and not nightly"
RUN = ["timeout", "300", sys.executable, "-m", "pytest", "-q", "-n", "0"]

# What a hurried hand exchanges. Each pair is tried in both directions.
_EXCHANGES = [
    ("-eq", "-ne"),
    ("-and", "-or"),
    ("-gt", "-le"),
    ("-lt", "-ge"),
    ("-contains", "-notcontains"),
    ("-match", "-notmatch"),
    ("$true", "$false"),
    ("$PrivateFile", "$PublicFile"),
    ("$PrivateFolder", "$PublicFolder"),
    ("$TakesFolder", "$WritesFolder"),
    ("'yes'", "'no'"),
    ("'had'", "'lacked'"),
]
_OMISSIONS = ["-not ", "script:"]


class Mutant(NamedTuple):
    """``line`` (from 1) of a part reads ``after`` in the place of ``before``."""

    part: str
    function: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        place = f"{self.part}:{self.line} {self.function}"
        return f"{place}: {self.before.strip()}  ->  {self.after.strip() or '(nothing)'}"


def functions_of(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name, first and last line (from 0, the last exclusive) of each function of a part."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if found := re.match(r"function ([A-Z]\w+-\w+)", line):
            name, start = found[1], number
        if start is not None and (line == "}" or (start == number and line.endswith("}"))):
            yield name, start, number + 1
            start = None


_STATEMENT = re.compile(r"if |try |[A-Z]\w+-\w+ |throw|return$|\$script:|\$\w+\.|\[void\]|\[IO")


def mutants_of(line: str) -> Iterator[str]:
    """Yield what a mistake may make of a line of code: an exchange, an omission, or nothing in its place.

    A variable that is never set is found at once (Set-StrictMode), so that is not tried.
    """
    code = re.sub(r"\s*(?<![#'\[;])#(?! SIG)(?=[ %])[^'\"]*$", "", line)
    for one, other in _EXCHANGES:
        for old, new in ((one, other), (other, one)):
            for found in re.finditer(rf"(?<![\w$]){re.escape(old)}(?!\w)", code):
                yield code[: found.start()] + new + code[found.end() :]
    for old in _OMISSIONS:
        for found in re.finditer(re.escape(old), code):
            yield code[: found.start()] + code[found.end() :]
    if status := re.search(r"Stop-Install ([1345])", code):
        yield code.replace(status[0], f"Stop-Install {5 if status[1] == '1' else 1}")
    statement = code.strip()
    is_whole = all(statement.count(left) == statement.count(right) for left, right in ("()", "{}", "[]"))
    goes_on = re.search(r"(?:[+,|(]|-and|-or)$", statement)
    if is_whole and not goes_on and _STATEMENT.match(statement):
        yield ""


def all_mutants(seed: int, each: int, only: str = "") -> list[Mutant]:
    """Return ``each`` mutants for every function of every part whose name matches ``only``."""
    chosen = []
    chance = random.Random(seed)  # noqa: S311 -- no secret
    for path in sorted((TEMPLATES / "install_ps1").glob("*.ps1")):
        text = path.read_text("ascii")
        lines = text.split("\n")
        for name, start, end in functions_of(text):
            if not re.search(only, name):
                continue
            body = range(start, end) if end == start + 1 else range(start + 1, end - 1)
            made = [
                Mutant(path.stem, name, number + 1, lines[number], after)
                for number in body
                if not lines[number].lstrip().startswith("#")
                for after in mutants_of(lines[number])
            ]
            chosen += chance.sample(made, min(each, len(made)))
    return chosen


def passes(parts: Path, work: Path, tests: list[str], mark: str) -> bool:
    """Return whether tests pass with the parts of a folder; one that lacks a program fails."""
    command = [*RUN, "-x", "-m", mark, "-p", "tests.render.host_folder.mutants", "-p", "no:cacheprovider"]
    environment = {**os.environ, "IPMPKI_PARTS": str(parts), "CI": "true"}
    done = subprocess.run(
        [*command, "--basetemp", str(work), *tests],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # 124 is of timeout(1): one that never ends is noticed, too.
    assert done.returncode in {0, 1, 124}, done.stdout + done.stderr
    return done.returncode == 0


def survives(mutant: Mutant, tests: list[str], mark: str) -> bool:
    """Return whether none of the tests fails with a mutant."""
    with tempfile.TemporaryDirectory() as place:
        parts = Path(place) / "templates"
        shutil.copytree(TEMPLATES, parts)
        path = parts / "install_ps1" / f"{mutant.part}.ps1"
        lines = path.read_text("ascii").split("\n")
        assert lines[mutant.line - 1] == mutant.before
        lines[mutant.line - 1] = mutant.after
        path.write_text("\n".join(lines), "ascii")
        return passes(parts, Path(place) / "work", tests, mark)


def is_unnoticed(mutant: Mutant, *, wine: bool) -> bool:
    """Return whether no default test notices a mutant, nor, with ``wine``, one that runs under wine."""
    if not survives(mutant, TESTS, DEFAULT):
        return False
    return not wine or survives(mutant, UNDER_WINE, "not nightly")


def pytest_configure() -> None:
    """Of pytest: let this process render the parts that ``IPMPKI_PARTS`` names."""
    vars(script_parts)["TEMPLATES"] = Path(os.environ["IPMPKI_PARTS"])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--each", type=int, default=1)
    options.add_argument("--only", default="")
    options.add_argument("--wine", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        assert passes(TEMPLATES, Path(place) / "work", TESTS, DEFAULT), "without a mistake the tests fail"
    mutants = all_mutants(chosen.seed, chosen.each, chosen.only)
    survivors = 0
    for mutant in mutants:
        alive = is_unnoticed(mutant, wine=chosen.wine)
        survivors += alive
        sys.stdout.write(f"{'SURVIVES' if alive else 'killed  '} {mutant}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(mutants) - survivors} of {len(mutants)} mistakes were noticed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
