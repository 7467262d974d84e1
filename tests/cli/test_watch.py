"""``ipmpki check --watch``: as an administrator edits, the problems on the terminal follow."""

from __future__ import annotations

import os
import pty
import queue
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests import preloaded
from tests.cli.command import ipmpki
from tests.problems import AUTHORITY, CLIENT, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = 'include = ["sites/*.toml"]\n' + AUTHORITY + server() + CLIENT
PATIENCE = 30


class Watcher:
    """A running ``ipmpki check --watch``, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.process = preloaded.start("-m", "ipmpki", "check", "--watch", "pki.toml", cwd=folder)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.decode())

    def next(self) -> str:
        """What is said about the next check, up to the line that tells it is watching."""
        said = ""
        while " watching pki.toml" not in said:
            said += self._lines.get(timeout=PATIENCE)
        return said

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing is said for a while."""
        try:
            self._lines.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def interrupt(self) -> int:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/a.toml").write_text('[[hosts]]\nname = "a.example.com"\nrole = "client"\n')
    (tmp_path / "pki.toml").write_text(GOOD)
    return tmp_path


@pytest.fixture
def watcher(folder: Path) -> Iterator[Watcher]:
    running = Watcher(folder)
    yield running
    with running.process:
        running.process.kill()


def test_each_change_is_checked_and_ctrl_c_ends_it_well(folder: Path, watcher: Watcher) -> None:
    said = watcher.next()
    assert "pki.toml: no problems (3 hosts)\n" in said
    assert said.endswith(" watching pki.toml and 1 more file; Ctrl-C ends it\n")

    # An editor writes beside the file and renames.
    (folder / "new").write_text(GOOD.replace('"server"', '"sever"'))
    (folder / "new").replace(folder / "pki.toml")
    assert "error[wrong-value]: 'sever' is not a role" in watcher.next()

    # Another moves the old file away first.
    (folder / "pki.toml").rename(folder / "pki.toml~")
    assert "the declaration 'pki.toml' cannot be read" in watcher.next()
    (folder / "pki.toml").write_text(GOOD)
    assert "no problems (3 hosts)" in watcher.next()

    # An included file changes, and another comes to match.
    (folder / "sites/a.toml").write_text('[[hosts]]\nname = "a"\nrole = "client"\n')
    assert "error[name-not-fully-qualified]" in watcher.next()
    (folder / "sites/a.toml").write_text('[[hosts]]\nname = "a.example.com"\nrole = "client"\n')
    assert "no problems (3 hosts)" in watcher.next()
    (folder / "sites/b.toml").write_text('[[hosts]]\nname = "b.example.com"\nrole = "client"\n')
    said = watcher.next()
    assert "no problems (4 hosts)" in said
    assert "and 2 more files" in said

    assert watcher.is_silent(1)
    assert watcher.interrupt() == 0


def test_a_file_that_the_declaration_names_is_watched_too(folder: Path, watcher: Watcher) -> None:
    watcher.next()
    (folder / "pki.toml").write_text(GOOD + 'csr = "desk1.csr"\n[tls]\nmutual_auth = "required"\n')
    assert "request-awaited" in watcher.next()
    (folder / "desk1.csr").write_text("nonsense")
    assert "request-unreadable" in watcher.next()


def test_many_writes_at_once_are_one_change(folder: Path, watcher: Watcher) -> None:
    watcher.next()
    for number in range(50):
        (folder / f"sites/{number}.toml").write_text(
            f'[[hosts]]\nname = "h{number}.example.com"\nrole = "client"\n'
        )
    assert "no problems (53 hosts)" in watcher.next()


def test_on_a_terminal_the_screen_is_cleared_for_each_check(folder: Path) -> None:
    terminal, inner = pty.openpty()
    words = ("-m", "ipmpki", "check", "--watch", "pki.toml")
    with preloaded.start(*words, cwd=folder, stdin=inner, stdout=inner, stderr=inner) as process:
        os.close(inner)
        try:
            shown = b""
            while b"Ctrl-C ends it" not in shown:
                shown += os.read(terminal, 4096)
            (folder / "pki.toml").write_text(GOOD.replace('"server"', '"sever"'))
            while shown.count(b"Ctrl-C ends it") < 2:
                shown += os.read(terminal, 4096)
            assert shown.count(b"\x1b[2J") == 2
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=PATIENCE) == 0
        finally:
            process.kill()
            os.close(terminal)


@pytest.mark.parametrize("option", [["--fix"], ["--diff"], ["--format", "json"]])
def test_it_goes_with_no_other_output(option: list[str], folder: Path) -> None:
    outcome = ipmpki("check", folder / "pki.toml", "--watch", *option)
    assert outcome.status == 2
    assert "leave out --fix, --diff and --format" in outcome.err
