"""The authority that exists already, judged as ``ipmpki verify`` judges, before it issues anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Problem, Severity
from ipmpki.operations.existing_authority import read_authority
from ipmpki.source.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.declaration.vocabulary import Profile
    from ipmpki.diagnostics.problem import Place
    from ipmpki.store.records import Issued
    from ipmpki.x509.contents import Contents
    from ipmpki.x509.presented_certificates import PresentedCertificate

_RULES = frozenset(
    {
        *("certificate-expired", "certificate-not-yet-valid"),
        *("key-too-weak", "key-unsound", "weak-signature"),
        *("chain-incomplete", "chain-invalid", "signature-invalid"),
    }
)
"""What is wrong with an authority, whatever it issues; a missing root is told by a rule of its own."""


def authority_problems(root: Path, fleet: Fleet, issued: Issued, now: datetime) -> Iterator[Problem]:
    """What is wrong with the declared authority, unless the store has it: then it was judged before.

    ``root`` is the folder of pki.toml. What cannot be read is told elsewhere.
    """
    if not fleet.signs_here or fleet.existing is None:
        return
    try:
        content = read_authority(root, fleet.existing.certificate)
    except Fault:
        return
    if any(one.certificates_pem == content for one in issued.signers):
        return
    place = fleet.place.at(fleet.signing_table, "certificate")
    profiles = sorted(
        {spec.profile for host in fleet.hosts for _, spec in host.certificates if not spec.is_bought}
    )
    yield from judge_authority(content, _key_digest(root, fleet), profiles, place, now)


def judge_authority(
    content: bytes, key_digest: str | None, profiles: Sequence[Profile], place: Place, now: datetime
) -> tuple[Problem, ...]:
    """What is wrong with an authority (PEM, with those above it) that is to issue for these profiles.

    Where its key is not known, an authority that issued none of the others is it; of several, the best one.
    """
    from ipmpki.x509.contents import read_contents

    contents = read_contents(place.file, content)
    found = [
        _judged(one, contents, profiles, place, now) for one in _candidates(contents.certificates, key_digest)
    ]
    return min(found, key=len, default=())


def _candidates(
    certificates: Sequence[PresentedCertificate], key_digest: str | None
) -> list[PresentedCertificate]:
    own = [one for one in certificates if one.public_key_digest == key_digest]
    above = {one.issuer for one in certificates if not one.is_self_issued}
    return own or [one for one in certificates if one.subject not in above]


def _judged(
    own: PresentedCertificate,
    contents: Contents,
    profiles: Sequence[Profile],
    place: Place,
    now: datetime,
) -> tuple[Problem, ...]:
    from ipmpki.rules.engine import judge_presented
    from ipmpki.x509.issuing_path import objections_to_path
    from ipmpki.x509.path_validation import Evidence, judge_path
    from ipmpki.x509.presented_certificates import Chain, Presented

    evidence = Evidence(contents.der, contents.certificates, (), ())
    verdict = judge_path(Chain(own, tuple(contents.certificates), None), evidence, now)
    told = judge_presented(Presented(now, authorities=(own,), verdicts=(verdict,)))
    problems = [
        Problem(_OTHERWISE.get(one.rule, one.rule), one.severity, one.message, _remedy(one), place)
        for one in told
        if one.rule in _RULES and one.severity is Severity.ERROR
    ]
    path = verdict.path or (own,)
    problems += (
        Problem("authority-cannot-issue", Severity.ERROR, words, _ANOTHER, place)
        for words in objections_to_path([contents.der[one.fingerprint] for one in path], profiles)
    )
    return tuple(dict.fromkeys(problems))


_OTHERWISE = {"certificate-expired": "authority-cannot-issue"}
"""A build renews what has expired, and goes on; this it cannot renew."""
_ANOTHER = "bring an authority that may issue these certificates"
_REMEDIES = {
    "key-too-weak": "bring an authority with a new key: RSA of 2048 bits or more, P-256 or P-384",
    "key-unsound": "bring an authority with a new key: RSA of 2048 bits or more, P-256 or P-384",
    "chain-incomplete": "append that authority's certificate, and what stands above it, to this file",
    "certificate-not-yet-valid": "set the clock right, or wait until then",
    "signature-invalid": "put the certificate of the authority that did issue it into this file",
}


def _remedy(problem: Problem) -> str:
    return _REMEDIES.get(problem.rule, "bring another authority, or this one's renewed certificate")


def _key_digest(root: Path, fleet: Fleet) -> str | None:
    """Which key the authority has, as far as its file lies open; no passphrase is asked for here."""
    if fleet.token_key is not None or fleet.existing is None:
        return None
    from ipmpki.x509 import keys

    try:
        content = read_file(root / fleet.existing.key_file, what="the CA key")
        return keys.public_key_digest(keys.load(content, is_checked=False))
    except Fault:
        return None
