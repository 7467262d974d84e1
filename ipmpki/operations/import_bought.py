"""Take certificates that were bought: matched by their public key, judged against what was ordered."""

from __future__ import annotations

import base64
import textwrap
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.diagnostics.fault import Fault, WrongDeclaration, WrongUse
from ipmpki.diagnostics.problem import Severity
from ipmpki.issue.requests import stored_bundle
from ipmpki.operations.repairs import repairs_of
from ipmpki.operations.verify.locate import place_problems
from ipmpki.rules.engine import judge_presented
from ipmpki.store.records import IssuedCertificate
from ipmpki.store.sqlite.entries import BoughtCertificate
from ipmpki.store.sqlite.open import open_store
from ipmpki.x509.confined_reader import read_received_confined
from ipmpki.x509.contents import Contents, read_contents
from ipmpki.x509.path_validation import Evidence, judge_path
from ipmpki.x509.presented_certificates import Chain, Presented

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.diagnostics.problem import LocatedProblem, Problem
    from ipmpki.operations.project import Project
    from ipmpki.store.sqlite.entries import Keeping
    from ipmpki.store.sqlite.writer import Store
    from ipmpki.x509.presented_certificates import PresentedCertificate, Verdict
    from ipmpki.x509.trust_bundle import TrustBundle


class Outcome(StrEnum):
    """What became of a certificate for a host."""

    TAKEN = "taken"
    KNOWN = "known"
    REFUSED = "refused"
    PASSED_OVER = "passed over"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A host's certificate among those that came."""

    host: str
    certificate: PresentedCertificate
    outcome: Outcome
    why: str = ""
    """Why it was passed over, where another for the same key was taken or is here already."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: each host's certificate, and every problem with its place."""

    arrivals: tuple[Arrival, ...]
    problems: tuple[LocatedProblem, ...]

    @property
    def was_changed(self) -> bool:
        """Whether anything was taken."""
        return any(one.outcome is Outcome.TAKEN for one in self.arrivals)


def import_certificates(
    project: Project,
    files: Sequence[tuple[str, bytes]],
    *,
    passphrase: Callable[[str], bytes | None],
    force: bool = False,
) -> Imported:
    """Judge what came, and record what will work; publishing is a build's.

    ``files`` are names and contents. A certificate with an error is never taken, one with a warning only by
    ``force``. Raises WrongUse where none are bought, and Fault where the store cannot be opened.
    """
    fleet = project.fleet
    if fleet is None or project.errors:
        raise WrongDeclaration(
            "the declaration has errors, so it is not known what was ordered",
            "run 'ipmpki check', and mend them",
        )
    if not fleet.is_third_party:
        raise WrongUse(
            "the certificates of this declaration are issued here: there is nothing to import",
            'for bought certificates, declare in [ca]: kind = "third-party"',
        )
    if not project.store.exists():
        raise Fault("nothing has been ordered yet: there is no store", "run 'ipmpki build' first")
    received = [one for name, content in files for one in read_received_confined(name, content, passphrase)]
    bundle = project.trust_bundle()
    with open_store(project.store, now=project.now) as store:
        arrivals, problems = _Import(project, fleet, received, bundle, store, force=force).run()
    return Imported(arrivals, place_problems(problems, received, [name for name, _ in files]))


def _recorded(trusted: TrustBundle, store: Store) -> int:
    """The identity of the trust bundle in the store; one that no build has recorded yet is recorded."""
    bundle = stored_bundle(trusted)
    held = store.issued().bundle
    if held is None or held.specification != bundle.specification:
        store.add_authority(bundle, "the bundle by which a certificate was imported")
        held = store.issued().bundle
    assert held is not None  # noqa: S101 -- it was recorded just now, if not before
    return held.identity


