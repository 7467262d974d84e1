"""Rules about the state of things: what was issued, and how secret files lie on the disk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.declaration import renewal
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import days, quote
from ipmpki.rules.registry import VENDOR, Finding, state_rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.declaration.renewal import Renewal
    from ipmpki.diagnostics.problem import Place
    from ipmpki.rules.context import Surroundings
    from ipmpki.store.records import Issued, IssuedCertificate

_OTHERS = 0o077

_CLOCKS_DIFFER = timedelta(days=1)
"""Computers that share a store may be in disagreement by this much, and nothing comes of it."""


@state_rule(Severity.WARNING, cites=f"{VENDOR}: the key should always be kept private")
def private_key_readable(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A file with a private key or a passphrase can be read by others.

    ## What it finds

    The file that key_file or passphrase names, if its permissions let others than its owner in. On
    Windows the permissions are not looked at.

    ## Who is hurt

    Every host of the fleet: whoever copies the authority's key can make certificates that all of them trust.

    ## Example

    It comes of the file's permissions, such as mode 0644 on "ca-key.pem".

    ## Instead

    Let the owner alone read it: chmod 600 ca-key.pem
    """
    for file in surroundings.key_files:
        if file.mode & _OTHERS:
            yield Finding(
                f"others than its owner have access to {quote(file.path)} (mode {file.mode & 0o7777:04o})",
                f"run: chmod 600 {file.path}",
                file.place,
            )


