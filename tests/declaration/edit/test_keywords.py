"""What an administrator chose is written into [ipm.keywords], and nothing else changes."""

from __future__ import annotations

import tomllib

import pytest

from ipmpki.declaration.edit.keywords import set_keywords
from ipmpki.diagnostics.fault import Fault, WrongDeclaration

CHOSEN: dict[str, str | tuple[str, ...]] = {"crl_file": "RevokedList", "by_hand": ("mutual_auth",)}
HOST = '\n# the server\n[[hosts]]\nname = "ipm1"\nrole = "server"\n'


@pytest.mark.parametrize(
    "before",
    [
        '[ca]\ncommon_name = "x"\n' + HOST,
        '[ca]\ncommon_name = "x"',
        "",
        '[ipm]\nserver_account = "ipm"  # who runs it\n' + HOST,
        '[ipm.keywords]\n# read off the sample\nca_file = "Trust"  # sure\n' + HOST,
        '[ipm.keywords]\ncrl_file = "Other"  # wrong\n\n[tls]\n' + HOST,
        '[ipm]\nkeywords = { ca_file = "Trust" }  # one line\n' + HOST,
        "[ipm]\nkeywords = {}\n" + HOST,
        '[ipm]\n[ipm.aix]\nserver_account = "a"\n' + HOST,
        '\ufeff[ca]\r\ncommon_name = "x"\r\n\r\n[[hosts]]\r\nname = "ipm1"\r\n',
    ],
)
def test_they_stand_in_the_table_and_all_else_is_as_it_was(before: str) -> None:
    after = set_keywords(before, CHOSEN)
    values = tomllib.loads(after.removeprefix("\ufeff"))
    expected = tomllib.loads(before.removeprefix("\ufeff"))
    expected.setdefault("ipm", {}).setdefault("keywords", {}).update(
        crl_file="RevokedList", by_hand=["mutual_auth"]
    )
    assert values == expected
    for line in before.splitlines():
        if "#" in line and "wrong" not in line and "one line" not in line:
            assert line in after.splitlines()
    assert ("\r\n" in after) == ("\r\n" in before)


def test_a_form_that_cannot_be_edited_is_refused() -> None:
    with pytest.raises(Fault, match="nothing was changed"):
        set_keywords('ipm = { keywords = { ca_file = "Trust" } }\n' + HOST, CHOSEN)


def test_for_one_system_they_stand_in_its_own_table() -> None:
    after = set_keywords('[ipm.keywords]\nca_file = "Trust"\n', CHOSEN, "aix")
    assert tomllib.loads(after)["ipm"] == {
        "keywords": {"ca_file": "Trust"},
        "aix": {"keywords": {"crl_file": "RevokedList", "by_hand": ["mutual_auth"]}},
    }


def test_written_twice_nothing_changes() -> None:
    once = set_keywords(HOST, CHOSEN)
    assert set_keywords(once, CHOSEN) == once


@pytest.mark.parametrize("text", ["[ipm", "ipm = 1\n", '[ipm]\nkeywords = "x"\n'])
def test_what_is_no_such_declaration_is_refused(text: str) -> None:
    with pytest.raises(WrongDeclaration, match="nothing was changed"):
        set_keywords(text, CHOSEN)
