"""What reaches a terminal: whoever wrote what is quoted, it cannot drive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.cli.console import say, say_error

if TYPE_CHECKING:
    import pytest

    from tests.cli.terminal import Terminal


def test_every_message_passes_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    say("to stdout \x1b[2J\x1b[8m")
    say_error("to stderr \u202e", "help \x07")
    printed = capsys.readouterr()
    assert printed.out == "to stdout \\x1b[2J\\x1b[8m\n"
    assert printed.err == "error: to stderr \\u202e\n  help: help \\x07\n"


def test_the_name_of_a_file_cannot_drive_it_either(terminal: Terminal) -> None:
    done = terminal("check", "no\x1b[2Jthing.toml")
    assert "\x1b[2J" not in done.out + done.err
    assert r"\x1b[2J" in done.err
