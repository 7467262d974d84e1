"""What ``ipmpki verify`` was shown, as plain values: the rules about certificates at hand judge these.

A place is a file, as the user named it, and the number of the object in it, from 0; a server's chain is a
file named ``HOST:PORT``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.declaration.fleet import Address
    from ipmpki.declaration.vocabulary import Role
    from ipmpki.diagnostics.problem import Place
    from ipmpki.x509.key_flaws import RsaNumbers


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """What a certificate says. Times are aware, in UTC, both inclusive; digests are lower-case hex.

    ``subject`` and ``issuer`` are RFC 4514 text. ``common_names`` are in the subject's order. ``key_usage``
    and ``extended_key_usage`` hold RFC 5280's names (an unknown purpose as dotted numbers), None where the
    extension is absent. ``signature_hash`` is such as ``sha256``, None where the algorithm has none or is
    not known. ``is_self_issued``: issuer and subject are the same name (RFC 5280, section 3.2).
    ``objections`` are, in words, what no program should overlook in it, though some do. ``rsa`` are the
    numbers of an RSA key, ``netscape_types`` the names in an nsCertType, None where the extension is absent.
    """

    place: Place
    subject: str
    issuer: str
    common_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]
    key_usage: tuple[str, ...] | None
    extended_key_usage: tuple[str, ...] | None
    is_authority: bool
    is_self_issued: bool
    signature_hash: str | None
    fingerprint: str
    public_key_digest: str
    serial: int
    objections: tuple[str, ...] = ()
    rsa: RsaNumbers | None = None
    netscape_types: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        """How messages call it: its last common name, else its whole subject."""
        return self.common_names[-1] if self.common_names else self.subject or "the certificate"


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A private key: never its numbers, only what it belongs to. Encrypted, its type and digest are empty."""

    place: Place
    key_type: str
    public_key_digest: str
    is_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class PresentedRevocationList:
    """A CRL. Times are aware, in UTC; ``next_update`` is None where the CRL does not say."""

    place: Place
    issuer: str
    this_update: datetime
    next_update: datetime | None
    fingerprint: str


class FlawKind(StrEnum):
    """Why something in a file is none of the above."""

    CERTIFICATE = "certificate"
    KEY = "key"
    REVOCATION_LIST = "revocation list"
    NOTHING = "nothing"
    CERTDATA = "certdata"
    BUNDLE = "bundle"
    FILE = "file"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that could not be read: fault and remedy, as for any problem."""

    kind: FlawKind
    place: Place
    message: str
    remedy: str | None


class RemarkKind(StrEnum):
    """How much it matters that something was read only by looking past its form."""

    FIELD = "field"
    """A field that stricter programs refuse."""
    FORM = "form"
    """A form that people hand on, and that no server loads."""
    UNLOADABLE = "unloadable"
    """A file that is meant to be loaded as it stands, and that OpenSSL cannot load."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What had to be looked past to read something that was read: in words, and what to do about it.

    ``is_repair``: it is the text around what was meant, rather than a form that people hand on.
    """

    kind: RemarkKind
    place: Place
    message: str
    remedy: str
    is_repair: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate that is no authority's, with what its file holds beside it, in the file's order.

    ``certificates`` is the whole file, the leaf among them. ``role`` is what it was, or seems to be, made
    for; None where that cannot be told, ``is_role_told`` where the user said so.
    """

    leaf: PresentedCertificate
    certificates: tuple[PresentedCertificate, ...]
    role: Role | None


class PathFault(StrEnum):
    """Why no valid path leads from a trust anchor to a certificate (RFC 5280, section 6)."""

    INCOMPLETE = "incomplete"
    ROOTLESS = "rootless"
    """It leads to a trusted authority that is none of its own issuer, and whose root is not there."""
    UNTRUSTED = "untrusted"
    SIGNATURE = "signature"
    CONSTRAINT = "constraint"
    TIME = "time"
    POLICY = "policy"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation-unknown"
    LIST_EXPIRED = "list-expired"


@dataclass(frozen=True, slots=True)
class PathFailure:
    """What the library that validates paths says, with the title of the certificate it speaks of.

    ``missing`` is the name of an issuer that was not found.
    """

    fault: PathFault
    subject: str
    words: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of validating one chain.

    ``path`` are the certificates from the leaf to the trust anchor, where trust could be established.
    ``elsewhere`` are those of them that only another file than the chain's own holds.
    """

    chain: Chain
    failures: tuple[PathFailure, ...]
    path: tuple[PresentedCertificate, ...] = ()
    elsewhere: tuple[PresentedCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFileMode:
    """The permission bits of a file that holds a private key."""

    path: str
    mode: int
    place: Place


@dataclass(frozen=True, slots=True)
class Presented:
    """All that was shown in one run, and what is asked of it.

    ``authorities`` are authorities' certificates shown alone, ``trusted`` those of a folder's own bundle, if
    it is small, ``misplaced`` those that stand where a server's or a client's belongs. ``verdicts`` is empty
    where no trust anchors were given. ``names`` are what the user said the certificate must be good for, DNS
    names in lower case as A-labels. ``mutual_auth`` is None where nothing was said. ``unchecked`` says in
    words what nobody asked to compare. ``is_order``: the names are all that were ordered, and no others were.
    ``strangers`` are certificates whose key nobody here has. ``limit`` is until when a certificate must have
    been issued for its trust anchor to vouch for it.
    """

    now: datetime
    chains: tuple[Chain, ...] = ()
    authorities: tuple[PresentedCertificate, ...] = ()
    trusted: tuple[PresentedCertificate, ...] = ()
    misplaced: tuple[PresentedCertificate, ...] = ()
    keys: tuple[PresentedKey, ...] = ()
    key_files: tuple[KeyFileMode, ...] = ()
    revocation_lists: tuple[PresentedRevocationList, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    remarks: tuple[Remark, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    role: Role | None = None
    mutual_auth: bool | None = None
    names: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    unchecked: tuple[str, ...] = ()
    is_order: bool = False
    limit: datetime | None = None
    strangers: tuple[PresentedCertificate, ...] = ()
