"""Whatever the text, ``check`` answers with problems whose places lie in it, and can show them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ipmpki.diagnostics.problem import Part
from ipmpki.operations.draft import Draft
from ipmpki.operations.fix import fix
from ipmpki.render.problems.github import render_github
from ipmpki.render.problems.json import render_json
from ipmpki.render.problems.sarif import render_sarif
from ipmpki.render.problems.text import render_text
from ipmpki.source.files import SourceFile
from tests.places import GOLDEN
from tests.problems import NOW, checked

if TYPE_CHECKING:
    from ipmpki.diagnostics.problem import DocumentPath, Span
    from ipmpki.operations.check import Checked

SEEDS = [path.read_text("utf-8") for path in sorted(GOLDEN.glob("*.toml"))]
WORDS = sorted({word for seed in SEEDS for word in re.findall(r'"[^"]*"|[\w.*-]+|[^\w\s]|\s+', seed)})
ODD = [
    "'''",
    '"""',
    "\\",
    "\x00",
    "\x1b",
    "\r",
    "\ufeff",
    "\ue000",
    "ü",
    "日",
    "\u202e",
    "= ",
    "[[",
    "9" * 30,
]


def assert_sound(found: Checked) -> None:
    for one in found.problems:
        for label in (one.label, *one.related):
            assert label.span is not None
            lines = found.sources[label.file].text.split("\n")
            start, end = label.span.start, label.span.end
            assert 1 <= start.line <= end.line <= len(lines)
            assert start <= end
            # One column behind the line is where something is missing.
            assert 1 <= start.column <= len(lines[start.line - 1]) + 1
            assert 1 <= end.column <= len(lines[end.line - 1]) + 2
        assert one.problem.rule != "internal-error"
    assert_places_hold_what_is_named(found)
    shown = render_text(found.problems, width=80)
    assert all(character.isprintable() or character == "\n" for character in shown)
    render_json(found.problems, "pki.toml")
    render_sarif(found.problems)
    render_github(found.problems)


def assert_places_hold_what_is_named(found: Checked) -> None:
    """In a text that is TOML, each place read back is the value, or the key, that its path names."""
    for file, source in found.sources.items():
        if source.damaged:
            continue
        try:
            document = tomllib.loads(source.text)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        for one in found.problems:
            place = one.problem.place
            if place.file == file and one.problem.span is None and one.label.span is not None:
                value = value_at(document, place.path)
                stretch = text_at(source.text, one.label.span)
                if value is MISSING or not place.path:
                    continue
                is_named = place.part is Part.KEY or isinstance(value, dict) or is_of_tables(value)
                if is_named and not stretch.lstrip().startswith("{"):
                    step = next(step for step in reversed(place.path) if isinstance(step, str))
                    assert step in keys_in(stretch), (place, stretch)
                elif not is_named:
                    assert same(tomllib.loads(f"x = {stretch}")["x"], value), (place, stretch)


MISSING = object()


def value_at(document: Any, path: DocumentPath) -> Any:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return document


def is_of_tables(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def text_at(text: str, span: Span) -> str:
    lines = text.split("\n")[span.start.line - 1 : span.end.line]
    lines[-1] = lines[-1][: span.end.column - 1]
    lines[0] = lines[0][span.start.column - 1 :]
    return "\n".join(lines)


def keys_in(stretch: str) -> list[str]:
    """The keys that a stretch writes one after the other: a key, dotted or not, or a table's header."""
    bare = stretch.strip()
    while bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1].strip()
    keys: Any = tomllib.loads(f"{bare} = 0")
    found = []
    while isinstance(keys, dict):
        step, keys = next(iter(keys.items()))
        found.append(step)
    return found


def same(one: Any, other: Any) -> bool:
    """Equal, though not a number is not equal to itself."""
    return one == other or repr(one) == repr(other)


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbf")
@example(b"a = '''\r\n")
def test_any_bytes_are_answered(content: bytes) -> None:
    assert_sound(checked(content))


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 5000 + " = 1",
        "a" + ".a" * 50_000,
        "a" * 100_000,
        'a = "' + '\\"' * 50_000,
        "[a" + ".a" * 5000 + "]\nx = y",
        "[ca" + ".a" * 5000 + "]\n",
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a = " * 5000 + "1" + "}" * 5000,
        "a = [" + "[], " * 5000 + "]",
        pytest.param("[[hosts]]\n" * 5000, marks=pytest.mark.exhaustive),
        "x = 1\n" * 5000,
        f"{'a' * 100_000} = 1",
        f'[[hosts]]\nname = "{"a." * 50_000}"\nrole = "{"x" * 100_000}"',
        f'[[hosts]]\nname = "{"*" * 100_000}"\nips = ["{"1." * 50_000}", "{":" * 100_000}"]',
        f'[rules]\nignore = ["{"a" * 100_000}"]\n[defaults]\nlifetime = "{"9" * 100_000}"',
    ],
    ids=lambda text: text[:12],
)
def test_too_much_of_anything_is_answered(text: str) -> None:
    assert_sound(checked(text))


@given(st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    assert_sound(checked(text.encode("utf-8", "replace")))


@given(st.lists(st.sampled_from(WORDS + ODD), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_heap_of_words_is_answered(words: list[str]) -> None:
    assert_sound(checked("".join(words)))


def with_slips(seed: str, data: st.DataObject) -> str:
    """A text with up to three stretches replaced by nothing, a word, or something odd."""
    text = seed
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, min(12, len(text) - start)))
        text = text[:start] + data.draw(st.sampled_from(["", *ODD, *WORDS])) + text[start + length :]
    return text


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=300, deadline=None)
def test_a_declaration_with_a_slip_of_the_keyboard_is_answered(seed: str, data: st.DataObject) -> None:
    assert_sound(checked(with_slips(seed, data)))


def assert_fixed_once(text: str) -> None:
    """All fixes can be applied, and then none is left but those that were refused."""
    draft = Draft(Path("pki.toml"), (SourceFile("pki.toml", text.encode("utf-8", "replace")),), ())
    before = draft.check(NOW).problems
    once = fix(draft, NOW)
    assert fix(once.draft, NOW).draft == once.draft
    assert not any(one.problem.rule == "internal-error" for one in once.problems)
    if not any(one.problem.rule == "toml-syntax" for one in before):
        tomllib.loads(once.draft.files[0].content.decode("utf-8").removeprefix("\ufeff"))
    if not any(one.fix for one in before):
        assert once.draft == draft


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=100, deadline=None)
def test_a_declaration_with_a_slip_of_the_keyboard_can_be_fixed(seed: str, data: st.DataObject) -> None:
    assert_fixed_once(with_slips(seed, data))


@pytest.mark.exhaustive
@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=12000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_thousands_of_declarations_with_slips_are_answered(seed: str, data: st.DataObject) -> None:
    assert_sound(checked(with_slips(seed, data)))


@pytest.mark.exhaustive
@given(st.lists(st.sampled_from(WORDS + ODD), max_size=60))
@settings(max_examples=8000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_thousands_of_heaps_of_words_are_answered(words: list[str]) -> None:
    assert_sound(checked("".join(words)))
