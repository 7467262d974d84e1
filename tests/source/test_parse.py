"""Reading TOML: values, what a syntax error leaves of them, and where each value stands."""

from __future__ import annotations

import time
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.diagnostics.problem import DocumentPath, Part, Place, Position, Problem, Severity, Span
from ipmpki.source import Document, Source, decode, locate, parse
from ipmpki.source.recovery import MOST_SYNTAX_ERRORS
from ipmpki.source.spans import Spans
from ipmpki.source.syntax import tree_of
from tests.problems import AUTHORITY, checked, rules_of


def span_of(text: str, *path: str | int, part: Part = Part.VALUE) -> Span:
    span = Spans(text, [path]).find(Place("pki.toml", path, part))
    assert span is not None
    return span


def under(text: str, span: Span) -> str:
    """The stretch of text under a span."""
    lines = text.split("\n")[span.start.line - 1 : span.end.line]
    lines[-1] = lines[-1][: span.end.column - 1]
    lines[0] = lines[0][span.start.column - 1 :]
    return "\n".join(lines)


# --- Where values stand -----------------------------------------------------------------------------

PLACES = {
    "a key and its value": ('a = "x"', ("a",), '"x"', "a"),
    "a key in a table": ('[ca]\nkind = "private"', ("ca", "kind"), '"private"', "kind"),
    "a table": ('# first\n[ca] # then\nkind = "x"', ("ca",), "[ca]", "[ca]"),
    "a dotted key": ('ca.kind = "x"', ("ca", "kind"), '"x"', "kind"),
    "what a dotted key passes": ('ca.passphrase.env = "X"', ("ca", "passphrase"), "passphrase", "passphrase"),
    "a dotted key with spaces": ('ca . "kind" = "x"', ("ca", "kind"), '"x"', '"kind"'),
    "a dotted header": ('[ipm.aix]\nserver_account = "i"', ("ipm", "aix", "server_account"), '"i"', None),
    "a quoted key": ('"a b".c = 1', ("a b", "c"), "1", "c"),
    "a quoted key with an escape": ('"\\u00e9" = 1', ("é",), "1", '"\\u00e9"'),
    "a literal key": ("'a\\b' = 1", ("a\\b",), "1", "'a\\b'"),
    "an inline table": ('p = { env = "A", file = "B" }', ("p", "file"), '"B"', "file"),
    "a nested inline table": ("a = { b = { c = [1, { d = 2 }] } }", ("a", "b", "c", 1, "d"), "2", "d"),
    "an item of an array": ('a = ["x", "y"]', ("a", 1), '"y"', None),
    "an item of a multi-line array": ('a = [\n  "x", # one\n\n  "y",\n]', ("a", 1), '"y"', None),
    "an array of arrays": ("a = [[1, 2], [3]]", ("a", 1, 0), "3", None),
    "an array of tables": ("[[h]]\nn = 1\n[[h]]\nn = 2", ("h", 1, "n"), "2", "n"),
    "the header of an array of tables": ("[[h]]\nn = 1\n[[h]]\nn = 2", ("h", 1), "[[h]]", "[[h]]"),
    "a table in an array of tables": (
        "[[h]]\n[h.x]\na = 1\n[[h]]\n[h.x]\na = 2",
        ("h", 1, "x", "a"),
        "2",
        "a",
    ),
    "an array in an array of tables": (
        "[[h]]\n[[h.x]]\n[[h.x]]\na = 1\n[[h]]\n[[h.x]]\na = 2",
        ("h", 1, "x", 0, "a"),
        "2",
        "a",
    ),
    "hosts in one line": ('hosts = [{name = "a"}, {name = "b"}]', ("hosts", 1, "name"), '"b"', "name"),
    "hosts in one line, whole": ('hosts = [{name = "a"}, {name = "b"}]', ("hosts", 0), '{name = "a"}', None),
    "a multi-line string": ('a = """\nx\ny"""', ("a",), '"""\nx\ny"""', "a"),
    "a string after a multi-line one": ('a = """\n"x" \'\'\' """\nb = "z"', ("b",), '"z"', "b"),
    "a multi-line string with quotes at its end": ('a = """x"""""\nb = 1', ("b",), "1", "b"),
    "a literal multi-line string": ("a = '''\n[[h]]\n'''\nb = 1", ("b",), "1", "b"),
    "Windows line ends": ('[ca]\r\nkind = "x"\r\n', ("ca", "kind"), '"x"', "kind"),
    "a tab before the value": ('\t\ta\t=\t"x"', ("a",), '"x"', "a"),
    "text that is not ASCII before it": ('a = ["ü", "日本", "x"]', ("a", 2), '"x"', None),
    "a character beyond the basic plane": ('a = ["🖨🖨", "x"]', ("a", 1), '"x"', None),
    "a date": ("a = 2026-11-24T12:00:00Z", ("a",), "2026-11-24T12:00:00Z", "a"),
    "a negative number": ("a = -1_000.5e3", ("a",), "-1_000.5e3", "a"),
    "a missing key": ('[ca]\nkind = "x"', ("ca", "common_name"), "[ca]", None),
    "a missing key of a host": ("[[hosts]]\n[[hosts]]\nx = 1", ("hosts", 0, "name"), "[[hosts]]", None),
    "a missing key of a host in one line": (
        'hosts = [{role = "x"}]',
        ("hosts", 0, "name"),
        '{role = "x"}',
        None,
    ),
}


