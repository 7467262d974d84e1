"""The top of the report: what is due, what is under way, and what was done last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.operations.installed import record_installed
from ipmpki.render.report.due import due_work, progress_of
from ipmpki.render.report.html import render_html
from ipmpki.render.report.text import render_plain
from ipmpki.render.report.words import order_hosts, take_census
from tests.render.reports import AS_OF, PRINT_ROOM, REFUSED, SUCCESSION, fleet, host
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.report.document import Report

LATE = replace(
    host("late.example.com", Role.CLIENT),
    install_by=AS_OF - timedelta(days=3),
    is_behind=True,
    effect="the certificate it has ends then",
)
SOON = replace(host("soon.example.com"), install_by=AS_OF + timedelta(days=9), is_behind=True)
REPORT = replace(PRINT_ROOM, hosts=(*PRINT_ROOM.hosts, SOON, LATE))


def shown(report: Report) -> list[tuple[str, str, str]]:
    """When, how long that is, and where, of each row."""
    return [(one.day, one.left, one.where) for one in due_work(report, take_census(report))]


def test_what_fails_already_is_due_first_then_by_day() -> None:
    rows = shown(REPORT)
    assert rows[0] == ("2026-11-21", "3 days ago", "late.example.com")
    assert ("2026-12-03", "9 days left", "soon.example.com") in rows
    tones = [one.tone for one in due_work(REPORT, take_census(REPORT))]
    assert tones == sorted(tones, key=["error", "warning", "quiet"].index)


def test_a_refused_build_has_nothing_due_but_what_it_says_itself() -> None:
    assert shown(REFUSED) == []


def test_many_days_and_many_hosts_are_cut_short() -> None:
    hosts = tuple(
        replace(host(f"h{number}.example.com"), install_by=AS_OF + timedelta(days=number + 1), is_behind=True)
        for number in range(40)
    )
    rows = shown(replace(PRINT_ROOM, hosts=hosts))
    assert len(rows) < 12
    assert any(where.endswith("and 29 more") for _, _, where in rows)


def test_overdue_hosts_stand_first_across_roles() -> None:
    assert order_hosts(REPORT)[0].name in {"late.example.com", "sap.example.com"}
    first = [one.name for one in order_hosts(REPORT)[:2]]
    assert sorted(first) == ["late.example.com", "sap.example.com"]  # a client that is late, one that expired
    assert order_hosts(REPORT)[2].role is Role.SERVER


def test_hosts_and_what_is_due_stand_above_the_prose() -> None:
    page = render_html(REPORT, take_census(REPORT)).decode()
    places = [page.index(f'<section id="{name}"') for name in ("summary", "due", "hosts", "next", "words")]
    assert places == sorted(places)
    text = render_plain(REPORT, take_census(REPORT)).decode()
    titles = [text.index(f"\n{title}") for title in ("What is due\n", "Hosts (", "What to do next\n")]
    assert titles == sorted(titles)


def test_each_host_has_lines_to_copy() -> None:
    page = render_html(REPORT, take_census(REPORT)).decode()
    assert "<code>scp -r dist/hosts/ipm1.example.com ipm1.example.com:</code>" in page
    assert "<code>cd ipm1.example.com &amp;&amp; sh install.sh</code>" in page  # AIX, which may lack sudo
    assert "<code>cd ipm2.example.com &amp;&amp; sudo sh install.sh</code>" in page
    assert "<code>scp -r dist/hosts/ipm3.example.com ipm3.example.com:C:/ipmpki/</code>" in page
    assert "<code>C:\\ipmpki\\ipm3.example.com\\install.cmd</code>" in page


def test_a_line_to_copy_is_one_line_in_the_text_too() -> None:
    name = f"{'x' * 60}.example.com"
    report = replace(PRINT_ROOM, hosts=(host(name, os=OperatingSystem.LINUX),))
    assert f"scp -r dist/hosts/{name} {name}:\n" in render_plain(report, take_census(report)).decode()


def test_what_is_under_way_says_how_far_it_is_and_whom_it_awaits() -> None:
    (one,) = progress_of(replace(PRINT_ROOM, rollover=SUCCESSION))
    assert (one.done, one.total) == (6, 7)
    assert [state for state, _ in one.steps] == ["Now", "Then", "Then"]
    assert one.waiting == "Waits for 1 host: ipm1.example.com"
    page = render_html(replace(PRINT_ROOM, rollover=SUCCESSION), take_census(PRINT_ROOM)).decode()
    assert '<progress max="7" value="6"' in page
    assert progress_of(PRINT_ROOM) == ()


def test_days_left_stand_with_every_date_of_the_table() -> None:
    page = render_html(fleet(12), take_census(fleet(12))).decode()
    rows = page[page.index('<section id="hosts"') :].split("<tr id=")[1:]
    assert len(rows) == 12
    assert all(" days left<" in row or " ago<" in row or "today<" in row for row in rows)


def test_the_report_tells_what_the_last_builds_did(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build()
    shop.now += timedelta(days=1)
    record_installed(shop.load(), None)
    shop.now += timedelta(days=1)
    shop.edit("10.1.2.3", "10.1.2.4")
    shop.build()
    text = (shop.dist / "report.txt").read_text()
    told = text[text.index("What was done last\n") : text.index("\nCertificates\n")]
    lines = " ".join(told.split())
    assert "2026-11-26 12:00 UTC certificate replaced, names-changed: ipm1.example.com" in lines
    assert "2026-11-25 12:00 UTC installed: desk1.example.com, ipm1.example.com and 1 more" in lines
    assert "certificate issued, new-host: desk1.example.com, ipm1.example.com and 1 more" in lines
    assert lines.index("2026-11-26") < lines.index("2026-11-25") < lines.index("2026-11-24")
