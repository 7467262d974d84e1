"""install.sh, killed at any instant: the host has the old set or the new, and the next run sees to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import CLIENT, SERVER, SHELLS, public_sight, set_path, sight
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.render.conftest import Prepare
    from tests.render.host_folder.installation import Installation

PROGRAMS = (
    "awk cat chmod chown cmp cp date dd env grep hostname id ln ls mkdir mv openssl rm rmdir sed sha256sum "
    "sort sync tail tr uname wc"
)
"""Every program that install.sh calls on Linux; the sandboxes of other systems show that there is no more."""

# Takes the next free number, without any program but the shell so as not to count itself, and kills the whole
# run with SIGKILL before or after its work, when its turn has come.
SHIM = """#!{dash}
set -C
n=1
until {{ true >"$COUNTED/$n"; }} 2>/dev/null; do n=$((n + 1)); done
[ "$KILL" != "before $n" ] || kill -9 0
[ "$KILL" = "after $n" ] || exec {real} "$@"
{real} "$@"
kill -9 0
"""


@dataclass
class Gallows:
    """Runs install.sh in a process group of its own, which its n-th program takes down with it."""

    installation: Installation
    shims: Path

    def run(self, kill: str, *options: str) -> int:
        """Run until ``kill`` ('before N', 'after N' or 'never'); return how many programs it had called."""
        counted = self.shims / "counted"
        shutil.rmtree(counted, ignore_errors=True)
        counted.mkdir()
        shell, *as_posix = SHELLS[self.installation.shell]
        script = str(self.installation.folder / "install.sh")
        path = f"{self.shims}:{os.environ['PATH']}"
        set_path(self.installation.folder / "install.sh", path)
        done = subprocess.run(
            [require(shell), *as_posix, script, "--root", str(self.installation.root), *options],
            env={
                **os.environ,
                "PATH": path,
                "COUNTED": str(counted),
                "KILL": kill,
                "TMPDIR": str(counted),
            },
            capture_output=True,
            check=False,
            start_new_session=True,
        )
        assert done.returncode == (0 if kill == "never" else -9), done.stdout + done.stderr
        return sum(path.name.isdecimal() for path in counted.iterdir())


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    return make_shims(tmp_path / "shims")


def make_shims(folder: Path) -> Path:
    """A PATH of all programs, which count themselves and kill the run when its turn has come."""
    folder.mkdir()
    for program in PROGRAMS.split():
        path = folder / program
        path.write_text(SHIM.format(dash=require("dash"), real=require(program)))
        path.chmod(0o755)
    return folder


def files(seen: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: marks for name, marks in seen.items() if str(marks[0]).startswith("0o100")}


def half(seen: dict[str, tuple[object, ...]], folder: str) -> dict[str, tuple[object, ...]]:
    return {name: marks for name, marks in seen.items() if name.startswith(f"{folder}/")}


def as_found(root: Path) -> str:
    """All that the next run will find, but for the numbers and times that every run has of its own."""
    seen = sight(root, identity=False)
    return repr({name: marks for name, marks in seen.items() if not name.endswith(("lock", "stamp"))})


# What runs next, and which set the host then has, whether or not the killed run had come to its decision.
NEXT = {
    "install": ((), "new"),
    "--rollback": ((), "old"),
    "--uninstall": (("--uninstall",), "new"),
}
WORDS = {
    "prepare": "An earlier run was interrupted before it changed anything: its preparations are thrown away.",
    "commit": "An earlier run was interrupted when all was prepared: completing it.",
}


def kill_at_every_program(
    installation: Installation, shims: Path, job: str, whens: Iterable[str], stride: int = 1
) -> None:
    options = [] if job == "install" else [job]
    root, start = installation.root, installation.root.parent / "start"
    gallows = Gallows(installation, shims)
    installation.run()
    if job != "--uninstall":
        write_folder(bundle_of(label="second"), installation.folder)
    if job == "--rollback":
        installation.run()
    shutil.copytree(root, start)
    old = public_sight(root)
    programs = gallows.run("never", *options)
    assert programs > 40
    new = public_sight(root)
    assert new != old

    next_options, outcome = NEXT[job]
    recovered: set[str] = set()
    said_of: set[str] = set()
    between: set[str] = set()
    for when in whens:
        for at in range(stride, programs + (when == "before"), stride):
            kill = f"{when} {at}"
            shutil.rmtree(root)
            shutil.copytree(start, root)
            gallows.run(kill, *options)
            found = as_found(root)
            if found in recovered:  # the next run would do what it did from here before
                continue
            recovered.add(found)
            killed = public_sight(root)
            for folder in (SERVER, CLIENT):
                assert half(killed, folder) in (half(old, folder), half(new, folder)), f"killed {kill}"
            if files(killed) not in (files(old), files(new)):
                between.add(found)
            stage = next((name for name in WORDS if (root / CLIENT / ".ipmpki" / name).exists()), None)
            said = installation.run(*next_options)
            if stage:
                assert WORDS[stage] in said, f"killed {kill}"
                said_of.add(stage)
            # An empty folder may outlive a run that was killed at its very last step.
            assert files(public_sight(root)) == files({"new": new, "old": old}[outcome]), f"killed {kill}"
            left = {path.name for path in root.rglob("*")}
            assert not left & {"prepare", "commit", "settled", "lock", ".ipmpki-new"}, f"killed {kill}"
    # One mv serves one folder: between those two, and before the rm behind them, each folder has a whole set.
    assert len(between) <= 3
    assert said_of == set(WORDS)


def test_killed_at_one_program_in_eight_the_host_has_the_old_set_or_the_new(
    prepare: Prepare, shims: Path
) -> None:
    kill_at_every_program(prepare(bundle_of(label="first")), shims, "install", ["after"], stride=8)


@pytest.mark.exhaustive
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("job", NEXT)
def test_killed_at_any_program_the_host_has_the_old_set_or_the_new(
    prepare: Prepare, shims: Path, job: str, when: str
) -> None:
    kill_at_every_program(prepare(bundle_of(label="first")), shims, job, [when])


@pytest.mark.nightly
@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "dash"])
def test_killed_at_any_program_under_any_shell_the_host_has_the_old_set_or_the_new(
    prepare: Prepare, shims: Path, shell: str
) -> None:
    kill_at_every_program(prepare(bundle_of(label="first"), shell), shims, "install", ["after"])
