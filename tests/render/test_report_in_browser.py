"""report.html in a real Chromium: it fits a telephone and a desk, its policy holds, its script works."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ipmpki.render.report import Report, render_report
from tests.render.browser import SCHEMES, WIDTHS, opened
from tests.render.reports import HOSTILE, PRINT_ROOM, REFUSED, fleet, host, hostile

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

OLD = datetime(2020, 1, 1, tzinfo=UTC)
REPORTS: dict[str, Report] = {
    "print-room": PRINT_ROOM,
    "refused": REFUSED,
    "hostile": hostile(HOSTILE),
    "many": fleet(450),
    "old": replace(PRINT_ROOM, as_of=OLD, hosts=(host("ipm1.example.com", issued=OLD),)),
}


def written(folder: Path, report: Report) -> Path:
    """The page of a report, as a file."""
    file = folder / "report.html"
    file.write_bytes(render_report(report)[0].content)
    return file


def shown(page: Page) -> list[str]:
    """The names of the hosts that are shown, from top to bottom."""
    return page.locator(".hosts tbody tr:visible th bdi").all_inner_texts()


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_fits_every_width_in_both_schemes(browser: Browser, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, REPORTS[name])
    for width in WIDTHS:
        for scheme in SCHEMES:
            with opened(browser, file, width=width, color_scheme=scheme) as page:
                page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
                style = page.evaluate("getComputedStyle(document.querySelector('.skip')).position")
                assert style == "absolute", "the policy kept the style out"
                assert page.locator("script").count() == 1


def test_a_report_read_later_tells_what_became_of_it(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, REPORTS["old"])) as page:
        assert "1 certificate has expired" in page.locator("#since").inner_text()


def test_hosts_are_filtered_and_put_in_order_and_the_number_found_is_announced(
    browser: Browser, tmp_path: Path
) -> None:
    for width in (320, 1280):
        with opened(browser, written(tmp_path, PRINT_ROOM), width=width) as page:
            page.select_option("#state", "Expired")
            assert shown(page) == ["sap.example.com"]
            assert page.get_by_role("status").last.inner_text() == "1 of 7 hosts"
            page.select_option("#state", "")
            assert len(shown(page)) == 7
            page.select_option("#order", "until")
            assert shown(page)[:4] == [f"{name}.example.com" for name in ("ipm3", "ipm2", "ipm1", "sap")]
