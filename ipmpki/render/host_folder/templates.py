"""The templates of plain texts and small scripts: compiled once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ipmpki.render import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Template

# No autoescape: these are scripts and plain text, and what enters a script is quoted by quote.py.
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 # see above
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@cache
def verbatim(name: str) -> str:
    """Return the text of a file among the templates that is published as it stands, braces and all."""
    return (TEMPLATES / name).read_text("ascii")


@cache
def template(name: str) -> Template:
    """Return the compiled template of that file name."""
    return _ENVIRONMENT.get_template(name)
