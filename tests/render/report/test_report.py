"""report.html, report.txt and report.json: what they say, their structure, and that nothing breaks them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipmpki.declaration.vocabulary import OperatingSystem, Role
from ipmpki.diagnostics.problem import Position, Severity, Span
from ipmpki.render.problems.rule_pages import rule_pages
from ipmpki.render.report.files import render_report
from ipmpki.render.report.timeline import MOST_BARS, MOST_PERIODS, draw_timeline
from ipmpki.rules.catalog import registered
from tests.render.reports import (
    AS_OF,
    AUTHORITY,
    HOSTILE,
    OLD_AUTHORITY,
    PRINT_ROOM,
    REFUSED,
    SUCCESSION,
    fleet,
    host,
    hostile,
    problem,
    shared_alias,
)

if TYPE_CHECKING:
    from ipmpki.render.report.document import Report

VOID = {"meta", "input", "wbr", "link", "br", "img", "hr"}


class Page(HTMLParser):
    """The elements of a page, and the text within each kind of element."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *tags: str) -> str:
        return "".join(data for tag, data in self.texts if not tags or tag in tags)


def files(report: Report) -> dict[str, str]:
    return {file.name: file.content.decode() for file in render_report(report)}


def words_of(text: str) -> str:
    return " ".join(text.split())


def html_text(report: Report) -> str:
    return words_of(Page(files(report)["report.html"]).text())


REPORTS = {
    "print-room": PRINT_ROOM,
    "refused": REFUSED,
    "hostile": hostile(HOSTILE),
    "many": fleet(450),
    "empty": replace(PRINT_ROOM, hosts=(), problems=()),
    "third-party": replace(PRINT_ROOM, authority=None, revocation_list=None, is_bought=True),
    "succession": replace(PRINT_ROOM, outgoing=(OLD_AUTHORITY,), rollover=SUCCESSION),
}
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


# --- What the files are -----------------------------------------------------------------------------


@every_report
def test_three_public_files_end_in_a_line_end(report: Report) -> None:
    rendered = render_report(report)
    assert [file.name for file in rendered] == ["report.html", "report.txt", "report.json"]
    assert {file.mode for file in rendered} == {0o644}
    assert all(file.content.endswith(b"\n") for file in rendered)


@every_report
def test_the_same_report_gives_the_same_bytes_in_any_time_zone(report: Report) -> None:
    tokyo = timezone(timedelta(hours=9))
    moved = replace(report, as_of=report.as_of.astimezone(tokyo) if report.as_of else None)
    assert render_report(report) == render_report(report) == render_report(moved)


def test_a_moment_without_a_zone_is_utc() -> None:
    naive = replace(PRINT_ROOM, hosts=(), as_of=AS_OF.replace(tzinfo=None))
    assert render_report(naive) == render_report(replace(PRINT_ROOM, hosts=()))


# --- The page's structure ---------------------------------------------------------------------------


@every_report
def test_the_page_has_its_frame(report: Report) -> None:
    source = files(report)["report.html"]
    page = Page(source)
    assert source.startswith("<!DOCTYPE html>\n")
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert page.elements[2] == ("meta", {"charset": "utf-8"})
    assert page.text("title").strip()
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    skip = page.all("a")[0]
    assert (skip["class"], skip["href"]) == ("skip", "#main")


@every_report
def test_headings_never_skip_a_level(report: Report) -> None:
    levels = [
        int(tag[1]) for tag, _ in Page(files(report)["report.html"]).elements if re.fullmatch("h[1-6]", tag)
    ]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@every_report
def test_references_within_the_page_lead_somewhere(report: Report) -> None:
    page = Page(files(report)["report.html"])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    for _, attributes in page.elements:
        target = attributes.get("href")
        assert target is None or (target[0] == "#" and target[1:] in ids)
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
        assert attributes.get("for") in {None, *ids}


@every_report
def test_tables_have_captions_and_scoped_headers(report: Report) -> None:
    page = Page(files(report)["report.html"])
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in {"col", "row"} for cell in page.all("th"))


