"""Help while writing: completion, explanations, quick fixes, the outline."""

from __future__ import annotations

import itertools
import random
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from ipmpki.lsp.text import Text
from ipmpki.rules.catalog import registered
from tests.lsp.editor import Editor
from tests.places import GOLDEN
from tests.problems import AUTHORITY, CLIENT, fleet_with, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    with Editor(tmp_path) as one:
        yield one


@pytest.fixture
def plain_editor(tmp_path: Path) -> Iterator[Editor]:
    """An editor that cannot fill in snippets."""
    with Editor(tmp_path, capabilities={}) as one:
        yield one


def opened(editor: Editor, tmp_path: Path, marked: str, name: str = "pki.toml") -> tuple[str, int, int]:
    """Open a text with a ``|`` in it; the URI, and where the mark stood."""
    before, _, after = marked.partition("|")
    uri = editor.open(tmp_path / name, before + after)
    line = before.rpartition("\n")[2]
    return uri, before.count("\n"), len(line.encode("utf-16-le")) // 2


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after the edits of an editor, computed from UTF-16 rather than by ipmpki."""
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len((line + "\n").encode("utf-16-le")) for line in lines)]
    content = text.encode("utf-16-le")

    def at(position: dict[str, int]) -> int:
        return starts[position["line"]] + 2 * position["character"]

    for edit in sorted(edits, key=lambda one: at(one["range"]["start"]), reverse=True):
        start, end = at(edit["range"]["start"]), at(edit["range"]["end"])
        content = content[:start] + edit["newText"].encode("utf-16-le") + content[end:]
    return content.decode("utf-16-le")


def chosen(editor: Editor, tmp_path: Path, marked: str, label: str) -> str:
    """The text after a person chose what was offered at the ``|``."""
    uri, line, character = opened(editor, tmp_path, marked)
    item = editor.completed(uri, line, character)[label]
    return applied(marked.replace("|", "", 1), [item["textEdit"]])


# Completion.


def test_the_keys_that_a_host_has_not_are_offered_with_their_explanation(
    editor: Editor, tmp_path: Path
) -> None:
    offered = editor.completed(*opened(editor, tmp_path, AUTHORITY + server("al|")))
    assert {"aliases", "ips", "os", "restart_command"} <= offered.keys()
    assert not {"name", "role", "common_name"} & offered.keys()
    assert "Other names by which" in offered["aliases"]["documentation"]["value"]


def test_the_key_being_written_is_offered_and_its_word_replaced(plain_editor: Editor, tmp_path: Path) -> None:
    assert chosen(plain_editor, tmp_path, AUTHORITY + server("ali|"), "aliases").endswith("\naliases = \n")


def test_a_key_that_has_a_value_is_renamed_and_the_value_kept(editor: Editor, tmp_path: Path) -> None:
    text = chosen(editor, tmp_path, AUTHORITY + server("al|ias = ['x.example.com']"), "aliases")
    assert "\naliases = ['x.example.com']" in text


def test_a_key_comes_with_stops_for_its_value(editor: Editor, tmp_path: Path) -> None:
    offered = editor.completed(*opened(editor, tmp_path, AUTHORITY + server("|")))
    assert offered["os"]["insertTextFormat"] == 2
    assert offered["os"]["textEdit"]["newText"] == 'os = "${1|aix,linux,windows,macos|}"'
    assert offered["aliases"]["textEdit"]["newText"] == 'aliases = ["$1"]'


def test_a_new_host_comes_whole_where_a_line_begins(editor: Editor, tmp_path: Path) -> None:
    text = chosen(editor, tmp_path, AUTHORITY + server() + "\n[|\n", "[[hosts]]")
    assert '[[hosts]]\nname = "${1:ipm1.example.com}"\nrole = "${2|server,client|}"\n$0\n' in text


def test_tables_that_are_there_are_not_offered_again(editor: Editor, tmp_path: Path) -> None:
    offered = editor.completed(*opened(editor, tmp_path, AUTHORITY + "\n[|]\n"))
    assert {"[tls]", "[rules]", "[ipm.aix]", "[[hosts]]"} <= offered.keys()
    assert "[ca]" not in offered
    assert "[tls]" in chosen(editor, tmp_path, AUTHORITY + "\n[|]\n", "[tls]").split("\n")


VALUES = {
    "role = |": ["server", "client"],
    'role = "|"': ["server", "client"],
    'role = "se|': ["server", "client"],
    "os = 'li|nux'": ["aix", "linux", "windows", "macos"],
    "key = |": ["rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384"],
    "renew_key = |": ["new", "keep"],
    "name = |": [],
    "role = 'server' |": [],
    "# role = |": [],
    "aliases = [|]": [],
}


@pytest.mark.parametrize("written", VALUES)
def test_the_values_of_a_key_are_offered(editor: Editor, tmp_path: Path, written: str) -> None:
    offered = editor.completed(*opened(editor, tmp_path, f"{AUTHORITY}[[hosts]]\n{written}\n"))
    assert list(offered) == VALUES[written]


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("role = |", 'role = "client"'),
        ('role = "|"', 'role = "client"'),
        ("role = 's|erver' # x", "role = 'client' # x"),
        ('role = "\U0001f5a8|"', 'role = "client"'),
        ('role = "ser|', 'role = "client"'),
    ],
)
def test_a_chosen_value_replaces_what_stood_there(
    editor: Editor, tmp_path: Path, written: str, after: str
) -> None:
    text = chosen(editor, tmp_path, f"{AUTHORITY}[[hosts]]\n{written}\n", "client")
    assert text == f"{AUTHORITY}[[hosts]]\n{after}\n"


def test_booleans_numbers_and_defaults_are_offered_without_quotes_where_toml_has_none(
    editor: Editor, tmp_path: Path
) -> None:
    assert list(editor.completed(*opened(editor, tmp_path, "[ca]\nrevoke_replaced = |\n"))) == [
        "true",
        "false",
    ]
    assert list(editor.completed(*opened(editor, tmp_path, "schema = |\n[ca]\n"))) == ["1"]
    assert list(editor.completed(*opened(editor, tmp_path, "[ca]\nlifetime = |\n"))) == ["10y"]


@pytest.mark.parametrize(
    "written",
    [
        '["|"]',
        "[\n  'shared-ip',\n  |\n]",
        '["no-server", "|"]',
        "[|]",
        '[\n"|\n',
        '[\n  "shared-ip", # known\n  |\n]',
    ],
)
def test_rules_that_can_be_ignored_are_offered_with_what_they_find(
    editor: Editor, tmp_path: Path, written: str
) -> None:
    offered = editor.completed(*opened(editor, tmp_path, f"{AUTHORITY}[rules]\nignore = {written}\n"))
    assert offered["shared-alias"]["detail"] == registered()["shared-alias"].summary
    assert "partial-wildcard" not in offered


@pytest.mark.parametrize("written", ["passphrase = { |}", "passphrase = { file = 'x', |"])
def test_keys_of_a_table_in_braces_are_offered(editor: Editor, tmp_path: Path, written: str) -> None:
    offered = editor.completed(*opened(editor, tmp_path, f"[ca]\n{written}\n"))
    assert "env" in offered
    assert ("file" in offered) is ("file" not in written)
    assert "common_name" not in offered


def test_a_remark_within_a_list_hides_nothing_below_it(editor: Editor, tmp_path: Path) -> None:
    list_with_remark = "aliases = [\n  'print.example.com', # as users say\n]\n"
    offered = editor.completed(*opened(editor, tmp_path, AUTHORITY + server(f"{list_with_remark}|")))
    assert "ips" in offered
    assert "aliases" not in offered


def test_an_included_file_is_offered_hosts_alone(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text(f"include = ['site.toml']\n{AUTHORITY}", "utf-8")
    (tmp_path / "site.toml").write_text("", "utf-8")
    assert list(editor.completed(*opened(editor, tmp_path, "|", "site.toml"))) == ["[[hosts]]"]
    assert "aliases" in editor.completed(*opened(editor, tmp_path, CLIENT + "|", "site.toml"))


# Explanations.


def hovered(editor: Editor, tmp_path: Path, marked: str) -> str:
    uri, line, character = opened(editor, tmp_path, marked)
    editor.problems(uri)
    hover = editor.at("hover", uri, line, character)
    return str(hover["contents"]["value"]) if hover is not None else ""


def test_a_key_is_explained_with_its_values_default_and_example(editor: Editor, tmp_path: Path) -> None:
    told = hovered(editor, tmp_path, AUTHORITY + "lifet|ime = '12y'\n" + server())
    assert "**The authority's lifetime**" in told
    assert "How long a new authority is valid" in told
    assert 'Default: `"10y"`' in told
    assert '```toml\nlifetime = "10y"\n```' in told
    assert 'One of: `"server"`, `"client"`' in hovered(
        editor, tmp_path, AUTHORITY + server().replace("role", "r|ole")
    )


@pytest.mark.parametrize("header", ["[t|ls]", "[ ipm . a|ix ]", "[[ho|sts]]"])
def test_a_header_is_explained(editor: Editor, tmp_path: Path, header: str) -> None:
    titles = {"t": "TLS", "i": "Settings on AIX", "h": "Hosts"}
    told = hovered(editor, tmp_path, f"{AUTHORITY}{header}\n")
    assert f"**{titles[header.strip('[ ')[0]]}**" in told


def test_a_problem_is_explained_by_its_rules_page_and_then_the_key(editor: Editor, tmp_path: Path) -> None:
    told = hovered(editor, tmp_path, AUTHORITY + server('subject = "pri|nt*.example.com"'))
    assert told.startswith("## partial-wildcard (error)")
    assert "### Who is hurt" in told
    assert told.index("partial-wildcard") < told.index("**Subject**")


@pytest.mark.parametrize(
    "nowhere", [AUTHORITY + "# com|ment\n", "unknown| = 1\n[nothing]\n", "|\n" + AUTHORITY]
)
def test_where_nothing_stands_nothing_is_told(editor: Editor, tmp_path: Path, nowhere: str) -> None:
    assert "**" not in hovered(editor, tmp_path, nowhere)


# Quick fixes.


def fixes(
    editor: Editor, uri: str, problem: dict[str, Any], only: list[str] | None = None
) -> list[dict[str, Any]]:
    context: dict[str, Any] = {"diagnostics": [problem]}
    if only is not None:
        context["only"] = only
    asked = {"textDocument": {"uri": uri}, "range": problem["range"], "context": context}
    return editor.ask("textDocument/codeAction", asked) or []


def test_a_quick_fix_mends_its_problem(editor: Editor, tmp_path: Path) -> None:
    text = "# \U0001f5a8 {}\n" + fleet_with('"aliasses" = ["\U0001f5a8.example.com"]')
    uri = editor.open(tmp_path / "pki.toml", text)
    problem = next(one for one in editor.problems(uri) if one["code"] == "unknown-key")
    (fix,) = fixes(editor, uri, problem)
    assert fix["title"] == "Write 'aliases'"
    assert fix["kind"] == "quickfix"
    assert [one["code"] for one in fix["diagnostics"]] == ["unknown-key"]
    mended = applied(text, fix["edit"]["changes"][uri])
    assert tomllib.loads(mended)["hosts"][0]["aliases"] == ["\U0001f5a8.example.com"]
    editor.change(uri, mended)
    assert "unknown-key" not in {one["code"] for one in editor.problems(uri)}


def test_fixes_are_offered_for_what_the_editor_asks(editor: Editor, tmp_path: Path) -> None:
    uri = editor.open(tmp_path / "pki.toml", fleet_with("aliasses = []"))
    (problem,) = editor.problems(uri)
    assert fixes(editor, uri, problem, ["quickfix"])
    assert fixes(editor, uri, problem, [""])
    assert not fixes(editor, uri, problem, ["refactor"])
    start = {"line": 0, "character": 0}
    assert not fixes(editor, uri, {**problem, "range": {"start": start, "end": start}})


def test_a_fix_of_a_text_that_has_changed_since_is_not_offered(editor: Editor, tmp_path: Path) -> None:
    uri = editor.open(tmp_path / "pki.toml", fleet_with("aliasses = []"))
    (problem,) = editor.problems(uri)
    editor.change(uri, "\n" + fleet_with("aliasses = []"))
    assert not fixes(editor, uri, problem)


# The outline.


def test_the_outline_has_tables_and_hosts_by_name(editor: Editor, tmp_path: Path) -> None:
    text = AUTHORITY + server() + "\n# a note\n" + CLIENT.replace("\n", "\r\n") + "[[hosts]]\nname = ''\n"
    uri = editor.open(tmp_path / "pki.toml", text)
    symbols = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    assert [one["name"] for one in symbols] == [
        "[ca]",
        "ipm1.example.com",
        "desk1.example.com",
        "[[hosts]]",
    ]
    assert [one.get("detail") for one in symbols] == [None, "server", "client", None]
    lines = text.split("\n")
    for one in symbols:
        assert lines[one["selectionRange"]["start"]["line"]].startswith("[")
        assert one["range"]["start"] == one["selectionRange"]["start"]
        assert one["range"]["end"]["line"] >= one["selectionRange"]["end"]["line"]


# Whatever is written.


def test_nothing_breaks_down_wherever_the_cursor_stands_in_whatever_text(
    editor: Editor, tmp_path: Path
) -> None:
    choose = random.Random(7)  # noqa: S311 -- texts to try, no secret
    texts = [path.read_bytes().decode("utf-8", "replace") for path in sorted(GOLDEN.glob("*.toml"))]
    for number in range(60):
        text = choose.choice(texts)
        cut = choose.randrange(len(text) + 1)
        text = (
            text[:cut]
            + choose.choice(["", "[", '"', "'''", "{", "=", "\r", "\x00", "\U0001f5a8"])
            + text[cut:]
        )
        text = text[: choose.randrange(cut, len(text) + 1)]
        uri = editor.open(tmp_path / f"{number}" / "pki.toml", text)
        position = Text(text).position(min(cut + 1, len(text)))
        editor.completed(uri, position.line, position.character)
        editor.at("hover", uri, position.line, position.character)
        editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        editor.close(uri)
    assert "broke down" not in editor.errors
