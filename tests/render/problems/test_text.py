"""Problems as people and programs read them."""

from __future__ import annotations

import json
import re

import pytest

from ipmpki.diagnostics.escape import visible
from ipmpki.diagnostics.problem import (
    Label,
    LocatedProblem,
    Place,
    Position,
    Problem,
    Related,
    Severity,
    Span,
    Tally,
)
from ipmpki.render.problems.github import render_github
from ipmpki.render.problems.json import render_json
from ipmpki.render.problems.sarif import render_sarif
from ipmpki.render.problems.text import columns, render_text, summary
from tests.problems import AUTHORITY, CLIENT, checked, fleet_with, server


def located(  # noqa: PLR0913 -- each part of a problem by name
    line: str,
    start: int,
    end: int,
    *,
    number: int = 14,
    message: str = "something is wrong",
    remedy: str | None = "mend it",
    file: str = "pki.toml",
) -> LocatedProblem:
    """A problem on one line, with columns from 1, the end exclusive."""
    span = Span(Position(number, start), Position(number, end))
    problem = Problem("some-rule", Severity.ERROR, message, remedy, Place(file))
    return LocatedProblem(problem, Label(file, (), span, (line,)))


def lines(*problems: LocatedProblem, width: int | None = None) -> list[str]:
    return render_text(problems, width=width).split("\n")


def test_the_format_is_the_promised_one() -> None:
    text = (
        "\n" * 11
        + '[[hosts]]\nname = "print1.example.com"\nsubject = "print*.example.com"\nrole = "server"\n'
    )
    shown = render_text(checked(text + AUTHORITY + CLIENT).problems)
    assert shown == (
        "error[partial-wildcard]: 'print*.example.com' is a partial wildcard,"
        " which InfoPrint Manager does not allow\n"
        "  --> pki.toml:14:11\n"
        "   |\n"
        '14 | subject = "print*.example.com"\n'
        "   |           ^^^^^^^^^^^^^^^^^^^^\n"
        "   = help: use '*.example.com', or name each computer\n"
        "\n"
        "1 error\n"
    )


def test_nothing_wrong_is_said_in_two_words() -> None:
    assert render_text([]) == "no problems\n"


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (Tally(0, 0, 0), "no problems"),
        (Tally(1, 0, 0), "1 error"),
        (Tally(2, 1, 0), "2 errors, 1 warning"),
        (Tally(0, 2, 1), "2 warnings, 1 info"),
    ],
)
def test_the_last_line_counts(counts: Tally, words: str) -> None:
    assert summary(counts) == words


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ('name = "x"', 8, 11),
        ('\tname\t=\t"x"', 9, 12),
        ('aliases = ["日本語", "x"]', 19, 22),
        ('aliases = ["\uff46\uff55\uff4c\uff4c", "x"]', 20, 23),
        ('aliases = ["🖨", "x"]', 17, 20),
        ('aliases = ["e\u0301\u0323", "x"]', 19, 22),
        ('aliases = ["\u202eevil", "x"]', 21, 24),
        ('aliases = ["\x1b[2J", "x"]', 20, 23),
        ('\u0301aliases = ["x"]', 13, 16),
    ],
)
def test_the_caret_stands_under_the_right_characters(line: str, start: int, end: int) -> None:
    shown = lines(located(line, start, end))
    source, carets = shown[3][5:], shown[4][5:]
    before = len(carets) - len(carets.lstrip())
    position = 0
    for index, character in enumerate(source):
        if position == before:
            assert source[index:].startswith('"x"')
            break
        position += columns(character)
    assert carets.strip() == "^^^"


def test_the_gutter_is_as_wide_as_the_longest_line_number() -> None:
    shown = lines(located("x", 1, 2, number=9999))
    assert shown[1:5] == ["    --> pki.toml:9999:1", "     |", "9999 | x", "     | ^"]


def test_a_missing_end_is_marked_behind_the_line() -> None:
    assert lines(located('name = "x', 10, 11))[4] == "   |          ^"


def test_a_problem_with_the_whole_file_shows_no_line() -> None:
    problem = Problem("no-server", Severity.WARNING, "no host is a server", None, Place("pki.toml"))
    top = Span(Position(1, 1), Position(1, 1))
    shown = lines(LocatedProblem(problem, Label("pki.toml", (), top, ("schema = 1",))))
    assert shown == ["warning[no-server]: no host is a server", " --> pki.toml:1:1", "", "1 warning", ""]


