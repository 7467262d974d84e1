"""Where the files lie that tests of several packages read."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "examples"
GOLDEN = Path(__file__).parent / "golden"
"""Pairs of a declaration and the text of its problems."""
