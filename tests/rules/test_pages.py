"""Every rule's page keeps its promise: the bad example is reported, the good one is not."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.catalog import registered
from ipmpki.rules.registry import HEADINGS, REST_OF_A_FILE, Rule, page
from tests.cli.command import ipmpki
from tests.places import GOLDEN
from tests.problems import rules_of

FIXED = {
    "toml-syntax": "error",
    "unknown-key": "error",
    "missing-key": "error",
    "wrong-type": "error",
    "wrong-value": "error",
    "name-not-fully-qualified": "error",
    "name-invalid": "error",
    "name-is-an-address": "error",
    "name-too-long": "error",
    "partial-wildcard": "error",
    "wildcard-too-broad": "error",
    "wildcard-does-not-cover-name": "error",
    "alias-is-an-address": "error",
    "alias-invalid": "error",
    "ip-invalid": "error",
    "ip-not-an-endpoint": "error",
    "duplicate-host": "error",
    "alias-is-another-host": "error",
    "shared-alias": "warning",
    "shared-ip": "warning",
    "alias-repeats-name": "warning",
    "loopback-address": "warning",
    "link-local-address": "warning",
    "single-label-alias": "info",
    "third-party-with-mutual-auth": "warning",
    "server-key-cannot-encipher": "error",
    "key-too-weak": "error",
    "leaf-outlives-ca": "error",
    "renewal-window-too-wide": "error",
    "lifetime-over-825-days": "warning",
    "server-on-macos": "error",
    "no-server": "warning",
    "no-client": "info",
    "private-key-readable": "warning",
    "certificate-expiring": "warning",
    "certificate-expired": "error",
}
"""The names that are promises to users, with their severities."""

WITHOUT_EXAMPLE = {
    *(
        "file-unreadable",
        "include-without-effect",
        "internal-error",
        "key-of-another",
        "authority-cannot-issue",
    ),
    *("request-asks-for-other-names", "request-awaited", "request-repeated", "request-unreadable"),
}
"""Beside the rules about state: what they report does not come of the declaration alone."""

RULES = list(registered().values())
WITH_EXAMPLE = [rule for rule in RULES if not rule.is_about_state and rule.name not in WITHOUT_EXAMPLE]


def names(rules: list[Rule]) -> list[str]:
    return [rule.name for rule in rules]


def section(rule: Rule, heading: str) -> str:
    """One section of a rule's page."""
    found = re.search(rf"^## {heading}\n\n(.*?)(?=\n\n## |\Z)", rule.page, re.DOTALL | re.MULTILINE)
    assert found is not None, f"{rule.name} has no section {heading}"
    return found[1]


def example(rule: Rule, heading: str) -> str:
    """The one TOML block of a section, as a whole file."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", section(rule, heading), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1, f"{rule.name}: {heading}"
    text: str = blocks[0]
    return text if "[ca]" in text else text + REST_OF_A_FILE


def test_the_promised_rules_are_there_with_their_severities() -> None:
    severities = {rule.name: rule.severity.value for rule in RULES}
    assert {name: severities.get(name) for name in FIXED} == FIXED


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_a_page_has_its_sections_in_order(rule: Rule) -> None:
    assert tuple(re.findall(r"^## (.*)$", rule.page, re.MULTILINE)) == HEADINGS
    assert rule.page.partition("\n")[0].endswith("."), "a page begins with a sentence"
    assert not rule.summary.endswith(".")
    assert rule.citation
    assert all(len(line) <= 110 for line in rule.page.splitlines())


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_a_rendered_page_names_rule_severity_and_source(rule: Rule) -> None:
    text = page(rule)
    assert text.startswith(f"# {rule.name} ({rule.severity})\n\n{rule.summary}.\n\n## What it finds\n")
    assert text.endswith(f"## Source\n\n{rule.citation}.\n")


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=names(WITH_EXAMPLE))
def test_the_example_is_reported(rule: Rule) -> None:
    assert rule.name in rules_of(example(rule, "Example"))


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=names(WITH_EXAMPLE))
def test_what_to_write_instead_is_not_reported(rule: Rule) -> None:
    found = rules_of(example(rule, "Instead"))
    assert rule.name not in found
    errors = {name for name in found if registered()[name].severity is Severity.ERROR}
    assert not errors, "what a page tells people to write is itself wrong"


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=names(WITH_EXAMPLE))
def test_the_example_shows_one_mistake(rule: Rule) -> None:
    quiet = {"no-client", "no-server", "single-label-alias", "server-without-client-auth"}
    allowed = {rule.name} | ({"ip-invalid"} if rule.name == "ignored-error" else set())
    assert set(rules_of(example(rule, "Example"))) - quiet <= allowed


# --- Pages without an example that could be run ---------------------------------------------------

IN_WORDS = [rule for rule in RULES if rule not in WITH_EXAMPLE]


@pytest.mark.parametrize("rule", IN_WORDS, ids=names(IN_WORDS))
def test_what_no_declaration_shows_is_told_in_words(rule: Rule) -> None:
    assert section(rule, "Example").startswith("It comes of ")
    assert "```" not in rule.page


OF_STATE = [rule for rule in RULES if rule.state_check is not None]


@pytest.mark.parametrize("rule", OF_STATE, ids=names(OF_STATE))
def test_what_comes_of_the_state_is_not_reported_where_nothing_is_wrong_with_it(rule: Rule) -> None:
    # That it is reported where something is, its golden pair shows.
    declarations = sorted(GOLDEN.glob(f"{rule.name}*.toml"))
    assert declarations
    for path in declarations:
        assert rule.name not in rules_of(path.read_bytes())


# --- The reference ----------------------------------------------------------------------------------


def reference() -> str:
    outcome = ipmpki("rules", "--format", "markdown")
    assert (outcome.status, outcome.err) == (0, "")
    return outcome.out


def test_the_reference_holds_each_page_one_level_down() -> None:
    tokens = MarkdownIt("commonmark").parse(reference())
    headings = [
        (token.tag, after.content) for token, after in pairwise(tokens) if token.type == "heading_open"
    ]
    assert headings[0] == ("h1", "The rules of ipmpki")
    pages = [text for tag, text in headings if tag == "h2" and "(" in text]
    assert sorted(pages) == sorted(f"{rule.name} ({rule.severity})" for rule in RULES)
    sections = Counter(text for tag, text in headings if tag == "h3")
    assert sections == dict.fromkeys((*HEADINGS, "Source"), len(RULES))


def test_the_reference_shows_each_example_as_it_is_on_its_page() -> None:
    fences = [token.content for token in MarkdownIt("commonmark").parse(reference()) if token.type == "fence"]
    for rule in WITH_EXAMPLE:
        for heading in ("Example", "Instead"):
            assert example(rule, heading).removesuffix(REST_OF_A_FILE) in fences


def test_stars_and_brackets_of_a_page_are_shown_as_they_are() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(reference())
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "softbreak", "code_inline", "text_special", "link_open", "link_close"}
    assert inline.count("link_open") == len(RULES)  # those of the table of contents


def test_each_link_of_the_reference_leads_to_a_page() -> None:
    text = reference()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", text)
    assert len(links) == len(RULES)
    assert set(links) <= anchors


def test_each_row_of_the_reference_has_three_cells() -> None:
    html = unescape(MarkdownIt("commonmark").enable("table").render(reference()))
    assert html.count("<td>") == 3 * len(RULES)
    for rule in RULES:
        assert f"<td>{rule.summary}</td>" in html
