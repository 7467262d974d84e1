"""The pages that people read: README.md and docs/, as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_REMARK = re.compile(r"<!-- ([a-z ]+)(?:: (.*))? -->\s*")


@cache
def tokens(page: str) -> tuple[Token, ...]:
    """A page parsed (CommonMark and tables)."""
    return tuple(MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text("utf-8")))


def spans(page: str) -> Iterator[Token]:
    """What stands within the lines of a page: texts, links, code."""
    for token in tokens(page):
        yield from token.children or ()


@cache
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


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code on a page, with the remark before it; ``line`` counts from 0."""

    language: str
    text: str
    line: int
    remark: str = ""
    argument: str = ""


def blocks(page: str) -> list[Block]:
    """Every block of code of a page, fenced or indented."""
    found, remark, argument = [], "", ""
    for token in tokens(page):
        if token.type == "html_block":
            match = _REMARK.fullmatch(token.content)
            remark, argument = (match[1], match[2] or "") if match else ("", "")
        elif token.type in {"fence", "code_block"} and token.map is not None:
            found.append(Block(token.info, token.content, token.map[0], remark, argument))
            remark, argument = "", ""
        elif token.type in {"paragraph_open", "heading_open"}:
            remark, argument = "", ""
    return found


def begins_with(page: str) -> str:
    """What a page says that it begins with; empty for nothing."""
    first = tokens(page)[0]
    match = _REMARK.fullmatch(first.content) if first.type == "html_block" else None
    return match[2] if match and match[1] == "begins with" else ""
