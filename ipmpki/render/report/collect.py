"""From fleet, store and problems to what the report says."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TypedDict

from ipmpki.declaration import renewal, specification
from ipmpki.declaration.fleet import tools_holder
from ipmpki.plans.dist_layout import host_folder
from ipmpki.plans.installation import in_use_of
from ipmpki.plans.trust import trusts_signers
from ipmpki.render.report.document import (
    Report,
    ReportedAuthority,
    ReportedBundle,
    ReportedCertificate,
    ReportedHost,
    ReportedRevocationList,
    ReportedWork,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.declaration.renewal import Renewal
    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.plans.plan import MutualAuthChange, Rollover
    from ipmpki.store.events import Deed
    from ipmpki.store.records import Issued, IssuedCertificate, StoredAuthority
    from ipmpki.x509.trust_bundle import TrustBundle


def report_of(  # noqa: PLR0913 -- what a report tells of
    declaration: str,
    fleet: Fleet | None,
    issued: Issued,
    problems: tuple[LocatedProblem, ...],
    *,
    refused: bool,
    bundle: TrustBundle | None = None,
    rollover: Rollover | None = None,
    turn: MutualAuthChange | None = None,
    past: Sequence[Deed] = (),
) -> Report:
    """The report of a declaration; ``fleet`` is None where too little of it could be read."""
    authorities = renewal.of_authorities(issued.signers, fleet)
    signs_here = bool(issued.signers) and (fleet is None or fleet.signs_here)
    return Report(
        declaration=declaration,
        mutual_auth=fleet.mutual_auth if fleet else False,
        refused=refused,
        as_of=issued.last_event_at,
        authority=_authority(issued.signers[-1]) if signs_here else None,
        outgoing=tuple(_authority(one) for one in issued.signers[:-1]) if signs_here else (),
        revocation_list=_revocation_list(issued) if signs_here else None,
        is_bought=fleet is not None and fleet.is_third_party,
        is_mixed=fleet is not None and fleet.is_mixed,
        hosts=tuple(_host(host, fleet, issued, authorities) for host in fleet.hosts) if fleet else (),
        problems=problems,
        bundle=_bundle(fleet, bundle),
        rollover=rollover,
        turn=turn,
        past=tuple(_past(past)),
    )


def _past(deeds: Sequence[Deed]) -> Iterator[ReportedWork]:
    """What was done at each moment, in words; those of one moment stand together."""
    for at, group in groupby(deeds, key=lambda one: one.at):
        yield ReportedWork(at, tuple(map(_deed, group)))


def _deed(one: Deed) -> str:
    what = one.kind.replace("-", " ")
    why = f", {one.reason}" if one.reason else ""
    if one.first is None:
        return f"{what}{why}"
    named = one.first if one.last in {None, one.first} else f"{one.first}, {one.last}"
    more = one.number - (1 if one.last in {None, one.first} else 2)
    return f"{what}{why}: {named}{f' and {more:,} more' if more > 0 else ''}"


def _bundle(fleet: Fleet | None, bundle: TrustBundle | None) -> ReportedBundle | None:
    if fleet is None or fleet.bundle is None or bundle is None:
        return None
    limits = sorted((date, bundle.names[fingerprint]) for fingerprint, date in bundle.limits.items())
    named = tuple((name, date) for date, name in limits)
    return ReportedBundle(fleet.bundle.path, len(bundle.names), bundle.sha256, named)


def _authority(authority: StoredAuthority) -> ReportedAuthority:
    return ReportedAuthority(
        authority.subject,
        authority.key_type,
        authority.not_before,
        authority.not_after,
        authority.fingerprint,
        authority.is_existing,
    )


def _revocation_list(issued: Issued) -> ReportedRevocationList | None:
    crl = issued.revocation_list
    if crl is None:
        return None
    return ReportedRevocationList(crl.number, crl.this_update, crl.next_update, issued.listed_revocations)


def _host(host: HostSpec, fleet: Fleet, issued: Issued, authorities: Mapping[int, Renewal]) -> ReportedHost:
    folder = issued.folders.get(host_folder(host.name))
    request = issued.requests.get(host.name) if host.certificate is not None else None
    shown = {
        holder: _certificate(issued.current[holder], host, spec, authorities)
        for holder, spec in host.certificates
        if holder in issued.current
    }
    return ReportedHost(
        name=host.name,
        role=host.role,
        os=host.os,
        aliases=host.aliases,
        addresses=tuple(map(str, host.addresses)),
        certificate=shown.get(host.name),
        published_at=folder.published_at if folder else None,
        awaited_since=request.made_at if request else None,
        tools_certificate=shown.get(tools_holder(host.name)),
        **_installation(host, fleet, issued),
    )


class _Installation(TypedDict, total=False):
    installed_at: datetime | None
    install_by: datetime | None
    is_behind: bool
    effect: str


def _installation(host: HostSpec, fleet: Fleet, issued: Issued) -> _Installation:
    """Whether a host is known to have what is published for it, or until when what it has will do."""
    known = in_use_of(host, fleet, issued)
    if known.is_installed:
        return {"installed_at": known.known_at}
    dated = [duty for duty in known.duties if duty.by is not None and duty.by == known.install_by]
    return {
        "effect": dated[0].effect if dated else "",
        "install_by": known.install_by,
        "is_behind": bool(known.duties) or (len(issued.signers) > 1 and trusts_signers(host, fleet)),
    }


def _certificate(
    issued: IssuedCertificate, host: HostSpec, spec: CertificateSpec, authorities: Mapping[int, Renewal]
) -> ReportedCertificate:
    its = renewal.of_certificate(issued, host, spec, authorities)
    order = specification.fields(issued.specification)
    return ReportedCertificate(
        profile=issued.profile,
        common_name=order["subject"],
        dns_names=tuple(order["dns"].split()),
        addresses=tuple(order["ip"].split()),
        key=order["key"],
        serial=issued.serial,
        not_before=issued.not_before,
        not_after=issued.not_after,
        renew_from=its.due,
        fingerprint=issued.fingerprint,
        revoked_at=issued.revoked_at,
    )
