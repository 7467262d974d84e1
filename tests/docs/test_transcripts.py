"""Every command and output of README.md and docs/ is real."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.docs.stage import set_up
from tests.docs.transcripts import is_shown, perform, settled
from tests.problems import rules_of

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]
REFERENCES = {"docs/rules.md"}
"""Its examples are run by the tests of the rules."""


@pytest.mark.parametrize("page", SHOWN)
def test_what_a_page_shows_is_what_happens(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUDO_USER", raising=False)  # the ledger tells who stands behind sudo
    for block in blocks(page):
        for command, shown, printed in perform(block):
            assert is_shown(shown, printed), f"{command}\n{settled(printed)}"


def fragments() -> list[tuple[str, Block]]:
    """The pieces of TOML that pages show and no command reads."""
    return [
        (page, block)
        for page in PAGES
        if page not in REFERENCES
        for block in blocks(page)
        if block.language == "toml" and not block.remark
    ]


@pytest.mark.parametrize(("page", "block"), fragments(), ids=lambda value: getattr(value, "line", value))
def test_a_piece_of_pki_toml_holds_what_may_stand_there(page: str, block: Block) -> None:
    tables = tomllib.loads(block.text)
    whole = block.text if "ca" in tables else f'{block.text}\n[ca]\ncommon_name = "Acme"\n'
    assert not set(rules_of(whole)) & {
        "toml-syntax",
        "unknown-key",
        "wrong-type",
        "wrong-value",
        "missing-key",
    }, page


@pytest.mark.parametrize("page", [page for page in PAGES if page not in REFERENCES])
def test_no_block_of_a_page_goes_untried(page: str) -> None:
    for block in blocks(page):
        where = f"{page}:{block.line + 1}"
        if block.remark == "run by":
            assert page in (ROOT / block.argument).read_text("utf-8"), where
        elif block.remark in {"main", "tests"}:
            assert page == "README.md", where
        else:
            is_drawn = block.language == "text" and not re.search(r"^\$ ", block.text, re.MULTILINE)
            assert block.language in {"console", "toml"} or block.remark in {"file", "change"} or is_drawn, (
                where
            )


@pytest.mark.parametrize("mark", ["main", "tests"])
def test_the_two_commands_are_marked_for_ci(mark: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    command = readme.partition(f"<!-- {mark} -->\n\n    ")[2].partition("\n")[0]
    assert command.startswith("python3 -m venv .venv && ")
    assert "readme_command" in (ROOT / ".ci/run").read_text("utf-8")


def test_a_newcomer_reads_the_readme_in_three_minutes() -> None:
    words = re.sub(
        r"^```.*?^```$", "", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    assert len(words.split()) < 3 * 250


@pytest.mark.parametrize(
    ("shown", "printed", "is_same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\nc\n", False),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a\n…\nd", "a\nb\nc\n", False),
        ("until 2026-11-24", "until 2031-01-01\n", True),
        ("", "", True),
        ("", "something\n", False),
    ],
)
def test_an_output_is_compared_line_by_line(*, shown: str, printed: str, is_same: bool) -> None:
    assert is_shown(shown, printed) is is_same