@state_rule(Severity.ERROR, cites="RFC 5280, section 6.1: a path ends at an authority that the host trusts")
def store_lost(_: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """The folder dist/ holds what no store accounts for.

    ## What it finds

    An authority in dist/ca, or keys in dist/hosts, of which the store knows nothing: pki.db is missing, or
    it is another one than the store that dist/ was made from.

    ## Who is hurt

    Every host: a build would make a new authority over the old one, and no host that has its files already
    would trust a certificate of the new one.

    ## Example

    It comes of a lost file: a new disk, a clone of the repository beside a published dist/, "rm pki.db".

    ## Instead

    Put your newest backup back with "ipmpki restore", or "ipmpki adopt" a folder with the authority's key. To
    begin anew, with new files for every host: "ipmpki build --replace-ca".
    """
    lost = surroundings.lost
    if lost is not None:
        yield Finding(f"{lost.state}, but in dist/ lies {lost.lies}", lost.ways_on, lost.place)


@state_rule(Severity.WARNING, cites="RFC 5280, section 5.2.3: the numbers of revocation lists only rise")
def store_outdated(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """The revocation list in dist/ is newer than the store.

    ## What it finds

    A list in dist/ca/crl.pem that the store's own authority signed, with a higher number than any list that
    the store knows: an older copy of the store was put back.

    ## Who is hurt

    Servers, if the older state were believed: whoever was revoked since then would be let in again.

    ## Example

    It comes of a backup that was made before the last revocation.

    ## Instead

    Put a newer backup back if there is one. Otherwise build: the list's number and its revocations are taken
    over from dist/.
    """
    if surroundings.newer_list is not None:
        theirs, ours = surroundings.newer_list
        known = f"revocation list {ours}" if ours else "no revocation list"
        yield Finding(
            f"the store is older than dist/: it knows {known}, and dist/ca/crl.pem is number {theirs}",
            "put a newer backup back, if there is one; a build takes over the list's number and revocations",
            fleet.place.at("store") if fleet.declared.store is not None else fleet.place,
        )


@state_rule(Severity.WARNING, cites="RFC 5280, section 4.1.2.5")
def certificate_expiring(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A certificate is about to end.

    ## What it finds

    A host's current certificate from renew_before its end on. The authority's as soon as certificates would
    end with it, so that it needs a successor: from the longest lifetime and renew_before its end on, but not
    before the last third of its life.

    ## Who is hurt

    On the day it ends, whoever connects to that host; with the authority's, everybody.

    ## Example

    It comes of time: a certificate made 370 days ago for 397 days, with renew_before = "30d".

    ## Instead

    Run "ipmpki build" and install the host's folder again. An authority that ipmpki made gets its successor
    by builds, step by step as "ipmpki plan" says; one of your own has to be brought, with a higher
    generation.
    """
    issued = surroundings.issued
    if issued is None:
        return
    now = surroundings.now
    authorities = renewal.of_authorities(issued.signers, fleet)
    if issued.signer is not None and fleet.signs_here:
        its = authorities[issued.signer.identity]
        if its.is_due(now):
            yield Finding(
                f"the authority's certificate {_ends(its, now)}",
                _AUTHORITY_REMEDY if fleet.existing is None else _EXISTING_REMEDY,
                _authority_place(fleet),
            )
    for host, spec, what, certificate in _certificates(fleet, issued):
        its = renewal.of_certificate(certificate, host, spec, authorities)
        if its.is_due(now):
            yield Finding(
                f"the {what} of {quote(host.name)} {_ends(its, now)}",
                _renewal_remedy(fleet, issued, certificate, its),
                host.place.at("name"),
            )


@state_rule(Severity.ERROR, cites="RFC 5280, sections 4.1.2.5 and 6.1.3")
def certificate_expired(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A certificate has ended.

    ## What it finds

    A host's current certificate, or the authority's, past its last day.

    ## Who is hurt

    Whoever connects to that host is refused; with the authority's certificate, everybody is.

    ## Example

    It comes of time: a certificate made 400 days ago for 397 days.

    ## Instead

    Run "ipmpki build" and install the host's folder again. An authority that ipmpki made gets its successor
    by builds, step by step as "ipmpki plan" says; one of your own has to be brought, with a higher
    generation.
    """
    issued = surroundings.issued
    if issued is None:
        return
    now = surroundings.now
    authorities = renewal.of_authorities(issued.signers, fleet)
    if issued.signer is not None and fleet.signs_here and authorities[issued.signer.identity].has_ended(now):
        yield Finding(
            f"the authority's certificate ended on {issued.signer.not_after:%Y-%m-%d}",
            _ENDED_REMEDY if fleet.existing is None else f"{_EXISTING_REMEDY} with --replace-ca",
            _authority_place(fleet),
        )
    for host, spec, what, certificate in _certificates(fleet, issued):
        if renewal.of_certificate(certificate, host, spec, authorities).has_ended(now):
            yield Finding(
                f"the {what} of {quote(host.name)} ended on {certificate.not_after:%Y-%m-%d}",
                "run 'ipmpki build' and install the host's folder again",
                host.place.at("name"),
            )


@state_rule(Severity.WARNING, cites="RFC 5280, section 3.3")
def revoked_and_not_replaced(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """A host's certificate was revoked, and it has no other yet.

    ## What it finds

    A certificate that "ipmpki revoke" took the trust from, and no build has replaced since.

    ## Who is hurt

    Whoever relies on that host: until the next build the revocation list does not name the certificate, so
    that a thief of its key is let in; and once it does, the host itself is turned away.

    ## Example

    It comes of "ipmpki revoke pki.toml desk7.example.com --reason key-compromise".

    ## Instead

    Run "ipmpki build", install the host's folder, and the servers' for the new revocation list.
    """
    if surroundings.issued is None:
        return
    for host, _, what, certificate in _certificates(fleet, surroundings.issued):
        if certificate.revoked_at is not None:
            yield Finding(
                f"the {what} of {quote(host.name)} is revoked, since {certificate.revoked_at:%Y-%m-%d}",
                "run 'ipmpki build', and install its folder and the servers'",
                host.place.at("name"),
            )


@state_rule(
    Severity.WARNING, cites="RFC 5280, sections 4.1.2.5 and 5.1.2.4 (times of certificates and lists)"
)
def clock_behind_store(fleet: Fleet, surroundings: Surroundings) -> Iterator[Finding]:
    """This computer's clock is behind the last entry of the store.

    ## What it finds

    A last entry in the store's ledger that is more than a day in the future, by the clock of this computer.

    ## Who is hurt

    Everybody, unseen: a certificate that has expired looks valid here, and is not renewed; a new one ends too
    early; and a new revocation list looks older than the one before.

    ## Example

    It comes of a clock that was set back, or ran ahead when something was built: see "ipmpki log".

    ## Instead

    Set the clock right before you build.
    """
    last = surroundings.issued.last_event_at if surroundings.issued is not None else None
    if last is not None and last - surroundings.now > _CLOCKS_DIFFER:
        yield Finding(
            f"this computer's clock says {surroundings.now:%Y-%m-%d}, but the store was changed on"
            f" {last:%Y-%m-%d}",
            "set the clock right before you build",
            fleet.place.at("store") if fleet.declared.store is not None else fleet.place.at("ca"),
        )


_AUTHORITY_REMEDY = "run 'ipmpki plan', which says the next step of its succession"
_EXISTING_REMEDY = "declare its successor's certificate and key, with a higher generation, and build"
_ENDED_REMEDY = "run 'ipmpki build --replace-ca' and install every host's folder again"


def _authority_place(fleet: Fleet) -> Place:
    return fleet.place.at(fleet.signing_table, "common_name" if fleet.existing is None else "certificate")


def _renewal_remedy(fleet: Fleet, issued: Issued, certificate: IssuedCertificate, its: Renewal) -> str:
    """What brings a host another certificate: what ends with its issuer is not renewed by that issuer."""
    if certificate.host in issued.requests:
        return "its request is open: run 'ipmpki import' with what the authority made of it"
    if not its.needs_successor:
        return "run 'ipmpki build' and install the host's folder again"
    return _AUTHORITY_REMEDY if fleet.existing is None else _EXISTING_REMEDY


def _certificates(
    fleet: Fleet, issued: Issued
) -> Iterator[tuple[HostSpec, CertificateSpec, str, IssuedCertificate]]:
    """Every current certificate that a declared host is to have, as declared, and what to call it."""
    for host in fleet.hosts:
        for holder, spec in host.certificates:
            certificate = issued.current.get(holder)
            if certificate is not None:
                what = "client certificate" if spec is host.tools_certificate else "certificate"
                yield host, spec, what, certificate


def _ends(its: Renewal, now: datetime) -> str:
    left = its.end - now
    when = "within a day" if left < timedelta(days=1) else f"in {days(left.days)}"
    return f"ends {when}, on {its.end:%Y-%m-%d}"