@every_report
def test_nothing_is_loaded_and_only_the_pages_own_style_and_script_may_act(report: Report) -> None:
    page = Page(files(report)["report.html"])
    for tag, attributes in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "audio", "video"}
        assert not any(
            name in {"src", "srcset", "style", "action"} or name.startswith("on") for name in attributes
        )
    assert "url(" not in page.text("style")
    heads = {f"url(#{marker['id']})" for marker in page.all("marker")}
    assert all(line.get("marker-end") in {None, *heads} for line in page.all("line"))
    assert "@import" not in page.text("style")
    [policy] = [
        meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    style, script = (
        base64.b64encode(hashlib.sha256(page.text(tag).encode()).digest()).decode()
        for tag in ("style", "script")
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_inlined_files_cannot_close_their_element() -> None:
    page = Page(files(PRINT_ROOM)["report.html"])
    assert "</" not in page.text("style")
    assert "</" not in page.text("script")


# --- Hostile text -----------------------------------------------------------------------------------


def is_unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def shape(report: Report) -> list[tuple[str, frozenset[str]]]:
    return [
        (tag, frozenset(attributes))
        for tag, attributes in Page(files(report)["report.html"]).elements
        if tag not in {"wbr", "mark"}
    ]


PLAIN_SHAPE = shape(hostile("x" * 20))


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=60)
    | st.sampled_from([HOSTILE, "\u2066\u2069]]>-->", "</script>", "{{x}}{%"])
)
def test_no_text_adds_an_element_or_a_character_that_cannot_be_seen(text: str) -> None:
    rendered = files(hostile(text))
    for name, content in rendered.items():
        allowed = "\n\t" if name == "report.html" else "\n"
        assert [character for character in content if is_unseen(character) and character not in allowed] == []
    assert shape(hostile(text)) == PLAIN_SHAPE


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=1, max_size=60))
def test_json_gives_back_any_text(text: str) -> None:
    document = json.loads(files(hostile(text))["report.json"])
    declared = document["hosts"][0]
    assert declared["name"] == declared["aliases"][0] == declared["certificate"]["dns_names"][1] == text
    assert document["problems"][0]["message"] == text
    assert document["declaration"] == document["authority"]["subject"] == text


def test_hostile_text_is_shown_escaped() -> None:
    page = Page(files(hostile(HOSTILE))["report.html"])
    assert len(page.all("script")) == 1
    shown = r"<script>alert(1)</script>\u202eevil\x1b[31m\x00\u200b'" '"&{{7*7}}'
    assert page.text("bdi", "dd", "small").count(shown) >= 9


# --- What the files say -----------------------------------------------------------------------------


def test_a_refusal_says_first_that_nothing_was_built_or_touched() -> None:
    rendered = files(REFUSED)
    sentence = "Nothing was built and nothing else was touched: pki.toml has 1 error"
    assert sentence in words_of(rendered["report.txt"])
    assert sentence in html_text(REFUSED)
    assert rendered["report.txt"].split("\n")[4] == "✕ Nothing was built"
    document = json.loads(rendered["report.json"])
    assert (document["state"], document["as_of"], document["authority"]) == ("refused", None, None)
    assert "install.sh" not in rendered["report.html"]
    assert "install.sh" not in rendered["report.txt"]


def test_a_refusal_after_a_build_still_shows_what_stands() -> None:
    report = replace(PRINT_ROOM, refused=True, problems=(problem(),))
    rendered = files(report)
    assert "What was published before, if anything, is as it was." in html_text(report)
    assert "ipm1.example.com" in rendered["report.html"]
    assert "install.sh" not in rendered["report.txt"]


