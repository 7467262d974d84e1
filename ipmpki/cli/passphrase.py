"""``ipmpki passphrase``: set, change or remove the passphrase of the CA's key."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipmpki.cli import console
from ipmpki.cli.options import declaration_argument
from ipmpki.cli.passphrase_options import ask, given, passphrase_options, warn_if_short
from ipmpki.diagnostics.fault import WrongUse

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import PassphraseSource
    from ipmpki.operations.passphrase import Changed

_OLD_OPTIONS = "--old-passphrase-env NAME or --old-passphrase-file PATH"
_NEW_OPTIONS = "--new-passphrase-env NAME, --new-passphrase-file PATH or --remove"


@click.command(
    epilog="""\b
Examples:
  ipmpki passphrase pki.toml                                      asks for what it needs
  ipmpki passphrase pki.toml --new-passphrase-file ca-passphrase.txt
"""
)
@declaration_argument
@passphrase_options("the present passphrase", "old-")
@passphrase_options("the new passphrase", "new-")
@click.option("--remove", is_flag=True, help="Leave the key open to whoever can read the store.")
def command(  # noqa: PLR0913 -- click passes each option
    file: Path,
    old_passphrase_env: str | None,
    old_passphrase_file: str | None,
    new_passphrase_env: str | None,
    new_passphrase_file: str | None,
    *,
    remove: bool,
) -> int:
    """Encrypt the authority's key in FILE's store with a new passphrase.

    The present one is read from where FILE declares it, [ca] passphrase, unless an option says another place;
    it is asked for where neither helps.
    """
    from ipmpki.declaration.fleet import PassphraseSource
    from ipmpki.operations.load import understand_text
    from ipmpki.operations.passphrase import change_passphrase, is_key_encrypted, opens, usable_passphrase
    from ipmpki.operations.project import store_path
    from ipmpki.source.files import read_file

    path = file.absolute()
    fleet = understand_text(path, str(file), read_file(file, what="the declaration")).fleet
    store = store_path(path, fleet)
    declared = fleet.passphrase if fleet is not None else None
    was_encrypted = is_key_encrypted(store)
    if remove and not was_encrypted:
        console.say("The CA's key has no passphrase; nothing to do.")
        return 0
    old = given(old_passphrase_env, old_passphrase_file, "old-")
    if old is None and was_encrypted:
        old = usable_passphrase(path.parent, declared)
        if old is None or not opens(store, old):
            old = ask("Present passphrase of the CA's key", options=_OLD_OPTIONS)
    new = given(new_passphrase_env, new_passphrase_file, "new-")
    if remove and new is not None:
        raise WrongUse(
            "a new passphrase is given, and --remove says there shall be none", "say one of the two"
        )
    if new is None and not remove:
        new = ask("New passphrase of the CA's key", options=_NEW_OPTIONS, twice=True)
    changed = change_passphrase(store, old=old, new=new, now=datetime.now(UTC).replace(microsecond=0))
    if new is not None:
        warn_if_short(new)
    _tell(changed, "removed" if remove else "changed" if was_encrypted else "set")
    if not was_encrypted:
        console.say(
            "Until now the key lay open: what the file held before may remain in free blocks of the disk, in"
            " snapshots and in copies. If others may have read it, make a new authority (a higher"
            " 'generation' in pki.toml); else overwrite the disk's free space, or keep the store on"
            " an encrypted disk."
        )
    place = None
    if new_passphrase_env is not None:
        place = _as_declared(PassphraseSource(new_passphrase_env, None))
    elif new_passphrase_file is not None:
        place = _as_declared(PassphraseSource(None, _relative(Path(new_passphrase_file), path.parent)))
    table = f"[{fleet.signing_table}]" if fleet is not None else "[ca]"
    advice = _advice_without(file, table, declared) if remove else _advice(file, table, declared, place)
    console.say(advice)
    if fleet is not None and fleet.existing is not None and fleet.token_key is None:
        console.say(
            f"{fleet.existing.key_file} stays as it is: the store has its own copy, which builds use."
            " Where the file's old passphrase is known to others, delete the file, or change it with: openssl"
            f" pkcs8 -topk8 -in {fleet.existing.key_file} -out NEW_FILE"
        )
    return 0


def _tell(changed: Changed, verb: str) -> None:
    noun = "key" if changed.older == 1 else "keys"
    older = f", and that of {changed.older} older {noun}" if changed.older else ""
    console.say(f"The passphrase of the CA's key was {verb}{older}.")
    for subject in changed.unopened:
        console.say_warning(f"the key of the former authority {subject} has another passphrase, and keeps it")
    console.say("Backups, and copies of the store made before, still open as they did.")


def _advice(file: Path, table: str, declared: PassphraseSource | None, place: str | None) -> str:
    """What is to be changed in pki.toml, so that the next build finds the new passphrase, at ``place``."""
    if place is not None and (declared is None or place != _as_declared(declared)):
        return f"{file}: say in {table} where the passphrase is: passphrase = {place}"
    if place is not None:
        return f"{file}: nothing to change"
    if declared is None:
        return (
            f'{file}: say in {table} where it will be: passphrase = {{ env = "NAME" }} or {{ file = "PATH" }}'
        )
    where = f"the environment variable {declared.env}" if declared.env else f"the file {declared.file}"
    return f"{file}: nothing to change; from now on {where} has to hold the new passphrase"


def _advice_without(file: Path, table: str, declared: PassphraseSource | None) -> str:
    """The same where there is no passphrase any more."""
    if declared is None:
        return f"{file}: nothing to change"
    return f"{file}: take 'passphrase' out of {table}, or the next build encrypts the key again"


def _relative(path: Path, root: Path) -> str:
    """A path as pki.toml would name it."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.absolute().as_posix()


def _as_declared(source: PassphraseSource) -> str:
    """A passphrase's place in pki.toml's words."""
    if source.env is not None:
        return f'{{ env = "{source.env}" }}'
    return f'{{ file = "{source.file}" }}'


__all__ = ["command"]
