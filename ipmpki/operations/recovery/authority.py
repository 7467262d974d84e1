"""An authority that lies in dist/ and that the store does not know: the store was lost, or is another's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.wording import counted
from ipmpki.plans.dist_layout import CA_FOLDER, HOSTS_FOLDER, TRUSTED, authority_file
from ipmpki.store.records import Issued

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.x509.foreign_pki import FileContents
    from ipmpki.x509.presented_certificates import PresentedCertificate


class StoreLost(Fault):
    """What lies in dist/ was issued by an authority that the store does not know."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """What lies in dist/ and no store accounts for: an authority by name and SHA-256, or hosts' keys."""

    title: str
    fingerprint: str | None
    public_key_digest: str = ""

    @property
    def words(self) -> str:
        """The authority as people know it, or what lies there."""
        return f"'{self.title}' (SHA-256 {self.fingerprint[:16]}…)" if self.fingerprint else self.title


def stranger_in(dist: Path, fleet: Fleet, issued: Issued, store: Path) -> Stranger | None:
    """The authority, or the hosts' keys, that lie in ``dist`` and that the store at ``store`` never knew."""
    if fleet.signs_here:
        name = authority_file(fleet)
        content = content_of(dist / CA_FOLDER / name)
        if content is None and not issued.signers and not fleet.is_mixed:
            hosts = sorted((dist / HOSTS_FOLDER).glob(f"*/{TRUSTED}"))
            content = content_of(hosts[0]) if hosts else None
        if content is not None and not is_as_published(content, CA_FOLDER, name, issued):
            found = _unknown_authority(content, issued, store)
            if found is not None:
                return found
    if _holds_nothing(store):
        keys = {path.parent for path in (dist / HOSTS_FOLDER).glob("*/*-key.pem")}
        if keys:
            return Stranger(f"the keys and certificates of {counted(len(keys), 'host')}", None)
    return None


def require_known(dist: Path, fleet: Fleet, issued: Issued, store: Path) -> None:
    """Raises StoreLost where what lies in ``dist`` is of an authority that the store does not know."""
    found = stranger_in(dist, fleet, issued, store)
    if found is not None and not _is_declared(found, fleet, dist.parent):
        raise StoreLost(f"{lost_words(store, issued)}, but in {dist.name}/ lies {found.words}", ways_on(dist))


def regained(dist: Path, fleet: Fleet, issued: Issued, store: Path) -> Stranger | None:
    """The authority in ``dist``, where the store knows none and the declaration names its files."""
    if fleet.existing is None or issued.signers:
        return None
    found = stranger_in(dist, fleet, issued, store)
    return found if found is not None and _is_declared(found, fleet, dist.parent) else None


def _holds_nothing(store: Path) -> bool:
    """Whether there is no store, or a file with nothing in it, as a copy that failed leaves it."""
    return not store.exists() or store.stat().st_size == 0


def require_more_than_nothing(dist: Path, fleet: Fleet, store: Path) -> None:
    """Raises StoreLost where the store is an empty file and something lies in ``dist`` that it never knew."""
    found = stranger_in(dist, fleet, Issued(), store)
    if found is not None:
        raise StoreLost(
            f"{store.name} is empty, but in {dist.name}/ lies {found.words}",
            f"{ways_on(dist)}; all but the first want the empty {store.name} deleted before",
        )


def lost_words(store: Path, issued: Issued) -> str:
    """How a store stands that does not know what lies in dist/."""
    if not store.exists():
        return f"there is no {store.name}"
    return f"{store.name} holds {'another' if issued.signers else 'no'} authority"


def ways_on(dist: Path) -> str:
    """What to do about a store that was lost."""
    return (
        "put your newest backup back: ipmpki restore; or, where a folder holds the authority's key: ipmpki"
        f" adopt FOLDER; or, if {dist.name}/ is of no use any more, move it away; or begin anew over it, so"
        " that every host needs new files: ipmpki build --replace-ca"
    )


def _is_declared(found: Stranger, fleet: Fleet, root: Path) -> bool:
    """Whether the authority in dist/ is the one whose files the declaration names: its key is not lost."""
    if fleet.existing is None or found.fingerprint is None:
        return False
    content = content_of(root / fleet.existing.certificate)
    return content is not None and found.fingerprint in {one.fingerprint for one in _authorities(content)}


def _unknown_authority(content: bytes, issued: Issued, store: Path) -> Stranger | None:
    found = _authorities(content)
    if not found:
        return None
    from ipmpki.store.sqlite.snapshot import holdings

    known = set() if _holds_nothing(store) else set(holdings(store).authorities)
    for kept in (*issued.signers, *((issued.bundle,) if issued.bundle is not None else ())):
        known |= {one.fingerprint for one in _authorities(kept.certificates_pem)}
    above = {one.issuer for one in found if one.fingerprint in known and not one.is_self_issued}
    for one in found:
        if one.fingerprint not in known and one.subject not in above:
            return Stranger(one.title, one.fingerprint, one.public_key_digest)
    return None


def _authorities(content: bytes) -> list[PresentedCertificate]:
    return [one for one in found_in("", content).contents.certificates if one.is_authority]


def found_in(name: str, content: bytes) -> FileContents:
    """Everything that a file of dist/ holds."""
    from ipmpki.x509.foreign_pki import Passphrases, read_found  # only where there is something to look at

    return read_found(name, content, Passphrases((), lambda _: None))


def is_as_published(content: bytes, folder: str, name: str, issued: Issued) -> bool:
    """Whether these very bytes are what the store remembers to have published."""
    published = issued.folders.get(folder)
    digest = hashlib.sha256(content).hexdigest()
    return published is not None and any(
        (file.name, file.sha256) == (name, digest) for file in published.files
    )


def content_of(path: Path) -> bytes | None:
    """The bytes of a file of dist/; None where it is not there or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
