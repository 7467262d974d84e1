"""What a store takes to be recorded, and what it gives back of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.store.sqlite.schema import hex_serial, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.store.records import IssuedCertificate, OpenRequest, StoredRevocationList


class NewCertificate(NamedTuple):
    """A certificate to be recorded, with its key; whatever the host had before is retired."""

    certificate: IssuedCertificate
    pem: bytes
    key_pem: bytes
    key_digest: str
    event: str
    detail: str


class NewRequest(NamedTuple):
    """A request to be recorded, with its key; whatever request its host had open before is closed."""

    request: OpenRequest
    key_pem: bytes
    detail: str


class BoughtCertificate(NamedTuple):
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


class Material(NamedTuple):
    """What is published of a certificate: its PEM and its key's, which is empty where the host keeps it."""

    certificate_pem: bytes
    key_pem: bytes


class Revoked(NamedTuple):
    """A revocation as a CRL lists it."""

    serial: int
    revoked_at: datetime
    reason: str | None


INSERT_CERTIFICATE = (
    "INSERT INTO certificate (serial, host, authority, profile, specification, not_before, not_after,"
    " fingerprint, issued_at, retired_at, revoked_at, revocation_reason, listed_in, key, pem)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def certificate_row(one: IssuedCertificate) -> tuple[str | int, ...]:
    """The columns that a certificate is recorded with, whatever becomes of it."""
    return (
        hex_serial(one.serial),
        one.host,
        one.authority,
        one.profile.value,
        one.specification,
        seconds(one.not_before),
        seconds(one.not_after),
        one.fingerprint,
        seconds(one.issued_at),
    )


@dataclass(frozen=True, slots=True)
class AdoptedCertificate:
    """A certificate, current or past, with whatever is there of it.

    Of one that only the old authority's index or CRL knows, ``pem`` and ``key_pem`` are empty. ``listed_in``
    is the number of the old CRL that its revocation stood in.
    """

    certificate: IssuedCertificate
    pem: bytes
    key_digest: str
    key_pem: bytes = field(repr=False)
    listed_in: int | None
    detail: str

    @property
    def row(self) -> tuple[str | int | bytes | None, ...]:
        """What INSERT_CERTIFICATE takes."""
        one = self.certificate
        return (
            *certificate_row(one),
            _maybe(one.retired_at),
            _maybe(one.revoked_at),
            one.revocation_reason,
            self.listed_in,
            self.key_digest,
            self.pem,
        )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What dist/ proves and a store lacks: lists, revocations of certificates it has, certificates.

    Each revocation comes with the number of the list it stands in. A certificate that is not retired takes
    the place of the one that its holder has.
    """

    lists: tuple[StoredRevocationList, ...] = ()
    revocations: tuple[tuple[int, Revoked], ...] = ()
    certificates: tuple[AdoptedCertificate, ...] = ()

    @property
    def is_something(self) -> bool:
        """Whether there is anything to be recorded."""
        return bool(self.lists or self.revocations or self.certificates)


def _maybe(time: datetime | None) -> int | None:
    return None if time is None else seconds(time)
