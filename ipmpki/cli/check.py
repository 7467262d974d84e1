"""``ipmpki check``: every problem of a declaration, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import declaration_argument, strict_option
from ipmpki.cli.problems import FORMATS, exit_status, show_problems

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="""\b
Examples:
  ipmpki check pki.toml
  ipmpki check --strict --format github pki.toml
"""
)
@declaration_argument
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", help="How problems are written."
)
@strict_option
def command(file: Path, format_: str, *, strict: bool) -> int:
    """Find every problem of FILE, and say how to mend it.

    Exit status: 0 without errors, 1 with errors (or warnings, with --strict), 2 if FILE cannot be read.
    """
    from ipmpki.project import load

    project = load(file)
    show_problems(project.problems, format_, str(file))
    if format_ == "text" and not project.problems:
        hosts = len(project.fleet.hosts) if project.fleet else 0
        console.tell(f"{file}: no problems ({hosts} {'host' if hosts == 1 else 'hosts'})")
    return exit_status(project.problems, strict=strict)


__all__ = ["command"]
