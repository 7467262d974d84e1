"""The editor of pki.toml: what is meant changes, and nothing else."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipmpki.declaration.edit import Extend, Put, Reduce, Unset, add_host, names_in, remove_host, set_host
from ipmpki.declaration.edit.layout import Layout
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.declaration.edit import Change

NEW = {"name": "new.example.com", "role": "client"}

SHOP = """\
# The shop
schema = 1

[ca]
common_name = "Print CA"  # ours

# ---- servers

# the boss
[[hosts]]
name = "ipm1.example.com"
role = "server"
aliases = [
    "print.example.com",  # what people say
    # the old name
    "old.example.com"  # until spring
]
# os = "later"

[rules]
ignore = []

# Müller's desk
[[hosts]]
name = 'müller.example.com'
role = 'client'   # prints little

[[hosts]]
name = "desk2.example.com"
role = "client"
ips = ["10.0.0.1", "fc00::1"]

# the end
"""


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def difference(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, where the change is one stretch."""
    old, new = lines_of(before.removeprefix("\ufeff")), lines_of(after.removeprefix("\ufeff"))
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return old, new


# --- Adding ---------------------------------------------------------------------------------------

ADDED = '[[hosts]]\nname = "new.example.com"\nrole = "client"\n'

ADDITIONS = {
    "an empty file": ("", ADDED),
    "a file without hosts": ("schema = 1\n", f"schema = 1\n\n{ADDED}"),
    "no line end at the end": ("[ca]", f"[ca]\n\n{ADDED}"),
    "a blank line at the end": ("[ca]\n\n", f"[ca]\n\n{ADDED}"),
    "after the last host, before what follows": (
        '[[hosts]]\nname = "a"\n\n# rules\n[rules]\n',
        f'[[hosts]]\nname = "a"\n\n{ADDED}\n# rules\n[rules]\n',
    ),
    "a table that follows at once": (
        '[[hosts]]\nname = "a"\n[rules]\n',
        f'[[hosts]]\nname = "a"\n\n{ADDED}\n[rules]\n',
    ),
    "hosts without blank lines between": (
        '[[hosts]]\nname = "a"\n[[hosts]]\nname = "b"\n',
        f'[[hosts]]\nname = "a"\n[[hosts]]\nname = "b"\n{ADDED}',
    ),
    "a comment that ends the last host stays its own": (
        '[[hosts]]\nname = "a"\n[[hosts]]\nname = "b"\n# os = "aix"\n',
        f'[[hosts]]\nname = "a"\n[[hosts]]\nname = "b"\n# os = "aix"\n\n{ADDED}',
    ),
    "two blank lines between hosts": (
        '[[hosts]]\nname = "a"\n\n\n[[hosts]]\nname = "b"\n',
        f'[[hosts]]\nname = "a"\n\n\n[[hosts]]\nname = "b"\n\n\n{ADDED}',
    ),
    "CRLF": (
        '[[hosts]]\r\nname = "a"\r\n',
        '[[hosts]]\r\nname = "a"\r\n\r\n' + ADDED.replace("\n", "\r\n"),
    ),
    "a byte-order mark": ("\ufeffschema = 1\n", f"\ufeffschema = 1\n\n{ADDED}"),
    "indented, in single quotes, without blanks": (
        "[[hosts]]\n  name='a'\n  role='client'\n",
        "[[hosts]]\n  name='a'\n  role='client'\n\n[[hosts]]\n  name='new.example.com'\n  role='client'\n",
    ),
    "lined up": (
        '[[hosts]]\nname    = "a"\naliases = []\n',
        '[[hosts]]\nname    = "a"\naliases = []\n\n'
        '[[hosts]]\nname    = "new.example.com"\nrole    = "client"\n',
    ),
    "a host with a table below it": (
        '[[hosts]]\nname = "a"\n[hosts.ipm]\nx = 1\n\n[ca]\n',
        f'[[hosts]]\nname = "a"\n[hosts.ipm]\nx = 1\n\n{ADDED}\n[ca]\n',
    ),
    "a host that says nothing": ("[[hosts]]\n", f"[[hosts]]\n\n{ADDED}"),
    "an empty inline array": ("hosts = []\n", 'hosts = [{ name = "new.example.com", role = "client" }]\n'),
    "an inline array on one line": (
        "hosts = [{name='a'}]  # all\n[ca]\n",
        "hosts = [{name='a'}, {name='new.example.com', role='client'}]  # all\n[ca]\n",
    ),
    "an inline array, a line each": (
        'hosts = [\n  # first\n  { name = "a" } # a\n]\n',
        'hosts = [\n  # first\n  { name = "a" }, # a\n  { name = "new.example.com", role = "client" }\n]\n',
    ),
    "an inline array with a comma at its end": (
        'hosts = [\r\n  { name = "a" },\r\n]\r\n',
        'hosts = [\r\n  { name = "a" },\r\n  { name = "new.example.com", role = "client" },\r\n]\r\n',
    ),
    "an inline array whose bracket is on the last line": (
        'hosts = [\n  { name = "a" }]\n',
        'hosts = [\n  { name = "a" },\n  { name = "new.example.com", role = "client" }]\n',
    ),
    "an inline array that holds a comment only": (
        "hosts = [\n  # none yet\n]\n",
        'hosts = [\n  # none yet\n    { name = "new.example.com", role = "client" },\n]\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), ADDITIONS.values(), ids=ADDITIONS)
def test_a_host_is_added_in_the_style_of_the_last(before: str, after: str) -> None:
    assert add_host(before, NEW) == after


def test_keys_are_written_in_the_order_people_read_them() -> None:
    fields = {
        "renew_before": "10d",
        "ips": ("::1",),
        "aliases": ("x", 'y"z'),
        "os": "aix",
        "role": "client",
        "name": "a",
        "further": "csr",
    }
    assert add_host("", fields) == (
        '[[hosts]]\nname = "a"\nrole = "client"\nos = "aix"\naliases = ["x", "y\\"z"]\n'
        'ips = ["::1"]\nrenew_before = "10d"\nfurther = "csr"\n'
    )


@pytest.mark.parametrize(
    "name", ["ipm1.example.com", "IPM1.Example.COM", "xn--mller-kva.example.com", "Müller.example.com"]
)
def test_a_name_that_is_there_cannot_be_added_again(name: str) -> None:
    with pytest.raises(WrongUse, match="declared already"):
        add_host(SHOP, {"name": name, "role": "client"})


# --- Removing -------------------------------------------------------------------------------------


def test_the_comment_above_goes_with_the_host_and_section_titles_stay() -> None:
    old, new = difference(SHOP, remove_host(SHOP, "ipm1.example.com"))
    assert new == []
    assert "".join(old) == SHOP[SHOP.index("# the boss") : SHOP.index("[rules]")]
    assert "# ---- servers\n\n[rules]" in remove_host(SHOP, "ipm1.example.com")


def test_a_unicode_host_is_removed_by_its_a_label() -> None:
    assert remove_host(SHOP, "XN--MLLER-KVA.example.com") == SHOP.replace(
        "# Müller's desk\n[[hosts]]\nname = 'müller.example.com'\nrole = 'client'   # prints little\n\n", ""
    )


A, B = '[[hosts]]\nname = "a"\n', '[[hosts]]\nname = "b"\n'

REMOVALS = {
    "the only one": (A, "a", ""),
    "the only one below other tables": (f"[ca]\n\n{A}", "a", "[ca]\n"),
    "the first": (f"{A}\n{B}", "a", B),
    "the last": (f"{A}\n{B}", "b", A),
    "the last, with blank lines at the end": (f"{A}\n{B}\n\n", "b", f"{A}\n\n"),
    "without a line end": (f"{A}\n{B.rstrip()}", "b", A),
    "the wider gap stays": (f"{A}\n{B}\n\n[ca]\n", "b", f"{A}\n\n[ca]\n"),
    "the wider gap stays above too": (f"{A}\n\n\n{B}\n[ca]\n", "b", f"{A}\n\n\n[ca]\n"),
    "a comment right above the next header is the next one's": (f"{A}# b's\n{B}", "a", f"# b's\n{B}"),
    "its own comment is the next one's alone": (f"{A}# b's\n{B}", "b", A),
    "a comment right below is its own": (f"{A}# os\n\n{B}", "a", B),
    "a comment below a blank line stays": (f"{A}\n# B:\n\n{B}", "a", f"# B:\n\n{B}"),
    "a comment at the end of the file stays": (f"{A}\n# vim: et\n", "a", "# vim: et\n"),
    "a directive stays": (f"#:schema x\n# a's\n{A}", "a", "#:schema x\n"),
    "the file's first lines stay": (f"# Boulder\n{A}", "a", "# Boulder\n"),
    "tables below it go too": (f"{A}[hosts.ipm]\nx = 1\n[[hosts.x.y]]\n\n{B}", "a", B),
    "a header in quotes": (f'[["hosts"]]\nname = "a"\n{B}', "a", B),
    "a header within a string is none": (
        f'x = """\n[[hosts]]\nname = "a"\n"""\n\n{A}\n{B}',
        "a",
        f'x = """\n[[hosts]]\nname = "a"\n"""\n\n{B}',
    ),
    "brackets in strings and comments": (
        f"x = ['''[[''', \"]\\\"[\"] # [[hosts]] '''\n\n{A}\n{B}",
        "a",
        f"x = ['''[[''', \"]\\\"[\"] # [[hosts]] '''\n\n{B}",
    ),
    "between other tables": (f"{A}\n[ca]\n\n# b's\n{B}\n[tls]\n", "b", f"{A}\n[ca]\n\n[tls]\n"),
    "inline, a line each": (
        'hosts = [\n  # a\n  { name = "a" }, # x\n  # b\n  { name = "b" } # y\n]\n',
        "a",
        'hosts = [\n  # b\n  { name = "b" } # y\n]\n',
    ),
    "inline, the last": (
        'hosts = [\n  # a\n  { name = "a" }, # x\n  # b\n  { name = "b" } # y\n]\n',
        "b",
        'hosts = [\n  # a\n  { name = "a" }, # x\n]\n',
    ),
    "inline, on one line, the first": ('hosts = [{name="a"}, {name="b"}]\n', "a", 'hosts = [{name="b"}]\n'),
    "inline, on one line, the last": ('hosts = [{name="a"}, {name="b"}]\n', "b", 'hosts = [{name="a"}]\n'),
    "inline, the only one": ('hosts = [ {name="a"}, ]\n', "a", "hosts = []\n"),
}


@pytest.mark.parametrize(("before", "name", "after"), REMOVALS.values(), ids=REMOVALS)
def test_a_host_is_removed(before: str, name: str, after: str) -> None:
    assert remove_host(before, name) == after


@pytest.mark.parametrize(("before", "name", "after"), REMOVALS.values(), ids=REMOVALS)
def test_a_host_is_removed_from_a_file_with_crlf(before: str, name: str, after: str) -> None:
    assert remove_host(before.replace("\n", "\r\n"), name) == after.replace("\n", "\r\n")


# --- Changing -------------------------------------------------------------------------------------

DESK = '[[hosts]]\nname = "a" # desk\nrole = "client"\n'
LIST = f'{DESK}aliases = [\n  "x", # one\n  # of two\n  "y" # two\n]\n'

CHANGES: dict[str, tuple[str, list[Change], str]] = {
    "a value, with its comment kept": (DESK, [Put("name", "b")], DESK.replace('"a"', '"b"')),
    "a value in single quotes": ("[[hosts]]\nname = 'a'\n", [Put("name", "b")], "[[hosts]]\nname = 'b'\n"),
    "single quotes do not do": ("[[hosts]]\nname='a'\n", [Put("name", "b'")], '[[hosts]]\nname="b\'"\n'),
    "a value over several lines": (
        '[[hosts]]\nname = "a"\nos = """\nlin\\\n   ux""" # x\n',
        [Put("os", "aix")],
        '[[hosts]]\nname = "a"\nos = "aix" # x\n',
    ),
    "a key in quotes": (
        '[[hosts]]\n"name" = "a"\n\'os\' = "aix"\n',
        [Put("os", "linux")],
        '[[hosts]]\n"name" = "a"\n\'os\' = "linux"\n',
    ),
    "a new key, where it belongs": (
        f"{DESK}ips = []\n# end\n",
        [Put("os", "aix"), Put("lifetime", "3d")],
        f'{DESK}os = "aix"\nips = []\nlifetime = "3d"\n# end\n',
    ),
    "a new key in a host that says little": (
        "[[hosts]]\nname='a'",
        [Put("os", "aix")],
        "[[hosts]]\nname='a'\nos='aix'\n",
    ),
    "a new key before a table below": (
        f"{DESK}[hosts.ipm]\nx = 1\n",
        [Put("os", "aix")],
        f'{DESK}os = "aix"\n[hosts.ipm]\nx = 1\n',
    ),
    "what is so already": (LIST, [Put("role", "client"), Put("aliases", ("x", "y")), Unset("os")], LIST),
    "a key unset": (f'{DESK}os = "aix" # x\nips = []\n', [Unset("os")], f"{DESK}ips = []\n"),
    "an alias more": (LIST, [Extend("aliases", "z")], LIST.replace('"y" # two', '"y", # two\n  "z"')),
    "an alias that is there": (LIST, [Extend("aliases", "X")], LIST),
    "an alias less": (LIST, [Reduce("aliases", "X")], LIST.replace('  "x", # one\n', "")),
    "the last alias": (LIST, [Reduce("aliases", "y")], LIST.replace('  "y" # two\n', "")),
    "all aliases": (
        f'{DESK}aliases = ["x", "y"]\n',
        [Reduce("aliases", "x"), Reduce("aliases", "y")],
        f"{DESK}aliases = []\n",
    ),
    "other aliases, those that stay untouched": (
        LIST,
        [Put("aliases", ("y", "z"))],
        f'{DESK}aliases = [\n  # of two\n  "y", # two\n  "z"\n]\n',
    ),
    "aliases in another order": (LIST, [Put("aliases", ("y", "x"))], f'{DESK}aliases = ["y", "x"]\n'),
    "a first alias": (DESK, [Extend("aliases", "x")], f'{DESK}aliases = ["x"]\n'),
    "a list in single quotes": (
        f"{DESK}ips = ['::1']\n",
        [Extend("ips", "::2")],
        f"{DESK}ips = ['::1', '::2']\n",
    ),
    "an address that is there, written otherwise": (
        f'{DESK}ips = ["fc00::1"]\n',
        [Extend("ips", "FC00:0::0001")],
        f'{DESK}ips = ["fc00::1"]\n',
    ),
    "an address less, written otherwise": (
        f'{DESK}ips = ["fc00::1", "::2",]\n',
        [Reduce("ips", "FC00:0::0001")],
        f'{DESK}ips = ["::2",]\n',
    ),
    "commas at the beginning of lines": (
        f'{DESK}ips = [\n  "::1" # one\n , "::2" # two\n]\n',
        [Extend("ips", "::3"), Reduce("ips", "::2")],
        f'{DESK}ips = [\n  "::1" # one\n , "::3" # two\n]\n',
    ),
    "commas at the beginning of lines, the last one goes": (
        f'{DESK}ips = [\n  "::1" # one\n , "::2" # two\n]\n',
        [Reduce("ips", "::2")],
        f'{DESK}ips = [\n  "::1" # one\n  # two\n]\n',
    ),
    "a comment about the one before stays": (
        f'{DESK}ips = ["::1", # one\n "::2"]\n',
        [Reduce("ips", "::2")],
        f'{DESK}ips = ["::1", # one\n ]\n',
    ),
    "inline, a value": ('hosts = [{ name = "a" } ]\n', [Put("name", "b")], 'hosts = [{ name = "b" } ]\n'),
    "inline, a new key": (
        'hosts = [{name="a", ips=[]} ]\n',
        [Put("role", "client"), Extend("ips", "::1")],
        'hosts = [{name="a", role="client", ips=["::1"]} ]\n',
    ),
    "inline, keys unset": (
        'hosts = [{ os = "aix", name = "a", key = "x" }]\n',
        [Unset("os"), Unset("key")],
        'hosts = [{ name = "a" }]\n',
    ),
}


@pytest.mark.parametrize(("before", "changes", "after"), CHANGES.values(), ids=CHANGES)
def test_a_host_is_changed(before: str, changes: list[Change], after: str) -> None:
    assert set_host(before, "a", changes) == after


@pytest.mark.parametrize(
    ("changes", "fault", "remedy"),
    [
        ([Put("name", "IPM1.example.com")], "declared already", "another name"),
        ([Reduce("ips", "10.0.0.2")], "has no address '10.0.0.2'", "did you mean '10.0.0.1'"),
        ([Reduce("ips", "x")], "has no address 'x'", "it has '10.0.0.1' or 'fc00::1'"),
        ([Reduce("aliases", "x")], "has no alias 'x'", "no alias at all"),
        ([Unset("role")], "cannot do without its role", "give it another role"),
    ],
)
def test_a_change_that_cannot_be_is_refused(changes: list[Change], fault: str, remedy: str) -> None:
    with pytest.raises(WrongUse, match=fault) as refusal:
        set_host(SHOP, "desk2.example.com", changes)
    assert refusal.value.remedy is not None
    assert remedy in refusal.value.remedy


def test_a_host_may_take_its_own_name_in_another_case() -> None:
    assert '"DESK2.example.com"' in set_host(SHOP, "desk2.example.com", [Put("name", "DESK2.example.com")])


# --- Texts that cannot be edited ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault", "remedy"),
    [
        ('schema = 1\nname = "a\n', "line 2, column 10: this string is not closed", "closing quote"),
        ("[ca]\n[ca]\n", "line 2", "join the two tables"),
        ("[hosts]\nname = 1\n", "'hosts' is not an array of tables", "[[hosts]]"),
        ("hosts = [1]\n", "'hosts' is not an array of tables", "[[hosts]]"),
        ("x = " + "[" * 5000, "not valid TOML", None),
    ],
)
def test_what_is_no_declaration_is_left_alone(text: str, fault: str, remedy: str | None) -> None:
    with pytest.raises(WrongDeclaration, match="nothing was changed") as refusal:
        add_host(text, NEW)
    assert fault in refusal.value.message
    assert remedy is None or remedy in (refusal.value.remedy or "")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [(SHOP, "did you mean 'desk2.example.com'"), ("", "ipmpki host add"), (A, "ipmpki host list")],
)
def test_a_host_that_is_not_there_is_said_to_be_missing(text: str, remedy: str) -> None:
    edits: tuple[Callable[[], str], ...] = (
        lambda: remove_host(text, "desk3.example.com"),
        lambda: set_host(text, "desk3.example.com", []),
    )
    for edit in edits:
        with pytest.raises(WrongUse, match=r"no host is named 'desk3\.example\.com'") as refusal:
            edit()
        assert remedy in (refusal.value.remedy or "")


