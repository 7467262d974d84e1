"""What a store says of certificates that were shown, as values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ipmpki.x509.presented_certificates import PresentedCertificate


class Origin(StrEnum):
    """What a store says of a certificate: of a host, of an authority of its own, or nothing."""

    CURRENT = "current"
    REPLACED = "replaced"
    REVOKED = "revoked"
    AUTHORITY = "authority"
    FORMER_AUTHORITY = "former-authority"
    UNKNOWN = "unknown"


class Seen(NamedTuple):
    """A certificate that was shown; ``origin`` is None where no store was asked, ``host`` whose it is."""

    certificate: PresentedCertificate
    origin: Origin | None = None
    host: str | None = None
