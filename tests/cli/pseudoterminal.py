"""Run ``ipmpki`` on a terminal of a chosen width, which the test plays."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import termios
from typing import TYPE_CHECKING

from tests import preloaded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def on_terminal(
    folder: Path,
    columns: int,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    with_errors: bool = False,
) -> str:
    """What the command shows on a terminal so many columns wide; ``with_errors``, stderr too.

    Without them, it must say nothing there.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    bare = {
        key: value
        for key, value in os.environ.items()
        if key not in {"NO_COLOR", "COLUMNS", "LC_ALL", "LANG"}
    }
    streams = {"stdout": theirs} | ({"stderr": theirs} if with_errors else {})
    environment = {**bare, "TERM": "xterm", **(env or {})}
    with preloaded.start("-m", "ipmpki", *arguments, cwd=folder, env=environment, **streams) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal nobody holds any more with EIO
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        _, err = process.communicate()
    assert not err, err.decode()
    return shown.decode(errors="replace").replace("\r\n", "\n")
