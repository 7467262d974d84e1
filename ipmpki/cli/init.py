"""``ipmpki init``: a commented pki.toml to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from ipmpki.cli import console

TEMPLATE = "templates/pki.toml"


@click.command(
    epilog="""\b
Examples:
  ipmpki init                     writes pki.toml
  ipmpki init boulder/pki.toml    writes it elsewhere
"""
)
@click.argument("file", type=click.Path(path_type=Path), default="pki.toml", metavar="[FILE]")
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
def command(file: Path, *, force: bool) -> int:
    """Write a commented pki.toml to start from: every key explained, one server and one client.

    FILE is pki.toml where it is left out. A file that exists is left alone.
    """
    from ipmpki.source.write_file import create

    if file.is_dir():
        file /= "pki.toml"
    create(file, (resources.files("ipmpki.cli") / TEMPLATE).read_bytes(), overwrite=force)
    console.say(f"wrote {file}\nnext: put your own computers into it, then: ipmpki check {file}")
    return 0


__all__ = ["command"]
