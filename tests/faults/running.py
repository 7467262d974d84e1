"""Runs the command line as a user does, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import preloaded
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMAND = ("-m", "ipmpki")
"""What Python runs."""
LONGEST = 120.0
"""Seconds that nothing here takes, however loaded the machine: beyond it, something hangs."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    def failed(self, *words: str, status: int = 4) -> None:
        """It failed with this status, one line of fault and one of remedy that say these words."""
        assert self.status == status, (self.status, self.out, self.err)
        lines = self.err.splitlines()
        starts = [line for line in lines if line.startswith("error: ")]
        assert len(starts) == 1, self.err
        at = lines.index(starts[0])
        assert lines[at + 1].startswith("  help: "), self.err
        said = "\n".join(lines[at:])
        for word in words:
            assert word in said, (word, said)
        self.is_clean()

    def is_clean(self) -> None:
        """No traceback, nothing unforeseen, no secret."""
        for text in (self.out, self.err):
            assert "Traceback" not in text, text
            assert "should not" not in text, text
            assert "PRIVATE KEY" not in text, text


def ipmpki(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
    umask: int = -1,
) -> Outcome:
    """Run a command in a folder and wait for its end; with a prefix, in a Python of its own."""
    environment = {**os.environ, **(env or {})}
    if prefix:
        done = subprocess.run(
            [*prefix, sys.executable, *COMMAND, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST,
            check=False,
            umask=umask,
        )
    else:
        done = preloaded.run(*COMMAND, *arguments, cwd=folder, env=environment, umask=umask, timeout=LONGEST)
    outcome = Outcome(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
    outcome.is_clean()
    return outcome


@contextlib.contextmanager
def started(folder: Path, *words: str) -> Iterator[preloaded.AnyProcess]:
    """Start what Python runs, ``-m`` or ``-c``, in a folder; in the end it is gone, whatever happened."""
    with preloaded.start(*words, cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()


def mortal() -> tuple[str, ...]:
    """What makes root obey permissions too."""
    if os.geteuid():
        return ()
    return (require("setpriv"), "--bounding-set=-dac_override,-dac_read_search")
