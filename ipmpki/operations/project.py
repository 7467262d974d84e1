"""A declaration with its store and its dist/: the library's four verbs, load, check, plan and build."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.validate import included_patterns
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.diagnostics.problem import Place, Severity
from ipmpki.operations import surroundings as exposure
from ipmpki.operations.check import Understood, conclude, judged, read, understand
from ipmpki.operations.host_requests import read_requests
from ipmpki.operations.trust_bundle import bundle_problems, read_bundle, untrusted_hosts, with_bundle
from ipmpki.plans.dist_layout import REPORT_FOLDER
from ipmpki.plans.make import Wanted, World, make_plan
from ipmpki.plans.plan import Plan, Stage
from ipmpki.publish.dist import Publisher, survey
from ipmpki.rules.registry import Surroundings
from ipmpki.source import files as reader
from ipmpki.store.sqlite import open_store, read_issued, read_replaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.issue.context import AuthorityFiles, Progress
    from ipmpki.plans.forecast import Work
    from ipmpki.publish.folders import Outlet
    from ipmpki.store.records import Issued, StoredAuthority
    from ipmpki.x509.trust_bundle import TrustBundle

STORE_NAME = "pki.db"
DIST_NAME = "dist"

MENDED_BY_BUILDING = frozenset({"certificate-expired", "certificate-expiring"})
"""Rules about what a build is there to mend: they never keep it from doing so."""


@dataclass(frozen=True, slots=True)
class Project:
    """A declaration as read and judged.

    ``problems`` stand in document order. ``issued`` is what the store held when it was loaded.
    """

    path: Path
    name: str
    understood: Understood
    problems: tuple[LocatedProblem, ...]
    issued: Issued
    store: Path
    now: datetime

    @property
    def fleet(self) -> Fleet | None:
        """The declaration as meant; None where too little of it could be read."""
        return self.understood.fleet

    @property
    def root(self) -> Path:
        """The folder of pki.toml, which the paths in it are relative to."""
        return self.path.parent

    @property
    def dist(self) -> Path:
        """Where a build publishes."""
        return self.root / DIST_NAME

    def trust_bundle(self, at: datetime | None = None) -> TrustBundle:
        """The authorities that hosts trust, where certificates are bought, as of ``at`` or of loading.

        Raises Fault where none is declared, or the file holds none.
        """
        if self.fleet is None or self.fleet.bundle is None:
            raise WrongDeclaration(
                "no trust bundle is declared, so nothing says whether to believe a certificate",
                'name Mozilla\'s list in [ca], certdata = "certdata.txt", or a PEM file, bundle = "…"',
            )
        return read_bundle(self.root, self.fleet.bundle, at or self.now)

    @property
    def errors(self) -> tuple[LocatedProblem, ...]:
        """The problems that keep a build from happening."""
        return tuple(
            one
            for one in self.problems
            if one.problem.severity is Severity.ERROR and one.problem.rule not in MENDED_BY_BUILDING
        )


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. ``problems`` are those that remain after it."""

    plan: Plan
    problems: tuple[LocatedProblem, ...]
    issued: Issued
    report_changed: bool


class Refused(Fault):
    """A build that errors in the declaration keep from happening; only the report was written."""

    exit_status = 1

    def __init__(self, project: Project) -> None:
        count = len(project.errors)
        noun = "error keeps" if count == 1 else "errors keep"
        super().__init__(
            f"{count} {noun} the build from happening; nothing was changed", "mend them, then build again"
        )
        self.project = project


