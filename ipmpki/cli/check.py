"""``ipmpki check``: every problem of a declaration, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipmpki.cli.fix import make_fixes, show_fixes
from ipmpki.cli.options import declaration_argument, strict_option
from ipmpki.cli.problems import FORMATS, exit_status, show_check
from ipmpki.cli.watch import follow_file

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="""\b
Examples:
  ipmpki check pki.toml
  ipmpki check --diff pki.toml    what --fix would change
  ipmpki check --fix pki.toml
  ipmpki check --watch pki.toml
  ipmpki check --strict --format github pki.toml
"""
)
@declaration_argument
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How problems are written."
)
@click.option("--fix", is_flag=True, help="Make the fixes that have just one right answer, in the files.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@strict_option
def command(  # noqa: PLR0913 -- one for each option
    file: Path, format_: str, *, fix: bool, diff: bool, watch: bool, strict: bool
) -> int:
    """Find every problem of FILE, and say how to mend it.

    With --fix, those with just one right answer are mended in FILE and in the files it includes, whose
    comments and layout stay; the problems left are shown. --diff shows the same as a unified diff. --watch
    looks at FILE, and all files that it names, several times a second, and checks again when one changes.

    Exit status: 0 without errors, 1 with errors (or warnings, with --strict), 2 if FILE cannot be read.
    """
    from ipmpki.operations.load import load

    if watch:
        if fix or diff or format_ != "text":
            raise click.UsageError("--watch shows problems as text: leave out --fix, --diff and --format")
        return follow_file(file)
    if diff:
        if format_ != "text":
            raise click.UsageError("--diff has a format of its own: leave out --format")
        show_fixes(file)
        return exit_status(load(file).problems, strict=strict)
    if fix:
        make_fixes(file)
    project = load(file)
    show_check(project, str(file), format_, strict=strict)
    return exit_status(project.problems, strict=strict)


__all__ = ["command"]
