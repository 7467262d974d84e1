"""Where an editor sees what: lines, and columns in UTF-16 code units, whatever script a line is in."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol.types import Position

from ipmpki.lsp.text import Text

LINES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=6), min_size=1
)


def units(text: str) -> int:
    """LSP 3.17, "Position": an offset in a line counts UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
@example(["name = 'ü'", "印刷 = '😀x'"], "\r\n")
def test_each_character_is_where_an_editor_counts_it(lines: list[str], end: str) -> None:
    text = Text(end.join(lines))
    start = 0
    for number, line in enumerate(lines):
        for index in range(len(line) + 1):
            place = Position(number, units(line[:index]))
            assert text.position(start + index) == place
            assert text.offset(place) == start + index
        start += len(line) + len(end)


@pytest.mark.parametrize(("column", "index"), [(0, 0), (1, 1), (3, 2), (4, 3), (9, 3)])
def test_a_character_beyond_the_basic_plane_takes_two_columns(column: int, index: int) -> None:
    text = Text("a😀b\nrest")
    assert text.offset(Position(0, column)) == index
