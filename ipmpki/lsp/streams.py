"""The streams that the protocol runs over, guarded against a peer that speaks something else."""

from __future__ import annotations

import io
import logging
from typing import IO, Any

LONGEST_MESSAGE = 256 * 1024 * 1024
"""Four times the largest declaration: a longer message is none, and no memory is reserved for it."""
LONGEST_HEADER = 1024
"""Real ones have some forty characters (LSP 3.17, "Header Part")."""

_log = logging.getLogger(__name__)


class BoundedReader(io.RawIOBase):
    """stdin, whose lines and messages have a longest length; a longer message ends the session."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line of a header, or a piece of what is too long for one."""
        del size
        return self._stream.readline(LONGEST_HEADER)

    def read(self, size: int = -1, /) -> Any:
        """The body of a message: the whole of it, or nothing where the stream ended before."""
        if size > LONGEST_MESSAGE:
            _log.error("a message of %d bytes is announced, which no editor sends", size)
            return b""
        content = self._stream.read(size)
        return content if len(content) == size else b""


class TerseHandler(logging.Handler):
    """Writes warnings and errors to stderr, a line each: no traceback, and nothing of what was edited."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(logging.WARNING)
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. Arguments may hold a whole file with a passphrase in it, so names alone are told."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            words = f"{record.funcName}: {type(error).__name__}"
        elif record.name.startswith("ipmpki"):
            words = record.getMessage()
        else:
            words = str(record.msg).partition("%")[0].strip(" '\"")
        try:
            self._stream.write(f"{record.levelname.lower()}: {words}\n")
            self._stream.flush()
        except (OSError, ValueError):  # nobody listens any more
            pass
