"""Record what hosts have installed: the succession of authorities waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import meant_by
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.diagnostics.wording import closest, counted, quote
from ipmpki.operations.build import renew_report
from ipmpki.operations.project import in_first_stage
from ipmpki.plans.dist_layout import host_folder
from ipmpki.plans.trust import installable, separates_trust, trusted_by
from ipmpki.render.host_folder.inputs import folder_inputs
from ipmpki.store.records import Installation, InstallationSource
from ipmpki.store.sqlite.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.operations.project import Project
    from ipmpki.store.records import Issued

_WORDS_OF_A_FILE = 5
_WORDS = {
    InstallationSource.OPERATOR: "by its operator's word",
    InstallationSource.RECEIPT: "by its own record",
    InstallationSource.LIVE: "as it was seen",
}


def record_installed(
    project: Project, names: Sequence[str] | None, *, source: InstallationSource = InstallationSource.OPERATOR
) -> tuple[Installation, ...]:
    """Record that hosts have installed what is published for them now; all of them, where no name is given.

    Raises WrongUse for a host that is not declared, or has nothing to install, or whose folder is older than
    what was issued: nothing is recorded then.
    """
    declared = project.understood.fleet
    if declared is None or project.errors:
        raise WrongDeclaration("the declaration has errors", "run 'ipmpki check', and mend them")
    if not project.store.exists():
        raise Fault("nothing has been published yet: there is no store", "run 'ipmpki build' first")
    with open_store(project.store, now=project.now) as store:
        issued = store.issued()
        # What was installed is of the stage that is published, though nobody may be waited for any more.
        fleet = in_first_stage(project.root, declared, issued)
        ready = {host.name: host for host in installable(fleet, issued)}
        chosen = list(ready.values()) if names is None else [_named(name, ready, fleet) for name in names]
        _require_current(chosen, fleet, issued)
        recorded = tuple(_installation(host, fleet, issued, project, source) for host in chosen)
        fresh = [one for one in recorded if not _is_known(one, issued)]
        if fresh:
            store.record_installations(fresh, _WORDS[source])
            renew_report(project, store)
        return recorded


def record_skipped(project: Project, names: Sequence[str], reason: str) -> tuple[str, ...]:
    """Record that no stage waits for these hosts, until they are known to have installed something.

    Raises WrongUse for a host that is not declared: nothing is recorded then.
    """
    fleet = project.fleet
    if fleet is None or project.errors:
        raise WrongDeclaration("the declaration has errors", "run 'ipmpki check', and mend them")
    if not project.store.exists():
        raise Fault("nothing has been published yet: there is no store", "run 'ipmpki build' first")
    every = {host.name: host for host in fleet.hosts}
    chosen = tuple(_named(name, every, fleet).name for name in names)
    with open_store(project.store, now=project.now) as store:
        store.record_skips(chosen, reason)
        renew_report(project, store)
    return chosen


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a host's own record says: ``differs`` names the files that are not what is published for it."""

    file: str
    host: str
    differs: tuple[str, ...]


def record_receipts(project: Project, files: Sequence[tuple[str, bytes]]) -> tuple[Receipt, ...]:
    """Record which hosts have installed what is published, by the records that their install scripts keep.

    ``files`` are names and contents of such records, ``.ipmpki/installed`` on a host. A host is told by the
    name of the file, or else by its certificate. Nothing is recorded of a host that has something else.
    Raises WrongUse for a file that is no such record, or of no host that is known.
    """
    fleet = project.fleet
    if fleet is None or project.errors:
        raise WrongDeclaration("the declaration has errors", "run 'ipmpki check', and mend them")
    receipts = [_receipt(name, content, fleet, project.issued) for name, content in files]
    names = [one.host for one in receipts if not one.differs]
    if names:
        record_installed(project, names, source=InstallationSource.RECEIPT)
    return tuple(receipts)


def _receipt(name: str, content: bytes, fleet: Fleet, issued: Issued) -> Receipt:
    recorded = _digests(content)
    if not recorded:
        raise WrongUse(
            f"{quote(name)} is no record of an installation",
            "bring the file .ipmpki/installed from the folder of a host's client, such as /etc/ipm",
        )
    published = {host.name: _published(host.name, issued) for host in fleet.hosts}
    host = _host_of(name, recorded, published)
    if host is None:
        raise WrongUse(
            f"{quote(name)} is of no host that is known here",
            f"give the file the name of its host, such as {next(iter(published), 'ipm1.example.com')}.txt",
        )
    wanted = {file: digest for file, digest in published[host].items() if file.endswith(".pem")}
    return Receipt(name, host, tuple(sorted(file for file in wanted if recorded.get(file) != wanted[file])))


def _digests(content: bytes) -> dict[str, str]:
    """The files of a record, each with its SHA-256: lines 'file AREA NAME SHA-256 REPLACED'."""
    found = {}
    for line in content.decode("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) == _WORDS_OF_A_FILE and words[0] == "file":
            found[words[2]] = words[3].lower()
    return found


def _published(name: str, issued: Issued) -> dict[str, str]:
    folder = issued.folders.get(host_folder(name))
    return {file.name: file.sha256 for file in folder.files} if folder is not None else {}


def _host_of(name: str, recorded: dict[str, str], published: dict[str, dict[str, str]]) -> str | None:
    stem = PurePath(name).name.lower()
    for host in published:
        if stem == host or stem.rpartition(".")[0] == host:
            return host
    own = {recorded[file] for file in ("server-cert.pem", "client-cert.pem") if file in recorded}
    for host, files in published.items():
        if own & {files.get("server-cert.pem"), files.get("client-cert.pem")}:
            return host
    return None


def _named(name: str, ready: dict[str, HostSpec], fleet: Fleet) -> HostSpec:
    wanted = meant_by(name, [host.name for host in fleet.hosts])
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


def _installation(
    host: HostSpec, fleet: Fleet, issued: Issued, project: Project, source: InstallationSource
) -> Installation:
    serials = {issued.current[holder].serial for holder, _ in host.certificates if holder in issued.current}
    trusted = {one.fingerprint for one in trusted_by(host, fleet, issued)}
    if separates_trust(host, fleet):
        trusted |= {one.fingerprint for one in issued.signers}
    carried = issued.revocation_lists if host.carries_revocation_list and fleet.signs_here else {}
    return Installation(
        host.name,
        project.now,
        frozenset(serials),
        frozenset(trusted),
        source,
        issued.folders[host_folder(host.name)].essence,
        {authority: one.number for authority, one in carried.items()},
    )


def _is_known(one: Installation, issued: Issued) -> bool:
    known = issued.installed.get(one.host)
    return known is not None and replace(known, at=one.at, source=one.source) == one
