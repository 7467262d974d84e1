"""What reaches a terminal: whoever wrote what is quoted, it cannot drive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.cli.console import harmless, say, say_error

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

ATTACKS = {
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x1b[2J": r"\x1b[2J",
    "\x9b2J": r"\u009b2J",
    "a\rb": r"a\x0db",
    "a\x08b": r"a\x08b",
    "\u202egpj.exe": r"\u202egpj.exe",
    "zero\u200bwidth": r"zero\u200bwidth",
    "\U000e0001": r"\U000e0001",
}


@pytest.mark.parametrize("text", ATTACKS)
def test_what_would_drive_a_terminal_is_shown_instead(text: str) -> None:
    assert harmless(text) == ATTACKS[text]


def test_the_programs_own_colours_and_everybodys_letters_stay() -> None:
    text = "\x1b[31;1merror\x1b[0m: Größe\t日本語 \u2713\n"
    assert harmless(text) == text


@given(st.text())
def test_nothing_but_line_ends_tabs_and_colours_is_left_that_cannot_be_seen(text: str) -> None:
    left = harmless(text).replace("\r\n", "").replace("\n", "").replace("\t", "").replace("\xa0", "")
    assert "\x1b" not in left or "\x1b[" in left
    assert all(one.isprintable() or one == "\x1b" for one in left)


def test_every_message_passes_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    say("to stdout \x1b[2J")
    say_error("to stderr \u202e", "help \x07")
    printed = capsys.readouterr()
    assert printed.out == "to stdout \\x1b[2J\n"
    assert printed.err == "error: to stderr \\u202e\n  help: help \\x07\n"


def test_the_name_of_a_file_cannot_drive_it_either(terminal: Terminal) -> None:
    done = terminal("check", "no\x1b[2Jthing.toml")
    assert "\x1b[2J" not in done.out + done.err
    assert r"\x1b[2J" in done.err
