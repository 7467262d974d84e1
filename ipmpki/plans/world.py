"""All that a plan depends on, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.plans.plan import Drift
    from ipmpki.store.records import Issued, IssuedCertificate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the declaration asks for, in the texts the store keeps.

    ``authority`` is the specification of the authority that signs here, empty where none does;
    ``unprotected`` why its key is to be kept otherwise, empty where it is kept as declared; ``rechained`` how
    the certificates above it differ from those in the store, empty where they do not; ``inputs`` what
    each folder would be rendered from if nothing were issued. ``bundle`` is the trust bundle's specification,
    empty where none is declared; ``coming`` and ``going`` are the authorities, by name and SHA-256, in which
    it differs from the one before.
    """

    authority: str
    unprotected: str
    inputs: Mapping[str, str]
    bundle: str = ""
    coming: tuple[tuple[str, str], ...] = ()
    going: tuple[tuple[str, str], ...] = ()
    rechained: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """All that a plan depends on: what is declared, what was issued, what lies on disk, what time it is."""

    fleet: Fleet
    wanted: Wanted
    issued: Issued
    drift: Drift
    now: datetime = field(compare=False)
    replaced: tuple[IssuedCertificate, ...] = ()
    """Certificates that others took the place of and that have not ended, where such are to be revoked."""

    @property
    def needs_new_bundle(self) -> bool:
        """Whether every host that trusts the bundle will have another."""
        old = self.issued.bundle
        return bool(self.wanted.bundle) and (old is None or old.specification != self.wanted.bundle)