@pytest.mark.parametrize(
    ("report", "title"),
    [
        (
            replace(PRINT_ROOM, hosts=(replace(host("a.example.com"), installed_at=AS_OF),), problems=()),
            "✓ All is well",
        ),
        (
            replace(PRINT_ROOM, hosts=(host("a.example.com"),), problems=()),
            "▲ 1 host not known to be installed",
        ),
        (replace(PRINT_ROOM, hosts=(host("a.example.com"),)), "▲ Built, with 1 warning"),
        (replace(PRINT_ROOM, hosts=(host("a.example.com"),), problems=(problem(),)), "✕ Built, with 1 error"),
        (PRINT_ROOM, "✕ 1 certificate expired"),
        (
            replace(PRINT_ROOM, hosts=(host("a.example.com", issued=AS_OF - timedelta(days=380)),)),
            "▲ 1 certificate due for renewal",
        ),
        (
            replace(PRINT_ROOM, hosts=(replace(host("a.example.com"), certificate=None),)),
            "▲ 1 host without a certificate yet",
        ),
        (
            replace(
                PRINT_ROOM, hosts=(replace(host("a.example.com"), is_behind=True), host("b.example.com"))
            ),
            "▲ 1 host to be installed",
        ),
        (
            replace(PRINT_ROOM, hosts=(replace(host("a.example.com"), install_by=AS_OF),)),
            "▲ 1 host to be installed",
        ),
        (
            replace(PRINT_ROOM, hosts=(replace(host("a.example.com"), install_by=AS_OF, is_behind=True),)),
            "✕ 1 host not installed in time",
        ),
        (replace(REFUSED, problems=()), "✕ Nothing was built"),
    ],
)
def test_the_headline_tells_the_gravest_thing(report: Report, title: str) -> None:
    rendered = files(report)
    assert title in rendered["report.txt"].split("\n")
    assert title[2:] in Page(rendered["report.html"]).text("p")


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(days=367) - timedelta(seconds=1), "valid"),
        (timedelta(days=367), "renewal-due"),
        (timedelta(days=397) - timedelta(seconds=1), "renewal-due"),
        (timedelta(days=397), "expired"),
    ],
)
def test_a_certificate_is_judged_at_the_time_of_the_report(age: timedelta, status: str) -> None:
    report = replace(PRINT_ROOM, hosts=(host("a.example.com", issued=AS_OF - age),))
    [shown] = json.loads(files(report)["report.json"])["hosts"]
    assert shown["status"] == status


def test_a_client_needs_a_certificate_only_under_mutual_authentication() -> None:
    client = replace(host("c.example.com", Role.CLIENT), certificate=None, published_at=None)
    for mutual_auth, status, word in (
        (True, "awaited", "No certificate yet"),
        (False, "not-needed", "None needed"),
    ):
        report = replace(PRINT_ROOM, mutual_auth=mutual_auth, hosts=(client,))
        assert json.loads(files(report)["report.json"])["hosts"][0]["status"] == status
        assert word in html_text(report)
        assert word in files(report)["report.txt"]


def test_certificates_are_shown_with_names_serial_and_fingerprint() -> None:
    [shown] = [declared for declared in PRINT_ROOM.hosts if declared.name == "ipm1.example.com"]
    assert shown.certificate is not None
    serial = f"{shown.certificate.serial:040X}"
    pairs = ":".join(re.findall("..", shown.certificate.fingerprint.upper()))
    assert serial in html_text(PRINT_ROOM)
    assert pairs in html_text(PRINT_ROOM)
    assert serial in files(PRINT_ROOM)["report.txt"]
    assert pairs in re.sub(r"\n +", "", files(PRINT_ROOM)["report.txt"])
    with_colons = replace(
        PRINT_ROOM, hosts=(replace(shown, certificate=replace(shown.certificate, fingerprint=pairs)),)
    )
    assert pairs in html_text(with_colons)
    assert json.loads(files(with_colons)["report.json"])["hosts"][0]["certificate"][
        "fingerprint"
    ] == pairs.replace(":", "")


def next_part(report: Report) -> str:
    """What the page says is to be done next."""
    page = files(report)["report.html"]
    return page[page.index('<section id="next"') : page.index("</section>", page.index('<section id="next"'))]


@pytest.mark.parametrize(
    ("mutual_auth", "order"), [(False, ["new", "old", "c"]), (True, ["c", "new", "old"])]
)
def test_hosts_are_installed_in_the_order_of_the_mode_newest_folders_first(
    mutual_auth: bool, order: list[str]
) -> None:
    older = host("old.example.com", issued=AS_OF - timedelta(days=9))
    hosts = (host("c.example.com", Role.CLIENT), older, host("new.example.com"))
    report = replace(PRINT_ROOM, hosts=hosts, mutual_auth=mutual_auth)
    for text in (next_part(report), files(report)["report.txt"]):
        folders = re.findall(r"scp -r dist/hosts/(\w+)\.example\.com", text)
        assert folders[:3] == order


