"""Carry out a plan where certificates are bought: make keys and requests, and commit them to the store."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.issue.certificates import BATCH_SECONDS, CERTIFICATES, keys_before
from ipmpki.issue.keys import making_keys
from ipmpki.issue.revocations import holder_of
from ipmpki.plans.plan import Action, Artifact, why
from ipmpki.store.records import OpenRequest, StoredAuthority
from ipmpki.store.sqlite.entries import NewRequest
from ipmpki.x509 import csr, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.issue.context import BuildContext
    from ipmpki.plans.plan import Change, Plan
    from ipmpki.store.records import Issued
    from ipmpki.store.sqlite.writer import Store
    from ipmpki.x509.trust_bundle import TrustBundle

_ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
"""How long a bundle holds: it is its file's age that counts, not the ends of its certificates."""


def order(plan: Plan, context: BuildContext, store: Store, issued: Issued) -> Issued:
    """Make every request a plan asks for, close what is not awaited any more; publish nothing.

    Returns what the store holds afterwards.
    """
    if not any(_is_ordering(change) for change in plan.changes):
        return issued
    placing = {Action.CREATE, Action.REPLACE}
    for change in plan.changes:
        if change.artifact is Artifact.BUNDLE and change.action in placing:
            store.add_authority(stored_bundle(context.trust_bundle()), f"{change.action}: {why(change)}")
    _make_requests(plan, context, store, issued)
    removed = [
        change for change in plan.changes if change.action is Action.REMOVE and change.host is not None
    ]
    withdrawn = [(one.host or "", why(one)) for one in removed if one.artifact is Artifact.REQUEST]
    if withdrawn:
        store.close_requests(withdrawn)
    retired = [(holder_of(one, issued), why(one)) for one in removed if one.artifact in CERTIFICATES]
    if retired:
        store.retire(retired)
    return store.issued()


def _is_ordering(change: Change) -> bool:
    """Whether a change is about what is bought, or about a certificate that nobody here can revoke."""
    return change.artifact in {Artifact.BUNDLE, Artifact.REQUEST} or (
        change.action is Action.REMOVE and change.artifact in CERTIFICATES
    )


def stored_bundle(bundle: TrustBundle) -> StoredAuthority:
    """The authorities that hosts trust, as the store keeps them."""
    number = len(bundle.names)
    return StoredAuthority(
        identity=0,  # given by the store
        subject=f"{number} trusted {'authority' if number == 1 else 'authorities'}",
        specification=specification.of_bundle(bundle.sha256),
        certificates_pem=bundle.pem,
        key_pem=b"",
        key_type="",
        fingerprint=bundle.sha256,
        not_before=_ALWAYS[0],
        not_after=_ALWAYS[1],
        is_existing=True,
    )


def _make_requests(plan: Plan, context: BuildContext, store: Store, issued: Issued) -> None:
    hosts = {host.name: host for host in context.fleet.hosts}
    ordered = [
        (change, hosts[change.host])
        for change in plan.changes
        if change.artifact is Artifact.REQUEST
        and change.action is not Action.REMOVE
        and change.host is not None
    ]
    _take_requests(ordered, context, store)
    made = [one for one in ordered if _spec(one[1]).kept_key is None]
    before = keys_before({host.name: _spec(host) for _, host in made if host.keeps_key}, store, issued)
    wanted = [
        ((change, host.name, _spec(host)), _spec(host).key)
        for change, host in made
        if host.name not in before
    ]
    kept = [
        ((change, host.name, _spec(host)), before[host.name]) for change, host in made if host.name in before
    ]
    batch: list[NewRequest] = []
    begun = time.monotonic()
    with making_keys(wanted) as keyed:
        for done, ((change, name, spec), key) in enumerate(chain(kept, keyed), start=1):
            request = OpenRequest(
                name,
                specification.of_request(spec),
                keys.public_key_digest(key),
                context.now,
                csr.make_request(spec, key),
            )
            batch.append(NewRequest(request, keys.to_pem(key), why(change)))
            if time.monotonic() - begun > BATCH_SECONDS or done == len(made):
                store.add_requests(batch)
                batch, begun = [], time.monotonic()
            context.progress("making requests", done, len(made))


def _take_requests(ordered: Sequence[tuple[Change, HostSpec]], context: BuildContext, store: Store) -> None:
    """Record the requests that hosts made themselves; their keys stay with them."""
    batch = []
    for change, host in ordered:
        kept = _spec(host).kept_key
        if kept is not None and kept.given is not None:
            given, order = kept.given, specification.of_request(_spec(host))
            request = OpenRequest(host.name, order, given.digest, context.now, given.request)
            batch.append(NewRequest(request, b"", why(change)))
    if batch:
        store.add_requests(batch)


def _spec(host: HostSpec) -> CertificateSpec:
    assert host.certificate is not None  # noqa: S101 -- the plan asks only where one is declared
    return host.certificate
