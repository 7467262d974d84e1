"""What was found in an old folder, and what could not be taken: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.x509.foreign_pki import FoundKey, FoundList, FoundRequest
    from ipmpki.x509.presented_certificates import PresentedCertificate


class LeftCode(StrEnum):
    """Why something was not taken."""

    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    LOCKED_KEY = "locked-key"
    UNUSED_KEY = "key-without-certificate"
    UNUSED_REQUEST = "request-without-certificate"
    NO_KEY = "certificate-without-key"
    OTHER_ISSUER = "other-issuer"
    OTHER_AUTHORITY = "other-authority"
    OTHER_PURPOSE = "other-purpose"
    UNUSABLE_NAME = "unusable-name"
    DROPPED_NAME = "dropped-name"
    SUPERSEDED = "superseded"
    ENDED = "ended"
    WEAK_AUTHORITY = "weak-authority"
    WEAK_KEY = "weak-key"
    SHARED_KEY = "shared-key"
    NO_FILE = "certificate-file-missing"
    UNUSABLE_SERIAL = "unusable-serial"
    OTHER_INDEX = "other-index"
    OTHER_LIST = "other-revocation-list"
    LOST_REVOCATIONS = "lost-revocations"
    """What may revoke certificates, and cannot be used: never passed over in silence."""
    WITHOUT = "without"
    """What the user said to do without."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that could not be taken: its file, below the old folder, fault and remedy."""

    code: LeftCode
    file: str
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A line of openssl's index.txt. Times are aware; ``status`` is V (valid), R (revoked) or E (expired)."""

    status: str
    not_after: datetime
    revoked_at: datetime | None
    reason: str | None
    serial: int
    title: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index.txt, in the order of its lines."""

    file: str
    entries: tuple[IndexEntry, ...]


@dataclass(slots=True)
class Survey:
    """All that the files of a folder hold, each thing once, and what is wrong with them.

    ``certificates``, ``keys`` and ``requests`` are by SHA-256, the first by the certificate's, the others by
    their public key's. ``next_list`` is the number that a file crlnumber gives to the next CRL.
    """

    certificates: dict[str, PresentedCertificate] = field(default_factory=dict)
    der: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, FoundKey] = field(default_factory=dict)
    requests: dict[str, FoundRequest] = field(default_factory=dict)
    lists: list[FoundList] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    next_list: int | None = None
    left: list[LeftOut] = field(default_factory=list)
    repaired: list[tuple[str, str]] = field(default_factory=list)
    """Files that were read by looking past their form, each with how."""
    passed_over: list[str] = field(default_factory=list)
    """Files that hold nothing of a PKI, or its tools' own notes."""
