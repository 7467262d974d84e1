"""Commands that stand within a sentence are ones that ipmpki and the scripts on the hosts take."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from docs.generate import commands
from ipmpki.cli.main import cli
from tests.docs.pages import PAGES, ROOT, spans

COMMANDS = {context.command_path: context.command for context in commands()}
PARTS = ROOT / "ipmpki/render/templates"
NAMED = [*PAGES, "CHANGELOG.md"]


def within(page: str, begin: str) -> list[list[str]]:
    """The words of the commands that stand within sentences, by how they begin."""
    found = (token.content for token in spans(page) if token.type == "code_inline")
    return [
        shlex.split(text.replace("…", "X"))
        for text in found
        if re.match(rf"(sudo )?(sh )?{begin}( |$)", text)
    ]


@pytest.mark.parametrize("page", NAMED)
def test_ipmpki_takes_the_options_that_a_sentence_names(page: str) -> None:
    for words in within(page, "ipmpki"):
        name = " ".join(words[:3] if words[1:2] == ["host"] else words[:2])
        if name == "ipmpki" or "|" in name:
            continue
        command = COMMANDS["ipmpki"] if words[1].startswith("-") else COMMANDS[name]
        context = click.Context(command, info_name=name, parent=click.Context(cli, **cli.context_settings))
        arguments = words[words.index(name.split()[-1]) + 1 :] if command is not cli else words[1:]
        try:
            command.make_parser(context).parse_args(arguments)
        except click.UsageError as error:
            pytest.fail(f"{page}: {' '.join(words)}: {error.message}")


@pytest.mark.parametrize(
    ("script", "options"),
    [("install.sh", "install_sh/options.sh"), ("install.cmd", "install_ps1/options.ps1")],
)
@pytest.mark.parametrize("page", NAMED)
def test_the_scripts_take_the_options_that_a_sentence_names(page: str, script: str, options: str) -> None:
    taken = (PARTS / options).read_text("utf-8")
    for words in within(page, re.escape(script)):
        for option in filter(re.compile("--?[A-Za-z]").match, words):
            assert option.removeprefix("-" if script.endswith("cmd") else "") in taken, f"{page}: {words}"


def test_the_options_of_both_scripts_stand_in_the_table() -> None:
    page = (ROOT / "docs/install.md").read_text("utf-8")
    for posix, windows in re.findall(r"^\| `(--[a-z-]+)[^|]*\| `-(\w+)` \|", page, re.MULTILINE):
        assert posix in (PARTS / "install_sh/options.sh").read_text("utf-8")
        assert windows in (PARTS / "install_ps1/options.ps1").read_text("utf-8")
        assert posix.replace("-", "") == windows.lower()
