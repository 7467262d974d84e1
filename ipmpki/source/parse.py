"""Reading TOML. A text without a mistake pays for nothing else."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.source.text import Document, Source

if TYPE_CHECKING:
    from ipmpki.diagnostics.problem import Problem


def parse(source: Source) -> tuple[Document, tuple[Problem, ...]]:
    """Read the values of a source.

    After a syntax error the statement it stands in is struck out, or the whole table where the
    statement's end is not certain, and reading goes on: one broken host hides no other host's problems.
    """
    try:
        if not source.damaged:
            return Document(replace(source, readable=source.text), tomllib.loads(source.text)), ()
    except (ValueError, RecursionError):
        pass  # read again below, piece by piece
    from ipmpki.source.recovery import recover  # its patterns cost time that only a mistake is worth

    return recover(source)
