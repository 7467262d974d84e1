"""The new files come to be both or not at all, and nothing that exists is overwritten."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests import preloaded
from tests.cli.command import ipmpki

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operations.adopt.conftest import Heir


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"pki.db.lock"}


@pytest.mark.parametrize("name", ["pki.toml", "pki.db"])
def test_nothing_that_exists_is_overwritten(shop_heir: Heir, name: str) -> None:
    (shop_heir.folder / name).write_text("mine")
    refused = shop_heir.adopt()
    assert refused.status == 2
    assert "exists already" in refused.err
    assert (shop_heir.folder / name).read_text() == "mine"
    assert names_in(shop_heir.folder) == {name}


def test_a_dry_run_writes_nothing_and_says_the_same(shop_heir: Heir) -> None:
    dry = shop_heir.adopt("--dry-run")
    assert dry.status == 0
    assert list(shop_heir.folder.iterdir()) == []
    real = shop_heir.adopt()
    same = dry.out.partition("\n")[2].partition("nothing was written")[0]
    assert same in real.out


def test_the_old_folder_cannot_be_the_new_one(shop_heir: Heir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop_heir.old.folder)
    before = shop_heir.old.state()
    refused = ipmpki("adopt", ".")
    assert refused.status == 2
    assert "where nothing is to be touched" in refused.err
    assert shop_heir.old.state() == before


def test_a_folder_that_is_not_there_is_said_to_be_so(shop_heir: Heir) -> None:
    shop_heir.folder /= "nowhere"
    refused = shop_heir.adopt()
    assert refused.status == 4
    assert "there is no folder" in refused.err


KILLER = """
import os, signal, sys
from ipmpki.cli.main import run
left = int(sys.argv.pop(1))
def mortal(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for name in ("open", "mkdir", "rename", "link", "unlink", "fsync", "replace", "rmdir"):
    setattr(os, name, mortal(getattr(os, name)))
run(sys.argv[1:])
"""


def kill_after(heir: Heir, steps: int) -> bool:
    """Adopt, and be killed before the step with this number; whether it came to that."""
    words = ("-c", KILLER, str(steps), "adopt", str(heir.old.folder), "--into", str(heir.declaration))
    ended = preloaded.run(*words, cwd=heir.folder)
    assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
    return ended.returncode != 0


def test_killed_at_any_step_the_next_run_completes_it(shop_heir: Heir) -> None:
    steps = 0
    outcomes = set()
    while kill_after(shop_heir, steps):
        there = (shop_heir.store.exists(), shop_heir.declaration.exists())
        outcomes.add(there)
        assert there != (False, True), "a declaration without its store would make a new authority"
        again = shop_heir.adopt()
        if there == (True, True):
            assert (again.status, "exists already" in again.err) == (2, True)
        else:
            assert again.status == 0, again.err
        assert names_in(shop_heir.folder) == {"pki.toml", "pki.db"}
        assert shop_heir.changes() == {}
        shutil.rmtree(shop_heir.folder)
        shop_heir.folder.mkdir()
        steps += 1
    assert {(False, False), (True, False), (True, True)} <= outcomes
    assert names_in(shop_heir.folder) == {"pki.toml", "pki.db"}


def test_a_full_disk_leaves_nothing(shop_heir: Heir, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    refused = shop_heir.adopt()
    assert refused.status == 4
    assert "No space left" in refused.err
    assert names_in(shop_heir.folder) == set()


def test_a_store_that_is_held_is_not_replaced(shop_heir: Heir) -> None:
    with FileLock(f"{shop_heir.store}.lock"):
        refused = shop_heir.adopt()
    assert refused.status == 4
    assert "is held by" in refused.err
    assert not shop_heir.declaration.exists()