@pytest.mark.parametrize(("text", "path", "value", "key"), PLACES.values(), ids=PLACES.keys())
def test_the_place_of(text: str, path: DocumentPath, value: str, key: str | None) -> None:
    assert under(text, span_of(text, *path)) == value
    if key is not None:
        assert under(text, span_of(text, *path, part=Part.KEY)) == key


def test_columns_count_characters_after_a_byte_order_mark() -> None:
    found = checked(b"\xef\xbb\xbfnonsense = 1\n" + AUTHORITY.encode())
    span = next(one.label.span for one in found.problems if one.problem.rule == "unknown-key")
    assert span == Span(Position(1, 1), Position(1, 9))


def test_a_path_that_is_nowhere_has_no_span() -> None:
    assert Spans("a = 1", [("b", "c")]).find(Place("pki.toml", ("b", "c"))) is None


KEYS = st.text(alphabet="abyzé_- .\"'\\#=[]🖨", max_size=4)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False, width=16))
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as TOML, in one of the ways it can be written."""
    gap = draw(st.sampled_from(["", " ", "\n  ", " # é, ]\n\t"]))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if "'" not in value and draw(st.booleans()):
            return draw(st.sampled_from([f"'{value}'", f"'''\n{value}'''"]))
        return draw(st.sampled_from([quoted(value), f'""{quoted(value)}""']))
    if isinstance(value, list):
        items = [draw(written(item)) for item in value]
        trailing = "," if bool(items) and draw(st.booleans()) else ""
        return f"[{gap}" + f",{gap}".join(items) + f"{trailing}{gap}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {draw(written(item))}" for key, item in value.items()) + "}"
    return repr(value)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A TOML document with values, tables and arrays of tables."""
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n", " # ü\n"]))
    text = ""
    for key, value in draw(st.dictionaries(KEYS, VALUES, max_size=3)).items():
        text += f"{quoted(key)} = {draw(written(value))}{end}"
    for key, values in draw(
        st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=2)
    ).items():
        text += f"[{quoted('t' + key)}]{end}"
        text += "".join(f"{quoted(one)} = {draw(written(value))}{end}" for one, value in values.items())
    for values in draw(st.lists(st.dictionaries(KEYS, VALUES, max_size=2), max_size=2)):
        text += f"[[ hosts ]]{end}"
        text += "".join(f"{quoted(one)} = {draw(written(value))}{end}" for one, value in values.items())
    return text


def paths_of(value: Any, path: DocumentPath = ()) -> list[tuple[DocumentPath, Any]]:
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    found = [(path, value)]
    for step, inner in steps:
        found += paths_of(inner, (*path, step))
    return found


