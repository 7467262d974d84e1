"""A declaration as read and judged, with where its store and its dist/ lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault, WrongDeclaration
from ipmpki.diagnostics.problem import Severity
from ipmpki.operations.host_requests import read_requests
from ipmpki.operations.trust_bundle import read_bundle
from ipmpki.plans import mutual_auth

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import LocatedProblem
    from ipmpki.operations.check import Understood
    from ipmpki.store.records import Issued
    from ipmpki.x509.trust_bundle import TrustBundle

STORE_NAME = "pki.db"
DIST_NAME = "dist"

MENDED_BY_BUILDING = frozenset({"certificate-expired", "certificate-expiring", "store-lost"})
"""Rules about what a build is there to mend, or judges itself: they never keep it from happening."""


@dataclass(frozen=True, slots=True)
class Project:
    """A declaration as read and judged.

    ``problems`` stand in document order. ``issued`` is what the store held when it was loaded. ``fleet`` is
    the declaration as meant and as far as it is in force; None where too little of it could be read.
    """

    path: Path
    name: str
    understood: Understood
    problems: tuple[LocatedProblem, ...]
    issued: Issued
    store: Path
    now: datetime
    fleet: Fleet | None

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


def in_force(root: Path, declared: Fleet, issued: Issued) -> Fleet:
    """The fleet as it is to be now, where mutual authentication is turned on or off in stages."""
    return _with_requests(root, declared, mutual_auth.in_force(declared, issued))


def in_first_stage(root: Path, declared: Fleet, issued: Issued) -> Fleet:
    """The same, but in the first stage until the second is published."""
    return _with_requests(root, declared, mutual_auth.in_first_stage(declared, issued))


def _with_requests(root: Path, declared: Fleet, fleet: Fleet) -> Fleet:
    """What is declared has the keys of its requests already; what is declared no more may lack them."""
    return fleet if fleet.hosts is declared.hosts else read_requests(root, fleet)[0]


def store_path(path: Path, fleet: Fleet | None) -> Path:
    """Where the store of a declaration lies."""
    declared = fleet.declared.store if fleet is not None else None
    return path.parent / (declared or STORE_NAME)
