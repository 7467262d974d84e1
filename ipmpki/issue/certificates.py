"""Carry out a plan: make keys, certificates and CRL, and commit them to the store.

Everything issued is in the store before anything is published, so whatever moment a build dies at, the
next one finds what was issued and carries on from there.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.vocabulary import Profile
from ipmpki.diagnostics.fault import Fault
from ipmpki.issue.authorities import (
    declared_key,
    existing_authority,
    new_authority,
    open_issuer,
    protect_keys,
)
from ipmpki.issue.keys import making_keys
from ipmpki.issue.revocations import end_of_next_list, issue_revocation_lists, revoke_certificates
from ipmpki.issue.workers import can_spread, spread
from ipmpki.plans.plan import Action, Artifact, why
from ipmpki.store.records import IssuedCertificate, StoredAuthority
from ipmpki.store.sqlite.entries import NewCertificate
from ipmpki.x509 import certificate as reading
from ipmpki.x509 import csr, keys
from ipmpki.x509 import issuer as issuing
from ipmpki.x509.protection import is_in_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.issue.context import BuildContext
    from ipmpki.plans.plan import Change, Plan
    from ipmpki.store.records import Issued
    from ipmpki.store.sqlite.writer import Store
    from ipmpki.x509.issuer import Issuer
    from ipmpki.x509.keys import PrivateKey, PublicKey

BATCH_SECONDS = 1.0
"""How much issuing one transaction holds at most: what a killed build would have to do again."""
BATCH_SIZE = 1_000
FEWEST_FOR_WORKERS = 2_000
"""Below so many new keys, threads that make the RSA keys while the EC ones are made and signed do as well."""

CERTIFICATES = frozenset({Artifact.SERVER_CERTIFICATE, Artifact.CLIENT_CERTIFICATE})
SIGNED = CERTIFICATES | {Artifact.CA_CERTIFICATE, Artifact.CA_KEY, Artifact.CRL}
ISSUING = frozenset({Action.CREATE, Action.RENEW, Action.REPLACE})


def preflight(plan: Plan, context: BuildContext, issued: Issued) -> None:
    """Before anything is written, see that the authority a plan needs can be had, and may do what it asks.

    Raises KeyFault for a wrong or missing passphrase, UnreadableFile for a file that is not there,
    IssuerFault for an authority that exists and is confined to other names or uses, and Fault for one that
    has expired or has not begun.
    """
    if not any(_signs(change) for change in plan.changes):
        return
    if _makes_authority(plan) and context.fleet.existing is None:
        if context.fleet.token_key is not None:
            declared_key(context)
        context.passphrase()
        return
    authority = signing_authority(plan, issued)
    if _makes_authority(plan):
        made = existing_authority(context)
        end_of_next_list(context, made)
        authority = made if plan.rollover is None else authority
    if authority is not None:
        _require_permission(plan, context, open_issuer(authority, context))
        end_of_next_list(context, authority)


def _require_permission(plan: Plan, context: BuildContext, issuer: Issuer) -> None:
    for order in _ordered(plan, context.fleet):
        reason = issuing.objection(issuer, order.spec)
        if reason is not None:
            message = f"{order.change.host}: {reason}"
            raise issuing.IssuerFault(
                message, "declare another authority, or names and uses that this one may certify"
            )


def _makes_authority(plan: Plan) -> bool:
    return any(
        change.artifact is Artifact.CA_CERTIFICATE and change.action in {Action.CREATE, Action.REPLACE}
        for change in plan.changes
    )


def carry_out(plan: Plan, context: BuildContext, store: Store, issued: Issued) -> Issued:
    """Issue everything a plan asks for; publish nothing.

    ``issued`` is what the store holds when the work begins; what it holds afterwards is returned.
    """
    if not any(_signs(change) for change in plan.changes):
        return issued
    with _with_keys(_ordered(plan, context.fleet), context, store, issued) as ordered:
        _renew_authority(plan, context, store, issued)
        issued = store.issued()
        _issue_certificates(ordered, plan, context, store, issued)
    revoke_certificates(plan, store, issued)
    for authority in _retired(plan, issued):
        store.retire_authority(authority.identity, f"another has taken over from {authority.subject}")
    if any(
        change.artifact is Artifact.CRL and change.action is not Action.RESTORE for change in plan.changes
    ):
        issue_revocation_lists(context, store, store.issued())
    return store.issued()


def _renew_authority(plan: Plan, context: BuildContext, store: Store, issued: Issued) -> None:
    for change in plan.changes:
        if change.artifact is Artifact.CA_CERTIFICATE and change.action in ISSUING:
            # A successor stands beside the one before, until that is retired.
            detail = f"{change.action}: {why(change)}"
            store.add_authority(new_authority(context), detail, replaces=plan.rollover is None)
        elif change.artifact is Artifact.CA_KEY:
            protect_keys(context, store, issued)


def _retired(plan: Plan, issued: Issued) -> Iterator[StoredAuthority]:
    """Those that a plan lets go: by its rollover's word, or as they have ended."""
    if not any(
        change.artifact is Artifact.CA_CERTIFICATE and change.action is Action.REMOVE
        for change in plan.changes
    ):
        return
    gone = plan.rollover.retires if plan.rollover is not None else ()
    for authority in issued.signers[:]:
        if authority.fingerprint in gone or authority.not_after <= plan.at:
            yield authority


