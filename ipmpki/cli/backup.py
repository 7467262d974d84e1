"""``ipmpki backup``: an encrypted copy of the store and the declaration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import file_and_backup
from ipmpki.cli.passphrase_options import ask, given, passphrase_options, warn_if_short
from ipmpki.source.write_file import create_private

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="""\b
Examples:
  ipmpki backup pki.toml /media/stick/pki-2027-06-01.backup
  ipmpki backup pki.toml nightly.backup --force --passphrase-file /root/backup.pass
"""
)
@file_and_backup
@passphrase_options("the backup's passphrase")
@click.option("--force", is_flag=True, help="Replace BACKUP where it exists.")
def command(
    given_files: tuple[Path, Path], passphrase_env: str | None, passphrase_file: str | None, *, force: bool
) -> int:
    """Copy the store of FILE, with FILE and what it names, into the new file BACKUP, encrypted.

    It is a copy of one moment, and may be made while a build is at work. Whoever has it and its passphrase
    has the authority's key and every other. The files of the CA key and of its passphrase are not in it, nor
    is dist/, which a build makes again. When it was made is noted in the store, for status.
    """
    from ipmpki.operations.backup.backup import make_backup, note_backup
    from ipmpki.x509.sealed_file import normal

    file, backup = given_files
    now = datetime.now(UTC).replace(microsecond=0)
    made = make_backup(file, backup, now=now)
    passphrase = given(passphrase_env, passphrase_file)
    if passphrase is None:
        options = "--passphrase-env NAME or --passphrase-file PATH"
        passphrase = ask("Passphrase of the backup", options=options, twice=True)
    opens = normal(passphrase)
    create_private(backup, lambda sink: made.write(sink, opens), overwrite=force)
    warn_if_short(passphrase)
    unnoted = note_backup(file, made, now=now)
    if unnoted is not None:
        console.say_warning(f"the backup is written, but status does not know of it: {unnoted.message}")
    for name in made.left_out:
        console.say_warning(f"'{name}' is not in the backup: it lies outside the folder of {file.name}")
    noun = "file" if len(made.files) == 1 else "files"
    console.say(
        f"{backup}: the store and {len(made.files)} {noun}, encrypted\n"
        "Keep its passphrase somewhere else, and that of the CA's key if it has one: neither is in it."
    )
    return 0


__all__ = ["command"]
