"""What a build would change, and what will be due later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.operations.project import Project, Refused
from ipmpki.operations.surroundings import bundle_changed_at
from ipmpki.operations.trust_bundle import with_bundle
from ipmpki.plans.make import Wanted, World, make_plan
from ipmpki.publish.dist import survey
from ipmpki.source.files import read_file
from ipmpki.store.sqlite import read_replaced

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Fleet
    from ipmpki.plans.forecast import Work
    from ipmpki.plans.plan import Plan
    from ipmpki.store.records import Issued, StoredAuthority


def plan(project: Project, *, at: datetime | None = None, replace_ca: bool = False) -> Plan:
    """What a build would change, as of ``at`` (aware) or the time of loading; changes nothing.

    Raises Refused where the declaration has errors, and Fault where the authority's files are unreadable.
    """
    fleet = sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    return make_plan(world_of(project, fleet, project.issued, now), allows_ca_replacement=replace_ca)


def calendar(project: Project, until: datetime, *, at: datetime | None = None) -> tuple[Work, ...]:
    """What will be due from ``at`` (aware; else the time of loading) to ``until``, in order of the days.

    Raises Refused where the declaration has errors.
    """
    from ipmpki.plans.forecast import calendar as work_ahead

    fleet = sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    since = bundle_changed_at(project.root, fleet)
    return work_ahead(world_of(project, fleet, project.issued, now), until, bundle_since=since)


def sound_fleet(project: Project) -> Fleet:
    if project.errors or project.fleet is None:
        raise Refused(project)
    return project.fleet


def world_of(project: Project, fleet: Fleet, issued: Issued, now: datetime) -> World:
    from ipmpki.render.host_folder.inputs import folder_inputs

    wanted = Wanted(
        authority=_wanted_authority(project, fleet, issued) if fleet.signs_here else "",
        encrypt_key=fleet.signs_here and _key_lies_open(project, fleet, issued),
        inputs=folder_inputs(fleet, issued),
    )
    wanted = with_bundle(wanted, project.root, fleet, issued, now)
    replaced = read_replaced(project.store, now) if fleet.revokes_replaced else ()
    return World(fleet, wanted, issued, survey(project.dist, issued.folders), now, replaced)


def _wanted_authority(project: Project, fleet: Fleet, issued: Issued) -> str:
    if fleet.existing is None:
        return specification.of_authority(fleet.authority)
    from ipmpki.issue.authorities import existing_fingerprint

    content = read_file(project.root / fleet.existing.certificate, what="the CA certificate")
    generation = fleet.authority.generation
    if issued.signer is not None and issued.signer.certificates_pem == content:
        held = specification.fields(issued.signer.specification)["existing"]
        return specification.of_existing_authority(held, generation)
    return specification.of_existing_authority(existing_fingerprint(content), generation)


def _key_lies_open(project: Project, fleet: Fleet, issued: Issued) -> bool:
    if fleet.token_key is not None:
        wanted = _wanted_authority(project, fleet, issued)
        signer = issued.signer
        return signer is not None and signer.specification == wanted and not _in_token(signer)
    if fleet.passphrase is None:
        return False
    # PKCS#8's label says so, and the Proc-Type header of older forms.
    return any(b"ENCRYPTED" not in one.key_pem and not _in_token(one) for one in issued.signers)


def _in_token(authority: StoredAuthority) -> bool:
    return authority.key_pem.startswith(b"pkcs11:")
