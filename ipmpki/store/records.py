"""What was issued, as values: the store writes and reads them, plan, rules and report judge by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration import specification
from ipmpki.declaration.vocabulary import RevocationReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec
    from ipmpki.declaration.vocabulary import Profile


class IssuedCertificate(NamedTuple):
    """A leaf certificate in the ledger; its PEM and key stay in the store until they are published.

    ``host`` is its holder: a host, or :func:`ipmpki.fleet.tools_holder` of one.

    ``specification`` is the canonical text of what was ordered (:mod:`ipmpki.specification`).
    A certificate is current while ``retired_at`` is None: neither replaced nor its host removed.
    """

    serial: int
    host: str
    authority: int
    profile: Profile
    specification: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    issued_at: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    revocation_reason: str | None = None

    def is_compromised(self, spec: CertificateSpec) -> bool:
        """Whether somebody else may have the very key that ``spec`` asks to be certified."""
        if self.revocation_reason != RevocationReason.KEY_COMPROMISE or spec.kept_key is None:
            return False
        return specification.fields(self.specification)["key"] == spec.key_words


@dataclass(frozen=True, slots=True)
class StoredAuthority:
    """An authority in the ledger. ``key_pem`` may be encrypted; ``identity`` counts from 1.

    Where certificates are bought, one stands for the trust bundle, and has no key.
    """

    identity: int
    subject: str
    specification: str
    certificates_pem: bytes
    key_pem: bytes = field(repr=False)
    key_type: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    is_existing: bool


@dataclass(frozen=True, slots=True)
class StoredRevocationList:
    """The newest CRL of the authority that signs here."""

    authority: int
    number: int
    this_update: datetime
    next_update: datetime
    crl_pem: bytes


class OpenRequest(NamedTuple):
    """A certificate signing request whose certificate is awaited from the authority that sells it.

    ``specification`` is the canonical text of what was ordered; the key lies in the store.
    """

    host: str
    specification: str
    key_digest: str
    made_at: datetime
    pem: bytes


class KeyHistory(NamedTuple):
    """Whose a key is or was, and whether a certificate for it was revoked as somebody else may have it."""

    holders: frozenset[str]
    is_compromised: bool


class InstallationSource(StrEnum):
    """How it came to be known what a host has in use."""

    OPERATOR = "operator"
    RECEIPT = "receipt"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Installation:
    """What a host is known to have in use, since when, and from where.

    ``serials`` are of its certificates, ``trusted`` the SHA-256 of the authorities in its files, ``lists``
    the numbers of the revocation lists that it has, by authority. ``files`` has a line for each installed
    file but the script and what only people read: its name, a tab, its SHA-256; empty where only the
    certificate was seen, or an older version recorded it.
    """

    host: str
    at: datetime
    serials: frozenset[int]
    trusted: frozenset[str]
    source: InstallationSource = InstallationSource.OPERATOR
    files: str = ""
    lists: Mapping[int, int] = field(default_factory=dict)


class Backup(NamedTuple):
    """When the newest backup was made, and the newest event that is in it."""

    at: datetime
    last_event: int


class Compromise(NamedTuple):
    """A compromised key's certificate: ``listed_in`` is the first list that names it."""

    authority: int
    listed_in: int | None
    holder: str
    not_after: datetime


class Skip(NamedTuple):
    """Why a host holds up no stage, and since when."""

    at: datetime
    reason: str


class PublishedFile(NamedTuple):
    """A file of dist/ as the publisher left it.

    ``stamp`` is its mode, size and time of change as one text: while the disk shows the same, the file need
    not be read to know that it has not changed. ``sha256`` tells where it shows another.
    """

    name: str
    stamp: str
    sha256: str


def file_stamp(mode: int, size: int, modified_ns: int) -> str:
    """The text that a file's stamp is: permission bits in octal, bytes, nanoseconds."""
    return f"{mode:o} {size} {modified_ns}"


class PublishedFolder(NamedTuple):
    """A folder of dist/ as published: its path, from which inputs, when its files last changed.

    ``listing`` holds a line a file, as the store keeps it; a fleet's are many, and few commands look at them.
    ``asks_clients`` is whether it is of a server that it tells to ask clients for certificates.
    """

    path: str
    inputs: str
    published_at: datetime
    listing: str
    asks_clients: bool = False

    @property
    def essence(self) -> str:
        """What an installation is told by: names and digests of all files but script and words for people."""
        return essence_of((file.name, file.sha256) for file in self.files)

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """The files of the listing."""
        return tuple(PublishedFile._make(line.split("\t")) for line in self.listing.split("\n"))


def essence_of(files: Iterable[tuple[str, str]]) -> str:
    """The lines by which installed files are known, of their names and digests."""
    told = (pair for pair in files if pair[0].endswith(".pem") or pair[0] == "settings.json")
    return "\n".join(sorted("\t".join(pair) for pair in told))


def settings_in(essence: str) -> str:
    """The line of the settings among those by which installed files are known; empty where there is none."""
    return next((line for line in essence.split("\n") if line.startswith("settings.json\t")), "")


def listing_of(files: Iterable[PublishedFile]) -> str:
    """The lines that a folder's files are kept as. Names of published files hold no tab or line end."""
    return "\n".join("\t".join(file) for file in files)


@dataclass(frozen=True, slots=True)
class Issued:
    """All of the store that later stages look at.

    ``signers`` are the authorities that sign here and are trusted, the oldest first: one, or two while one
    takes over from the other. ``bundle`` is the newest trust bundle. ``current`` has each holder's current
    certificate, ``requests`` the request that is open for a host, ``installed`` what a host is known to have.
    """

    signers: tuple[StoredAuthority, ...] = ()
    bundle: StoredAuthority | None = None
    current: Mapping[str, IssuedCertificate] = field(default_factory=dict)
    requests: Mapping[str, OpenRequest] = field(default_factory=dict)
    installed: Mapping[str, Installation] = field(default_factory=dict)
    before: Mapping[str, IssuedCertificate] = field(default_factory=dict)
    """The certificate that a holder had before its current one."""
    in_use: Mapping[int, IssuedCertificate] = field(default_factory=dict)
    """The certificates that hosts are known to have and that are not current, by serial number."""
    skipped: Mapping[str, Skip] = field(default_factory=dict)
    """The hosts that hold up no stage."""
    backup: Backup | None = field(default=None, compare=False)
    past_lists: Mapping[tuple[int, int], datetime] = field(default_factory=dict)
    """Until when lists hold that hosts have and that are not the newest, by authority and number."""
    compromises: tuple[Compromise, ...] = ()
    """The certificates that were revoked as somebody else may have their keys."""
    revocation_lists: Mapping[int, StoredRevocationList] = field(default_factory=dict)
    """The newest CRL of each authority that signs here."""
    unlisted_revocations: int = 0
    """Revocations of these authorities' certificates that their newest CRLs do not hold yet."""
    listed_revocations: int = 0
    folders: Mapping[str, PublishedFolder] = field(default_factory=dict)
    last_event: int = 0
    last_event_at: datetime | None = None

    @property
    def signer(self) -> StoredAuthority | None:
        """The newest authority that signs here."""
        return self.signers[-1] if self.signers else None

    @property
    def revocation_list(self) -> StoredRevocationList | None:
        """The newest CRL of the newest authority."""
        return self.revocation_lists.get(self.signers[-1].identity) if self.signers else None
