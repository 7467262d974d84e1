"""All that a plan depends on, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki import specification
from ipmpki.changes import PLAYBOOK_FOLDER, host_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.changes import Drift
    from ipmpki.fleet import Fleet
    from ipmpki.issued import Issued


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the declaration asks for, in the texts the store keeps.

    ``authority`` is the authority's or the trust bundle's specification, empty where no bundle is declared;
    ``encrypt_key`` whether its stored key is plain though a passphrase is declared; ``inputs`` what each
    folder would be rendered from if nothing were issued. ``coming`` and ``going`` are the authorities, by
    name and SHA-256, in which the trust bundle differs from the one before.
    """

    authority: str
    encrypt_key: bool
    inputs: Mapping[str, str]
    coming: tuple[tuple[str, str], ...] = ()
    going: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """All that a plan depends on: what is declared, what was issued, what lies on disk, what time it is."""

    fleet: Fleet
    wanted: Wanted
    issued: Issued
    drift: Drift
    now: datetime

    @property
    def needs_new_authority(self) -> bool:
        """Whether every certificate will have another issuer, or every host another trust bundle."""
        if not self.wanted.authority:
            return False
        old = self.issued.authority
        return old is None or old.specification != self.wanted.authority or old.not_after <= self.now


def digest_of(world: World) -> str:
    """A digest of all that a plan depends on but the clock, to tell whether the world has moved."""
    digest = hashlib.sha256()
    digest.update(
        f"{world.issued.last_event}\n{world.wanted.authority}\n{world.wanted.encrypt_key}\n".encode()
    )
    digest.update(f"{world.wanted.inputs[PLAYBOOK_FOLDER]}\n".encode())
    for host in world.fleet.hosts:
        order = specification.of_certificate(host.certificate) if host.certificate else "none"
        renewal = host.renew_before.days
        digest.update(
            f"{host.name}\n{order}\n{renewal}\n{world.wanted.inputs[host_folder(host.name)]}\n".encode()
        )
    for drifted in (world.drift.missing, world.drift.changed):
        digest.update(repr(sorted(drifted.items())).encode())
    return digest.hexdigest()
