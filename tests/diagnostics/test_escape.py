"""What nobody sees is shown, and what anybody reads stays."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.diagnostics.escape import (
    is_hidden,
    to_json,
    visible,
    visible_but_colours,
    visible_json,
    visible_lines,
)

ATTACKS = {
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x1b[2J": r"\x1b[2J",
    "\x1b[31mred": r"\x1b[31mred",
    "\x9b2J": r"\u009b2J",
    "a\rb": r"a\x0db",
    "a\x08b": r"a\x08b",
    "\x7f": r"\x7f",
    "\u202egpj.exe": r"\u202egpj.exe",
    "zero\u200bwidth": r"zero\u200bwidth",
    "no\xa0break": r"no\u00a0break",
    "filler\u3164": r"filler\u3164",
    "variant\ufe0f": r"variant\ufe0f",
    "\u2028": r"\u2028",
    "\udc80": r"\udc80",
    "\U000e0001": r"\U000e0001",
}
READ_BY_SOMEBODY = "Größe 日本語 हिन्दी עברית \u2713 e\u0301"


@pytest.mark.parametrize("text", ATTACKS)
def test_what_would_drive_a_terminal_is_shown_instead(text: str) -> None:
    assert visible(text) == visible_lines(text) == ATTACKS[text]


@pytest.mark.parametrize("show", [visible, visible_lines, visible_but_colours, visible_json])
def test_everybodys_letters_stay(show: object) -> None:
    assert callable(show)
    assert show(READ_BY_SOMEBODY) == READ_BY_SOMEBODY


def test_lines_and_tabs_stay_where_a_text_has_several_and_are_shown_where_it_has_one() -> None:
    assert visible_lines("a\n\tb\r\n") == "a\n\tb\\x0d\n"
    assert visible("a\n\tb") == r"a\x0a\x09b"


def test_the_programs_own_colours_stay_where_it_has_set_any() -> None:
    coloured = "\x1b[31;1merror\x1b[0m: x\n"
    assert visible_but_colours(coloured) == coloured
    assert visible_but_colours("\x1b[2J") == r"\x1b[2J"


def test_every_format_character_of_unicode_is_hidden() -> None:
    marks = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cc", "Cf"}]
    assert all(map(is_hidden, marks))


@given(st.text())
def test_nothing_is_left_that_cannot_be_seen_and_twice_is_once(text: str) -> None:
    shown = visible_lines(text)
    assert not any(map(is_hidden, shown.replace("\n", "").replace("\t", "")))
    assert visible_lines(shown) == shown
    assert not any(map(is_hidden, visible(text)))


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_the_same_value_in_which_all_can_be_seen(value: object) -> None:
    written = to_json(value)
    assert json.loads(written) == value
    assert not any(map(is_hidden, written.replace("\n", "")))
    assert visible_lines(written) == written