@given(documents())
def test_the_text_under_a_values_span_reads_back_as_the_value(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a key that two tables share
    paths = paths_of(values)[1:]
    spans = Spans(text, [path for path, _ in paths])
    for path, value in paths:
        span = spans.find(Place("pki.toml", path))
        assert span is not None
        shown = under(text, span)
        if not shown.startswith("[") or (isinstance(value, list) and path[0] != "hosts"):
            assert tomllib.loads(f"x = {shown}")["x"] == value, path


# --- What a syntax error leaves ---------------------------------------------------------------------


def parsed(text: str) -> tuple[Document, tuple[Problem, ...]]:
    return parse(Source("pki.toml", text))


HOSTS = '[[hosts]]\nname = "a"\n{}\nrole = "server"\n\n[[hosts]]\nname = "b"\nrole = "client"\n'

BROKEN = {
    "text without quotes": ("os = linux", "text is not in quotes", 'put text into quotes: "linux"'),
    "True": ("x = True", "text is not in quotes", "write true, in small letters"),
    "curly quotes": ("os = “linux”", "this is not a TOML value", 'put text into straight quotes: "…"'),
    "an open string": ('os = "linux', "this string is not closed", "add the closing quote"),
    "an open literal string": ("os = 'linux", "this string is not closed", "add the closing quote"),
    "an open array": ('ips = ["10.1.2.3"', "this array is not closed", 'add the closing bracket: ["a", "b"]'),
    "an open array of several lines": ('ips = [\n  "10.1.2.3",', "this array is not closed", None),
    "a comma missing": (
        'ips = [\n"a"\n"b"\n]',
        "a ',' or the array's closing ']' is missing before this",
        None,
    ),
    "no equals sign": ('os "linux"', "an '=' is missing after the key", 'write: key = "value"'),
    "a letter no key can hold": ("größe = 1", "a key cannot hold 'ö' unless it is in quotes", None),
    "two keys on a line": (
        'os = "aix" key = "rsa-2048"',
        "something follows the value on the same line",
        None,
    ),
    "a key twice": ('name = "c"', "the key 'name' is given a second time", "keep one of the two"),
    "an array twice": ('ips = []\nips = [\n "a",\n]', "the key 'ips' is given a second time", None),
    "a Windows path": (
        'os = "C:\\Prints"',
        "a backslash in a double-quoted string starts an escape that does not exist",
        None,
    ),
    "a control character": (
        'os = "\x07"',
        "a control character stands here, which TOML does not allow",
        None,
    ),
    "an open inline table": (
        "x = { a = 1",
        "a ',' or the inline table's closing '}' is missing before this",
        None,
    ),
    "an inline table of two lines": ("x = {\n a = 1 }", "a key must stand here", None),
    "words": ("Here come the hosts!", "an '=' is missing after the key", None),
    "a stray sign": ("=> os", "this is neither a key, a table nor a comment", None),
    "an endless number": (f"x = {'9' * 5000}", "this number has more digits than any value needs", None),
    "a number that begins with zero": ("x = 01", "something follows the value on the same line", None),
}


@pytest.mark.parametrize(("line", "words", "remedy"), BROKEN.values(), ids=BROKEN.keys())
def test_one_broken_statement_costs_only_itself(line: str, words: str, remedy: str | None) -> None:
    document, problems = parsed(HOSTS.format(line))
    assert [problem.message for problem in problems] == [words]
    assert remedy is None or problems[0].help == remedy
    assert document.unread
    first, second = document.values["hosts"]
    assert second == {"name": "b", "role": "client"}
    assert first["name"] == "a"
    assert first["role"] == "server"


def test_a_key_on_a_broken_line_is_not_called_missing() -> None:
    assert (
        rules_of(AUTHORITY + HOSTS.format("").replace('role = "server"', "role = server")).count(
            "missing-key"
        )
        == 0
    )


def test_a_key_in_a_broken_table_is_not_called_missing_though_a_remark_stands_above_it() -> None:
    host = '[[hosts]]\n? [ # what is this\nname = "a.example.com"\nrole = "server"\n'
    assert rules_of(AUTHORITY + host).count("missing-key") == 0


def test_a_table_whose_name_is_in_quotes_ends_the_broken_one_above_it() -> None:
    document, _ = parsed('[[hosts]\nname = "a"\n["ca"]\ncommon_name = "A"\n')
    assert document.values == {"ca": {"common_name": "A"}}


def test_the_tree_takes_two_lines_for_one_where_the_first_is_broken() -> None:
    """Why a text that is not TOML is read line by line: should it fail, the tree may do for both."""
    (pair,) = tree_of("a = hello world\nb = 1\n").named_children
    assert (pair.start_point.row, pair.end_point.row) == (0, 1)


def test_a_line_whose_key_is_mangled_leaves_the_rest_of_its_table_to_the_rules() -> None:
    text = AUTHORITY + '[[hosts]]\nname = "a_b.example.com"\nro le = "server"\nips = ["10.1.2.3/24"]\n'
    assert rules_of(text) == ["name-invalid", "toml-syntax", "ip-invalid"]


def test_a_broken_header_costs_its_table() -> None:
    document, problems = parsed('[[hosts]\nname = "a"\n[[hosts]]\nname = "b"\n')
    assert [problem.message for problem in problems] == ["this table header is not closed"]
    assert document.values == {"hosts": [{"name": "b"}]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[ca]\nx = 1\n[ca]\ny = 2\n", "the table 'ca' is declared a second time"),
        ("[hosts]\nx = 1\n[[hosts]]\ny = 2\n", "'hosts' is declared already, in another way"),
        ("ca = 1\n[[ca]]\ny = 2\n", "'ca' is declared already, in another way"),
    ],
)
def test_a_table_declared_twice_is_said_to_be(text: str, words: str) -> None:
    assert [problem.message for problem in parsed(text)[1]] == [words]


