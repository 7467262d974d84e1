"""What pages show is done: their files are written, their commands run, and what is printed is compared.

A page runs from top to bottom in a folder of its own. HTML comments, which readers do not see, say more:

- ``<!-- begins with: the first hour -->``: what lies in the folder at first
- ``file: pki.toml``, ``below: pki.toml``, ``change: pki.toml``: the block is a file, more of it, or a diff
- ``meanwhile: the certificates come``: what others do before the block
- ``run by: tests/…``: which test runs what cannot be run here

In an output a line that is just "…" stands for any number of lines. Outputs that have changed are written by
``python -m tests.docs.record``.
"""

from __future__ import annotations

import getpass
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.cli.main import run
from tests.docs.stage import MEANWHILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.pages import Block

_FOR_A_SHELL = re.compile(r"[|&;<>$*()]")


def entries(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a transcript, each with the output shown."""
    for entry in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = entry.partition("\n")
        yield command, output


def perform(block: Block) -> Iterator[tuple[str, str, str]]:
    """Do what a block shows, in the present folder: of each command, the output shown and the one it has."""
    if block.remark in {"file", "below"}:
        path = Path(block.argument)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if block.remark == "below" else ""
        path.write_text(before + block.text, "utf-8")
    if block.remark == "change":
        change(Path(block.argument), block.text.splitlines(keepends=True))
    if block.remark == "meanwhile":
        MEANWHILE[block.argument]()
    if block.language == "console":
        for command, shown in entries(block):
            yield command, shown, output_of(command)


def change(path: Path, lines: list[str]) -> None:
    """Change a file as the lines of a diff without numbers say; what they change is to be there once."""
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    text = path.read_text("utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, "".join(line[1:] for line in lines if line[0] != "-")), "utf-8")


def output_of(command: str) -> str:
    """What ``ipmpki`` or another program prints, errors and results together."""
    if _FOR_A_SHELL.search(command) or not command.startswith("ipmpki "):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "PATH": path},
        ).stdout
    captured = io.StringIO()
    with redirect_stdout(captured), redirect_stderr(captured), suppress(SystemExit):
        run(shlex.split(command)[1:])
    return captured.getvalue()


def settled(text: str) -> str:
    """A transcript without what differs from day to day and from machine to machine."""
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", "2026-11-24", presentable(text))
    return re.sub(r"(_days=)[\d.]+", r"\g<1>396.96", text)


def presentable(text: str) -> str:
    """A transcript as a page shows it: Ann's, on that day, other days as far from it as they are."""
    past = date(2026, 11, 24) - datetime.now(UTC).date()
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda day: f"{date.fromisoformat(day[0]) + past}", text)
    text = re.sub(r"(-\d\d) \d\d:\d\d(:\d\d)?", r"\1 12:00", text)
    text = re.sub(r"20\d{6}T\d{6}Z", "20261124T120000Z", text)
    text = re.sub(r"this is \S+,", "this is vm,", text)
    text = re.sub(rf"\b{re.escape(getpass.getuser())}(?=[':]|  )", "ann", text)
    text = re.sub(r"\b[0-9A-F]{37,40}\b", "3AA171D5818EC179A3DAF31BD1DDDF3945DF3016", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "3aa171d5818ec179" * 4, text)
    text = re.sub(r"\b(?:[0-9A-F]{2}:){15}[0-9A-F]{2}\b", ":".join(["3A", "A1"] * 8), text)
    text = text.replace(str(Path.cwd()), "/home/ann")
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def is_shown(shown: str, printed: str) -> bool:
    """Whether an output is the one shown, but for what differs from day to day."""
    parts = re.split(r"^ *…$", settled(shown), flags=re.MULTILINE)
    pattern = "(?:.*\n)*?".join(re.escape(part.removeprefix("\n")) for part in parts)
    return re.fullmatch(pattern + "\n?", settled(printed) + "\n") is not None