def _signs(change: Change) -> bool:
    """Whether a change makes an authority, or needs the one there is; every revocation makes a list."""
    return change.action in ISSUING and change.artifact in SIGNED


def _issue_certificates(
    ordered: _Keyed, plan: Plan, context: BuildContext, store: Store, issued: Issued
) -> None:
    if not ordered.count:
        return
    signing = signing_authority(plan, issued)
    if signing is None:
        raise Fault("the store holds no authority", "run 'ipmpki plan' to see what a build would do")
    issuer = open_issuer(signing, context)

    def certify(one: _Order, key: PrivateKey | PublicKey) -> NewCertificate:
        return _certificate(one, key, context, issuer, signing.identity)

    def make_and_certify(one: _Order) -> NewCertificate:
        return certify(one, keys.generate(one.spec.key))

    batch: list[NewCertificate] = []
    begun = time.monotonic()
    with spread(make_and_certify, ordered.shared) as shared:
        new_certificates = chain((certify(one, key) for one, key in ordered.keyed), shared)
        for done, new in enumerate(new_certificates, start=1):
            batch.append(new)
            if len(batch) >= BATCH_SIZE or time.monotonic() - begun > BATCH_SECONDS or done == ordered.count:
                store.add_certificates(batch)
                batch, begun = [], time.monotonic()
            context.progress("issuing certificates", done, ordered.count)


@dataclass(frozen=True, slots=True)
class _Order:
    """A certificate that a plan asks for; ``holder`` is whose it will be in the store."""

    change: Change
    holder: str
    spec: CertificateSpec
    keeps_key: bool


def signing_authority(plan: Plan, issued: Issued) -> StoredAuthority | None:
    """The one that signs what a plan asks for: the newest, or the one before until all trust the newest."""
    if plan.rollover is None:
        return issued.signer
    return next((one for one in issued.signers if one.fingerprint == plan.rollover.signs), None)


def _ordered(plan: Plan, fleet: Fleet) -> list[_Order]:
    hosts = {host.name: host for host in fleet.hosts}
    return [
        _order(change, hosts[change.host])
        for change in plan.changes
        if change.artifact in CERTIFICATES and change.action in ISSUING and change.host is not None
    ]