def test_an_open_multi_line_string_is_shown_where_it_opens() -> None:
    document, problems = parsed('a = 1\nb = """\nx\n[[hosts]]\nname = "c"\n')
    assert [problem.message for problem in problems] == ["this string is opened here and never closed"]
    assert problems[0].span == Span(Position(2, 5), Position(2, 8))
    assert document.values == {"a": 1}


def test_an_array_that_swallows_the_next_table_is_shown_where_it_opens() -> None:
    document, problems = parsed('[[hosts]]\nips = [\n\n[[hosts]]\nname = "b"\n')
    assert [problem.span for problem in problems] == [Span(Position(2, 7), Position(2, 8))]
    assert document.values["hosts"] == [{}, {"name": "b"}]


def test_a_text_of_nothing_but_mistakes_is_given_up() -> None:
    document, problems = parsed("? ?\n" * 100)
    assert len(problems) == MOST_SYNTAX_ERRORS
    assert document.values == {}
    assert document.unread == ((1, 101),)


def test_values_nested_without_end_are_a_problem_rather_than_a_crash() -> None:
    document, problems = parsed("a = " + "[" * 100_000)
    assert [problem.rule for problem in problems] == ["toml-syntax"]
    assert document.values == {}


def test_places_after_a_broken_host_are_those_of_the_text() -> None:
    text = AUTHORITY + '[[hosts]\nname = "a"\n[[hosts]]\nname = "b_c.example.com"\nrole = "server"\n'
    located = checked(text).problems
    assert [(one.problem.rule, one.label.lines) for one in located] == [
        ("toml-syntax", ("[[hosts]",)),
        ("name-invalid", ('name = "b_c.example.com"',)),
    ]


def test_places_are_right_where_only_the_text_is_given() -> None:
    text = '[[hosts]\nx = 1\n[[hosts]]\nname = "b"\n'
    problem = Problem("some-rule", Severity.ERROR, "m", None, Place("pki.toml", ("hosts", 0, "name")))
    located = locate([problem], {"pki.toml": Source("pki.toml", text)})
    assert located[0].label.lines == ('name = "b"',)


