"""What runs in the process that reads the files of others: it answers until its input ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from typing import IO, TYPE_CHECKING, Any

from ipmpki.x509.containers import read_received
from ipmpki.x509.contents import read_contents
from ipmpki.x509.foreign_pki import Passphrases, read_found

if TYPE_CHECKING:
    from collections.abc import Callable

_CPU_SECONDS = 60
"""For one file: whoever started this and stops it sooner may itself have been killed."""


def main(mebibytes: int) -> None:
    """Answer what comes by stdin, within so much memory."""
    # Who started this gets the terminal's Ctrl-C, too, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _limit("RLIMIT_CORE", 0)  # a core file would hold keys
    _limit("RLIMIT_AS", mebibytes * 1024**2)
    serve(source, target)


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer each question of ``source`` in ``target``, until there is none."""

    def ask(name: str) -> bytes | None:
        _tell(target, "passphrase", name)
        answer: bytes | None = _next(source)
        return answer

    with contextlib.suppress(EOFError):
        while True:
            what, name, content, known = _next(source)
            _limit("RLIMIT_CPU", int(sum(os.times()[:2])) + _CPU_SECONDS)
            _tell(target, "result", _read(what, name, content, known, ask))


def _read(
    what: str,
    name: str,
    content: bytes,
    known: tuple[bytes, ...],
    ask: Callable[[str], bytes | None],
) -> object:
    if what == "received":
        return list(read_received(name, content, ask))
    if what == "contents":
        return read_contents(name, content)
    passphrases = Passphrases(known, ask)
    return read_found(name, content, passphrases), passphrases.known


def _next(source: IO[bytes]) -> Any:
    return pickle.load(source)  # noqa: S301 -- of who started this


def _tell(target: IO[bytes], kind: str, value: object) -> None:
    pickle.dump((kind, value), target)
    target.flush()


def _limit(what: str, most: int) -> None:
    """Where the system has such limits; Windows has not, and macOS takes no limit of memory."""
    try:
        import resource
    except ImportError:
        return
    limit = getattr(resource, what, None)
    if limit is not None:
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(limit)[1]
            resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