def _order(change: Change, host: HostSpec) -> _Order:
    is_client = change.artifact is Artifact.CLIENT_CERTIFICATE
    for holder, spec in host.certificates:
        if (spec.profile is Profile.CLIENT) == is_client:
            return _Order(change, holder, spec, host.keeps_key)
    message = f"{host.name} is to have no {change.artifact}"
    raise ValueError(message)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """Orders, each with its key as soon as there is one; those that workers share; how many all are."""

    count: int
    keyed: Iterator[tuple[_Order, PrivateKey | PublicKey]]
    shared: Sequence[_Order]


@contextlib.contextmanager
def _with_keys(
    ordered: Sequence[_Order], context: BuildContext, store: Store, issued: Issued
) -> Iterator[_Keyed]:
    """Each order with the key of its host's own request, the one it had before, or one made here.

    Those that take long to make are on their way when the block begins. Of very many, each worker makes its
    share, and signs the certificates; the library's random generator starts afresh in a copied process.
    """
    had: list[tuple[_Order, PrivateKey | PublicKey]] = []
    new = []
    keeping = {one.holder: one.spec for one in ordered if one.keeps_key}
    before = keys_before(keeping, store, issued)
    for one in ordered:
        kept = one.spec.kept_key
        if kept is not None and kept.given is not None:
            had.append((one, csr.public_key_of(kept.given.request)))
        elif one.holder in before:
            had.append((one, before[one.holder]))
        else:
            new.append(one)
    shared = new if _signs_by_workers(len(new), context, issued) else []
    with making_keys([(one, one.spec.key) for one in new] if not shared else []) as made:
        yield _Keyed(len(ordered), chain(had, made), shared)


def _signs_by_workers(count: int, context: BuildContext, issued: Issued) -> bool:
    """Not with a key in a token: a session with one cannot be copied."""
    in_token = context.fleet.token_key is not None or any(is_in_token(one.key_pem) for one in issued.signers)
    return count >= FEWEST_FOR_WORKERS and can_spread(count) and not in_token


def keys_before(
    keeping: Mapping[str, CertificateSpec], store: Store, issued: Issued
) -> dict[str, PrivateKey]:
    """The keys that holders have and may go on with: of the wanted type, here, not revoked, nobody else's."""
    serials = {}
    for holder, spec in keeping.items():
        current = issued.current.get(holder)
        if current is not None and current.revoked_at is None:
            had = specification.fields(current.specification)["key"]
            if had == spec.key_words:
                serials[holder] = current.serial
    shared = store.with_shared_keys() if serials else frozenset()
    serials = {holder: serial for holder, serial in serials.items() if serial not in shared}
    materials = store.materials(list(serials.values()))
    kept = {holder: materials[serial].key_pem for holder, serial in serials.items()}
    return {holder: keys.load(pem) for holder, pem in kept.items() if pem}


def _certificate(
    order: _Order,
    key: PrivateKey | PublicKey,
    context: BuildContext,
    issuer: Issuer,
    authority: int,
) -> NewCertificate:
    change, spec = order.change, order.spec
    public = key.public_key() if isinstance(key, keys.PrivateKey) else key
    serial = issuing.new_serial(context.random_bytes)
    pem = issuing.issue(issuer, spec, public, now=context.now, serial=serial)
    not_before, not_after = issuing.validity(issuer, spec.lifetime, now=context.now)
    certificate = IssuedCertificate(
        serial=serial,
        host=order.holder,
        authority=authority,
        profile=spec.profile,
        specification=specification.of_certificate(spec),
        not_before=not_before,
        not_after=not_after,
        fingerprint=reading.fingerprint_of(pem),
        issued_at=context.now,
    )
    return NewCertificate(
        certificate,
        pem,
        keys.to_pem(key) if isinstance(key, keys.PrivateKey) else b"",
        keys.public_key_digest(key),
        f"certificate-{_past(change)}",
        why(change),
    )


def _past(change: Change) -> str:
    return {Action.CREATE: "issued", Action.RENEW: "renewed", Action.REPLACE: "replaced"}[change.action]
