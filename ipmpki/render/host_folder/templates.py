"""The templates of scripts and plain texts: compiled once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

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


class Script(NamedTuple):
    """A script's template: what differs from host to host, and the rest as it is published."""

    head: Template
    rest: bytes


@cache
def script(name: str) -> Script:
    """Return the compiled script of that file name, whose last part is one raw block to its end.

    That part is nearly all of it: it would be joined, encoded and looked through anew for every host.
    """
    head, _, rest = verbatim(name).partition("{% raw %}\n")
    return Script(_ENVIRONMENT.from_string(head), rest.removesuffix("{% endraw %}\n").encode())
