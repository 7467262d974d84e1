"""What a store takes to be recorded, and what it gives back of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.store.records import IssuedCertificate, OpenRequest


class NewCertificate(NamedTuple):
    """A certificate to be recorded, with its key; whatever the host had before is retired."""

    certificate: IssuedCertificate
    pem: bytes
    key_pem: bytes
    key_digest: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to be recorded, with its key; whatever request its host had open before is closed."""

    request: OpenRequest
    key_pem: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class BoughtCertificate:
    """A certificate that an authority sold, with the intermediates below its root; its key is known."""

    certificate: IssuedCertificate
    pem: bytes
    key_digest: str
    detail: str


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the store knows of some keys: the host that each is for, and fingerprints of certificates.

    ``owners`` has a host only for the key that is in force there or was asked with last.
    """

    owners: Mapping[str, str]
    fingerprints: frozenset[str]


@dataclass(frozen=True, slots=True)
class Material:
    """What is published of a certificate: its PEM and its key's, which is empty where the host keeps it."""

    certificate_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation as a CRL lists it."""

    serial: int
    revoked_at: datetime
    reason: str | None
