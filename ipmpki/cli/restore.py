"""``ipmpki restore``: put a backup back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.arguments import file_and_backup
from ipmpki.cli.passphrase_options import ask, given, passphrase_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.operations.backup.restore import Restored

_MOST_LINES = 20


@click.command(
    epilog="""\b
Examples:
  ipmpki restore pki.toml /media/stick/pki-2027-06-01.backup
"""
)
@file_and_backup
@passphrase_options("the backup's passphrase")
@click.option(
    "--force",
    is_flag=True,
    help="Restore although the present store holds what the backup lacks, or cannot be read.",
)
@click.option(
    "--with-declaration",
    is_flag=True,
    help="Put FILE and the files it names back, too, where they differ from the backup's.",
)
@click.option(
    "--store",
    "at",
    type=click.Path(path_type=Path),
    help="Where the store is to be, if FILE is not there and the backup names a place outside its folder.",
)
def command(  # noqa: PLR0913 -- click passes each option
    given_files: tuple[Path, Path],
    passphrase_env: str | None,
    passphrase_file: str | None,
    at: Path | None,
    *,
    force: bool,
    with_declaration: bool,
) -> int:
    """Put the store from BACKUP in the place where FILE has it; what was there is kept beside it.

    The backup is read to its end first, and compared with the present store. On a new computer FILE need not
    be there: it is in the backup, with the files it names, and whatever of these is missing is written.
    """
    from ipmpki.operations.backup.restore import WouldLose, restore
    from ipmpki.x509.sealed_file import normal

    file, backup = given_files

    def passphrase() -> bytes:
        found = given(passphrase_env, passphrase_file)
        options = "--passphrase-env NAME or --passphrase-file PATH"
        return normal(found if found is not None else ask("Passphrase of the backup", options=options))

    try:
        done = restore(
            file,
            backup,
            passphrase=passphrase,
            now=datetime.now(UTC).replace(microsecond=0),
            force=force,
            with_declaration=with_declaration,
            at=at,
        )
    except WouldLose as refusal:
        tell_list("In the present store and not in the backup:", refusal.lost)
        raise
    _tell_outcome(file, done)
    return 0


def _tell_outcome(file: Path, done: Restored) -> None:
    tell_list("Forgotten, as the backup lacks it:", done.lost)
    console.say(f"{done.store.name}: restored as it was on {done.made_at:%Y-%m-%d %H:%M} UTC")
    tell_list("Newer in dist/ than in the backup, and known again:", done.taken)
    if done.stranger is not None:
        console.say_warning(
            f"in dist/ lies {done.stranger}, which this store does not know: was it the right backup? A build"
            " will not go on over it"
        )
    if done.kept is not None:
        console.say(f"what was there is kept, for you alone to read: {done.kept.name}")
    for name in done.written:
        console.say(f"{name}: written from the backup")
    for name in done.differing:
        console.say_warning(
            f"'{name}' differs from the backup's and was left as it is; to have that one: --with-declaration"
        )
    console.say(f"next: ipmpki plan {file}")


def tell_list(head: str, lines: Sequence[str]) -> None:
    """Tell of some things, a line each, and of how many more there are; nothing where there are none."""
    if not lines:
        return
    console.tell(head)
    for line in lines[:_MOST_LINES]:
        console.tell(f"  {line}")
    if len(lines) > _MOST_LINES:
        console.tell(f"  and {len(lines) - _MOST_LINES} more")


__all__ = ["command", "tell_list"]
