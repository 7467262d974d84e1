"""The trust bundle of a declaration: read from the files it names, and held against what was issued."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Problem, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.source import files
from ipmpki.store.sqlite.queries import read_chains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ipmpki.declaration.fleet import BundleSource, Fleet
    from ipmpki.plans.make import Wanted
    from ipmpki.store.records import Issued
    from ipmpki.x509.trust_bundle import TrustBundle


def read_bundle(root: Path, source: BundleSource, at: datetime) -> TrustBundle:
    """The authorities of the declared file, as of ``at``. Raises Fault where it holds none.

    ``root`` is the folder of pki.toml.
    """
    from ipmpki.x509.trust_bundle import from_certdata, from_pem

    content = files.read_file(root / source.path, what="the trust bundle")
    return from_certdata(content, source.path, at) if source.is_certdata else from_pem(content, source.path)


def bundle_problems(root: Path, fleet: Fleet, now: datetime) -> Iterator[Problem]:
    """What is wrong with the declared file; one that is not there is told elsewhere."""
    source = fleet.bundle
    if not fleet.is_third_party or source is None or not (root / source.path).is_file():
        return
    place = fleet.place.at("ca", source.key)
    try:
        why = read_bundle(root, source, now).why_nobody(now)
    except Fault as fault:
        yield Problem("bundle-holds-no-certificate", Severity.ERROR, fault.message, fault.remedy, place)
        return
    if why is not None:
        message = f"of the authorities in {quote(source.path)} {why}"
        remedy = "put the authorities of today into it"
        yield Problem("bundle-holds-no-certificate", Severity.ERROR, message, remedy, place)


def with_bundle(wanted: Wanted, root: Path, fleet: Fleet, issued: Issued, now: datetime) -> Wanted:
    """What a plan is made for, with the trust bundle where certificates are bought and one is declared."""
    if not fleet.is_third_party or fleet.bundle is None:
        return wanted
    from ipmpki.x509.trust_bundle import from_pem

    bundle = read_bundle(root, fleet.bundle, now)
    wanted = replace(wanted, bundle=specification.of_bundle(bundle.sha256))
    old = issued.bundle
    if old is None or old.specification == wanted.bundle:
        return wanted
    before = from_pem(old.certificates_pem, "the bundle before").names
    return replace(
        wanted,
        coming=tuple((name, digest) for digest, name in bundle.names.items() if digest not in before),
        going=tuple((name, digest) for digest, name in before.items() if digest not in bundle.names),
    )


def untrusted_hosts(
    root: Path, fleet: Fleet, store: Path, issued: Issued, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Hosts whose bought certificate leads to no trusted authority, each with its issuer's name."""
    bought = {name for name, one in issued.current.items() if specification.is_bought(one.specification)}
    if not fleet.is_third_party or fleet.bundle is None or not bought:
        return ()
    from ipmpki.x509.trust_bundle import hosts_without_trust

    try:
        bundle = read_bundle(root, fleet.bundle, now)
    except Fault:
        return ()
    chains = {host: pem for host, pem in read_chains(store).items() if host in bought}
    return tuple(hosts_without_trust(chains, bundle, now))
