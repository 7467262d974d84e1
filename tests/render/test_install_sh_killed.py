"""install.sh, killed at any instant: the host has the old set or the new."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.render.bundles import bundle_of, write_folder
from tests.render.installation import CLIENT, SERVER, public_sight
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import Prepare
    from tests.render.installation import Installation

CHANGING = ("chmod", "cp", "date", "mkdir", "mv", "rm", "rmdir")
"""The programs with which install.sh changes anything."""

# Counts itself, and kills the whole run with SIGKILL before it does its work, when its turn has come. It is
# written without any program but the shell, so as not to count itself.
SHIM = """#!{dash}
read -r n <"$COUNTER"; n=$((n + 1)); echo $n >"$COUNTER"
[ $n -ne "$KILL_AT" ] || kill -9 0
exec {real} "$@"
"""


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    folder = tmp_path / "shims"
    folder.mkdir()
    for tool in CHANGING:
        path = folder / tool
        path.write_text(SHIM.format(dash=require("dash"), real=require(tool)))
        path.chmod(0o755)
    return folder


def run_until(installation: Installation, shims: Path, at: int, *options: str) -> int:
    """Run install.sh in a process group of its own, killed at its ``at``-th program; return how many ran."""
    counter = shims / "counter"
    counter.write_text("0\n")
    script = str(installation.folder / "install.sh")
    done = subprocess.run(
        [require("dash"), script, "--root", str(installation.root), *options],
        env={
            **os.environ,
            "PATH": f"{shims}:{os.environ['PATH']}",
            "COUNTER": str(counter),
            "KILL_AT": str(at),
            "TMPDIR": str(shims),
        },
        capture_output=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == (-9 if at else 0), done.stdout + done.stderr
    return int(counter.read_text())


def files(seen: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: marks for name, marks in seen.items() if str(marks[0]).startswith("0o100")}


def half(seen: dict[str, tuple[object, ...]], folder: str) -> dict[str, tuple[object, ...]]:
    return {name: marks for name, marks in seen.items() if name.startswith(f"{folder}/")}


# What runs next, and whether it then has the set that the killed run was to bring, or the one before.
NEXT = {
    (): ((), "new"),
    ("--rollback",): ((), "old"),
    ("--uninstall",): (("--uninstall",), "new"),
}


STRIDE = 5
PARTS = range(STRIDE) if os.environ.get("CI") else (2,)
"""On a laptop every fifth instant, in CI all of them."""


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("options", NEXT, ids=lambda options: " ".join(options) or "install")
def test_killed_at_any_program_the_host_has_the_old_set_or_the_new(
    prepare: Prepare, shims: Path, options: tuple[str, ...], part: int
) -> None:
    installation = prepare(bundle_of(label="first"))
    root, start = installation.root, installation.root.parent / "start"
    installation.run()
    if options != ("--uninstall",):
        write_folder(bundle_of(label="second"), installation.folder)
    if options == ("--rollback",):
        installation.run()
    shutil.copytree(root, start)
    old = public_sight(root)
    programs = run_until(installation, shims, 0, *options)
    new = public_sight(root)
    assert new != old

    next_options, outcome = NEXT[options]
    words = set()
    for at in range(1 + part, programs + 1, STRIDE):
        shutil.rmtree(root)
        shutil.copytree(start, root)
        run_until(installation, shims, at, *options)
        killed = public_sight(root)
        for folder in (SERVER, CLIENT):
            assert half(killed, folder) in (half(old, folder), half(new, folder)), f"killed at {at}"
        said = installation.run(*next_options)
        words |= {word for word in ("completing it", "thrown away") if word in said}
        # An empty folder may outlive a run that was killed at its very last step.
        assert files(public_sight(root)) == files({"new": new, "old": old}[outcome]), f"killed at {at}"
        left = {path.name for path in root.rglob("*")}
        assert not left & {"prepare", "commit", "running", ".ipmpki-new"}, f"killed at {at}"
    assert words == {"completing it", "thrown away"}
