"""Certificates that were issued before there was a store: as they are recorded when a PKI is adopted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipmpki.store.sqlite.schema import hex_serial, seconds

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.store.records import IssuedCertificate

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


def _maybe(time: datetime | None) -> int | None:
    return None if time is None else seconds(time)
