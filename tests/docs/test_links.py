"""Whatever README.md and docs/ point to is there: links, anchors, paths of the project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import IS_GENERATED, PAGES, ROOT, anchors, spans, tables

if TYPE_CHECKING:
    from pathlib import Path

BELOW = re.compile(r"(ipmpki|tests|docs|examples|schemas|benchmarks|data|\.ci)/[\w./*-]*")
"""How paths of the project begin."""


def links(page: str) -> list[str]:
    return [str(token.attrs["href"]) for token in spans(page) if token.type == "link_open"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert target.is_relative_to(ROOT), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_is_named_exists(page: str) -> None:
    named = [token.content for token in spans(page) if token.type == "code_inline"]
    for path in filter(BELOW.fullmatch, named):
        assert any(ROOT.glob(path.rstrip("/"))) or "/dist/" in path, f"{page}: {path}"


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    for token in spans(page):
        file, colons, test = token.content.partition("::")
        if token.type == "code_inline" and colons and file.startswith("tests/"):
            assert f"\ndef {test}(" in (ROOT / file).read_text("utf-8"), f"{page}: {token.content}"


def test_every_promise_of_security_names_its_test() -> None:
    promises = [table for table in tables("docs/security.md") if table[0][-1] == "held by"]
    assert len(promises) > 5
    for table in promises:
        for promise, tests in table[1:]:
            assert "::test_" in tests, promise


@pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])
def test_every_page_is_reached_from_the_readme(page: str) -> None:
    reached, left = {"README.md"}, ["README.md"]
    while left:
        here = left.pop()
        near = {
            str(((ROOT / here).parent / link.partition("#")[0]).resolve().relative_to(ROOT))
            for link in links(here)
            if link.partition("#")[0].endswith(".md") and "://" not in link
        }
        left += near - reached
        reached |= near
    assert page in reached


def test_what_is_generated_says_so() -> None:
    generated = {page for page in PAGES if (ROOT / page).read_text("utf-8").startswith(IS_GENERATED)}
    assert generated == {"docs/rules.md", "docs/pki.toml.md", "docs/exit-codes.md"}


@pytest.mark.parametrize(
    "package",
    sorted(path.parent for path in (ROOT / "ipmpki").rglob("__init__.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_package_says_what_it_is_for(package: Path) -> None:
    first = (package / "__init__.py").read_text("utf-8").partition("\n")[0]
    assert first.startswith('"""')
    assert len(first) > 30
