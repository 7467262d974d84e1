"""report.html in a real Chromium: it fits a telephone and a desk, its policy holds, its script works."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.vocabulary import Role
from ipmpki.render.report.files import render_report
from tests.extent import mostly_exhaustive
from tests.render.browser import SCHEMES, WIDTHS, opened
from tests.render.reports import (
    AS_OF,
    HOSTILE,
    PRINT_ROOM,
    REFUSED,
    certificate,
    fleet,
    host,
    hostile,
    shared_alias,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from ipmpki.render.report.document import Report

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


@pytest.mark.parametrize("name", mostly_exhaustive(REPORTS, every_time=["print-room", "hostile"]))
def test_the_page_fits_every_width_in_both_schemes(browser: Browser, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, REPORTS[name])
    for width, scheme in zip(WIDTHS, cycle(SCHEMES), strict=False):
        with opened(browser, file, width=width, color_scheme=scheme) as page:
            page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
            style = page.evaluate("getComputedStyle(document.querySelector('.skip')).position")
            assert style == "absolute", "the policy kept the style out"
            assert page.locator("script").count() == 1


# Code at the end of a line may hang over by the width of its padding.
WIDER_THAN_ITS_PLACE = """
() => [...document.querySelectorAll("th, td, dd, li, p, pre, button, summary")]
    .filter((one) => one.scrollWidth > one.clientWidth + 4 && getComputedStyle(one).display !== "inline")
    .filter((one) => !one.matches(".unseen"))
    .map((one) => one.textContent)