def test_a_problem_in_a_file_that_is_not_there_still_names_it() -> None:
    problem = Problem("file-unreadable", Severity.ERROR, "gone", None, Place("x.toml"))
    shown = lines(LocatedProblem(problem, Label("x.toml", (), None, ())))
    assert shown[1] == " --> x.toml"


@pytest.mark.parametrize("count", [2, 4, 7])
def test_a_stretch_of_lines_is_underlined_on_each_and_long_ones_are_folded(count: int) -> None:
    stretch = ["ips = [", *(f'  "{number}",' for number in range(count - 2)), "]"]
    span = Span(Position(8, 7), Position(7 + count, 2))
    problem = Problem("wrong-type", Severity.ERROR, "m", None, Place("pki.toml"))
    shown = lines(LocatedProblem(problem, Label("pki.toml", (), span, tuple(stretch))))
    numbers = [int(line.split("|")[0]) for line in shown if re.match(r" *\d+ \|", line)]
    if count > 4:
        assert numbers == [8, 9, 7 + count]
        assert "..." in shown
    else:
        assert numbers == list(range(8, 8 + count))
    assert shown[4].endswith("|       ^")
    assert shown[-4].endswith("| ^")


def test_a_second_place_in_the_same_file_is_shown_in_its_order() -> None:
    second = server('ips = ["10.1.2.3"]', name="b.example.com")
    shown = render_text(checked(fleet_with('ips = ["10.1.2.3"]') + second).problems)
    assert shown.index("- first declared here") < shown.index("...") < shown.index("^^^")


def test_a_second_place_on_the_same_line_is_underlined_below_it() -> None:
    shown = render_text(checked(fleet_with('aliases = ["a.example.com", "A.example.com"]')).problems)
    assert shown.count('aliases = ["a.example.com"') == 1
    assert re.search(r"\| +-{15} first declared here\n +\| +\^{15}\n", shown)


def test_a_second_place_in_another_file_is_shown_after() -> None:
    site = '[[hosts]]\nname = "ipm1.example.com"\nrole = "client"\n'
    shown = render_text(checked(fleet_with(""), ("sites/a.toml", site)).problems)
    assert " --> sites/a.toml:2:8\n" in shown
    assert " ::: pki.toml:5:8\n" in shown
    assert shown.index("-->") < shown.index(":::")


# --- Width ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("start", [1, 50, 150, 291])
@pytest.mark.parametrize("letter", ["a", "日"])
def test_a_long_line_is_cut_around_the_marked_place(width: int, start: int, letter: str) -> None:
    line = letter * (start - 1) + "XXX" + letter * (300 - start)
    shown = lines(located(line, start, start + 3), width=width)
    source, carets = shown[3], shown[4]
    assert columns(source) <= width
    before = len(carets.rstrip("^"))
    position, index = 0, 0
    while position < before:
        position += columns(source[index])
        index += 1
    assert source[index : index + 3] == "XXX"
    assert carets.endswith(" ^^^")


def test_a_marked_place_longer_than_the_line_is_cut_too() -> None:
    shown = lines(located('name = "' + "x" * 500 + '"', 8, 510), width=60)
    assert all(columns(line) <= 60 for line in shown)
    assert shown[3].endswith("…")


def test_messages_are_wrapped_to_the_width() -> None:
    shown = lines(located("x", 1, 2, message="word " * 40, remedy="word " * 40), width=60)
    assert all(len(line) <= 60 for line in shown)
    assert sum(line.count("word") for line in shown) == 80


def test_without_a_width_messages_stay_on_their_line() -> None:
    assert lines(located("x", 1, 2, message="word " * 40))[0].count("word") == 40


# --- What could drive the terminal ------------------------------------------------------------------

EVIL = "\x1b]0;title\x07\x1b[31m\r\x9b2J\u202e\u2028\ufeff\x7f"


def test_control_characters_are_shown_rather_than_sent() -> None:
    shown = render_text([located(f'"{EVIL}"', 1, 3, message=EVIL, remedy=EVIL, file=f"{EVIL}.toml")])
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert r"\x1b]0;title\x07\x1b[31m\x0d\u009b2J\u202e\u2028\ufeff\x7f" in shown


