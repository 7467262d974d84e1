"""What a power cut would leave: whether what is renamed was on the disk before, and its new name after."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """What is done below a folder, in order: "fsync" and a path, or "named" and the old and new path."""
    done: list[tuple[str, str]] = []
    real_fsync, real_replace, real_link = os.fsync, os.replace, os.link

    def fsync(descriptor: int) -> None:
        done.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        real_fsync(descriptor)

    def replace(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        real_replace(source, target)
        done.append(("named", f"{Path(source).absolute()} {Path(target).absolute()}"))

    def link(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        real_link(source, target)
        done.append(("named", f"{Path(source).absolute()} {Path(target).absolute()}"))

    with (
        mock.patch("os.fsync", fsync),
        mock.patch("os.replace", replace),
        mock.patch("os.link", link),
    ):
        yield done
    done[:] = [one for one in done if str(folder) in one[1]]


def assert_survives_a_power_cut(done: list[tuple[str, str]], target: Path) -> None:
    """Its content was on the disk before it got its name, and then the folder with the name was."""
    names = [at for at, (what, which) in enumerate(done) if what == "named" and which.endswith(f" {target}")]
    assert names, f"{target} got no name: {done}"
    at = names[-1]
    source = done[at][1].removesuffix(f" {target}")
    assert ("fsync", source) in done[:at], f"{target} may be empty: {done}"
    assert ("fsync", str(target.parent)) in done[at:], f"{target} may have no name: {done}"