def test_of_two_hosts_of_one_name_none_is_chosen() -> None:
    with pytest.raises(WrongDeclaration, match="2 hosts are named"):
        remove_host(A + A, "a")


@pytest.mark.parametrize("text", ['[[hosts]]\nname = "a"\nos.x = 1\n', '[[hosts]]\nname = "a"\n[hosts.os]\n'])
def test_a_key_that_is_a_table_is_left_alone(text: str) -> None:
    with pytest.raises(Fault, match="nothing was changed"):
        set_host(text, "a", [Put("os", "aix")])


def test_a_list_that_is_none_is_left_alone() -> None:
    with pytest.raises(WrongDeclaration, match="'ips' is not a list"):
        set_host('[[hosts]]\nname = "a"\nips = "x"\n', "a", [Extend("ips", "::1")])


def test_hosts_without_a_name_do_not_disturb() -> None:
    text = '[[hosts]]\nrole = "client"\n\n[[hosts]]\nname = 3\n\n[[hosts]]\nname = "a"\n'
    assert names_in(text) == ("a",)
    assert remove_host(text, "a") == '[[hosts]]\nrole = "client"\n\n[[hosts]]\nname = 3\n'


@pytest.mark.parametrize("wrong", ['"other.example.com"', "no TOML"])
def test_an_edit_that_would_say_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr("ipmpki.declaration.edit.style.write_value", lambda *_values, **_style: wrong)
    for text in ("", SHOP):
        with pytest.raises(Fault, match="cannot be made without changing something else") as refusal:
            add_host(text, NEW)
        assert refusal.value.exit_status == 4


