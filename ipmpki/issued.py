"""What was issued, as values: the store writes and reads them, plan, rules and report judge by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ipmpki.fleet import AuthoritySpec
    from ipmpki.vocabulary import Profile


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A leaf certificate in the ledger. ``specification`` is the canonical text of what was ordered."""

    serial: int
    host: str
    authority: int
    profile: Profile
    specification: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    certificate_pem: bytes
    key_pem: bytes
    issued_at: datetime
    replaced_at: datetime | None = None
    revoked_at: datetime | None = None
    revocation_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAuthority:
    """An authority in the ledger. ``key_pem`` may be encrypted."""

    identity: int
    subject: str
    common_name: str
    specification: str
    certificates_pem: bytes
    key_pem: bytes
    fingerprint: str
    not_before: datetime
    not_after: datetime
    made_at: datetime
    is_existing: bool


@dataclass(frozen=True, slots=True)
class StoredRevocationList:
    """The newest CRL of the current authority."""

    authority: int
    number: int
    this_update: datetime
    next_update: datetime
    crl_pem: bytes


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of dist/ as the publisher left it; size and mtime spare hashing it again."""

    path: str
    sha256: str
    mode: int
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """A host's folder as it was published: from which inputs, and when its files last changed."""

    host: str
    inputs: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """All of the store that stages after it look at. ``current`` is the newest certificate of each host."""

    authority: StoredAuthority | None = None
    current: Mapping[str, IssuedCertificate] = field(default_factory=dict)
    revocation_list: StoredRevocationList | None = None
    revoked_count: int = 0
    folders: Mapping[str, PublishedFolder] = field(default_factory=dict)
    files: Mapping[str, PublishedFile] = field(default_factory=dict)
    last_event: int = 0
