"""What a store remembers of a host or a certificate, whatever pki.toml says of it today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import meant_by
from ipmpki.declaration.fleet import host_of, tools_holder
from ipmpki.diagnostics.fault import WrongUse
from ipmpki.diagnostics.wording import closest, quote
from ipmpki.operations.status import find_store
from ipmpki.store.events import CertificateRecord, Event, HostHistory, certificate_histories
from ipmpki.store.sqlite.history import find_serial, read_events, read_holders, read_kept
from ipmpki.x509.certificate import CertificateFacts, read_certificate
from ipmpki.x509.serial_number import read_serials

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.store.events import LedgerCertificate


def recall(path: Path, wanted: str) -> HostHistory:
    """The history of a host by its name, or of a certificate by its serial number.

    A serial number may be hexadecimal, with colons or without, or decimal. Raises WrongUse where the store
    knows neither, and Fault where it cannot be read.
    """
    store = find_store(path)
    holder, serial = _found(store, wanted)
    kept = read_kept(store, holder)
    tools = tools_holder(holder)
    others = read_kept(store, tools) if host_of(holder) == holder else ()
    if not kept and others:
        holder, kept, others = tools, others, ()
    histories = certificate_histories(
        kept, [event for event in read_events(store, host=host_of(holder)) if event.host == holder]
    )
    if not histories:
        raise WrongUse(
            f"{quote(holder)} has had no certificate yet",
            f"'ipmpki log {path} --host {holder}' shows what happened to it",
        )
    at = next((i for i, one in enumerate(histories) if one.kept.certificate.serial == serial), 0)
    shown, *before = (CertificateRecord(one, _facts(one.kept)) for one in histories[at:])
    return HostHistory(holder, datetime.now(UTC), shown, tuple(before), at, tools if others else None)


def _facts(kept: LedgerCertificate) -> CertificateFacts:
    """What stands in a certificate; of one that was adopted from an old index alone, what that said of it."""
    if kept.pem:
        return read_certificate(kept.pem)
    one = kept.certificate
    return CertificateFacts(
        common_name=one.host,
        subject="",
        issuer="the authority that was adopted; the certificate itself is not here",
        serial=one.serial,
        not_before=one.not_before,
        not_after=one.not_after,
        key_type="unknown",
        dns_names=(),
        addresses=(),
        key_usage=(),
        extended_key_usage=(),
        is_authority=False,
        fingerprint="",
        public_key_digest="",
    )


def _found(store: Path, wanted: str) -> tuple[str, int | None]:
    hosts = read_holders(store)
    name = meant_by(wanted, hosts)
    if name in hosts:
        return name, None
    found = find_serial(store, read_serials(wanted))
    if found is not None:
        return found
    raise unknown(wanted, hosts, or_="or serial number ")


def unknown(wanted: str, hosts: tuple[str, ...], *, or_: str = "") -> WrongUse:
    """The fault of a name that the store does not know."""
    near = closest(wanted, hosts)
    remedy = f"did you mean '{near}'?" if near else "'ipmpki log' shows every host that ever had one"
    if not hosts:
        remedy = "no host has a certificate yet: build first"
    return WrongUse(f"the store knows no host {or_}{quote(wanted)}", remedy)


def remember(
    path: Path, *, host: str | None = None, since: datetime | None = None, last: int | None = None
) -> tuple[Event, ...]:
    """The ledger's events, oldest first.

    Raises WrongUse for an unknown host, Fault for an unreadable store.
    """
    store = find_store(path)
    if host is None:
        return read_events(store, since=since, last=last)
    hosts = read_holders(store)
    name = meant_by(host, hosts)
    if name not in hosts:
        raise unknown(host, hosts)
    return read_events(store, host=name, since=since, last=last)


def remembered_hosts(path: Path) -> tuple[str, ...]:
    """Every host that the store knows or knew. Raises Fault where it cannot be read."""
    store = find_store(path)
    return read_holders(store)
