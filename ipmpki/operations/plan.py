"""What a build would change, and what will be due later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.operations.existing_authority import read_authority
from ipmpki.operations.project import Project, Refused
from ipmpki.operations.recovery.authority import regained, require_known
from ipmpki.operations.recovery.forgotten import forgets, take_over
from ipmpki.operations.surroundings import bundle_changed_at
from ipmpki.operations.trust_bundle import with_bundle
from ipmpki.plans.make import Wanted, World, make_plan
from ipmpki.plans.plan import Action, Artifact
from ipmpki.publish.dist import survey
from ipmpki.source.files import read_file
from ipmpki.store.sqlite.open import rehearse
from ipmpki.store.sqlite.queries import read_replaced
from ipmpki.x509.protection import Protection, is_in_token, protection_of
from ipmpki.x509.root import is_same_authority

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Fleet
    from ipmpki.issue.context import AuthorityFiles
    from ipmpki.plans.forecast import Work
    from ipmpki.plans.plan import Change, Plan
    from ipmpki.store.records import Issued, StoredAuthority


def plan(project: Project, *, at: datetime | None = None, replace_ca: bool = False) -> Plan:
    """What a build would change, as of ``at`` (aware) or the time of loading; changes nothing.

    Raises Refused where the declaration has errors, StoreLost where dist/ holds what the store never knew,
    and Fault where the authority's files are unreadable.
    """
    fleet = sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    return plan_of(project, fleet, project.issued, now, replace_ca=replace_ca)


def plan_of(project: Project, fleet: Fleet, issued: Issued, now: datetime, *, replace_ca: bool) -> Plan:
    """The plan for what the store holds, and for what dist/ proves that it has forgotten; writes nothing."""
    if not replace_ca:
        require_known(project.dist, fleet, issued, project.store)
    told: tuple[Change, ...] = ()
    world = world_of(project, fleet, issued, now)
    known_again = regained(project.dist, fleet, issued, project.store)
    if known_again is not None or forgets(project.dist, fleet, issued, project.store, world.drift):
        with rehearse(project.store, now) as store:
            if known_again is not None:
                from ipmpki.issue.authorities import unopened_authority

                generation, digest = fleet.authority.generation, known_again.public_key_digest
                files = authority_files(project, fleet)
                store.add_authority(unopened_authority(files, generation, digest), "")
            told = take_over(store, project.dist, fleet)
            world = world_of(project, fleet, store.issued(), now)
    return with_told(make_plan(world, allows_ca_replacement=replace_ca), told)


def with_told(plan: Plan, told: tuple[Change, ...]) -> Plan:
    """A plan that begins with what is taken over from dist/, which puts these files right by itself."""
    filled = {change.host for change in told if change.host is not None}
    has_list = any(change.artifact is Artifact.CRL for change in told)
    shared = {Artifact.CRL, Artifact.CA_CERTIFICATE} if has_list else set()
    rest = (
        change
        for change in plan.changes
        if not (change.action is Action.RESTORE and change.artifact in shared)
        and not (change.artifact is Artifact.FOLDER and change.host in filled)
    )
    return replace(plan, changes=(*told, *rest)) if told else plan


def authority_files(project: Project, fleet: Fleet) -> AuthorityFiles:
    """What the declaration names for an authority that exists already. Raises UnreadableFile."""
    from ipmpki.issue.context import AuthorityFiles
    from ipmpki.x509.keys import rewritten

    assert fleet.existing is not None  # noqa: S101 -- asked for only where one is declared
    key_file = fleet.existing.key_file
    return AuthorityFiles(
        read_authority(project.root, fleet.existing.certificate),
        fleet.token_key.encode()
        if fleet.token_key is not None
        else rewritten(read_file(project.root / key_file, what="the CA key")),
    )


def calendar(project: Project, until: datetime, *, at: datetime | None = None) -> tuple[Work, ...]:
    """What will be due from ``at`` (aware; else the time of loading) to ``until``, in order of the days.

    Raises Refused where the declaration has errors.
    """
    from ipmpki.plans.forecast import calendar as work_ahead

    fleet = sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    require_known(project.dist, fleet, project.issued, project.store)
    since = bundle_changed_at(project.root, fleet)
    return work_ahead(world_of(project, fleet, project.issued, now), until, bundle_since=since)


def sound_fleet(project: Project) -> Fleet:
    if project.errors or project.fleet is None:
        raise Refused(project)
    return project.fleet


def world_of(project: Project, fleet: Fleet, issued: Issued, now: datetime) -> World:
    from ipmpki.render.host_folder.inputs import folder_inputs

    brought = rechained(project, fleet, issued)
    wanted = Wanted(
        authority=_wanted_authority(project, fleet, issued) if fleet.signs_here else "",
        unprotected=_unprotected(project, fleet, issued),
        inputs=folder_inputs(fleet, brought or issued),
        rechained="other certificates stand above it in its file" if brought else "",
    )
    wanted = with_bundle(wanted, project.root, fleet, issued, now)
    replaced = read_replaced(project.store, now) if fleet.revokes_replaced else ()
    return World(fleet, wanted, issued, survey(project.dist, issued.folders), now, replaced)


def _wanted_authority(project: Project, fleet: Fleet, issued: Issued) -> str:
    if fleet.existing is None:
        return specification.of_authority(fleet.authority)
    from ipmpki.issue.authorities import existing_fingerprint

    content = read_authority(project.root, fleet.existing.certificate)
    generation = fleet.authority.generation
    signer = issued.signer
    if signer is not None and _is_brought(signer, content):
        held = specification.fields(signer.specification)["existing"]
        return specification.of_existing_authority(held, generation)
    return specification.of_existing_authority(existing_fingerprint(content), generation)


def _is_brought(signer: StoredAuthority, content: bytes) -> bool:
    """Whether the declared file holds this very authority, whatever certificates lead from it to a root."""
    same = signer.certificates_pem == content
    return signer.is_existing and (
        same or is_same_authority(signer.fingerprint, signer.certificates_pem, content)
    )


def rechained(project: Project, fleet: Fleet, issued: Issued) -> Issued | None:
    """What is issued, with the certificates above the authority as its file has them; None if it does."""
    signer = issued.signer
    if fleet.existing is None or signer is None:
        return None
    content = read_authority(project.root, fleet.existing.certificate)
    if signer.certificates_pem == content or not _is_brought(signer, content):
        return None
    if signer.specification != _wanted_authority(project, fleet, issued):
        return None  # a successor is to be made
    return replace(issued, signers=(*issued.signers[:-1], replace(signer, certificates_pem=content)))


def _unprotected(project: Project, fleet: Fleet, issued: Issued) -> str:
    """Why the build has to keep the authority's key otherwise; empty where it is kept as declared."""
    signer = issued.signer
    if not fleet.signs_here or signer is None:
        return ""
    if fleet.token_key is not None:
        is_copy = signer.specification == _wanted_authority(project, fleet, issued)
        if is_copy and not is_in_token(signer.key_pem):
            return "a key in a token is declared and the store has a copy of its own"
    elif fleet.passphrase is not None:
        kept = {protection_of(one.key_pem) for one in issued.signers}
        if Protection.OPEN in kept:
            return "a passphrase is declared and the stored key is not encrypted"
        if Protection.WEAK in kept:
            from ipmpki.operations.passphrase import usable_passphrase

            # It waits for whoever has the passphrase at hand: nothing else may need it today.
            if usable_passphrase(project.root, fleet.passphrase) is not None:
                return "its encryption lets passphrases be tried fast: it is sealed anew under the same one"
    return ""
