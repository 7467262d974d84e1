"""Every expression that meets the texts of others takes time as their length, and not as its square."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

import ipmpki

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = (
    *(
        "a",
        "A0",
        " ",
        "\t",
        '"',
        "'",
        "\\",
        "\\x",
        "a.",
        "a ",
        "a=",
        ".",
        "-",
        "/",
        "/a",
        "/CN=",
        ",CN=",
        " #",
        "[",
    ),
    *(
        "{",
        "a:",
        "\n",
        " \n",
        "\na=",
        "-----BEGIN CERTIFICATE-----\n",
        "%41",
        '"a".',
        "a\t",
        '"""',
        "CKA_CLASS ",
    ),
)
SMALL, LARGE = 4_000, 16_000
SECONDS = 0.02
"""What takes less is fast enough, whatever its shape; the square of 16,000 takes a second."""


def expressions() -> dict[str, tuple[re.Pattern[Any], str]]:
    """Those of the modules that read files, with how each is used: to look anywhere, or at one place."""
    found = {}
    for one in pkgutil.walk_packages(ipmpki.__path__, "ipmpki."):
        if one.name.split(".")[1] not in {"source", "x509", "operations", "declaration"}:
            continue
        module = importlib.import_module(one.name)
        code = inspect.getsource(module)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and re.search(rf"^{name}\b.* = re\.compile", code, re.MULTILINE):
                anywhere = re.search(rf"\b{name}\.(search|finditer|sub|split|findall)\(", code)
                found[f"{one.name}.{name}"] = (value, "anywhere" if anywhere else "here")
    return found


EXPRESSIONS = expressions()


def seconds(work: Callable[[Any], object], text: Any) -> float:
    begun = time.process_time()
    work(text)
    return time.process_time() - begun


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_time_of_an_expression_grows_with_the_text_and_no_faster(name: str) -> None:
    expression, used = EXPRESSIONS[name]
    ways: list[Callable[[Any], object]] = [expression.match, expression.fullmatch]
    if used == "anywhere":
        ways = [lambda text: sum(1 for _ in expression.finditer(text))]
    for unit in UNITS:
        for tail in ("", "\0"):
            for way in ways:
                texts = [unit * (size // len(unit)) + tail for size in (SMALL, LARGE)]
                small, large = (
                    [one.encode() for one in texts] if isinstance(expression.pattern, bytes) else texts
                )
                if seconds(way, large) > SECONDS:  # once more, as others may have had the machine
                    took = min(seconds(way, large) for _ in range(3))
                    assert took < SECONDS or took < 8 * seconds(way, small), (unit, tail)


def test_those_that_read_files_are_among_them() -> None:
    assert {"ipmpki.x509.pem._BOUNDARY", "ipmpki.source.syntax.TOKEN", "ipmpki.x509.root._BLOCK"} <= set(
        EXPRESSIONS
    )
    assert len(EXPRESSIONS) > 40
