"""How TOML is written: by tomlkit, into texts that are cut for as long as it moves what it keeps."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.edit.toml import write_key, write_value

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.one_of(TEXTS, st.lists(TEXTS, max_size=3), st.booleans(), st.integers(-9, 9)), st.booleans())
def test_what_is_written_reads_back(value: str | list[str] | int, is_literal: bool) -> None:
    assert tomllib.loads(f"x = {write_value(value, is_literal=is_literal)}") == {"x": value}


@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_a_key_reads_back_step_by_step(steps: list[str]) -> None:
    assert tomllib.loads(f"{write_key(steps)} = 1") == {steps[0]: {steps[1]: 1}}


@pytest.mark.parametrize(
    ("value", "is_literal", "written"),
    [
        ("linux", False, '"linux"'),
        (["a", "it's"], True, "['a', \"it's\"]"),
        ([], False, "[]"),
        (True, False, "true"),
    ],
)
def test_values_look_as_people_write_them(
    value: str | list[str] | int, is_literal: bool, written: str
) -> None:
    assert write_value(value, is_literal=is_literal) == written


SHOP = """\
[[hosts]]
name = "a"

[tls]
mutual_auth = "off"

# this is b
[[hosts]]
name = "b"

# this is c
[[hosts]]
name = "c"
"""


def test_tomlkit_still_moves_a_table_that_stands_between_hosts() -> None:
    """Should this fail, tomlkit can be asked to change texts: see ipmpki/declaration/edit/toml.py."""
    assert tomlkit.parse(SHOP).as_string() != SHOP


def test_tomlkit_still_takes_the_comment_above_a_host_for_the_end_of_the_one_before() -> None:
    """Should this fail, tomlkit can be asked to change texts: see ipmpki/declaration/edit/toml.py."""
    document = tomlkit.parse(SHOP)
    hosts = document["hosts"]
    assert isinstance(hosts, tomlkit.items.AoT)
    del hosts[1]
    assert "# this is c" not in document.as_string()


def test_tomlkit_is_not_loaded_where_nothing_is_written() -> None:
    loaded = "import sys, ipmpki.declaration.edit.fixes, ipmpki.cli.main; print('tomlkit' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == "False"
