"""The references that are made from the code are up to date, and read as what they are."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from docs.generate import MAN, commands, man_page, references
from ipmpki.cli.main import COMMANDS
from ipmpki.declaration.tables import Declaration
from tests.tools import require

ROOT = Path(__file__).parents[2]
PAGES = [man_page(context) for context in commands()]


def test_no_reference_differs_from_the_code() -> None:
    differing = [str(path) for path, text in references().items() if (ROOT / path).read_text("utf-8") != text]
    assert not differing, "run: python docs/generate.py"


def test_every_command_has_a_manual_page_and_no_other_is_left() -> None:
    names = {path.stem for path in (ROOT / MAN).iterdir()}
    assert names == {context.command_path.replace(" ", "-") for context in commands()}
    assert {f"ipmpki-{name}" for name in COMMANDS} < names


def test_the_manual_pages_are_read_without_a_warning() -> None:
    pages = sorted((ROOT / MAN).iterdir())
    formatted = subprocess.run(
        [require("groff"), "-ww", "-man", "-Tutf8", *pages], capture_output=True, text=True, check=True
    )
    assert formatted.stderr == ""
    for shown in ("ipmpki host add pki.toml ipm2.example.com --role server --os linux \\\n", "4F:02:…:9C"):
        assert shown in formatted.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.split('"')[1].lower())
def test_a_manual_page_has_a_name_a_synopsis_and_its_options(page: str) -> None:
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
        assert f".SH {heading}\n" in page
    assert page.isascii()
    assert ".SH NOTES\n.nf\n\n" not in page


def test_every_table_of_pki_toml_is_in_its_reference() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / "docs/pki.toml.md").read_text("utf-8"))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    for field in Declaration.model_fields:
        if field not in {"schema_", "include", "store"}:
            assert f"`[{field}]`" in headings or f"`[[{field}]]`" in headings
    cells = {token.content for token in tokens if token.type == "inline"}
    assert {"`renew_spread`", "`batch`", "`crl_file`", "`csr`"} < cells


def test_only_pki_toml_has_a_reference_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    from ipmpki.cli.main import run

    with pytest.raises(SystemExit) as left:
        run(["schema", "plan", "--format", "markdown"])
    assert left.value.code == 2
    assert "'plan' has a schema alone" in capsys.readouterr().err