def load(path: str | os.PathLike[str], *, now: datetime | None = None) -> Project:
    """Read a declaration, its included files and its store, and judge them.

    ``now`` is the time to judge by (aware; the clock's where it is not given). Raises Fault where a file
    or the store cannot be read; what is wrong in the declaration becomes problems.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    name = os.fspath(path)
    absolute = Path(name).absolute()
    content = reader.read_file(Path(name), what="the declaration")
    return load_text(absolute, name, content, now=now)


def load_text(
    path: Path, name: str, content: bytes, *, now: datetime, unsaved: Mapping[Path, bytes] | None = None
) -> Project:
    """The same for a declaration whose bytes are given, such as one that is about to be saved.

    ``unsaved`` has, by resolved path, what included files hold in an editor.
    """
    understood = understand_text(path, name, content, unsaved)
    fleet = understood.fleet
    store = store_path(path, fleet)
    issued = read_issued(store)
    if fleet is not None:
        missing = reader.missing_files(path.parent, fleet, is_adopted=_is_adopted(issued))
        fleet, found = read_requests(path.parent, fleet)
        understood = replace(understood, fleet=fleet, problems=(*understood.problems, *found))
        unusable = bundle_problems(path.parent, fleet, now)
        understood = judged(replace(understood, problems=(*understood.problems, *missing, *unusable)))
    checked = conclude(understood, _surroundings(path, understood, store, issued, now))
    return Project(path, name, understood, checked.problems, issued, store, now)


def understand_text(
    path: Path, name: str, content: bytes, unsaved: Mapping[Path, bytes] | None = None
) -> Understood:
    """What a declaration and the files it includes say, before any rule judges it."""
    main = read(name, content)
    patterns = included_patterns(main.document)
    included, found = reader.read_included(path, name, patterns, unsaved)
    sites = [read(file.name, file.content) for file in included]
    is_whole = all(problem.severity is not Severity.ERROR for problem in found)
    return understand((main, *sites), found, is_whole=is_whole)


def store_path(path: Path, fleet: Fleet | None) -> Path:
    """Where the store of a declaration lies."""
    declared = fleet.declared.store if fleet is not None else None
    return path.parent / (declared or STORE_NAME)


def _is_adopted(issued: Issued) -> bool:
    return issued.signer is not None and issued.signer.is_existing


def _surroundings(
    path: Path, understood: Understood, store: Path, issued: Issued, now: datetime
) -> Surroundings:
    root, fleet = path.parent, understood.fleet
    if fleet is None:
        return Surroundings(now)
    return Surroundings(
        now,
        key_files=tuple(reader.secret_files(root, fleet, store)),
        issued=issued,
        bundle_changed_at=reader.bundle_changed_at(root, fleet),
        untrusted=untrusted_hosts(root, fleet, store, issued, now),
        accesses=tuple(exposure.accesses(root, map(Place, understood.sources), fleet, store)),
        secrets=exposure.secrets(root, fleet, store, root / DIST_NAME),
    )


def check(project: Project) -> tuple[LocatedProblem, ...]:
    """Every problem of a project, in document order."""
    return project.problems


def plan(project: Project, *, at: datetime | None = None, replace_ca: bool = False) -> Plan:
    """What a build would change, as of ``at`` (aware) or the time of loading; changes nothing.

    Raises Refused where the declaration has errors, and Fault where the authority's files are unreadable.
    """
    fleet = _sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    return make_plan(_world(project, fleet, project.issued, now), allows_ca_replacement=replace_ca)


def calendar(project: Project, until: datetime, *, at: datetime | None = None) -> tuple[Work, ...]:
    """What will be due from ``at`` (aware; else the time of loading) to ``until``, in order of the days.

    Raises Refused where the declaration has errors.
    """
    from ipmpki.plans.forecast import calendar as work_ahead

    fleet = _sound_fleet(project)
    now = at.astimezone(UTC).replace(microsecond=0) if at is not None else project.now
    since = reader.bundle_changed_at(project.root, fleet)
    return work_ahead(_world(project, fleet, project.issued, now), until, bundle_since=since)


def _sound_fleet(project: Project) -> Fleet:
    if project.errors or project.fleet is None:
        raise Refused(project)
    return project.fleet


def _world(project: Project, fleet: Fleet, issued: Issued, now: datetime) -> World:
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

    content = reader.read_file(project.root / fleet.existing.certificate, what="the CA certificate")
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


def build(
    project: Project, *, saved: Plan | None = None, replace_ca: bool = False, progress: Progress | None = None
) -> Built:
    """Plan, issue, publish. With ``saved``, do exactly that plan or refuse as the world has moved.

    Raises Refused where the declaration has errors (the report says so, all else is untouched), WrongUse
    where the authority would be replaced without leave, and Fault where the work itself fails.
    """
    try:
        fleet = _sound_fleet(project)
    except Refused:
        _publish_refusal(project)
        raise
    from ipmpki.issue.certificates import carry_out, preflight
    from ipmpki.issue.context import Commission
    from ipmpki.issue.requests import order
    from ipmpki.publish.folders import Outlet, distribute

    commission = Commission(
        fleet=fleet,
        passphrase=lambda: reader.read_passphrase(project.root, fleet.passphrase),
        authority_files=lambda: _authority_files(project, fleet),
        trust_bundle=project.trust_bundle,
        random_bytes=os.urandom,
        now=project.now,
        progress=progress or _no_progress,
    )
    allowed = replace_ca or (saved is not None and saved.allows_ca_replacement)
    agreed = _agreed_plan(project, fleet, project.issued, saved, allowed=allowed)
    preflight(agreed, commission, project.issued)
    with open_store(project.store, now=project.now) as store:
        held = store.issued()
        if held != project.issued:  # another build came between
            agreed = _agreed_plan(project, fleet, held, saved, allowed=allowed)
        outlet = Outlet(store, Publisher(project.dist), project.now)
        outlet.publisher.recover()
        if agreed.changes:
            outlet.publisher.prepare()
        issued = carry_out(agreed, commission, store, order(agreed, commission, store, held))
        distribute(agreed, commission, outlet, issued)
        built = _distribute_report(project, fleet, agreed, outlet)
        outlet.publisher.finish()
        return built


def _agreed_plan(
    project: Project, fleet: Fleet, issued: Issued, saved: Plan | None, *, allowed: bool
) -> Plan:
    found = make_plan(_world(project, fleet, issued, project.now), allows_ca_replacement=allowed)
    if saved is not None and (found.world, found.changes) != (saved.world, saved.changes):
        raise WrongUse(
            "the world has moved since the plan was saved: a build would do something else now",
            "look at 'ipmpki plan' again, and save it anew",
        )
    if found.replaces_ca and not allowed:
        raise WrongUse(
            "this would replace the certificate authority, and with it every certificate",
            f"look at 'ipmpki plan'; undo the change in [{fleet.signing_table}]; or declare generation ="
            f" {fleet.authority.generation + 1} there, for a successor that takes over without an outage; or"
            " say: ipmpki build --replace-ca",
        )
    return found


def _authority_files(project: Project, fleet: Fleet) -> AuthorityFiles:
    from ipmpki.issue.context import AuthorityFiles

    assert fleet.existing is not None  # noqa: S101 -- asked for only where one is declared
    key_file = fleet.existing.key_file
    return AuthorityFiles(
        reader.read_file(project.root / fleet.existing.certificate, what="the CA certificate"),
        fleet.token_key.encode()
        if fleet.token_key is not None
        else reader.read_file(project.root / key_file, what="the CA key"),
    )


def _no_progress(_work: str, _done: int, _total: int) -> None:
    pass


def _distribute_report(project: Project, fleet: Fleet, agreed: Plan, outlet: Outlet) -> Built:
    from ipmpki.publish.folders import distribute_report
    from ipmpki.render.report.collect import report_of
    from ipmpki.render.report.document import render_report

    issued = outlet.store.issued()
    surroundings = _surroundings(project.path, project.understood, project.store, issued, project.now)
    problems = conclude(project.understood, surroundings).problems
    bundle = project.trust_bundle() if fleet.is_third_party and fleet.bundle is not None else None
    rollover = agreed.rollover if agreed.rollover and agreed.rollover.stage is not Stage.RETIRE else None
    report = report_of(
        project.path.name, fleet, issued, problems, refused=False, bundle=bundle, rollover=rollover
    )
    files = render_report(report)
    if fleet.is_third_party:
        from ipmpki.render.host_folder.order_form import render_orders

        files = (*files, render_orders(fleet.hosts, tuple(issued.requests.values())))
    changed = distribute_report(files, outlet, issued)
    return Built(agreed, problems, issued, changed)


def _publish_refusal(project: Project) -> None:
    """Write the three report files, which say that the build was refused, and touch nothing else."""
    from ipmpki.render.report.collect import report_of
    from ipmpki.render.report.document import render_report

    report = report_of(project.path.name, project.fleet, project.issued, project.problems, refused=True)
    publisher = Publisher(project.dist)
    publisher.place_files(REPORT_FOLDER, render_report(report))
    publisher.finish()