def test_hosts_that_are_not_all_found_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layout, "count", lambda _layout: 2)
    with pytest.raises(Fault, match="cannot be edited here"):
        remove_host(SHOP, "desk2.example.com")


# --- Any declaration ------------------------------------------------------------------------------

WORDS = st.text("ab#[]{}=,' \"\\é\t.", max_size=6)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
COMMENT_TEXT = st.text("ab#[]{}=,'\" [[hosts]]\\", max_size=8).map(lambda text: f"#{text}")


def quoted(text: str) -> st.SearchStrategy[str]:
    """A string as TOML, in any of its four ways."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    ways = [f'"{escaped}"', f'"""{escaped}"""', f'"""\n{escaped}"""']
    if "'" not in text:
        ways += [f"'{text}'", f"'''{text}'''"]
    return st.sampled_from(ways)


@st.composite
def arrays(draw: st.DrawFn, values: list[str]) -> str:
    """An array of strings, with blanks, line ends and comments wherever TOML allows them."""

    def gap() -> str:
        pieces = st.one_of(SPACES, st.just("\n"), COMMENT_TEXT.map(lambda text: f"{text}\n"))
        return "".join(draw(st.lists(pieces, max_size=3)))

    written = ""
    for number, value in enumerate(values):
        item = draw(quoted(value).filter(lambda text: "\n" not in text))
        is_last = number == len(values) - 1
        comma = "," if not is_last or draw(st.booleans()) else ""
        written += f"{gap()}{item}{gap()}{comma}"
    return f"[{written}{gap()}]"


@dataclass
class Written:
    """A random declaration and the names in it."""

    text: str
    names: list[str] = field(default_factory=list)


@st.composite
def declarations(draw: st.DrawFn) -> Written:
    """Hosts and other tables in any order and any style, with comments and blank lines between."""
    pieces: list[str] = []
    names: list[str] = []

    def filling() -> None:
        pieces.extend(draw(st.lists(st.one_of(st.just(""), COMMENT_TEXT), max_size=3)))

    filling()
    if draw(st.booleans()):
        pieces.append(f"store = {draw(WORDS.flatmap(quoted))}")
    for number in range(draw(st.integers(0, 4))):
        filling()
        if draw(st.booleans()):
            name = f"h{number}.example.com"
            names.append(name)
            indent, space = draw(SPACES), draw(SPACES)
            keys = {
                "name": draw(quoted(name)),
                "role": draw(quoted("client")),
                "aliases": draw(st.lists(WORDS, max_size=3, unique=True).flatmap(arrays)),
            }
            keys = dict(draw(st.permutations(list(keys.items()))))
            pieces.append(f"{draw(SPACES)}[[hosts]]{draw(st.one_of(st.just(''), COMMENT_TEXT))}")
            for key, value in keys.items():
                pieces.append(
                    f"{indent}{key}{space}={space}{value}{draw(st.one_of(st.just(''), COMMENT_TEXT))}"
                )
                filling()
        else:
            pieces.append(f"[t{number}]")
            pieces.append(f"x = {draw(st.lists(WORDS, max_size=2).flatmap(arrays))}")
    text = "\n".join(pieces) + draw(st.sampled_from(["", "\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return Written(draw(st.sampled_from(["", "\ufeff"])) + text, names)


def values_of(text: str) -> dict[str, Any]:
    values = tomllib.loads(text.removeprefix("\ufeff"))
    values.setdefault("hosts", [])
    return values


def is_subsequence(some: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in some)


def bare(text: str) -> list[str]:
    """The lines without blank ones and line ends, as the last line of a file may gain one."""
    return [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n") if line.strip()]


@given(declarations())
@settings(max_examples=30, deadline=None)
def test_adding_keeps_every_line_and_adds_just_that_host(written: Written) -> None:
    after = add_host(written.text, {**NEW, "ips": ("::1",)})
    expected = values_of(written.text)
    expected["hosts"].append({**NEW, "ips": ["::1"]})
    assert values_of(after) == expected
    assert len(bare(after)) == len(bare(written.text)) + 4
    assert is_subsequence(bare(written.text), bare(after))
    assert bare(remove_host(after, NEW["name"])) == bare(written.text)


@given(declarations().filter(lambda one: one.names), st.data())
@settings(max_examples=40, deadline=None)
def test_removing_keeps_every_other_line(written: Written, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(written.names) - 1))
    after = remove_host(written.text, written.names[index])
    expected = values_of(written.text)
    del expected["hosts"][index]
    assert values_of(after) == expected
    assert after.startswith("\ufeff") == written.text.startswith("\ufeff")
    gone, came = difference(written.text, after)
    assert came == []
    assert sum(line.lstrip(" \t").startswith("[[hosts]]") for line in gone) == 1


@given(declarations().filter(lambda one: one.names), st.data())
@settings(max_examples=40, deadline=None)
def test_changing_keeps_every_line_of_the_others(written: Written, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(written.names) - 1))
    expected = values_of(written.text)
    host = expected["hosts"][index]
    aliases = host["aliases"]
    changes: list[Change] = [Put("os", "aix"), Put("role", "server")]
    host |= {"os": "aix", "role": "server"}
    gone = data.draw(st.sampled_from([None, *aliases]))
    if gone is not None:
        changes.append(Reduce("aliases", gone))
        host["aliases"] = [one for one in aliases if one.strip().lower() != gone.strip().lower()]
    if data.draw(st.booleans()):
        changes.append(Extend("aliases", "more.example.com"))
        host["aliases"] = [*host["aliases"], "more.example.com"]
    after = set_host(written.text, written.names[index], changes)
    assert values_of(after) == expected
    for other in written.names:
        if other != written.names[index]:
            assert remove_host(remove_host(written.text, written.names[index]), other) == remove_host(
                remove_host(after, written.names[index]), other
            )
    gone_lines, came_lines = difference(written.text, after)
    assert sum("[[hosts]]" in line.partition("#")[0] for line in gone_lines) == 0
    assert sum("[[hosts]]" in line.partition("#")[0] for line in came_lines) == 0


@given(declarations())
@settings(max_examples=20, deadline=None)
def test_a_change_to_what_is_so_already_changes_no_byte(written: Written) -> None:
    for name, host in zip(written.names, values_of(written.text)["hosts"], strict=True):
        same: list[Change] = [Put("name", host["name"]), Put("aliases", tuple(host["aliases"])), Unset("os")]
        assert set_host(written.text, name, same) == written.text
