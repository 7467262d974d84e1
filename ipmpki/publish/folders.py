"""Put what was issued where the hosts' folders are fetched from: the CA's folder, the hosts', the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import tools_holder
from ipmpki.declaration.vocabulary import Role
from ipmpki.issue.workers import spread
from ipmpki.plans.dist_layout import (
    CA_FOLDER,
    PLAYBOOK_FOLDER,
    REPORT_FOLDER,
    TRUSTED,
    authority_file,
    host_folder,
)
from ipmpki.plans.plan import Action, Artifact
from ipmpki.plans.trust import certificates_of, installable, separates_trust, trusted_by
from ipmpki.render.host_folder.contents import HostBundle, RenderedFile
from ipmpki.render.host_folder.folder import render_host
from ipmpki.render.host_folder.inputs import folder_inputs, issuing_chain
from ipmpki.store.records import PublishedFolder, listing_of
from ipmpki.x509 import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.issue.context import BuildContext
    from ipmpki.plans.plan import Plan
    from ipmpki.publish.dist import Publisher
    from ipmpki.store.records import Issued, StoredAuthority
    from ipmpki.store.sqlite.entries import Material
    from ipmpki.store.sqlite.writer import Store

BATCH_SIZE = 5_000
"""How many folders are recorded in one transaction: what a build after a killed one looks at again."""
PUBLIC_MODE = 0o644
NOT_OF_THE_AUTHORITY = frozenset({Artifact.PLAYBOOK, Artifact.REPORT})
"""What belongs to no host, and not into the CA's folder either."""


@dataclass
class Publication:
    """Where a build publishes to and where it records that it has; ``now`` is when."""

    store: Store
    publisher: Publisher
    now: datetime
    _unrecorded: list[PublishedFolder] = field(default_factory=list)

    def record(self, folder: PublishedFolder | None) -> None:
        """Have a folder recorded, if there is one: now or with those after it, as each time takes a while."""
        if folder is not None:
            self._unrecorded.append(folder)
        if len(self._unrecorded) >= BATCH_SIZE:
            self.finish_record()

    def finish_record(self) -> None:
        """Record what is not recorded yet."""
        if self._unrecorded:
            self.store.record_folders(self._unrecorded)
            self._unrecorded = []


def distribute(plan: Plan, context: BuildContext, publication: Publication, issued: Issued) -> None:
    """Put dist/ right: the authority's folder, the folders of hosts that change or go, the playbook."""
    inputs = folder_inputs(context.fleet, issued)
    if any(change.host is None and change.artifact not in NOT_OF_THE_AUTHORITY for change in plan.changes):
        files = tuple(_authority_files(context.fleet, issued))
        publication.record(_place(CA_FOLDER, files, inputs[CA_FOLDER], issued, publication)[1])
    _remove_folders(plan, issued, publication)
    _place_hosts(plan, context, issued, inputs, publication)
    if any(change.artifact is Artifact.PLAYBOOK for change in plan.changes):
        # After the hosts' folders, so that it names none that is not there.
        from ipmpki.render.host_folder.ansible import render_playbook

        fleet = context.fleet
        playbook = render_playbook(installable(fleet, issued), fleet.batches, mutual_auth=fleet.mutual_auth)
        publication.record(_place(PLAYBOOK_FOLDER, playbook, inputs[PLAYBOOK_FOLDER], issued, publication)[1])
    publication.finish_record()


def distribute_report(files: Sequence[RenderedFile], publication: Publication, issued: Issued) -> bool:
    """Write the report's files where they changed; returns whether any did."""
    changed, folder = _place(REPORT_FOLDER, files, str(issued.last_event), issued, publication)
    publication.record(folder)
    publication.finish_record()
    return changed


def _authority_files(fleet: Fleet, issued: Issued) -> Iterator[RenderedFile]:
    if fleet.is_third_party and issued.bundle is not None:
        yield RenderedFile(TRUSTED, issued.bundle.certificates_pem, PUBLIC_MODE)
    if fleet.signs_here and issued.signers:
        yield RenderedFile(authority_file(fleet), certificates_of(issued.signers), PUBLIC_MODE)
    if fleet.signs_here and issued.revocation_lists:
        yield RenderedFile("crl.pem", _revocation_lists(issued), PUBLIC_MODE)


def _revocation_lists(issued: Issued) -> bytes:
    """The lists of all authorities that sign here, one after the other."""
    lists = issued.revocation_lists
    return b"".join(lists[one.identity].crl_pem for one in issued.signers if one.identity in lists)