def test_harmless_text_is_left_as_it_is() -> None:
    assert visible("Drucker 日本語 🖨 é") == "Drucker 日本語 🖨 é"


# --- Colours ----------------------------------------------------------------------------------------


def test_colours_change_nothing_but_colours() -> None:
    found = checked(fleet_with('aliases = ["a", "a b", "ipm1.example.com"]')).problems
    assert {one.problem.severity for one in found} == set(Severity)
    coloured = render_text(found, width=60, colour=True)
    assert "\x1b[1;31merror" in coloured
    assert "\x1b[1;33mwarning" in coloured
    assert "\x1b[1;36minfo" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(found, width=60)


def test_severities_can_be_told_apart_by_the_underlining() -> None:
    found = checked(fleet_with('aliases = ["a", "a b", "ipm1.example.com"]')).problems
    for distinct, marks in ((True, {"^", "~", "."}), (False, {"^"})):
        shown = render_text(found, distinct=distinct)
        assert set(re.findall(r"^ +\| +([\^~.])", shown, re.MULTILINE)) == marks
    coloured = render_text(found, colour=True, distinct=True)
    for sign, colour in (("^", "1;31"), ("~", "1;33"), (".", "1;36")):
        assert f"\x1b[{colour}m{sign * 3}" in coloured


# --- JSON, SARIF, GitHub ----------------------------------------------------------------------------


def test_json_is_the_promised_one() -> None:
    text = AUTHORITY + server('ips = ["10.1.2.3"]') + server('ips = ["10.1.2.3"]', name="b.example.com")
    assert json.loads(render_json(checked(text + CLIENT).problems, "pki.toml")) == {
        "version": 1,
        "file": "pki.toml",
        "problems": [
            {
                "rule": "shared-ip",
                "severity": "warning",
                "message": "the address '10.1.2.3' is declared on 2 hosts",
                "help": "give it to one of them, unless it is the address of a cluster",
                "file": "pki.toml",
                "path": ["hosts", 1, "ips", 0],
                "start": {"line": 12, "column": 8},
                "end": {"line": 12, "column": 18},
                "related": [
                    {
                        "message": "first declared here",
                        "file": "pki.toml",
                        "path": ["hosts", 0, "ips", 0],
                        "start": {"line": 7, "column": 8},
                        "end": {"line": 7, "column": 18},
                    }
                ],
                "fix": None,
            }
        ],
        "summary": {"errors": 0, "warnings": 1, "infos": 0},
    }


def test_json_keeps_text_in_its_own_letters() -> None:
    assert "日本" in render_json([located("日本", 1, 3, message="日本")], "pki.toml")


def test_sarif_names_each_rule_once_and_each_result_by_its_index() -> None:
    found = checked(fleet_with('aliases = ["a", "a b", "c d", "A"]')).problems
    log = json.loads(render_sarif(found))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["alias-invalid", "repeated-alias", "single-label-alias"]
    for one, result in zip(found, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == one.problem.rule
        region = result["locations"][0]["physicalLocation"]["region"]
        assert one.label.span is not None
        assert region["startColumn"] == one.label.span.start.column
    assert [result["level"] for result in run["results"]] == ["note", "error", "error", "warning", "note"]
    related = next(result for result in run["results"] if "relatedLocations" in result)["relatedLocations"]
    assert related[0]["message"] == {"text": "first declared here"}


def test_sarif_writes_file_names_as_uris() -> None:
    log = json.loads(render_sarif([located("x", 1, 2, file="a site\\pki.toml")]))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "a%20site/pki.toml"}


def test_github_commands_escape_what_would_end_them() -> None:
    shown = render_github(
        [located("x", 3, 9, message="100%\r\n::error::x", remedy="a,b:c", file="a:b,c%.toml")]
    )
    assert shown == (
        "::error file=a%3Ab%2Cc%25.toml,line=14,endLine=14,col=3,endColumn=9,title=ipmpki%3A some-rule"
        "::100%25%0D%0A::error::x%0Ahelp: a,b:c\n"
    )


