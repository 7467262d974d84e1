"""Quoting holds in real shells."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipmpki.render.host_folder.quote import quote_powershell, quote_sh, quote_yaml
from tests.render.host_folder.installation import SHELLS
from tests.tools import require, require_module

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=8, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=40))
@example(texts=["'", "''", "a'b", "$(id)", "`id`", "\\", "!x", "a\nb", "-n", "*", "", " ", '"', "~", "#"])
def test_a_quoted_word_comes_back_from_a_real_shell(shell: str, texts: list[str]) -> None:
    program, *as_posix = SHELLS[shell]
    # A here-document would expand; external printf, as mksh has none of its own.
    script = "\n".join(f"/usr/bin/printf '%s\\0' {quote_sh(text)}" for text in texts)
    done = subprocess.run(
        [require(program), *as_posix, "-c", script],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert done.stdout.split(b"\0")[:-1] == [text.encode() for text in texts]


def powershell_reads(literal: str) -> str:
    """Read a verbatim string literal as PowerShell's language specification says (2.3.5.2)."""
    quotes = "'\u2018\u2019\u201a\u201b"
    assert literal[0] in quotes
    assert literal[-1] in quotes
    body = literal[1:-1]
    read = ""
    while body:
        if body[0] in quotes:
            assert body[1:2], "the literal ends before its end"
            assert body[1] in quotes, "the literal ends before its end"
            body = body[1:]
        read, body = read + body[0], body[1:]
    return read


@given(text=TEXT)
@example(text="it's \u2018typographic\u2019 \u201a\u201b")
def test_a_quoted_literal_comes_back_by_the_rules_of_powershell(text: str) -> None:
    assert powershell_reads(quote_powershell(text)) == text


ODD = ["{{ 7 }}", "{% if %}", "{# x #}", "{", "no", "1", "~", "", " ", "a: b", "- a", "\\", '"', "\x85\u2028"]


@given(texts=st.lists(TEXT, min_size=1))
@example(texts=ODD)
def test_a_quoted_scalar_comes_back_from_a_real_loader_of_yaml(texts: list[str]) -> None:
    yaml = require_module("yaml")

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined, misc]
        """Knows Ansible's tag for a text that is no template."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    document = "".join(f"- {{{quote_yaml(text)}: {quote_yaml(text)}}}\n" for text in texts)
    assert document.isascii()
    assert yaml.load(document, Loader) == [{text: text} for text in texts]


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "a{%b", "{# nothing #}", "{{"])
def test_what_ansible_would_take_for_a_template_is_marked_as_none(text: str) -> None:
    assert quote_yaml(text) == f'!unsafe "{text}"'
    assert quote_yaml(text.replace("{", "{ ")).startswith('"')


@pytest.mark.parametrize("quote", [quote_sh, quote_powershell, quote_yaml])
def test_nul_is_refused(quote: object) -> None:
    assert callable(quote)
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")
