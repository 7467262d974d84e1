"""The pages of the rules that problems name, so that a page of problems explains them without a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.render.prose import Code, Sentence
from ipmpki.rules.catalog import registered
from ipmpki.rules.registry import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.diagnostics.problem import LocatedProblem

_FENCE = "```"


class PageBlock(NamedTuple):
    """A piece of a page: ``kind`` is ``heading``, ``code`` or ``text``; only text has literal parts."""

    kind: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rule's page as the HTML pages show it."""

    name: str
    blocks: tuple[PageBlock, ...]


def rule_pages(problems: Sequence[LocatedProblem]) -> dict[str, RulePage]:
    """The page of every rule that problems name, once each, by name in alphabetical order."""
    named = {located.problem.rule for located in problems}
    if not named:
        return {}
    return {
        rule.name: RulePage(rule.name, tuple(_blocks(page(rule))))
        for rule in registered().values()
        if rule.name in named
    }


def _blocks(text: str) -> Iterator[PageBlock]:
    """What follows a page's title. Pages are Markdown of a few fixed kinds of block."""
    for number, stretch in enumerate(text.split(_FENCE)):
        if number % 2:
            yield PageBlock("code", (stretch.partition("\n")[2].rstrip("\n"),))
            continue
        for paragraph in stretch.strip("\n").split("\n\n"):
            if paragraph.startswith("## "):
                yield PageBlock("heading", (paragraph[3:],))
            elif paragraph.strip() and not paragraph.startswith("# "):
                yield PageBlock("text", _with_code(" ".join(paragraph.split())))


def _with_code(text: str) -> Sentence:
    return tuple(Code(part) if number % 2 else part for number, part in enumerate(text.split("`")) if part)
