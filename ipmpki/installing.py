"""Record what hosts have installed: the succession of authorities waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.changes import host_folder
from ipmpki.faults import Fault, WrongDeclaration, WrongUse
from ipmpki.issued import Installation
from ipmpki.names import read_name
from ipmpki.render.inputs import folder_inputs, installable, separates_trust, trusted_by
from ipmpki.store import open_store
from ipmpki.wording import closest, counted, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.fleet import Fleet, HostSpec
    from ipmpki.issued import Issued
    from ipmpki.project import Project


def record_installed(project: Project, names: Sequence[str] | None) -> tuple[Installation, ...]:
    """Record that hosts have installed what is published for them now; all of them, where no name is given.

    Raises WrongUse for a host that is not declared, or has nothing to install, or whose folder is older than
    what was issued: nothing is recorded then.
    """
    fleet = project.fleet
    if fleet is None or project.errors:
        raise WrongDeclaration("the declaration has errors", "run 'ipmpki check', and mend them")
    if not project.store.exists():
        raise Fault("nothing has been published yet: there is no store", "run 'ipmpki build' first")
    with open_store(project.store, now=project.now) as store:
        issued = store.issued()
        ready = {host.name: host for host in installable(fleet, issued)}
        chosen = list(ready.values()) if names is None else [_named(name, ready, fleet) for name in names]
        _require_current(chosen, fleet, issued)
        recorded = tuple(_installation(host, fleet, issued, project) for host in chosen)
        fresh = [one for one in recorded if not _is_known(one, issued)]
        if fresh:
            store.record_installations(fresh, "by its operator's word")
        return recorded


def _named(name: str, ready: dict[str, HostSpec], fleet: Fleet) -> HostSpec:
    wanted = read_name(name).ascii
    if wanted in ready:
        return ready[wanted]
    if any(host.name == wanted for host in fleet.hosts):
        raise WrongUse(f"{quote(wanted)} has nothing to install yet", "see 'ipmpki plan'")
    near = closest(wanted, [host.name for host in fleet.hosts])
    raise WrongUse(
        f"there is no host {quote(name)}",
        f"did you mean {quote(near)}?" if near else "'ipmpki host list' shows the hosts",
    )


def _require_current(hosts: Sequence[HostSpec], fleet: Fleet, issued: Issued) -> None:
    inputs = folder_inputs(fleet, issued)
    stale = []
    for host in hosts:
        folder = host_folder(host.name)
        published = issued.folders.get(folder)
        if published is None or published.inputs != inputs[folder]:
            stale.append(host.name)
    if stale:
        raise WrongUse(
            f"{counted(len(stale), 'folder')} not up to date with pki.toml and the store, such as that of"
            f" {quote(stale[0])}",
            "run 'ipmpki build', install what it publishes, and say so then",
        )


def _installation(host: HostSpec, fleet: Fleet, issued: Issued, project: Project) -> Installation:
    serials = {issued.current[holder].serial for holder, _ in host.certificates if holder in issued.current}
    trusted = {one.fingerprint for one in trusted_by(host, fleet, issued)}
    if separates_trust(host, fleet):
        trusted |= {one.fingerprint for one in issued.signers}
    return Installation(host.name, project.now, frozenset(serials), frozenset(trusted))


def _is_known(one: Installation, issued: Issued) -> bool:
    known = issued.installed.get(one.host)
    return known is not None and (known.serials, known.trusted) == (one.serials, one.trusted)
