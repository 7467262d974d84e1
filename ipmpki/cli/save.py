"""Saving a declaration that a command has edited: checked first, and only where it brings no new error."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.cli import console
from ipmpki.diagnostics.fault import WrongDeclaration
from ipmpki.diagnostics.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.operations.draft import Draft
    from ipmpki.source.files import SourceFile


def text_of(file: SourceFile) -> str:
    try:
        return file.content.decode("utf-8")
    except UnicodeDecodeError:
        raise WrongDeclaration(
            f"{file.name} is not UTF-8; nothing was changed",
            "save it as UTF-8, which TOML requires; 'ipmpki check' shows where it is not",
        ) from None


def save_edited(declaration: Draft, file: SourceFile, text: str, done: str) -> int:
    """Check the edited text, write it where it brings no new error, and say what was done."""
    from ipmpki.cli.problems import show_problems
    from ipmpki.source.write_file import save

    main = declaration.files[0].name
    content = text.encode("utf-8")
    if content == file.content:
        console.say(f"{file.name} says so already; nothing was changed")
        return 0
    now = datetime.now(UTC)
    old = declaration.check(now).problems
    checked = declaration.with_content(file.name, content).check(now).problems
    new = _new_problems(old, checked)
    show_problems(new, "text", main)
    errors = sum(one.problem.severity is Severity.ERROR for one in new)
    if errors:
        count = "an error" if errors == 1 else f"{errors} errors"
        raise WrongDeclaration(
            f"this would bring {count} into {file.name}; nothing was changed",
            "run the command again with other values",
        )
    save(Path(file.name), file.content, content)
    left = sum(one.problem.severity is Severity.ERROR for one in checked)
    step = f"ipmpki plan {main}"
    if left:
        step = (
            f"ipmpki check {main}, which had {'an error' if left == 1 else f'{left} errors'} before already"
        )
    console.say(f"{file.name}: {done}\nnext: {step}")
    return 0


def _new_problems(old: Sequence[LocatedProblem], new: Sequence[LocatedProblem]) -> list[LocatedProblem]:
    """The problems an edit brings. Those that only moved to another line or index are not new."""
    known = Counter((one.problem.rule, one.problem.message) for one in old)
    brought: list[LocatedProblem] = []
    for one in new:
        identity = (one.problem.rule, one.problem.message)
        if known[identity]:
            known[identity] -= 1
        elif one.problem.severity is not Severity.INFO:
            brought.append(one)
    return brought
