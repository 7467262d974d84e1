"""Write into pages what their commands print now: ``python -m tests.docs.record docs/first-hour.md``.

Outputs that are right as they stand stay, with what "…" shortens. Read the difference before you commit.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tests.docs.stage import set_up
from tests.docs.transcripts import is_shown, perform, presentable


def record(page: str) -> None:
    """Run a page, and put the outputs that differ into it."""
    text = (ROOT / page).read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        set_up(page, Path(folder))
        os.chdir(folder)
        at = 0
        for block in blocks(page):
            for command, shown, printed in perform(block):
                at = text.index(f"$ {command}\n{shown}", at) + len(f"$ {command}\n")
                if not is_shown(shown, printed):
                    text = f"{text[:at]}{presentable(printed)}\n{text[at + len(shown) :]}"
        os.chdir(ROOT)
    (ROOT / page).write_text(text, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(name)
