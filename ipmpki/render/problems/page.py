"""What HTML pages are made with: templates that escape, inlined parts, a policy that lets in no others."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ipmpki.diagnostics import wording
from ipmpki.diagnostics.escape import visible
from ipmpki.render import TEMPLATES
from ipmpki.render.prose import Code, Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence


def page_environment() -> Environment:
    """An environment whose templates escape all that is put into them."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(visible=visible, counted=wording.counted, prose=_prose)
    return environment


def _prose(sentence: Sentence) -> Markup:
    """A sentence with its literal parts set as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(str(part)) if isinstance(part, Code) else escape(part)
        for part in sentence
    )


@cache
def inlined(name: str) -> str:
    """An inlined file. It must not close the element it stands in.

    It neither begins nor ends with a line end: checkers disagree with browsers whether those are hashed.
    """
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def policy(styles: Sequence[str], scripts: Sequence[str] = ()) -> str:
    """A policy that lets in a page's own styles and scripts and nothing else (CSP level 2, section 4.2)."""
    return (
        f"default-src 'none'; style-src {_sources(styles)}; script-src {_sources(scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _sources(texts: Sequence[str]) -> str:
    return " ".join(f"'sha256-{_digest(text)}'" for text in texts) or "'none'"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
