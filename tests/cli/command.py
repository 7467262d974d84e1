"""Run ``ipmpki`` within the test's process, as a terminal would."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from ipmpki.cli.main import run


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


def ipmpki(*arguments: object) -> Outcome:
    """Run a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as leaving:
        run([str(argument) for argument in arguments])
    assert isinstance(leaving.value.code, int)
    return Outcome(leaving.value.code, out.getvalue(), err.getvalue())