def test_github_knows_notices_and_wants_no_columns_of_several_lines() -> None:
    problem = Problem("some-rule", Severity.INFO, "m", None, Place("pki.toml"))
    span = Span(Position(1, 2), Position(3, 4))
    shown = render_github([LocatedProblem(problem, Label("pki.toml", (), span, ("a", "b", "c")))])
    assert shown == "::notice file=pki.toml,line=1,endLine=3,title=ipmpki%3A some-rule::m\n"


def test_related_places_do_not_count_as_problems() -> None:
    problem = Problem("some-rule", Severity.ERROR, "m", None, Place("a"), (Related("there", Place("a")),))
    top = Label("a", (), None, ())
    assert lines(LocatedProblem(problem, top, (top,)))[-2] == "1 error"


# --- One mistake in many places ----------------------------------------------------------------------


def short_aliases(count: int) -> str:
    hosts = (server(f'aliases = ["h{n}"]', name=f"h{n}.example.com") for n in range(count))
    return AUTHORITY + "".join(hosts) + CLIENT


def test_a_mistake_in_ten_places_is_told_once_with_all_its_places() -> None:
    found = checked(short_aliases(10)).problems
    assert render_text(found) == (
        "info[single-label-alias]: the alias 'h0' is a short name:"
        " which computer it means depends on the client's domain\n"
        " --> pki.toml:7:12\n"
        "  |\n"
        '7 | aliases = ["h0"]\n'
        "  |            ^^^^\n"
        "  = help: keep it if clients connect by it; else leave it out\n"
        "  = also in: 9 more places\n"
        '    pki.toml:12:12  "h1"\n'
        '    pki.toml:17:12  "h2"\n'
        '    pki.toml:22:12  "h3"\n'
        '    pki.toml:27:12  "h4"\n'
        '    pki.toml:32:12  "h5"\n'
        '    pki.toml:37:12  "h6"\n'
        '    pki.toml:42:12  "h7"\n'
        '    pki.toml:47:12  "h8"\n'
        '    pki.toml:52:12  "h9"\n'
        "\n"
        "10 infos\n"
    )
    assert len(json.loads(render_json(found, "pki.toml"))["problems"]) == 10
    assert render_github(found).count("\n") == 10


def test_two_places_are_two_problems() -> None:
    assert render_text(checked(short_aliases(2)).problems).count("info[single-label-alias]") == 2


def test_of_very_many_places_the_first_are_listed() -> None:
    shown = render_text(checked(short_aliases(500)).problems)
    assert len(shown.splitlines()) < 40
    assert "    and 479 more; with --format json, every one is told by itself\n" in shown
    assert shown.endswith("\n500 infos\n")


def test_what_has_another_remedy_or_another_place_to_see_is_not_folded() -> None:
    misspelt = "".join(
        server(f"{key} = []", name=f"{key}.example.com") for key in ("alias", "ip", "alia", "ips_")
    )
    assert render_text(checked(AUTHORITY + misspelt + CLIENT).problems).count("error[unknown-key]") == 4
    repeated = "".join(server('ips = ["fc00::1", "FC00::1"]', name=f"h{n}.example.com") for n in range(3))
    assert render_text(checked(AUTHORITY + repeated + CLIENT).problems).count("warning[repeated-ip]") == 3


@pytest.mark.parametrize("width", [40, 60, 100])
def test_places_are_cut_to_the_width(width: int) -> None:
    hosts = (server(f'aliases = ["{"日" * 10}{n}"]', name=f"h{n}.example.com") for n in range(4))
    shown = render_text(checked(AUTHORITY + "".join(hosts)).problems, width=width)
    assert all(columns(line) <= width for line in shown.splitlines())
    assert "…" in shown if width == 40 else "also in: 3" in shown


def test_wide_letters_are_wrapped_by_the_room_they_take() -> None:
    shown = lines(located("x", 1, 2, message="日本語 " * 20, remedy="日本語 " * 20), width=60)
    assert all(columns(line) <= 60 for line in shown)
    assert sum(line.count("日本語") for line in shown) == 40


def test_a_fix_is_told_below_the_help() -> None:
    shown = lines(*checked(fleet_with('os = "AIX"')).problems)
    assert shown[-4:] == ["  = fix available: ipmpki check --fix (write 'aix')", "", "1 error", ""]
