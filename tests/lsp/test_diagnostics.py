"""Problems in the editor: what is wrong with the text as it is on the screen, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ipmpki.lsp.text import path_of
from tests.lsp.editor import Editor
from tests.problems import AUTHORITY, CLIENT, fleet_with, server

if TYPE_CHECKING:
    from pathlib import Path


def stretch(text: str, problem: dict[str, Any], encoding: str = "utf-16-le", size: int = 2) -> str:
    """What an editor underlines, computed from its bytes rather than by ipmpki."""
    start, end = problem["range"]["start"], problem["range"]["end"]
    assert start["line"] == end["line"]
    line: bytes = text.replace("\r\n", "\n").split("\n")[start["line"]].encode(encoding)
    return line[start["character"] * size : end["character"] * size].decode(encoding)


def codes(problems: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in problems]


def test_a_problem_has_its_rule_severity_words_and_place(tmp_path: Path) -> None:
    text = fleet_with("alias = []")
    with Editor(tmp_path) as editor:
        (problem,) = editor.problems(editor.open(tmp_path / "pki.toml", text))
    assert problem["code"] == "unknown-key"
    assert problem["severity"] == 1
    assert problem["source"] == "ipmpki"
    assert "did you mean 'aliases'?" in problem["message"]
    assert stretch(text, problem) == "alias"
    assert "codeDescription" not in problem


def test_warnings_and_infos_are_what_they_are(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", fleet_with('ips = ["127.0.0.1"]\naliases = ["ipm1"]'))
        assert {one["code"]: one["severity"] for one in editor.problems(uri)} == {
            "loopback-address": 2,
            "single-label-alias": 3,
        }


def test_typing_is_judged_before_it_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(fleet_with(""), "utf-8")
    with Editor(tmp_path) as editor:
        uri = editor.open(path, path.read_text("utf-8"))
        assert editor.problems(uri) == []
        for number in range(20):
            editor.change(uri, fleet_with("x = " + "1" * number))
        assert codes(editor.problems(uri)) == ["unknown-key"]
        editor.change(uri, fleet_with(""))
        assert editor.problems(uri) == []


@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("before", ["", "é漢", "\U0001f5a8\U0001f600"])
def test_columns_count_the_units_that_were_agreed_on(
    tmp_path: Path, before: str, encoding: str | None
) -> None:
    text = fleet_with(f'aliases = ["{before}-.example.com", "10.1.2.3"]')
    capabilities = {"general": {"positionEncodings": [encoding]}} if encoding else {}
    with Editor(tmp_path, capabilities=capabilities) as editor:
        problems = editor.problems(editor.open(tmp_path / "pki.toml", text))
        assert editor.capabilities["positionEncoding"] == (encoding or "utf-16")
    python = {"utf-8": ("utf-8", 1), "utf-32": ("utf-32-le", 4)}.get(encoding or "", ("utf-16-le", 2))
    address = next(one for one in problems if one["code"] == "alias-is-an-address")
    assert stretch(text, address, *python) == '"10.1.2.3"'


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\u2029\u2028"])
def test_what_only_python_takes_for_a_line_end_moves_nothing(tmp_path: Path, odd: str) -> None:
    text = f"# {odd}\n" + fleet_with("alias = []")
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", text)
        problem = next(one for one in editor.problems(uri) if one["code"] == "unknown-key")
    assert stretch(text, problem) == "alias"


def test_windows_line_ends_and_a_byte_order_mark_move_nothing(tmp_path: Path) -> None:
    text = "\ufeffalias = 1\n".replace("\n", "\r\n") + fleet_with("alias = []").replace("\n", "\r\n")
    with Editor(tmp_path) as editor:
        problems = editor.problems(editor.open(tmp_path / "pki.toml", text))
    assert [stretch(text, one) for one in problems] == ["alias", "alias"]


def test_half_of_a_surrogate_pair_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", fleet_with("subject = '\ud800'"))
        assert codes(editor.problems(uri)) == ["toml-syntax"]
        editor.change(uri, fleet_with(""))
        assert editor.problems(uri) == []


MAIN = 'schema = 1\ninclude = ["sites/*.toml"]\n' + AUTHORITY.removeprefix("schema = 1\n")


def test_an_included_file_is_judged_as_it_is_in_the_editor(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    site, main = tmp_path / "sites" / "one.toml", tmp_path / "pki.toml"
    site.write_text(CLIENT, "utf-8")
    main.write_text(MAIN + server(), "utf-8")
    with Editor(tmp_path) as editor:
        uri = editor.open(site, CLIENT)
        assert editor.problems(uri) == []
        text = CLIENT + "alias = []\n"
        editor.change(uri, text)
        (problem,) = editor.problems(uri)
        assert stretch(text, problem) == "alias"
        assert editor.published[main.as_uri()]["diagnostics"] == []


def test_a_second_place_in_another_file_is_related(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    site, main = tmp_path / "sites" / "one.toml", tmp_path / "pki.toml"
    site.write_text(server(), "utf-8")
    with Editor(tmp_path) as editor:
        editor.open(main, MAIN + server())
        found = editor.problems_when(site.as_uri(), bool)
        (problem,) = [one for one in found if one["code"] == "duplicate-host"]
    (related,) = problem["relatedInformation"]
    assert related["location"]["uri"] == main.as_uri()
    assert stretch(MAIN + server(), related["location"]) == '"ipm1.example.com"'


def test_a_closed_included_file_counts_as_it_is_on_the_disk_again(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    site, main = tmp_path / "sites" / "one.toml", tmp_path / "pki.toml"
    site.write_text(CLIENT, "utf-8")
    with Editor(tmp_path) as editor:
        main_uri, uri = editor.open(main, MAIN + server()), editor.open(site, CLIENT + "alias = []\n")
        assert codes(editor.problems(uri)) == ["unknown-key"]
        editor.close(uri)
        assert editor.problems_when(uri, lambda problems: not problems) == []
        editor.close(main_uri)
        assert editor.problems_when(main_uri, lambda problems: not problems) == []


def test_when_all_is_closed_no_problem_is_left_on_the_screen(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", fleet_with("alias = []"))
        assert editor.problems(uri)
        editor.close(uri)
        assert editor.problems_when(uri, lambda problems: not problems) == []


def test_an_included_file_that_is_not_utf_8_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    site = tmp_path / "sites" / "one.toml"
    site.write_bytes(CLIENT.encode() + b"# caf\xe9\n")
    with Editor(tmp_path) as editor:
        editor.open(tmp_path / "pki.toml", MAIN + server())
        found = editor.problems_when(site.as_uri(), bool)
    assert codes(found) == ["toml-syntax"]


def test_other_peoples_toml_is_left_alone(tmp_path: Path) -> None:
    other = "[project]\nname = 'x'\nhosts = [1\n"
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pyproject.toml", other)
        mine = editor.open(tmp_path / "pki.toml", fleet_with(""))
        assert editor.problems(mine) == []
        assert uri not in editor.published
        assert editor.completed(uri, 1, 0) == {}
        assert editor.at("hover", uri, 1, 1) is None


def test_a_declaration_may_have_another_name(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "plant.toml", fleet_with("alias = []"))
        assert codes(editor.problems(uri)) == ["unknown-key"]


@pytest.mark.parametrize("folder", ["with space", "100%", "#1", "a;b", "ä\U0001f5a8", "[x]"])
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "sites").mkdir(parents=True)
    site = tmp_path / folder / "sites" / "a b.toml"
    site.write_text(CLIENT + "alias = []\n", "utf-8")
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / folder / "pki.toml", MAIN + server("alias = []"))
        assert codes(editor.problems(uri)) == ["unknown-key"]
        assert codes(editor.problems_when(site.as_uri(), bool)) == ["unknown-key"]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/Users/Ann%20B/pki.toml", r"c:\Users\Ann B\pki.toml"),
        ("file:///C:/pki.toml", r"C:\pki.toml"),
        ("file://server/share/pki.toml", r"\\server\share\pki.toml"),
        ("file://localhost/C:/pki.toml", r"C:\pki.toml"),
        ("untitled:Untitled-1", None),
    ],
)
def test_uris_of_windows_are_paths_of_windows(uri: str, path: str | None) -> None:
    assert path_of(uri, windows=True) == path


@pytest.mark.parametrize("uri", ["untitled:x", "file://[", "file:///%00", "file:", "", "http://x", "%%%"])
def test_an_odd_uri_ends_nothing(tmp_path: Path, uri: str) -> None:
    with Editor(tmp_path) as editor:
        editor.open(uri, fleet_with("alias = []"))
        editor.at("hover", uri, 0, 0)
        mine = editor.open(tmp_path / "pki.toml", fleet_with(""))
        assert editor.problems(mine) == []


def test_a_damaged_store_hides_no_problem_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "pki.db").write_bytes(b"no database" * 1000)
    with Editor(tmp_path) as editor:
        problems = editor.problems(editor.open(tmp_path / "pki.toml", fleet_with("alias = []")))
    assert [one.get("code") for one in problems] == ["unknown-key", None]
    assert "pki.db" in problems[1]["message"]


def test_an_escape_sequence_does_not_reach_the_editor(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        problems = editor.problems(editor.open(tmp_path / "pki.toml", fleet_with('"\\u001b[31mx" = 1')))
    assert codes(problems) == ["unknown-key"]
    assert "\x1b" not in problems[0]["message"]


def test_ten_thousand_hosts_with_a_thousand_problems_are_all_shown(tmp_path: Path) -> None:
    hosts = "".join(
        f'[[hosts]]\nname = "pc{number}.example.com"\nrole = "client"\n'
        + ("alias = 1\n" if number % 10 == 0 else "")
        for number in range(10_000)
    )
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", AUTHORITY + server() + hosts)
        assert codes(editor.problems(uri)).count("unknown-key") == 1_000
