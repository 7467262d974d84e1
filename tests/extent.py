"""How much of a matrix is run: a few of its cells every time, all of them in an exhaustive run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from _pytest.mark.structures import ParameterSet

T = TypeVar("T")


def mostly_exhaustive(
    values: Iterable[T],
    *,
    every_time: Collection[T],
    otherwise: pytest.MarkDecorator = pytest.mark.exhaustive,
) -> list[ParameterSet]:
    """Parameters for a test: those of ``every_time``, and the others marked ``otherwise``.

    A plain tuple is one set of several parameters.
    """
    values = list(values)
    assert all(one in values for one in every_time), "what is run every time is one of the values"
    return [
        pytest.param(
            *(one if isinstance(one, tuple) and type(one) is tuple else (one,)),
            marks=() if one in every_time else otherwise,
        )
        for one in values
    ]
