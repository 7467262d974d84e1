"""The pages that people read: README.md and docs/, as Markdown."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
IS_GENERATED = "<!-- Made by docs/generate.py"


@cache
def tokens(page: str) -> tuple[Token, ...]:
    """A page parsed (CommonMark and tables)."""
    return tuple(MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text("utf-8")))


def spans(page: str) -> Iterator[Token]:
    """What stands within the lines of a page: texts, links, code."""
    for token in tokens(page):
        yield from token.children or ()


def anchors(page: str) -> list[str]:
    """What GitHub calls a page's headings: lower case, blanks as hyphens, other marks left out.

    The second of a name is NAME-1.
    """
    headings = (after for token, after in pairwise(tokens(page)) if token.type == "heading_open")
    texts = ("".join(child.content for child in heading.children or ()) for heading in headings)
    names = [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in texts]
    before = [names[:at].count(name) for at, name in enumerate(names)]
    return [f"{name}-{count}" if count else name for name, count in zip(names, before, strict=True)]


def tables(page: str) -> list[list[list[str]]]:
    """A page's tables: the rows of each, heading first, as Markdown."""
    found: list[list[list[str]]] = []
    for token in tokens(page):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 3:
            found[-1][-1].append(token.content)
    return found
