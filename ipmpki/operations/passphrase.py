"""Changing the passphrase that the authority's key is encrypted with in the store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.source.files import read_file
from ipmpki.source.secrets import is_usual_variable_name
from ipmpki.store.sqlite.open import open_store
from ipmpki.store.sqlite.queries import read_authority_keys
from ipmpki.x509 import keys
from ipmpki.x509.protection import is_encrypted, is_in_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ipmpki.declaration.fleet import PassphraseSource


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of the authority's keys.

    ``older`` counts keys of former authorities that were encrypted anew as well; ``unopened`` names former
    authorities whose key the old passphrase did not open, and which stay as they are.
    """

    older: int
    unopened: tuple[str, ...]


def is_key_encrypted(store: Path) -> bool:
    """Whether the current authority's key needs a passphrase. Raises WrongUse where there is no such key."""
    return is_encrypted(_current_key(store))


def opens(store: Path, passphrase: bytes) -> bool:
    """Whether a passphrase opens the current authority's key, which is encrypted."""
    try:
        keys.load(_current_key(store), passphrase)
    except keys.WrongPassphrase:
        return False
    return True


def _current_key(store: Path) -> bytes:
    held = read_authority_keys(store)
    if not held:
        raise Fault("there is no CA key in the store yet", "run 'ipmpki build' first")
    with_key = [one for one in held if one.key_pem]  # a trust bundle has none
    if not with_key:
        raise WrongUse(
            "there is no CA key here: the certificates of this declaration are bought",
            "a passphrase is for an authority of your own",
        )
    if is_in_token(with_key[-1].key_pem):
        raise WrongUse(
            "the CA's key lies in a token, and is protected by its PIN, not by a passphrase",
            "change the PIN by the vendor's tool, or: pkcs11-tool --module MODULE --login --change-pin",
        )
    return with_key[-1].key_pem


def change_passphrase(
    store: Path,
    *,
    old: bytes | None,
    new: bytes | None,
    now: datetime,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Changed:
    """Seal the authority's key under ``new`` (None: leave it open), in one transaction.

    Keys of former authorities that ``old`` opens, or that lie open, follow, as hosts may still trust those.
    What the keys were encrypted with is overwritten in the file. Raises KeyFault where ``old`` does not open
    the current key, and Fault where the store cannot be written.
    """
    with open_store(store, now=now) as ledger:
        held = [one for one in read_authority_keys(store) if one.key_pem and not is_in_token(one.key_pem)]
        changed, unopened = {}, []
        for one in held:
            is_current = one is held[-1]
            passphrase = old if is_encrypted(one.key_pem) else None
            try:
                key = keys.load(one.key_pem, passphrase)
            except keys.KeyFault as fault:
                if is_current and isinstance(fault, keys.WrongPassphrase):
                    raise keys.WrongPassphraseOfStore from None
                if is_current:
                    raise
                unopened.append(one.subject)
                continue
            changed[one.identity] = keys.to_keep(key, new, random_bytes)
        detail = "without a passphrase" if new is None else "with another one"
        ledger.replace_authority_keys(changed, "authority-passphrase-changed", detail)
    return Changed(len(changed) - 1, tuple(unopened))


_UNNAMED = "the environment variable that is named for "


def read_passphrase(root: Path, source: PassphraseSource | None) -> bytes | None:
    """The passphrase of the CA's key from where it is declared; None where none is.

    Raises WrongDeclaration where it is empty or its environment variable is not set.
    """
    if source is None:
        return None
    return passphrase_from(root, source, whose="the CA key's passphrase", fault=WrongDeclaration)


def usable_passphrase(root: Path, source: PassphraseSource | None) -> bytes | None:
    """The same for whoever can do without: None also where it is declared and not to be had."""
    try:
        return read_passphrase(root, source)
    except Fault:
        return None


def passphrase_from(root: Path, source: PassphraseSource, *, whose: str, fault: type[Fault]) -> bytes:
    """A passphrase from an environment variable or a file's first line, as octets, never empty.

    A relative path is meant from ``root``. Raises ``fault``, or UnreadableFile.
    """
    if source.env is not None:
        value = os.environ.get(source.env)
        if not value:
            # Where somebody wrote the passphrase itself, it must not be shown.
            name = source.env if is_usual_variable_name(source.env) else "NAME"
            which = (
                f"the environment variable {name}, for {whose}," if name == source.env else _UNNAMED + whose
            )
            raise fault(
                f"{which} is not set",
                f"set it for this command only, for example: read -rs {name}; export {name}",
            )
        return os.fsencode(value)
    content = read_file(root / (source.file or ""), what="the passphrase file")
    passphrase = content.partition(b"\n")[0].rstrip(b"\r")
    if not passphrase:
        raise fault(
            f"the passphrase file '{source.file}' has an empty first line",
            "write the passphrase into its first line",
        )
    return passphrase