def test_each_system_is_told_its_own_way() -> None:
    text = html_text(PRINT_ROOM)
    assert "sudo sh install.sh" in text
    assert "right-click install.cmd and choose Run as administrator" in text
    assert "pdshutdown ServerName" in text
    assert "Never use startsrv -F" in text
    assert "Management Console (File, Stop Server)" in text
    only_mac = html_text(
        replace(PRINT_ROOM, hosts=(host("m.example.com", Role.CLIENT, OperatingSystem.MACOS),))
    )
    assert "pdshutdown" not in only_mac
    assert "Management Console" not in only_mac


def test_mutual_authentication_is_explained_only_where_it_is_required() -> None:
    sentence = "a server lets in only clients that show a certificate of this authority"
    assert sentence in html_text(PRINT_ROOM)
    assert sentence not in html_text(replace(PRINT_ROOM, mutual_auth=False))


def test_a_long_list_of_folders_says_how_many_more_there_are() -> None:
    for spread in (0, 360):
        text = next_part(fleet(450, spread_days=spread))
        named, more = len(re.findall(r"dist/hosts/host", text)), re.findall(r"and (\d+) more", text)
        assert named + sum(map(int, more)) == 450
    assert len(Page(files(fleet(450))["report.html"]).all("table")) == 1 + 1 + 1 + 5


def test_a_host_not_published_yet_is_not_among_those_to_install() -> None:
    report = replace(PRINT_ROOM, hosts=(replace(host("a.example.com"), published_at=None),))
    assert "dist/hosts/a.example.com" not in html_text(report)
    assert json.loads(files(report)["report.json"])["hosts"][0]["published_at"] is None


def test_a_host_that_has_what_is_published_is_not_among_those_to_install() -> None:
    done = replace(host("done.example.com"), installed_at=AS_OF)
    waiting = replace(host("waits.example.com"), certificate=None, awaited_since=AS_OF)
    left = "Nothing is left to install: every host has what is published for it"
    for hosts, folders, sentence in (
        ((done, host("new.example.com")), ["new"], "ipmpki installed pki.toml HOST..."),
        ((done, waiting), [], "Nothing is left to install"),
        ((done,), [], left),
        ((waiting,), [], "There is nothing to install yet."),
    ):
        report = replace(PRINT_ROOM, hosts=hosts)
        text = html_text(report)
        listed = next_part(report)
        assert re.findall(r"scp -r dist/hosts/(\w+)\.example\.com", listed) == folders
        assert sentence in text
        assert sentence in words_of(files(report)["report.txt"])
        assert ("Before you install" in text) == bool(folders)
        assert ("install.sh" in listed) == bool(folders)


def test_while_an_authority_takes_over_both_are_shown_and_hosts_are_installed_in_any_order() -> None:
    text = html_text(REPORTS["succession"])
    for fingerprint in (OLD_AUTHORITY.fingerprint, AUTHORITY.fingerprint):
        assert ":".join(re.findall("..", fingerprint.upper())) in text
    assert text.index("New authority") < text.index("Old authority")
    assert "in any order" in text
    assert "First the servers" not in text
    assert "Install the servers first" not in text
    assert "Install every client before" not in text
    assert "Old authority\n---" in files(REPORTS["succession"])["report.txt"]


def test_an_authority_brought_along_is_called_so() -> None:
    assert PRINT_ROOM.authority is not None
    report = replace(PRINT_ROOM, authority=replace(PRINT_ROOM.authority, is_existing=True))
    assert "This authority was brought by you." in html_text(report)
    assert "brought by you" in files(report)["report.txt"]


# --- Problems ---------------------------------------------------------------------------------------


def marks(report: Report) -> list[str]:
    source = files(report)["report.html"]
    return [Page(mark).text() for mark in re.findall(r"<mark.*?</mark>", source, re.DOTALL)]


def test_the_mark_stands_on_just_the_characters_meant() -> None:
    assert marks(REFUSED) == ['"print*.example.com"', "üb", "ab"]
    text = html_text(REFUSED)
    assert "pki.toml, line 14, column 11" in text
    assert "sites/berlin.toml, line 1, column 1: first declared here" in text
    assert "What to do: use '*.example.com', or name each computer" in text
    assert "ipmpki explain partial-wildcard" in text


def test_a_place_between_two_characters_is_an_empty_mark() -> None:
    spot = Span(Position(14, 3), Position(14, 3))
    assert marks(replace(REFUSED, problems=(problem("abcdef", spot),))) == [""]


