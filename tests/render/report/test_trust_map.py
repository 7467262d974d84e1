"""Who trusts whom, in each mode: the drawing's lines, and the same in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ipmpki.plans.plan import Rollover, Stage
from ipmpki.render.report.files import render_report
from ipmpki.render.report.trust_map import TrustMap, draw_trust
from ipmpki.render.report.words import take_census
from tests.render.browser import opened
from tests.render.reports import AUTHORITY, BUNDLE, OLD_AUTHORITY, PRINT_ROOM, REFUSED, SUCCESSION

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from ipmpki.render.report.document import Report

ONE_WAY = replace(PRINT_ROOM, mutual_auth=False)
BOUGHT = replace(ONE_WAY, is_bought=True, bundle=BUNDLE, authority=None, revocation_list=None)
BOUGHT_MUTUAL = replace(BOUGHT, mutual_auth=True)
MIXED = replace(PRINT_ROOM, is_bought=True, is_mixed=True, bundle=BUNDLE)
TRUST_BOTH = replace(PRINT_ROOM, outgoing=(OLD_AUTHORITY,), rollover=SUCCESSION)
REISSUE = replace(TRUST_BOTH, rollover=Rollover(Stage.REISSUE, AUTHORITY.fingerprint, (), ()))

MAPS: dict[str, tuple[Report, set[str]]] = {
    "one-way": (
        ONE_WAY,
        {"authority signs servers", "clients trusts authority", "clients checks servers"},
    ),
    "mutual": (
        PRINT_ROOM,
        {
            "authority signs servers",
            "authority signs clients",
            "clients trusts authority",
            "servers trusts authority",
            "clients checks servers",
            "servers checks clients",
        },
    ),
    "bought": (
        BOUGHT,
        {"bundle signs servers", "clients trusts bundle", "clients checks servers"},
    ),
    "bought-mutual": (
        BOUGHT_MUTUAL,
        {
            "bundle signs servers",
            "bundle signs clients",
            "bundle signs strangers",
            "clients trusts bundle",
            "servers trusts bundle",
            "clients checks servers",
            "servers checks clients",
            "servers lets-in strangers",
        },
    ),
    "mixed": (
        MIXED,
        {
            "bundle signs servers",
            "authority signs clients",
            "clients trusts bundle",
            "servers trusts authority",
            "clients checks servers",
            "servers checks clients",
        },
    ),
    "trust-both": (
        TRUST_BOTH,
        {
            "old signs servers",
            "old signs clients",
            "clients trusts old",
            "clients trusts new",
            "servers trusts old",
            "servers trusts new",
            "clients checks servers",
            "servers checks clients",
        },
    ),
    "reissue-one-way": (
        replace(REISSUE, mutual_auth=False),
        {
            "new signs servers",
            "clients trusts old",
            "clients trusts new",
            "clients checks servers",
        },
    ),
    "refused-amid-a-succession": (
        replace(ONE_WAY, outgoing=(OLD_AUTHORITY,), refused=True),
        {
            "old signs servers",
            "new signs servers",
            "clients trusts old",
            "clients trusts new",
            "clients checks servers",
        },
    ),
    "mixed-reissue": (
        replace(MIXED, outgoing=(OLD_AUTHORITY,), rollover=REISSUE.rollover),
        {
            "bundle signs servers",
            "new signs clients",
            "clients trusts bundle",
            "servers trusts old",
            "servers trusts new",
            "clients checks servers",
            "servers checks clients",
        },
    ),
}
every_mode = pytest.mark.parametrize(("report", "lines"), MAPS.values(), ids=MAPS)


def drawn(report: Report) -> TrustMap:
    found = draw_trust(report, take_census(report))
    assert found is not None
    return found


def said(report: Report) -> list[str]:
    return ["".join(sentence) for sentence in drawn(report).sentences]


@every_mode
def test_every_mode_has_its_lines(report: Report, lines: set[str]) -> None:
    found = drawn(report)
    assert {f"{line.start.name} {line.kind} {line.end.name}".lower() for line in found.lines} == lines
    assert len(found.arrows) == len(found.lines)


@every_mode
def test_page_and_text_say_in_words_what_is_drawn(report: Report, lines: set[str]) -> None:
    page, text = (render_report(report)[place].content.decode() for place in (0, 1))
    told = " ".join(said(report))
    description = page.partition('<desc id="trust-words">')[2].partition("</desc>")[0]
    assert description.split() == told.split()
    assert " ".join(said(report)) in " ".join(text.replace("\n- ", "\n").split())
    assert ("servers check clients" in told) == ("servers checks clients" in lines)
    assert ("Clients show no certificate." in told) == ("servers checks clients" not in lines)
    assert ("let in anybody" in told) == ("servers lets-in strangers" in lines)
    assert page.count("marker-end") == len(lines) + len(drawn(report).kinds)


def test_a_succession_is_told_by_its_stage() -> None:
    assert said(TRUST_BOTH)[:3] == [
        "The old authority signs the certificates of servers and clients.",
        "The new authority is trusted, and signs not yet.",
        "Clients trust the old authority and the new authority. They know them by ca-cert.pem.",
    ]
    assert "The old authority is trusted, and signs no longer." in said(REISSUE)


def test_where_two_kinds_of_authority_are_known_each_is_told_with_its_file() -> None:
    assert said(MIXED)[0] == (
        "The certificates of servers are bought, from authorities of the trust bundle, "
        "which holds 143 certificates."
    )
    assert said(MIXED)[2:4] == [
        "Clients trust the trust bundle. They know it by ca-cert.pem.",
        "Servers trust the authority, and believe nobody else. They know it by client-ca-cert.pem, or "
        "ca-cert.pem where no keyword tells the two apart.",
    ]


def test_without_hosts_or_an_authority_nothing_is_drawn() -> None:
    for report in (REFUSED, replace(PRINT_ROOM, hosts=()), replace(PRINT_ROOM, authority=None)):
        assert draw_trust(report, take_census(report)) is None
        assert 'id="trust"' not in render_report(report)[0].content.decode()


@every_mode
def test_the_text_stays_in_its_box_on_a_telephone(
    browser: Browser, tmp_path: Path, report: Report, lines: set[str]
) -> None:
    assert lines
    file = tmp_path / "report.html"
    file.write_bytes(render_report(report)[0].content)
    with opened(browser, file, width=320) as page:
        boxes, texts = (
            page.locator(f"#trust figure > svg {tag}").evaluate_all(
                "all => all.map((e) => e.getBoundingClientRect()).map((at) => [at.left, at.right, at.top])"
            )
            for tag in ("rect", "text")
        )
        for place, (left, right, _) in enumerate(texts):
            assert boxes[place // 2][0] < left < right < boxes[place // 2][1]
        for (_, right, top), (left, _, next_top) in pairwise(boxes):
            assert right < left or top < next_top
