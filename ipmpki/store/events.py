"""What happened, as values: the ledger's events, and a host's certificates one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ipmpki.store.records import IssuedCertificate
    from ipmpki.x509.certificate import CertificateFacts

_REVOKED = "certificate-revoked"


class Event(NamedTuple):
    """An entry of the ledger. ``host`` and ``serial`` are None for what is no single host's.

    ``kind`` says what was done, such as ``certificate-issued``, ``detail`` why, ``user`` by whom.
    """

    at: datetime
    kind: str
    host: str | None
    serial: int | None
    detail: str
    user: str


class Deed(NamedTuple):
    """Entries of one moment and kind: how many, and the first and the last of their hosts in the alphabet.

    ``reason`` is why certificates were issued, in a plan's word for it; empty where there is none.
    """

    at: datetime
    kind: str
    reason: str
    number: int
    first: str | None
    last: str | None


class LedgerCertificate(NamedTuple):
    """A certificate as the ledger keeps it, without its key; ``pem`` holds what was sold with it, too."""

    certificate: IssuedCertificate
    pem: bytes


@dataclass(frozen=True, slots=True)
class CertificateHistory:
    """One certificate of a host: why there was one, and why it is not in force any more.

    ``began`` and ``ended`` are the entries that tell; None where the ledger has none, as of one that is in
    force.
    """

    kept: LedgerCertificate
    began: Event | None
    ended: Event | None


def certificate_histories(
    kept: Sequence[LedgerCertificate], events: Sequence[Event]
) -> tuple[CertificateHistory, ...]:
    """A host's certificates, the newest first, each with its reasons; both arguments are oldest first."""
    began: dict[int, Event] = {}
    for event in events:
        if event.serial is not None and event.kind != _REVOKED:
            began.setdefault(event.serial, event)
    histories = [
        CertificateHistory(one, began.get(one.certificate.serial), _ending(one, events)) for one in kept
    ]
    return tuple(reversed(histories))


def _ending(one: LedgerCertificate, events: Sequence[Event]) -> Event | None:
    """The entry by which a certificate left: its revocation, or whatever came to the host at that moment."""
    serial, retired_at = one.certificate.serial, one.certificate.retired_at
    own = [event for event in events if event.serial == serial and event.kind == _REVOKED]
    if own:
        return own[0]
    if retired_at is None:
        return None
    others = (event for event in events if event.at == retired_at and event.serial != serial)
    return next((event for event in others if event.kind.startswith("certificate-")), None)


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate with what stands in it."""

    history: CertificateHistory
    facts: CertificateFacts


@dataclass(frozen=True, slots=True)
class HostHistory:
    """The certificate that was asked for, and those of its host that came before it, newest first.

    ``later`` counts those that came after it. ``at`` is when this was read. ``also`` is the name under which
    a server's second certificate is kept, which its own programs show where they are clients.
    """

    host: str
    at: datetime
    shown: CertificateRecord
    before: tuple[CertificateRecord, ...]
    later: int
    also: str | None