def _place(
    folder: str, files: Sequence[RenderedFile], inputs: str, issued: Issued, publication: Publication
) -> tuple[bool, PublishedFolder | None]:
    """Put a folder's files in place; whether any of them changed, and what is to be recorded, if anything."""
    placed = publication.publisher.place_files(folder, files)
    listing = listing_of(placed.files)
    before = issued.folders.get(folder)
    if not placed.changed and before is not None and (before.listing, before.inputs) == (listing, inputs):
        return False, None
    # Where hosts make their keys themselves, a build may publish before anything was issued.
    published_at = (
        before.published_at if before and not placed.changed else issued.last_event_at or publication.now
    )
    return placed.changed, PublishedFolder(folder, inputs, published_at, listing)


def _remove_folders(plan: Plan, issued: Issued, publication: Publication) -> None:
    removed = []
    for change in plan.changes:
        if change.action is Action.REMOVE and change.host is not None:
            folder = host_folder(change.host)
            published = issued.folders.get(folder)
            names = [file.name for file in published.files] if published else []
            publication.publisher.remove_host(change.host, names)
            removed.append(folder)
    if removed:
        publication.store.record_folders([], removed)


def _place_hosts(
    plan: Plan,
    context: BuildContext,
    issued: Issued,
    inputs: Mapping[str, str],
    publication: Publication,
) -> None:
    fleet = context.fleet
    authority_name = _name_of_authority(context, issued)
    changed = {change.host for change in plan.changes}
    affected = [host for host in fleet.hosts if host.name in changed and _has_files(host, fleet, issued)]
    bundle_of = _bundling(affected, authority_name, context, issued, publication.store)

    def place(host: HostSpec) -> PublishedFolder:
        placed = publication.publisher.place_host(host.name, render_host(bundle_of(host)))
        folder = host_folder(host.name)
        before = issued.folders.get(folder)
        published_at = context.now if placed.changed or before is None else before.published_at
        asks_clients = host.role is Role.SERVER and fleet.asks_clients
        return PublishedFolder(
            folder, inputs[folder], published_at, listing_of(placed.files), asks_clients=asks_clients
        )

    with spread(place, affected) as placed:
        # While the workers are at it.
        from ipmpki.render.report.html import prepare_report

        prepare_report()
        for done, folder in enumerate(placed, start=1):
            publication.record(folder)
            context.progress("publishing", done, len(affected))


def _keeps_key(host: HostSpec) -> bool:
    return host.certificate is not None and host.certificate.kept_key is not None


def _has_files(host: HostSpec, fleet: Fleet, issued: Issued) -> bool:
    """Where no trust bundle is declared, a host without a certificate of its own needs no file."""
    if trusted_by(host, fleet, issued) or host.name in issued.current:
        return True
    return host.certificate is not None and (host.certificate.awaits_request or host.name in issued.requests)


def _name_of_authority(context: BuildContext, issued: Issued) -> str:
    if not context.fleet.signs_here or issued.signer is None:
        return context.fleet.authority.subject.common_name or "your print shop"
    return _common_name(issued.signer)


def _common_name(authority: StoredAuthority) -> str:
    for facts in certificate.read_certificates(authority.certificates_pem):
        if facts.fingerprint == authority.fingerprint and facts.common_name:
            return facts.common_name
    return authority.subject


def _bundling(
    hosts: Sequence[HostSpec], authority_name: str, context: BuildContext, issued: Issued, store: Store
) -> Callable[[HostSpec], HostBundle]:
    """How each of the hosts gets what its folder is rendered from; the store is asked once, here."""
    fleet = context.fleet
    current = {
        holder: issued.current[holder].serial
        for host in hosts
        for holder, _ in host.certificates
        if holder in issued.current
    }
    materials = store.materials(list(current.values()))
    client_authority, revocation_lists = certificates_of(issued.signers), _revocation_lists(issued)

    def material_of(holder: str) -> Material | None:
        """With what is sent behind the certificate where no root issued it."""
        if holder not in current:
            return None
        found = materials[current[holder]]
        chain = issuing_chain(issued.current[holder], issued)
        return found._replace(certificate_pem=found.certificate_pem + chain)

    def bundle_of(host: HostSpec) -> HostBundle:
        material = material_of(host.name)
        holder = tools_holder(host.name)
        carries = host.carries_revocation_list and fleet.signs_here and issued.revocation_lists
        request = issued.requests.get(host.name) if host.certificate is not None else None
        return HostBundle(
            host=host,
            authority_name=authority_name,
            mutual_auth=fleet.mutual_auth,
            asks_clients=fleet.asks_clients,
            ca_certificates=certificates_of(trusted_by(host, fleet, issued)),
            client_authority=client_authority if separates_trust(host, fleet) else None,
            tools=material_of(holder),
            is_mixed=fleet.is_mixed,
            certificate=material.certificate_pem if material else None,
            key=material.key_pem if material and not _keeps_key(host) else None,
            crl=revocation_lists if carries else None,
            request=request.pem if request else None,
        )

    return bundle_of
