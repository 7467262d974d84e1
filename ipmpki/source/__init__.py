"""The text of a declaration and its values; after a mistake in the TOML, all that can still be read of it.

Values come from tomllib. Places come from tree-sitter-toml (``spans``), which is loaded only when there is
a place to find: a declaration without a problem never pays for it. What the keys mean is not known here.
"""

from __future__ import annotations

from ipmpki.source.locate import locate, spans_of
from ipmpki.source.parse import parse
from ipmpki.source.text import Document, Source, decode

__all__ = ["Document", "Source", "decode", "locate", "parse", "spans_of"]