def test_a_place_without_a_span_shows_no_source() -> None:
    located = problem()
    report = replace(REFUSED, problems=(replace(located, label=replace(located.label, span=None, lines=())),))
    assert marks(report) == []
    assert {"class": "line"} not in Page(files(report)["report.html"]).all("span")


def test_a_long_stretch_is_cut_in_its_middle() -> None:
    located = problem()
    lines = ("hosts = [", *(f"  {number}," for number in range(20)), "", "]")
    spot = Span(Position(10, 9), Position(32, 2))
    report = replace(
        REFUSED, problems=(replace(located, label=replace(located.label, span=spot, lines=lines)),)
    )
    assert marks(report) == ["[", "0,", "1,", "2,", "]"]
    assert "… 18 lines more …" in html_text(report)
    blank = replace(located.label, span=Span(Position(1, 1), Position(3, 2)), lines=("[", "", "]"))
    assert marks(replace(REFUSED, problems=(replace(located, label=blank),))) == ["[", "]"]


def test_a_long_line_is_cut_around_its_mark() -> None:
    text = "a" * 5000 + "b" * 5000 + "c" * 5000
    spot = Span(Position(14, 5001), Position(14, 10001))
    report = replace(REFUSED, problems=(problem(text, spot),))
    [shown] = marks(report)
    assert shown == "b" * 160 + "…" + "b" * 160
    assert len(files(report)["report.html"]) < 40_000


def test_severities_are_told_by_word_and_symbol() -> None:
    told = [
        replace(located, problem=replace(located.problem, severity=severity))
        for severity in Severity
        for located in (shared_alias(),)
    ]
    text = html_text(replace(REFUSED, problems=tuple(told)))
    assert all(word in text for word in ("✕ Error", "▲ Warning", "i Note"))


def test_errors_stand_first_then_warnings_then_notes() -> None:
    note = replace(shared_alias(), problem=replace(shared_alias().problem, severity=Severity.INFO))
    page = Page(files(replace(REFUSED, problems=(note, shared_alias(), problem())))["report.html"])
    items = [one["class"] for one in page.all("li") if (one.get("class") or "").startswith("problem")]
    assert items == ["problem error", "problem warning", "problem info"]


def test_each_rule_is_explained_once_however_often_it_is_broken() -> None:
    report = replace(REFUSED, problems=(problem(), problem("x" * 20), shared_alias()))
    page = Page(files(report)["report.html"])
    assert [one["id"] for one in page.all("article")] == ["rule-partial-wildcard", "rule-shared-alias"]
    unheard_of = replace(problem(), problem=replace(problem().problem, rule="no-such-rule"))
    page = Page(files(replace(REFUSED, problems=(unheard_of,)))["report.html"])
    assert page.all("article") == []
    assert "no-such-rule" in page.text("code")


def test_every_rules_page_can_be_shown() -> None:
    every = tuple(replace(problem(), problem=replace(problem().problem, rule=name)) for name in registered())
    pages = rule_pages(every)
    assert list(pages) == list(registered())
    for page in pages.values():
        text = "".join(part for block in page.blocks for part in block.sentence)
        assert {block.kind for block in page.blocks} >= {"heading", "text"}, page.name
        assert "`" not in text, page.name
        assert "## " not in text, page.name


# --- The timeline -----------------------------------------------------------------------------------


def test_a_few_certificates_have_a_bar_each_soonest_first() -> None:
    timeline = draw_timeline(PRINT_ROOM)
    assert timeline is not None
    assert [bar.until for bar in timeline.bars] == sorted(bar.until for bar in timeline.bars)
    assert timeline.bars[0].name == "sap.example.com"
    assert timeline.bars[0].left == "0.00%"
    assert timeline.as_of_label == "2026-11-24"
    single = draw_timeline(replace(PRINT_ROOM, hosts=PRINT_ROOM.hosts[:1]))
    assert single is not None
    assert single.title == "When 1 certificate expires"


def test_without_certificates_there_is_no_timeline() -> None:
    assert draw_timeline(REFUSED) is None