class _Import:
    """One import, with all it looks at."""

    def __init__(  # noqa: PLR0913 -- what one import depends on
        self,
        project: Project,
        fleet: Fleet,
        received: Sequence[Contents],
        bundle: TrustBundle,
        store: Store,
        *,
        force: bool,
    ) -> None:
        self._now = project.now
        self._hosts = {
            host.name: host
            for host in fleet.hosts
            if host.certificate is not None and host.certificate.is_bought
        }
        # In the mixed mode a bought certificate is never shown by a client.
        self._mutual_auth = fleet.mutual_auth and not fleet.is_mixed
        self._received = received
        self._bundle = read_contents("bundle", bundle.pem)
        self._limits = bundle.limits
        self._store = store
        self._force = force
        every = {one.fingerprint: one for held in received for one in held.certificates}
        self._leaves = [one for one in every.values() if not one.is_authority]
        self._authorities = [one for one in every.values() if one.is_authority]
        self._authority = _recorded(bundle, store)
        self._der = {**self._bundle.der, **{key: der for held in received for key, der in held.der.items()}}

    def run(self) -> tuple[tuple[Arrival, ...], list[Problem]]:
        """Match, judge, record."""
        keeping = self._store.keeping([one.public_key_digest for one in self._leaves])
        strangers = tuple(one for one in self._leaves if self._owner(one, keeping) is None)
        shared = Presented(
            self._now,
            flaws=tuple(flaw for held in self._received for flaw in held.flaws),
            remarks=repairs_of(self._received),
            strangers=strangers,
        )
        problems = list(judge_presented(shared))
        arrivals: list[Arrival] = []
        taken: list[BoughtCertificate] = []
        for host, leaves in self._by_host(keeping):
            own, bought = self._best(host, leaves, keeping, problems)
            arrivals += own
            if bought is not None:
                taken.append(bought)
        if taken:
            self._store.add_bought(taken)
        return tuple(arrivals), problems

    def _owner(self, leaf: PresentedCertificate, keeping: Keeping) -> HostSpec | None:
        """The host whose open request, or whose certificate, has this key."""
        name = keeping.owners.get(leaf.public_key_digest)
        return self._hosts.get(name) if name is not None else None

    def _by_host(self, keeping: Keeping) -> list[tuple[HostSpec, list[PresentedCertificate]]]:
        """The certificates for each host, the one that holds longest first."""
        found: dict[str, list[PresentedCertificate]] = {}
        for leaf in sorted(self._leaves, key=lambda one: one.not_after, reverse=True):
            host = self._owner(leaf, keeping)
            if host is not None:
                found.setdefault(host.name, []).append(leaf)
        return [(host, found[name]) for name, host in self._hosts.items() if name in found]

    def _best(
        self,
        host: HostSpec,
        leaves: Sequence[PresentedCertificate],
        keeping: Keeping,
        problems: list[Problem],
    ) -> tuple[list[Arrival], BoughtCertificate | None]:
        """Of several certificates for one host the first that will work, and why it is none of the others.

        Where none of them will, the first is refused, and what is wrong with it is added to ``problems``.
        """
        refused: list[tuple[PresentedCertificate, list[Problem]]] = []
        for number, leaf in enumerate(leaves):
            is_known = leaf.fingerprint in keeping.fingerprints
            chain, own = ((), []) if is_known else self._judged(host, leaf)
            wrong = [one for one in own if self._stops(one)]
            if wrong:
                refused.append((leaf, own))
                continue
            problems += own
            outcome = Outcome.KNOWN if is_known else Outcome.TAKEN
            others = [Arrival(host.name, one, Outcome.PASSED_OVER, self._reason(why)) for one, why in refused]
            others += [
                Arrival(host.name, one, Outcome.PASSED_OVER, "another for the same key holds longer")
                for one in leaves[number + 1 :]
            ]
            bought = None if is_known else self._bought(host, leaf, chain)
            return [Arrival(host.name, leaf, outcome), *others], bought
        problems += refused[0][1]
        arrivals = [Arrival(host.name, refused[0][0], Outcome.REFUSED)]
        arrivals += [
            Arrival(host.name, one, Outcome.PASSED_OVER, self._reason(why)) for one, why in refused[1:]
        ]
        return arrivals, None

    def _stops(self, problem: Problem) -> bool:
        return problem.severity is Severity.ERROR or (
            problem.severity is Severity.WARNING and not self._force
        )

    def _reason(self, own: Sequence[Problem]) -> str:
        return next(one.message for one in own if self._stops(one))

    def _judged(
        self, host: HostSpec, leaf: PresentedCertificate
    ) -> tuple[tuple[PresentedCertificate, ...], list[Problem]]:
        """The chain to publish, leaf first and without its root, and what is wrong with it."""
        chain = self._chain(host, leaf)
        verdict = self._verdict(chain, pool=())
        spec = _spec(host)
        presented = Presented(
            self._now,
            chains=(chain,),
            verdicts=(verdict,),
            role=host.role,
            mutual_auth=self._mutual_auth,
            names=spec.dns_names,
            addresses=spec.addresses,
            is_order=True,
            limit=self._limits.get(verdict.path[-1].fingerprint) if verdict.path else None,
        )
        return chain.certificates, list(judge_presented(presented))

    def _chain(self, host: HostSpec, leaf: PresentedCertificate) -> Chain:
        """The leaf with the intermediates that lead to a trusted authority, whatever order they came in."""
        alone = Chain(leaf, (leaf,), host.role)
        verdict = self._verdict(alone, pool=self._authorities)
        trusted = {one.fingerprint for one in self._bundle.certificates}
        above = tuple(one for one in verdict.path[1:] if one.fingerprint not in trusted)
        return replace(alone, certificates=(leaf, *above))

    def _verdict(self, chain: Chain, pool: Sequence[PresentedCertificate]) -> Verdict:
        return judge_path(chain, Evidence(self._der, self._bundle.certificates, pool, ()), self._now)

    def _bought(
        self, host: HostSpec, leaf: PresentedCertificate, chain: Sequence[PresentedCertificate]
    ) -> BoughtCertificate:
        spec = _spec(host)
        certificate = IssuedCertificate(
            serial=leaf.serial,
            host=host.name,
            authority=self._authority,
            profile=spec.profile,
            specification=specification.of_request(spec),
            not_before=leaf.not_before,
            not_after=leaf.not_after,
            fingerprint=leaf.fingerprint,
            issued_at=self._now,
        )
        pem = b"".join(_pem(self._der[one.fingerprint]) for one in chain)
        return BoughtCertificate(certificate, pem, leaf.public_key_digest, f"issued by {leaf.issuer}")


def _spec(host: HostSpec) -> CertificateSpec:
    assert host.certificate is not None  # noqa: S101 -- only such hosts are looked at
    return host.certificate


def _pem(der: bytes) -> bytes:
    """A certificate in PEM (RFC 7468, section 5)."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()