# --- Bytes ------------------------------------------------------------------------------------------


def test_latin_1_is_a_problem_where_the_byte_is() -> None:
    text = AUTHORITY + 'organization = "Börse"\n[[hosts]]\nname = "drücker.example.com"\nrole = "server"\n'
    found = checked(text.encode("latin-1"))
    assert [one.problem.message for one in found.problems if one.problem.severity is Severity.ERROR] == [
        "the file is not UTF-8: byte 0xf6"
    ]
    assert found.problems[0].label.span == Span(Position(3, 18), Position(3, 19))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_is_read_and_named(encoding: str) -> None:
    text = AUTHORITY if encoding == "utf-16" else "\ufeff" + AUTHORITY
    source, problems = decode("pki.toml", text.encode(encoding))
    assert source.text.removeprefix("\ufeff") == AUTHORITY
    assert [problem.message for problem in problems] == [
        "the file is UTF-16, as some Windows editors write it"
    ]


# --- Secrets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'passphrase = "hunter2"',
        "passphrase = hunter2",
        'passphrase "hunter2"',
        'pass_phrase = "hunter2"',
        'passphrase = { value = "hunter2" }',
        'passphrase = { env = "NAME", secret = "hunter2" }',
        'passphrase.password = "hunter2"',
        '[ca.passphrase]\nvalue = "hunter2"',
        '[ca.passphrase]\nenv = "NAME"\nvalue = "hunter2"',
        'passphrase = { env = "hunter2!" }',
        "passphrase.env = 'hunter2!'",
        '[ca.passphrase]\nenv = "hunter2!"',
        "[ca.passphrase]\n env='my hunter2'",
        '[ca.passphrase]\n"env" = "2hunter2"',
    ],
)
def test_a_passphrase_in_the_file_is_never_shown(line: str) -> None:
    located = checked(AUTHORITY + line + "\n").problems
    assert any(one.problem.severity is Severity.ERROR for one in located)
    assert "hunter2" not in repr(located)


def test_where_a_passphrase_is_kept_is_shown() -> None:
    located = checked(AUTHORITY + 'passphrase = { env = "NAME", file = "x.txt" }\n').problems
    shown = next(one.label.lines for one in located if one.problem.rule == "wrong-value")
    assert shown == ('passphrase = { env = "NAME", file = "x.txt" }',)


# --- What nobody wrote by hand ----------------------------------------------------------------------


@pytest.mark.parametrize("part", ["a", '"a"', "'a'"])
@pytest.mark.parametrize("form", ["{key} = 1", "[{key}]", "[[{key}]]", "x = { {key} = 1 }"])
def test_a_key_of_too_many_parts_is_told_and_hides_nothing_else(part: str, form: str) -> None:
    text = form.replace("{key}", ".".join([part] * 200_000)) + '\n[ca]\ncommon_name = "A"\nodd = 1\n'
    assert rules_of(text)[:2] == ["toml-syntax", "unknown-key"]


def test_long_lines_without_such_a_key_are_read_as_they_are() -> None:
    name = ".".join(["a"] * 99)
    source, problems = decode("pki.toml", f"{name} = 1\nx = '{'y ' * 100_000}'\n".encode())
    assert (source.damaged, problems) == ((), ())


@pytest.mark.parametrize("unit", ["a", "a ", '"', "'", "a.", '"a". ', "a" * 300 + "\n", "a." * 99 + "b\n"])
def test_the_time_to_look_for_long_keys_grows_with_the_text_and_no_faster(unit: str) -> None:
    def best_of_three(size: int) -> float:
        content = (unit * (size // len(unit))).encode()
        times = []
        for _ in range(3):
            begun = time.process_time()
            decode("pki.toml", content)
            times.append(time.process_time() - begun)
        return min(times)

    # Four times as much, were it the square, would take sixteen times as long.
    assert best_of_three(400_000) < 10 * best_of_three(100_000) + 0.01