"""


@pytest.mark.parametrize("name", ["in-hand", "hostile", "refused"])
def test_nothing_reaches_into_what_stands_beside_it(browser: Browser, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, IN_HAND if name == "in-hand" else REPORTS[name])
    for width in (*WIDTHS, 961):
        with opened(browser, file, width=width) as page:
            page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
            assert page.evaluate(WIDER_THAN_ITS_PLACE) == [], width


def test_what_is_touched_is_large_enough_and_shows_that_it_has_the_focus(
    browser: Browser, tmp_path: Path
) -> None:
    """WCAG 2.2, 2.5.8 (24 pixels; links within a sentence are excepted) and 2.4.7."""
    with opened(browser, written(tmp_path, IN_HAND), width=320) as page:
        for target in page.locator("nav a, summary, input, select, .names a").filter(visible=True).all():
            box = target.bounding_box()
            assert box is not None
            assert box["height"] >= 24, target.inner_text()
            target.focus()
        page.keyboard.press("Tab")
        for _ in range(20):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "[document.activeElement.matches(':focus-visible'),"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
            assert focused in ([True, "solid"], [False, "none"])


def test_a_report_read_later_tells_what_became_of_it(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, REPORTS["old"])) as page:
        assert "1 certificate has expired" in page.locator("#since").inner_text()


def row(page: Page, name: str) -> Locator:
    """The row of a host."""
    return page.locator(".hosts tbody tr", has_text=name)


def found(page: Page) -> str:
    """What is announced of the list."""
    return page.locator("#found").inner_text()


def sorted_by(page: Page) -> dict[str, str | None]:
    """The columns that say they are in order, of every table."""
    headings = page.locator(".hosts thead th[aria-sort]").all()
    return {heading.inner_text(): heading.get_attribute("aria-sort") for heading in headings}


IN_HAND = replace(
    PRINT_ROOM,
    hosts=(
        *PRINT_ROOM.hosts,
        replace(host("told.example.com", Role.CLIENT), installed_at=AS_OF),
        replace(host("late.example.com", Role.CLIENT), install_by=AS_OF - timedelta(days=1)),
        replace(host("soon.example.com", Role.CLIENT), install_by=AS_OF + timedelta(days=9)),
        replace(host("behind.example.com", Role.CLIENT), is_behind=True),
        replace(host("waits.example.com"), certificate=None, published_at=None, awaited_since=AS_OF),
        replace(
            host("again.example.com"),
            certificate=replace(certificate("again.example.com"), revoked_at=AS_OF - timedelta(days=2)),
        ),
    ),
)


def names(*stems: str) -> list[str]:
    return [f"{stem}.example.com" for stem in stems]


def test_without_scripts_what_is_urgent_stands_first(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, IN_HAND), java_script_enabled=False) as page:
        assert shown(page)[:7] == names("again", "sap", "late", "waits", "ipm3", "ipm2", "ipm1")
        assert page.locator("#tools, thead button").filter(visible=True).count() == 0
        assert "○ No certificate yet since 2026-11-24" in row(page, "waits.example.com").inner_text()
        assert "✕ Revoked since 2026-11-22, until" in row(page, "again.example").inner_text()
        row(page, "ipm1.example").locator("summary").click()
        assert page.get_by_text("Fingerprint (SHA-256)").filter(visible=True).count() == 1


def test_the_table_shows_what_is_installed_and_until_when_the_rest_must_be(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, written(tmp_path, IN_HAND)) as page:
        told = {
            name: row(page, name).locator("td").nth(2).inner_text()
            for name in names("told", "late", "soon", "behind", "waits", "mac")
        }
        assert list(told.values()) == [
            "✓ Installed 2026-11-24",
            "✕ Overdue 2026-11-23",
            "▲ Install by 2026-12-03",
            "▲ To install",
            "◇ Nothing to install",
            "○ Not known",
        ]
        page.select_option("#installed", "Install by")
        assert shown(page) == names("soon")
        page.select_option("#installed", "")
        page.select_option("#order", "install")
        assert shown(page)[:1] + shown(page)[7:9] == names("late", "soon", "behind")


def test_hosts_are_found_by_text_and_state_and_their_number_is_announced(
    browser: Browser, tmp_path: Path
) -> None:
    for width in (320, 1280):
        with opened(browser, written(tmp_path, PRINT_ROOM), width=width) as page:
            assert page.locator("#found").get_attribute("role") == "status"
            page.select_option("#state", "Expired")
            assert shown(page) == names("sap")
            assert found(page) == "1 of 7 hosts, by first to end"
            page.select_option("#state", "")
            assert len(shown(page)) == 7
            page.fill("#filter", "client AIX")
            row(page, "sap.example.com").wait_for(state="hidden")
            assert shown(page) == names("batch")
            page.fill("#filter", "no such host")
            row(page, "batch.example.com").wait_for(state="hidden")
            assert found(page) == "0 of 7 hosts, by first to end"
            assert page.locator(".hosts caption:visible").count() == 0


def test_a_column_is_sorted_by_mouse_and_keyboard_and_says_so(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, PRINT_ROOM)) as page:
        assert sorted_by(page) == {"Certificate": "ascending"}
        page.get_by_role("button", name="Host", exact=True).first.click()
        assert shown(page) == names("sap", "ipm1", "ipm2", "ipm3", "batch", "desk", "mac")
        assert sorted_by(page) == {"Host": "ascending"}
        page.get_by_role("button", name="Host", exact=True).first.focus()
        page.keyboard.press("Enter")
        assert shown(page) == names("sap", "ipm3", "ipm2", "ipm1", "mac", "desk", "batch")
        assert sorted_by(page) == {"Host": "descending"}
        assert found(page) == "7 hosts, by name, backwards"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert sorted_by(page) == {"System": "ascending"}
        assert page.locator("#order").input_value() == "system"


def test_many_hosts_are_sorted_and_found_across_the_tables(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, fleet(450))) as page:
        sizes = [table.locator("tbody tr").count() for table in page.locator(".hosts").all()]
        assert sizes == [45, 100, 100, 100, 100, 5]
        page.select_option("#order", "name")
        clients = page.locator(".hosts tbody tr th bdi").all_text_contents()[45:]
        assert clients == [f"host{number:05}.example.com" for number in range(450) if number % 10]
        assert sizes == [table.locator("tbody tr").count() for table in page.locator(".hosts").all()]
        assert not page.locator("#parts").is_visible()
        page.fill("#filter", "host00449")
        page.locator(".hosts tbody tr:visible").nth(1).wait_for(state="detached")
        assert shown(page) == names("host00449")


def test_a_link_to_a_host_leads_there_even_if_it_was_filtered_away(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, fleet(450))) as page:
        page.select_option("#state", "Valid")
        page.evaluate("document.getElementById('state').value = 'Renewal due'")
        page.locator("#state").dispatch_event("change")
        link = page.locator(".names a").first
        target = link.get_attribute("href")
        link.click()
        assert page.locator(f"tr{target}").evaluate(
            "row => !row.hidden && row.getBoundingClientRect().top < innerHeight"
        )


def test_a_part_of_a_long_list_is_reached_by_a_link(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, fleet(450)), java_script_enabled=False) as page:
        page.locator("#parts summary").click()
        page.get_by_role("link", name="Clients, part 3 of 5").click()
        assert page.locator("caption", has_text="Clients, part 3 of 5").evaluate(
            "caption => Math.abs(caption.getBoundingClientRect().top) < innerHeight"
        )


def test_on_paper_places_are_unfolded_and_hosts_are_as_the_reader_left_them(
    browser: Browser, tmp_path: Path
) -> None:
    one = replace(shared_alias(), related=())
    places = tuple(replace(one, label=replace(one.label, file=f"{number}.toml")) for number in range(4))
    report = replace(PRINT_ROOM, problems=places)
    for scripts in (True, False):
        with opened(browser, written(tmp_path, report), java_script_enabled=scripts) as page:
            page.locator("#h1 summary").click()
            page.emulate_media(media="print")
            if scripts:
                page.evaluate("dispatchEvent(new Event('beforeprint'))")
            assert page.get_by_text("3.toml, line 3").is_visible()
            assert page.locator("#h1 dl").is_visible()
            assert not page.locator("#h2 details, #tools, nav").filter(visible=True).count()
            assert [one.inner_text() for one in page.locator(".hosts thead").first.locator("th").all()] == [
                "Host",
                "System",
                "Certificate",
                "Installed",
                "Folder changed",
            ]
            if scripts:
                page.evaluate("dispatchEvent(new Event('afterprint'))")
                assert page.locator("details[open]").count() == 1
            assert page.pdf().startswith(b"%PDF")


def test_a_problems_rule_leads_to_its_page(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, PRINT_ROOM), java_script_enabled=False) as page:
        explained = page.get_by_role("article", name="shared-alias")
        page.get_by_role("link", name="shared-alias").click()
        top = explained.evaluate("article => article.getBoundingClientRect().top")
        assert 0 <= top < 450
        assert "Two hosts have the same alias." in explained.inner_text()
        assert explained.get_by_role("heading", level=4).all_inner_texts() == [
            "What it finds",
            "Who is hurt",
            "Example",
            "Instead",
            "Source",
        ]
        assert 'aliases = ["print2.example.com"]' in explained.inner_text()
