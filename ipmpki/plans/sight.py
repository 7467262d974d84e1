"""What a certificate that a server shows says of that server."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ipmpki.declaration.fleet import host_of

if TYPE_CHECKING:
    from datetime import datetime

    from ipmpki.declaration.fleet import Address, HostSpec
    from ipmpki.store.records import Issued, IssuedCertificate


class Word(StrEnum):
    """What was seen. ``older`` is one that was issued for the host before its current one."""

    CURRENT = "current"
    OLDER = "older"
    UNKNOWN = "unknown-to-the-store"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    ANOTHER_HOST = "another-host"
    WRONG_HOST = "wrong-host"
    ANOTHER_AUTHORITY = "another-authority"
    NO_TLS = "no-tls"
    NO_ANSWER = "no-answer"


class Sight(NamedTuple):
    """The certificate that was shown. ``is_ours``: it is in the store, or an authority there signed it."""

    serial: int
    not_before: datetime
    not_after: datetime
    issuer: str
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    is_ours: bool


class Comparison(NamedTuple):
    """What was seen of a server, held against the store; ``holder`` is whose certificate of ours it shows."""

    host: str
    word: Word
    sight: Sight | None
    detail: str
    holder: str | None = None


def judge(
    host: HostSpec, sight: Sight, known: IssuedCertificate | None, issued: Issued, now: datetime
) -> Comparison:
    """Compare what a server shows with what was issued; ``known`` is what the store knows of it."""
    if known is not None:
        return _of_ours(host, sight, known, issued, now)
    if sight.not_after <= now:
        return Comparison(
            host.name, Word.EXPIRED, sight, f"of {sight.issuer}, ended on {_day(sight.not_after)}"
        )
    if sight.is_ours:
        detail = "signed by the authority, and not in the store: is the store an older one?"
        return Comparison(host.name, Word.UNKNOWN, sight, detail)
    if not _covers(sight, host):
        shown = ", ".join(sight.names[:3]) or "nobody"
        return Comparison(host.name, Word.WRONG_HOST, sight, f"made for {shown}, by {sight.issuer}")
    return Comparison(host.name, Word.ANOTHER_AUTHORITY, sight, f"issued by {sight.issuer}")


def _of_ours(
    host: HostSpec, sight: Sight, known: IssuedCertificate, issued: Issued, now: datetime
) -> Comparison:
    current = issued.current.get(known.host)
    word, detail = Word.OLDER, f"serial number {known.serial:X}, until {_day(known.not_after)}"
    if host_of(known.host) != host.name:
        word, detail = Word.ANOTHER_HOST, f"it is that of {host_of(known.host)}"
    elif known.revoked_at is not None:
        why = f" ({known.revocation_reason})" if known.revocation_reason else ""
        word, detail = Word.REVOKED, f"since {_day(known.revoked_at)}{why}"
    elif known.not_after <= now:
        word, detail = Word.EXPIRED, f"ended on {_day(known.not_after)}"
    elif known.not_before > now:
        word, detail = Word.NOT_YET_VALID, f"from {_day(known.not_before)} on"
    elif current is not None and current.serial == known.serial:
        word, detail = Word.CURRENT, ""
    return Comparison(host.name, word, sight, detail, known.host)


def _covers(sight: Sight, host: HostSpec) -> bool:
    names = {name.lower() for name in sight.names}
    wildcard = f"*.{host.name.partition('.')[2]}"
    return host.name in names or wildcard in names


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
