"""The templates of scripts and plain texts: compiled once, and told apart by one digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent / "templates"

# No autoescape: these are scripts and plain text, and what enters a script is quoted by quoting.py.
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 # see above
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@cache
def template(name: str) -> Template:
    """Return the compiled template of that file name."""
    return _ENVIRONMENT.get_template(name)


@cache
def templates_digest() -> str:
    """Return a SHA-256 over the names and contents of the templates of hosts' folders, in hexadecimal.

    It changes when an upgrade of ipmpki changes what the rendered files look like.
    """
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.iterdir()):
        if path.name.startswith("report."):  # the report lies in no host's folder
            continue
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
