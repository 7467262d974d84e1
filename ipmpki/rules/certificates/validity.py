"""Validity and strength: what wears out with time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipmpki.declaration import renewal
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import days, quote
from ipmpki.rules.registry import Finding, also_of_presented, presented_rule
from ipmpki.x509.presented_certificates import PathFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import PathFailure, Presented, PresentedCertificate

_APPLES_LIMIT = timedelta(days=825)
_RENEW = "have a new one issued, and install it"
_WEAK_HASHES = {"md2": "MD2", "md4": "MD4", "md5": "MD5", "sha1": "SHA-1"}


def judged(presented: Presented) -> Iterator[PresentedCertificate]:
    """Every certificate that counts: those of chains, of paths, and an authority shown alone.

    Of a chain for which a valid path was found, what the path does not need does not count.
    """
    seen: set[str] = set()
    unneeded = {one.fingerprint for one in superfluous(presented)}
    groups = (
        *(chain.certificates for chain in presented.chains),
        *(verdict.path for verdict in presented.verdicts),
        presented.authorities,
        presented.trusted,
    )
    for group in groups:
        for one in group:
            if one.fingerprint not in seen and one.fingerprint not in unneeded:
                seen.add(one.fingerprint)
                yield one


def superfluous(presented: Presented) -> Iterator[PresentedCertificate]:
    """Authorities beside a valid path that it does not need, as the same file has another of their name.

    Where the only issuer that a server sends has expired, clients that follow what is sent refuse it.
    """
    sound = [one for one in presented.verdicts if one.path and not any(map(_is_of_path, one.failures))]
    if not sound or len(sound) < len(presented.verdicts):
        return
    needed = {one.fingerprint for verdict in sound for one in verdict.path}
    needed |= {chain.leaf.fingerprint for chain in presented.chains}
    for held in (*(chain.certificates for chain in presented.chains), presented.trusted):
        names = {one.subject for one in held if one.fingerprint in needed}
        yield from (one for one in held if one.fingerprint not in needed and one.subject in names)


def _is_of_path(failure: PathFailure) -> bool:
    return failure.fault is PathFault.TIME


@presented_rule(Severity.WARNING, cites="RFC 8446, section 4.4.2; RFC 4158, section 2.4")
def superfluous_certificate_expired(presented: Presented) -> Iterator[Finding]:
    """A file holds an expired authority's certificate that no valid path needs.

    ## What it finds

    An expired root or cross-certificate beside a chain that is whole and valid without it, in the
    certificate's own file or among the trusted authorities.

    ## Who is hurt

    Clients that follow the first path they see, as older versions of OpenSSL do: they refuse the server.

    ## Example

    It comes of an authority that was renewed with its old key, and of roots such as AddTrust and DST X3,
    whose cross-certificates outlived their use.

    ## Instead

    Leave the certificate out of the file.
    """
    for one in superfluous(presented):
        if one.not_after < presented.now:
            yield Finding(
                f"{_called(one)}, which nobody needs here, ended on {one.not_after:%Y-%m-%d}",
                "leave it out of the file",
                one.place,
            )


def _called(one: PresentedCertificate) -> str:
    return f"the authority {quote(one.title)}" if one.is_authority else quote(one.title)


@presented_rule(Severity.ERROR, cites="RFC 5280, sections 4.1.2.5 and 6.1.3")
def certificate_not_yet_valid(presented: Presented) -> Iterator[Finding]:
    """A certificate's first day has not come.

    ## What it finds

    A certificate, or an authority's above it, that begins later than now, or than the day of "--at".

    ## Who is hurt

    Whoever connects is refused until then. More often the clock of a computer is wrong.

    ## Example

    It comes of time: a certificate made on a computer whose clock is a day fast.

    ## Instead

    Set the clocks right; else wait, or have it issued again.
    """
    for one in judged(presented):
        if one.not_before > presented.now:
            yield Finding(
                f"{_called(one)} is valid only from {one.not_before:%Y-%m-%d %H:%M} UTC on",
                "check this computer's clock and that of the issuer; else wait until then",
                one.place,
            )


@also_of_presented("certificate-expired")
def _expired(presented: Presented) -> Iterator[Finding]:
    told = False
    sound = [one for one in presented.verdicts if one.path and not any(map(_is_of_path, one.failures))]
    needed = {one.fingerprint for verdict in sound for one in verdict.path}
    held = {one.fingerprint for chain in presented.chains for one in chain.certificates}
    unneeded = held - needed if len(sound) == len(presented.verdicts) > 0 else set()
    for one in judged(presented):
        if one.not_after < presented.now:
            told = True
            remedy = (
                _RENEW
                if one.fingerprint not in unneeded
                else "no valid path needs it: leave it out of the file"
            )
            yield Finding(f"{_called(one)} ended on {one.not_after:%Y-%m-%d}", remedy, one.place)
    told = told or any(one.not_before > presented.now for one in judged(presented))
    for verdict in presented.verdicts:
        for failure in verdict.failures:
            if failure.fault is PathFault.TIME and not told:
                yield Finding(f"{quote(failure.subject)}: {failure.words}", _RENEW, verdict.chain.leaf.place)


@also_of_presented("certificate-expiring")
def _expiring(presented: Presented) -> Iterator[Finding]:
    for one in judged(presented):
        its = renewal.of_presented(one.not_before, one.not_after, is_authority=one.is_authority)
        left = one.not_after - presented.now
        if its.due <= presented.now <= its.end:
            when = "within a day" if left < timedelta(days=1) else f"in {days(left.days)}"
            yield Finding(f"{_called(one)} ends {when}, on {one.not_after:%Y-%m-%d}", _RENEW, one.place)


@also_of_presented("lifetime-over-825-days")
def _long_lived(presented: Presented) -> Iterator[Finding]:
    for chain in presented.chains:
        lifetime = chain.leaf.not_after - chain.leaf.not_before
        if chain.role is Role.SERVER and lifetime > _APPLES_LIMIT + timedelta(seconds=1):
            yield Finding(
                f"{quote(chain.leaf.title)} is valid for {days(lifetime.days)}; macOS accepts 825 at most",
                "if a client is a Mac, have it issued again for 825 days or fewer",
                chain.leaf.place,
            )


@presented_rule(Severity.ERROR, cites="RFC 9155; RFC 6194; RFC 6151")
def weak_signature(presented: Presented) -> Iterator[Finding]:
    """A certificate is signed with a hash that can be forged.

    ## What it finds

    MD5, SHA-1 or an older hash in the signature of a certificate or of an authority between it and the root.
    A root's own signature proves nothing and is not looked at.

    ## Who is hurt

    Everybody: certificates with the same signature can be forged. Current TLS libraries refuse them.

    ## Example

    It comes of an old authority's settings: "default_md = sha1".

    ## Instead

    Have it issued again with SHA-256.
    """
    for one in judged(presented):
        weak = _WEAK_HASHES.get(one.signature_hash or "")
        if weak and not (one.is_authority and one.is_self_issued):
            yield Finding(
                f"{_called(one)} is signed with {weak}, which can be forged",
                "have it issued again with SHA-256",
                one.place,
            )
