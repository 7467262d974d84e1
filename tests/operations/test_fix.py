"""``ipmpki check --fix``: what has one right answer is mended, and nothing else is touched."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipmpki.declaration.edit.fixes import apply_text_edits
from ipmpki.rules.catalog import registered
from tests.cli.command import ipmpki
from tests.places import EXAMPLES, GOLDEN
from tests.problems import AUTHORITY, CLIENT, checked, server
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import TextEdit
    from ipmpki.operations.check import Checked

DECLARATIONS = sorted(GOLDEN.glob("*.toml"))
WRONG = EXAMPLES / "everything-wrong/pki.toml"


def fixed(text: str | bytes) -> bytes:
    """A declaration after ``check --fix``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pki.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        ipmpki("check", path, "--fix")
        return path.read_bytes()


def host(keys: str) -> str:
    return AUTHORITY + server(keys)


def inline_host(keys: str) -> str:
    return f'hosts = [{{name = "a.example.com", {keys}}}]\n{AUTHORITY}'


# --- What is mended -------------------------------------------------------------------------------

MENDED = {
    "a misspelt key": (host('aliasses = ["p.example.com"] # old'), host('aliases = ["p.example.com"] # old')),
    "a key by another word": ('[ca]\nCN = "Acme"\n', '[ca]\ncommon_name = "Acme"\n'),
    "a key with a dot": ('ca.common_nam = "Acme"\n', 'ca.common_name = "Acme"\n'),
    "a key of an inline table": ('ca = {common_nam = "Acme"}\n', 'ca = {common_name = "Acme"}\n'),
    "a header": (
        AUTHORITY + "[defualts] # all\nos = 'aix'\n[ ipm . keyword ]\n",
        AUTHORITY + "[defaults] # all\nos = 'aix'\n[ipm.keywords]\n",
    ),
    "each header of an array": (
        AUTHORITY + '[[host]]\nname = "a.example.com"\n  [[ host ]]\nname = "b.example.com"\n',
        AUTHORITY + '[[hosts]]\nname = "a.example.com"\n  [[hosts]]\nname = "b.example.com"\n',
    ),
    "a misspelt word": (host('os = "AIX"'), host('os = "aix"')),
    "a word by another": (host("os = 'osx'"), host("os = 'macos'")),
    "a misspelt rule": (
        AUTHORITY + '[rules]\nignore = ["shared-aliases"]\n',
        AUTHORITY + '[rules]\nignore = ["shared-alias"]\n',
    ),
    "an error that is ignored": (
        AUTHORITY + '[rules]\nignore = ["shared-ip", "ip-invalid", "no-client"]\n',
        AUTHORITY + '[rules]\nignore = ["shared-ip", "no-client"]\n',
    ),
    "a duration": (host('lifetime = "1 year"'), host('lifetime = "1y"')),
    "a country": ('[ca]\ncommon_name = "A"\ncountry = "de"\n', '[ca]\ncommon_name = "A"\ncountry = "DE"\n'),
    "a batch": (AUTHORITY + '[rollout]\nbatch = "5"\n', AUTHORITY + "[rollout]\nbatch = 5\n"),
    "text without a list": (host("ips = '10.1.2.3'"), host("ips = ['10.1.2.3']")),
    "a list of one": (host('os = ["aix"]'), host('os = "aix"')),
    "a boolean": (AUTHORITY + "[tls]\nmutual_auth = true\n", AUTHORITY + '[tls]\nmutual_auth = "required"\n'),
    "a host with one pair of brackets": (
        AUTHORITY + "[ hosts ] # ours\nname = 'a.example.com'\nrole = 'server'\n",
        AUTHORITY + "[[ hosts ]] # ours\nname = 'a.example.com'\nrole = 'server'\n",
    ),
    "a table with two pairs of brackets": ("[[ca]]\ncommon_name = 'A'\n", "[ca]\ncommon_name = 'A'\n"),
    "a number in quotes": ('schema = "1"\n' + AUTHORITY, "schema = 1\n" + AUTHORITY),
    "a key that belongs at the top": (
        f'# Acme\n\n# ours\n{AUTHORITY}store = "x.db" # here\n',
        f'# Acme\n\nstore = "x.db" # here\n\n# ours\n{AUTHORITY}',
    ),
    "a key that belongs below the others at the top": (
        f'schema = 1\n\n{AUTHORITY}store = "x.db"',
        f'schema = 1\nstore = "x.db"\n\n{AUTHORITY}',
    ),
    "a key that belongs under another table": (
        f'{AUTHORITY}ignore = [ # quiet\n  "no-client",\n]\n[rules]\n# none yet\n',
        f'{AUTHORITY}[rules]\nignore = [ # quiet\n  "no-client",\n]\n# none yet\n',
    ),
    "a dot at the end": (
        AUTHORITY + "[[hosts]]\nname = 'a.example.com.'\nrole = 'server'\n",
        AUTHORITY + "[[hosts]]\nname = 'a.example.com'\nrole = 'server'\n",
    ),
    "a web address": (host('aliases = ["https://p.example.com:631/x"]'), host('aliases = ["p.example.com"]')),
    "blanks around a name": (host('aliases = [" p.example.com"]'), host('aliases = ["p.example.com"]')),
    "name and subject with a dot at the end": (
        AUTHORITY + server('subject = "ipm1.example.com."', name="ipm1.example.com."),
        AUTHORITY + server('subject = "ipm1.example.com"'),
    ),
    "a wildcard with a dot at the end": (
        host('subject = "*.example.com."'),
        host('subject = "*.example.com"'),
    ),
    "an empty subject": (host('subject = "" # none\nos = "aix"'), host('os = "aix"')),
    "an empty subject of an inline host": (
        inline_host('role = "server", subject = ""'),
        inline_host('role = "server"'),
    ),
    "the own name as an alias": (
        host('aliases = ["IPM1.example.com", "p.example.com"]'),
        host('aliases = ["p.example.com"]'),
    ),
    "an alias that stands twice, and thrice": (
        host('aliases = [\n  "p.example.com", # first\n  "P.example.com", # second\n  "p.example.com",\n]'),
        host('aliases = [\n  "p.example.com", # first\n]'),
    ),
    "an address that stands twice": (
        host('ips = ["fc00::1", "fc00:0::1"]'),
        host('ips = ["fc00::1"]'),
    ),
    "an address among the aliases": (
        host('aliases = ["p.example.com", "10.1.2.3"]  # both'),
        host('aliases = ["p.example.com"]  # both\nips = ["10.1.2.3"]'),
    ),
    "an address among the aliases of a host that has some": (
        host('aliases = ["10.1.2.3"]\nips = ["10.1.2.4"]'),
        host('aliases = []\nips = ["10.1.2.4", "10.1.2.3"]'),
    ),
    "a name among the addresses of an inline host": (
        inline_host('role = "server", ips=["b.example.com"]'),
        inline_host('role = "server", ips=[], aliases=["b.example.com"]'),
    ),
    "an alias before something that is none": (
        host('aliases = ["ipm1.example.com", true]'),
        host("aliases = [true]"),
    ),
    "an address in brackets": (host('ips = ["[fc00::1]"]'), host('ips = ["fc00::1"]')),
    "a port": (host('ips = ["10.1.2.3:631"]'), host('ips = ["10.1.2.3"]')),
    "a mask": (host('ips = ["10.1.2.3/24"]'), host('ips = ["10.1.2.3"]')),
    "leading zeros that mean nothing": (
        host('ips = ["010.1.2.3", "10.01.2.3"]'),
        host('ips = ["010.1.2.3", "10.1.2.3"]'),
    ),
    "a boolean in quotes": (
        '[ca]\ncommon_name = "A"\nrevoke_replaced = "Yes" # all\n[ipm]\nec_keys = \'false\'\n',
        '[ca]\ncommon_name = "A"\nrevoke_replaced = true # all\n[ipm]\nec_keys = false\n',
    ),
    "two spellings of one address in the clothes of IPv6": (
        host('ips = ["::ffff:10.1.2.3", "::ffff:a01:203", "::FFFF:10.1.2.3"]'),
        host('ips = ["10.1.2.3"]'),
    ),
    "an address, and again in the clothes of IPv6": (
        host('ips = ["::ffff:a01:203", "10.1.2.3", "::ffff:10.1.2.3"]'),
        host('ips = ["10.1.2.3"]'),
    ),
    "one mistake behind another": (host('alias = "10.1.2.3/8"'), host('aliases = ["10.1.2.3/8"]')),
    "line ends of Windows": (
        host('os = "AIX"').replace("\n", "\r\n"),
        host('os = "aix"').replace("\n", "\r\n"),
    ),
    "a byte-order mark": ("\ufeff" + host('os = "AIX"'), "\ufeff" + host('os = "aix"')),
    "letters that take several bytes": (
        host('aliases = ["bücher.example", "日本.example", "日本.example"]'),
        host('aliases = ["bücher.example", "日本.example"]'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MENDED)
def test_a_mistake_with_one_right_answer_is_mended(name: str) -> None:
    before, after = MENDED[name]
    assert fixed(before).decode() == after


LEFT = {
    "a key that is near to two": AUTHORITY + "[ipm]\nmutual_auth = 'x'\n",
    "a key that two tables know": AUTHORITY + "[ipm]\nlifetime = '1y'\n",
    "a key that is there already": host("alias = []\naliases = []"),
    "a key type that may be several": host('key = "rsa"'),
    "a number that may be days or years": host('lifetime = "10"'),
    "several names in one text": host('ips = "10.1.2.3, 10.1.2.4"'),
    "an octal number": host('ips = ["10.1.2.010"]'),
    "a network": host('ips = ["10.1.2.0/24"]'),
    "a word that is no boolean": '[ca]\ncommon_name = "A"\nrevoke_replaced = "sometimes"\n',
    "a number in the place of a boolean": '[ca]\ncommon_name = "A"\nrevoke_replaced = 1\n',
    "a broadcast address": host('ips = ["10.1.2.255/24"]'),
    "a zone": host('ips = ["fe80::1%eth0"]'),
    "a blank within a name": host('aliases = ["print server.example.com"]'),
    "a partial wildcard": host('subject = "ipm*.example.com"'),
    "an array of two tables": "[[ca]]\ncommon_name = 'A'\n[[ca]]\ncommon_name = 'B'\n",
    "a table within a line": "hosts = { name = 'a.example.com', role = 'server' }\n" + AUTHORITY,
    "a passphrase": '[ca]\ncommon_name = "A"\npassphrase = "hunter2"\n',
    "a file that is not TOML": host('os = "AIX"\nrole = server'),
    "a subject that would then be another name": host('subject = "print.example.com."'),
    "a name that would then be another's": AUTHORITY + server() + server(name="ipm1.example.com."),
    "an alias that would then be another host": AUTHORITY
    + server('aliases = ["b.example.com."]')
    + server(name="b.example.com"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_has_several_answers_or_none_is_left(name: str) -> None:
    assert fixed(LEFT[name]) == LEFT[name].encode()


# --- What is true of every fix ----------------------------------------------------------------------

OFFERING = {
    *("unknown-key", "wrong-type", "wrong-value", "ignored-error", "name-invalid", "alias-invalid"),
    *("alias-is-an-address", "alias-repeats-name", "repeated-alias", "repeated-ip", "ip-invalid"),
    *("ipv4-mapped-address", "startsrv-creates-server"),
}
"""The rules some of whose problems have one right answer; the others leave a choice to people."""


def test_the_rules_that_offer_fixes_are_these() -> None:
    texts = [path.read_bytes() for path in (*DECLARATIONS, WRONG)]
    texts += [before.encode() for before, _ in MENDED.values()]
    offering = {one.problem.rule for text in texts for one in checked(text).problems if one.fix}
    assert offering == OFFERING <= registered().keys()


def leaves(values: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """Every value that is no table and no array of tables, by its path."""
    if isinstance(values, dict):
        return {key: one for step, item in values.items() for key, one in leaves(item, (*path, step)).items()}
    if isinstance(values, list) and values and all(isinstance(item, dict) for item in values):
        return {
            key: one for step, item in enumerate(values) for key, one in leaves(item, (*path, step)).items()
        }
    return {path: values}


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """What another program makes of the JSON's edits: lines and columns from 1, the last one first."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]

    def offset(place: dict[str, int]) -> int:
        return starts[place["line"] - 1] + place["column"] - 1

    for edit in reversed(edits):
        text = text[: offset(edit["start"])] + edit["text"] + text[offset(edit["end"]) :]
    return text


def errors(found: Checked) -> Counter[tuple[str, str]]:
    """Errors by rule and words; which item of a list it is may change."""
    return Counter(
        (one.problem.rule, re.sub("^item [0-9]+", "item", one.problem.message))
        for one in found.problems
        if one.problem.severity == "error"
    )


def assert_fixes_are_sound(text: str) -> None:
    """Each fix alone changes only what it names, takes its problem away, and brings no error."""
    from ipmpki.render.problems.json import problems_output

    before = checked(text)
    for one, output in zip(
        before.problems, problems_output(before.problems, "pki.toml")["problems"], strict=True
    ):
        if one.fix is None:
            assert output["fix"] is None
            continue
        assert one.problem.fix is not None
        assert output["fix"] is not None
        after_text = applied(text, list(map(dict, output["fix"]["edits"])))
        old, new = leaves(tomllib.loads(text)), leaves(tomllib.loads(after_text))
        named = [edit.place.path for edit in one.problem.fix.edits]
        for path in {path for path in old if new.get(path) != old[path]}:
            assert any(path[: len(place)] == place or place[: len(path)] == path for place in named), path
        kept = [line for line in text.split("\n") if "#" in line and line.strip().startswith("#")]
        assert not Counter(kept) - Counter(after_text.split("\n")), "a comment line went"
        after = checked(after_text)
        known = Counter((found.problem.rule, found.problem.message) for found in before.problems)
        left = Counter((found.problem.rule, found.problem.message) for found in after.problems)
        identity = (one.problem.rule, one.problem.message)
        assert left[identity] < known[identity], identity
        brought = errors(after) - errors(before)
        # For these --fix refuses it, unless another fix takes them away at the same time: see LEFT.
        allowed = {"duplicate-host", "alias-is-another-host", "subject-is-another-name"}
        if one.problem.rule in UNREAD:
            allowed = {rule for rule, _ in brought} - {"toml-syntax", "internal-error"}  # unseen before
        assert {rule for rule, _ in brought} <= allowed


UNREAD = {"unknown-key", "wrong-type", "wrong-value", "ignored-error"}
"""Rules whose mistakes keep a value from being judged, so that a fix may bring its own mistakes to light."""


@pytest.mark.parametrize("path", [*DECLARATIONS, WRONG], ids=lambda path: path.stem)
def test_each_fix_of_a_known_mistake_is_sound(path: Path) -> None:
    assert_fixes_are_sound(path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n"))


@pytest.mark.parametrize("path", [*DECLARATIONS, WRONG], ids=lambda path: path.stem)
def test_fixing_twice_is_fixing_once(path: Path) -> None:
    once = fixed(path.read_bytes())
    assert fixed(once) == once
    assert not [one for one in checked(once).problems if one.fix and one.problem.rule != "name-invalid"]


def test_what_could_not_be_mended_before_another_mistake_was_is_tried_again() -> None:
    keys = (
        'ips = ["ipm1.example.com", "10.1.2.3", "10.1.2.3"]\n'
        'alias = ["IPM1.example.com.", "IPM1.example.com."]'
    )
    text = AUTHORITY + server(keys, name="IPM1.example.com.") + CLIENT + 'alias = "ipm1.example.com"\n'
    once = fixed(text)
    assert fixed(once) == once


KEYS = [
    "name",
    "nmae",
    "role",
    "alias",
    "aliases",
    "ips",
    "ip",
    "os",
    "lifetme",
    "store",
    "include",
    "subject",
]
WORDS = [
    *(
        '"ipm1.example.com"',
        '"IPM1.example.com."',
        '"10.1.2.3"',
        '"010.1.2.3"',
        '"[fc00::1]"',
        '"sever"',
        '"AIX"',
    ),
    *(
        '" b.example.com"',
        '"http://b.example.com/"',
        "''",
        "'*.example.com.'",
        '"1 year"',
        "true",
        "5",
        '"日本.example."',
    ),
]
values = (
    st.sampled_from(WORDS)
    | st.lists(st.sampled_from(WORDS), max_size=4).map(lambda words: f"[{', '.join(words)}]")
    | st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(
        lambda words: "[\n" + "".join(f"  {word}, # {number}\n" for number, word in enumerate(words)) + "]"
    )
)
tables = st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=5)


def is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


mistaken = given(st.lists(tables, max_size=3), st.sampled_from(["[[hosts]]", "[[host]]"]), st.booleans())


@mistaken
@settings(max_examples=25, deadline=None)
def test_each_fix_of_any_mistake_is_sound(hosts: list[dict[str, str]], header: str, inline: bool) -> None:
    assert_each_fix_is_sound(hosts, header, inline=inline)


@pytest.mark.exhaustive
@mistaken
@settings(max_examples=400, deadline=None)
def test_each_fix_of_ever_more_mistakes_is_sound(
    hosts: list[dict[str, str]], header: str, inline: bool
) -> None:
    assert_each_fix_is_sound(hosts, header, inline=inline)


def assert_each_fix_is_sound(hosts: list[dict[str, str]], header: str, *, inline: bool) -> None:
    texts = [" # behind\n".join(f"{key} = {value}" for key, value in one.items()) for one in hosts]
    text = AUTHORITY + "".join(f"\n# a host\n{header}\n{keys}\n" for keys in texts)
    if inline:
        pairs = ("{" + ", ".join(f"{key} = {value}" for key, value in one.items()) + "}" for one in hosts)
        text = f"# all\nhosts = [{', '.join(pairs)}]\n{AUTHORITY}"
    if is_toml(text):
        assert_fixes_are_sound(text)
        once = fixed(text)
        assert fixed(once) == once
        assert not errors(checked(once)).keys() & {("toml-syntax", ""), ("internal-error", "")}


def test_a_fix_that_would_change_something_else_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    real = apply_text_edits

    def careless(text: str, edits: Sequence[TextEdit]) -> str:
        return real(text, edits).replace('"required"', '"off"')

    text = AUTHORITY.replace("[ca]", '[tls]\nmutual_auth = "required"\n[ca]') + CLIENT + 'os = "AIX"\n'
    assert b'os = "aix"' in fixed(text)
    monkeypatch.setattr("ipmpki.operations.fix.apply_text_edits", careless)
    assert fixed(text) == text.encode()


# --- The command ------------------------------------------------------------------------------------


@pytest.fixture
def mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A declaration and an included file, each with mistakes of which some can be mended."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sites").mkdir()
    (tmp_path / "pki.toml").write_text(
        'include = ["sites/*.toml"]\n' + host('os = "AIX" # the old one\naliases = ["a b.example.com"]')
    )
    (tmp_path / "sites/a.toml").write_text(CLIENT.lstrip() + 'ip = "10.1.2.3:80"\n')
    return tmp_path


def test_files_are_mended_and_what_is_left_is_shown(mistakes: Path) -> None:
    outcome = ipmpki("check", "pki.toml", "--fix")
    assert 'os = "aix" # the old one' in (mistakes / "pki.toml").read_text()
    assert 'ips = ["10.1.2.3"]' in (mistakes / "sites/a.toml").read_text()
    assert outcome.err.startswith(
        "pki.toml: 1 problem fixed\n"
        "  line 8: 'AIX' is not a word for an operating system here -> write 'aix'\n"
        "sites/a.toml: 3 problems fixed\n"
        "  line 4: unknown key 'ip' in [[hosts]] -> write 'ips'\n"
        "  line 4: 'ips' must be an array of strings, not a string -> write ['10.1.2.3:80']\n"
        "  line 4: '10.1.2.3:80' holds a port -> write '10.1.2.3'\n"
        "error[alias-invalid]: 'a b.example.com' holds a space\n"
    )
    assert outcome.status == 1


def test_with_everything_mended_the_status_is_that_of_a_good_file(mistakes: Path) -> None:
    path = mistakes / "pki.toml"
    path.write_text(path.read_text().replace("a b.", "b."))
    outcome = ipmpki("check", "pki.toml", "--fix")
    assert outcome.status == 0
    assert outcome.err.endswith("pki.toml: no problems (2 hosts)\n")
    again = ipmpki("check", "pki.toml", "--fix")
    assert again.err == "pki.toml: no problems (2 hosts)\n"


def test_an_include_that_was_mended_brings_its_files_in(mistakes: Path) -> None:
    path = mistakes / "pki.toml"
    path.write_text(path.read_text().replace("include", "inclued"))
    shown = ipmpki("check", "pki.toml", "--diff").out
    assert "+++ sites/a.toml" in shown
    ipmpki("check", "pki.toml", "--fix")
    assert 'ips = ["10.1.2.3"]' in (mistakes / "sites/a.toml").read_text()


def test_a_diff_changes_nothing_and_is_what_patch_takes(mistakes: Path) -> None:
    patch = require("patch")
    before = {path: path.read_bytes() for path in mistakes.rglob("*.toml")}
    outcome = ipmpki("check", "pki.toml", "--diff")
    assert {path: path.read_bytes() for path in mistakes.rglob("*.toml")} == before
    assert outcome.err == "--fix would mend 4 problems; 1 problem would be left\n"
    assert outcome.status == 1
    ipmpki("check", "pki.toml", "--fix")
    wanted = {path: path.read_bytes() for path in before}
    for path, content in before.items():
        path.write_bytes(content)
    subprocess.run([patch, "-p0"], input=outcome.out.encode(), cwd=mistakes, check=True, capture_output=True)
    assert {path: path.read_bytes() for path in before} == wanted


def test_a_diff_of_a_file_without_a_last_line_end_is_one_too(tmp_path: Path) -> None:
    patch = require("patch")
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY + 'countr = "DE"')
    outcome = ipmpki("check", path, "--diff")
    assert "\\ No newline at end of file\n" in outcome.out
    subprocess.run([patch, str(path)], input=outcome.out.encode(), check=True, capture_output=True)
    assert path.read_text() == AUTHORITY + 'country = "DE"'


def test_a_diff_of_what_cannot_be_mended_says_so(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(host('ips = ["0.0.0.0"]') + CLIENT)
    assert ipmpki("check", path, "--diff").err == "there is nothing that --fix could mend of 1 problem\n"


def test_a_diff_has_no_other_format(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(AUTHORITY)
    assert ipmpki("check", path, "--diff", "--format", "json").status == 2


def test_a_diff_shows_no_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text('[ca]\ncommon_nam = "A"\npassphrase = "hunter2"\n')
    shown = ipmpki("check", path, "--diff")
    assert "+common_name" in shown.out
    assert "hunter2" not in shown.out + shown.err


def test_a_read_only_file_is_left_and_said(mistakes: Path) -> None:
    (mistakes / "pki.toml").chmod(0o444)
    before = (mistakes / "pki.toml").read_bytes()
    outcome = ipmpki("check", "pki.toml", "--fix")
    assert outcome.status == 4
    assert "is read-only; nothing was changed" in outcome.err
    assert (mistakes / "pki.toml").read_bytes() == before


@pytest.mark.usefixtures("mistakes")
def test_fixes_are_in_the_json_of_a_check() -> None:
    found = json.loads(ipmpki("check", "pki.toml", "--format", "json").out)["problems"]
    assert {one["rule"]: one["fix"] for one in found}["wrong-value"] == {
        "message": "write 'aix'",
        "edits": [
            {
                "file": "pki.toml",
                "start": {"line": 8, "column": 6},
                "end": {"line": 8, "column": 11},
                "text": '"aix"',
            }
        ],
    }
    left = json.loads(ipmpki("check", "pki.toml", "--fix", "--format", "json").out)["problems"]
    assert [one["rule"] for one in left] == ["alias-invalid"]


def test_many_hosts_with_many_mistakes_are_mended_in_one_go(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(
        AUTHORITY + "".join(server('os = "AIX"', name=f"h{n}.example.com") for n in range(300)) + CLIENT
    )
    assert ipmpki("check", path, "--fix").status == 0
    assert path.read_text().count('os = "aix"') == 300
