"""What rules may know beside the declaration: the time, how files lie on the disk, what was issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.diagnostics.problem import Place
    from ipmpki.store.records import Issued


class KeyFile(NamedTuple):
    """A file with a private key or a passphrase, and its permission bits (0 where the system has none)."""

    path: str
    mode: int
    place: Place


class Access(NamedTuple):
    """A file that decides who gets a certificate, or a folder above such files, and who may change it.

    ``owner`` is who it belongs to, where that is neither root nor who runs this, and ``group`` the group that
    may write it, where that is not the owner's own.
    """

    path: str
    mode: int
    place: Place
    is_folder: bool = False
    owner: str | None = None
    group: str | None = None


class Secret(NamedTuple):
    """Where private keys or a passphrase lie, or will: as shown to people, and as an absolute path.

    ``repository`` is the git work tree that would take it in; None where there is none, or it is ignored.
    ``is_tracked``: it has taken it in already, so that ignoring it has no effect.
    """

    path: str
    absolute: str
    place: Place
    repository: str | None = None
    is_tracked: bool = False


class LostStore(NamedTuple):
    """A store that does not know what lies in dist/: how it stands, what lies there, what to do about it."""

    state: str
    lies: str
    ways_on: str
    place: Place


class RootlessAuthority(NamedTuple):
    """An issuing authority whose root hosts do not get: its name, and that of the missing issuer."""

    authority: str
    root: str


class ScopeOfNames(NamedTuple):
    """The names of hosts, by host, that an authority's name constraints do not let through.

    ``authority`` names it as people know it.
    """

    authority: str
    outside: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules may know beside the declaration: the time, how files lie on the disk, what was issued.

    ``bundle_changed_at`` is when the trust bundle's file last changed; ``untrusted`` has hosts whose
    certificate leads to none of its authorities, each with the issuer's name. ``newer_list`` has the
    numbers of the revocation list in dist/ and of the store's, where the former is the newer one.
    """

    now: datetime
    key_files: tuple[KeyFile, ...] = ()
    issued: Issued | None = None
    bundle_changed_at: datetime | None = None
    untrusted: tuple[tuple[str, str], ...] = ()
    accesses: tuple[Access, ...] = ()
    secrets: tuple[Secret, ...] = ()
    lost: LostStore | None = None
    newer_list: tuple[int, int] | None = None
    rootless: RootlessAuthority | None = None
    scope: ScopeOfNames | None = None
    """Whom the authority there is, or will be, cannot certify."""
