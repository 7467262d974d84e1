"""Every command and output of the README is real."""

from __future__ import annotations

import getpass
import io
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from ipmpki.cli.main import run
from tests.operations.adopt.old import print_shop
from tests.places import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ADOPTING = "$ ipmpki adopt"
"""How the transcript begins that needs an old PKI, and openssl to make it."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def settled(text: str) -> str:
    """A transcript without what differs from day to day and from machine to machine."""
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "2026-11-24", text)
    text = re.sub(r"backup-\w+Z", "backup-20261124T120000Z", text)
    text = re.sub(r"this is \S+,", "this is vm,", text)
    text = re.sub(rf"\b{re.escape(getpass.getuser())}(?=[':])", "ann", text)
    text = text.replace(str(Path.cwd()), "/home/ann")
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def output_of(command: list[str]) -> str:
    """What ``ipmpki`` or another program prints, errors and results together."""
    program, *arguments = command
    if program != "ipmpki":
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    captured = io.StringIO()
    with redirect_stdout(captured), redirect_stderr(captured), pytest.raises(SystemExit):
        run(arguments)
    return captured.getvalue()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a fresh clone: the examples, and the file with mistakes that the README shows."""
    shutil.copytree(
        REPOSITORY / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("dist", "pki.db*")
    )
    (tmp_path / "tests/x509/mozilla").mkdir(parents=True)
    shutil.copy(REPOSITORY / "tests/x509/mozilla/excerpt.txt", tmp_path / "tests/x509/mozilla")
    (tmp_path / "mistakes.toml").write_text(blocks("toml")[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(block: str) -> None:
    """Run a transcript, and hold what is printed against it."""
    for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = entry.partition("\n")
        assert settled(output_of(command.split())) == settled(expected), command


def test_the_transcripts_are_what_ipmpki_prints(clone: Path) -> None:
    for block in blocks("console"):
        if not block.startswith(ADOPTING):
            replay(block)
    assert (clone / "pki.toml").is_file()


def test_the_transcript_of_an_adoption_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old = print_shop(tmp_path / "demoCA")
    old.openssl("genpkey", "-algorithm", "RSA", "-out", "private/old.key")
    (block,) = [block for block in blocks("console") if block.startswith(ADOPTING)]
    replay(block)


def test_the_library_example_runs(clone: Path) -> None:
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks("python")[0]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.stderr == ""
    assert "create ipm1.example.com ['new-host']" in completed.stdout
    assert (clone / "examples/print-room/dist/report.html").is_file()


def test_the_exit_statuses_are_documented() -> None:
    assert re.findall(r"^\| (\d) \|", README, re.MULTILINE) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("mark", ["main", "tests"])
def test_the_two_commands_are_marked_for_ci(mark: str) -> None:
    command = README.partition(f"<!-- {mark} -->\n\n    ")[2].partition("\n")[0]
    assert command.startswith("python3 -m venv .venv && ")
    assert "readme_command" in (REPOSITORY / ".ci/run").read_text()