@pytest.mark.parametrize(
    ("spread_days", "unit", "first"),
    [
        (0, "month", "2027-12"),
        (360, "month", "2027-01"),
        (2000, "quarter", "2022 Q3"),
        (9000, "year", "2003"),
    ],
)
def test_many_certificates_are_counted_by_a_period_that_fits(spread_days: int, unit: str, first: str) -> None:
    report = fleet(MOST_BARS + 76, spread_days=spread_days)
    timeline = draw_timeline(report)
    assert timeline is not None
    assert timeline.bars == ()
    assert sum(column.count for column in timeline.columns) == MOST_BARS + 76
    assert len(timeline.columns) <= MOST_PERIODS
    assert timeline.columns[0].period == first
    assert timeline.title.endswith(f"in each {unit}")
    for column in timeline.columns:
        assert column.first == "" or column.first >= column.period[:4]
    table = Page(files(report)["report.html"])
    assert str(timeline.columns[0].count) in table.text("td")


def test_a_fleet_over_centuries_is_counted_by_longer_periods() -> None:
    hosts = tuple(
        host(f"h{number}.example.com", issued=datetime(2000 + 150 * number, 1, 1, tzinfo=UTC), days=365)
        for number in range(30)
    )
    timeline = draw_timeline(replace(PRINT_ROOM, hosts=hosts))
    assert timeline is not None
    assert len(timeline.columns) <= MOST_PERIODS
    assert re.fullmatch(r"\d{4} to \d{4}", timeline.columns[0].period)


def test_the_day_of_the_report_is_marked_only_where_it_falls_in_the_drawing() -> None:
    before = datetime(1999, 1, 1, tzinfo=UTC)
    for size in (3, MOST_BARS + 6):
        for as_of in (None, before):
            timeline = draw_timeline(replace(fleet(size), as_of=as_of))
            assert timeline is not None
            assert timeline.as_of_at is None
    overdue = draw_timeline(replace(fleet(MOST_BARS + 6), as_of=AS_OF + timedelta(days=200)))
    assert overdue is not None
    assert overdue.as_of_at is not None


# --- Text and JSON ----------------------------------------------------------------------------------


def is_to_copy(line: str) -> bool:
    """Whether it is a command, which is a line however long its names are."""
    return re.match(r" +(To copy +|As root +|As admin\. +)?(scp -r|cd|C:)", line) is not None


@every_report
def test_no_line_of_the_text_but_one_to_copy_is_wider_than_a_terminal(report: Report) -> None:
    if report is REPORTS["hostile"]:  # What stands beside a caret is never broken.
        report = replace(report, problems=())
    lines = files(report)["report.txt"].split("\n")
    assert [line for line in lines if len(line) > 80 and not is_to_copy(line)] == []
    assert [line for line in lines if line != line.rstrip()] == []


def test_the_longest_name_fits_the_text() -> None:
    name = ".".join(["a" * 62] * 4)
    report = replace(PRINT_ROOM, hosts=(replace(host(name), aliases=(name, name)),), problems=())
    text = files(report)["report.txt"]
    assert all(len(line) <= 80 or is_to_copy(line) for line in text.split("\n"))
    assert name in re.sub(r"\n *", "", text)


@every_report
def test_json_is_laid_out_as_the_standard_library_does(report: Report) -> None:
    source = files(report)["report.json"]
    document = json.loads(source)
    if report is not REPORTS["hostile"]:
        assert source == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert list(document) == [
        "version",
        "declaration",
        "state",
        "as_of",
        "mutual_auth",
        "authority",
        "rollover",
        "mutual_auth_change",
        "bundle",
        "revocation_list",
        "hosts",
        "problems",
        "summary",
    ]
    assert document["version"] == 1


def test_json_counts_and_dates() -> None:
    document = json.loads(files(PRINT_ROOM)["report.json"])
    assert document["as_of"] == "2026-11-24T02:55:00Z"
    assert document["revocation_list"] == {
        "number": 3,
        "this_update": "2026-11-24T02:55:00Z",
        "next_update": "2027-12-26T02:55:00Z",
        "revoked": 2,
    }
    assert document["summary"] == {
        "errors": 0,
        "warnings": 1,
        "infos": 0,
        "hosts": 7,
        "servers": 3,
        "clients": 4,
        "certificates": 7,
        "next_renewal": "2026-10-24T02:55:00Z",
        "first_expiry": "2026-11-23T02:55:00Z",
    }
