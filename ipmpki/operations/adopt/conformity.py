"""How far an old certificate is what pki.toml orders now: the text by which the plan will judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.key_types import SMALLEST_RSA, kind_of, made_here
from ipmpki.declaration.vocabulary import Profile
from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.engine import judge_presented
from ipmpki.x509.presented_certificates import Chain, Presented

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ipmpki.declaration.fleet import CertificateSpec, HostSpec
    from ipmpki.x509.presented_certificates import PresentedCertificate

_PROFILE_RULES = frozenset({"purpose-missing", "key-usage-wrong", "weak-signature"})
"""What a new certificate alone can mend, and that is not of its names or its key."""
_SOUND_HASHES = frozenset({"sha256", "sha384", "sha512"})


def with_wrong_profile(
    current: Iterable[tuple[HostSpec, PresentedCertificate]], now: datetime, *, mutual_auth: bool
) -> frozenset[str]:
    """The fingerprints of certificates that ``ipmpki verify`` would find unfit for their hosts' roles."""
    chains = tuple(Chain(one, (one,), host.role) for host, one in current)
    by_place = {chain.leaf.place: chain.leaf.fingerprint for chain in chains}
    found = judge_presented(Presented(now, chains=chains, mutual_auth=mutual_auth))
    return frozenset(
        by_place[one.place]
        for one in found
        if one.rule in _PROFILE_RULES and one.severity is Severity.ERROR and one.place in by_place
    )


def adopted_specification(
    spec: CertificateSpec, certificate: PresentedCertificate, *, has_wrong_profile: bool
) -> str:
    """What was ordered, as far as the certificate is that; what it really is, where it is not.

    The order of names does not count, nor does the rest of a subject beside its common name, nor for how long
    the certificate was made: a plan replaces it for none of these, but renews it before its end. A key
    that is longer than any that can be declared may stay, too.
    """
    wanted = specification.fields(specification.of_certificate(spec))
    found = dict(wanted)
    if has_wrong_profile:
        found["profile"] = _flaws(certificate, spec.profile)
    common_name = certificate.common_names[-1] if certificate.common_names else ""
    if common_name.lower() != spec.common_name:
        found["subject"] = _one_line(common_name)
    names = [name.lower() for name in certificate.dns_names]
    if set(names) != set(spec.dns_names):
        found["dns"] = " ".join(map(_one_line, names))
    if set(certificate.addresses) != set(spec.addresses):
        found["ip"] = " ".join(map(str, certificate.addresses))
    if spec.kept_key is None and not _may_stay(certificate.key_type, wanted["key"]):
        found["key"] = certificate.key_type
    return "\n".join(f"{field}={value}" for field, value in found.items())


def described(certificate: PresentedCertificate) -> str:
    """What a certificate of the past is, in the ledger's form."""
    common_name = certificate.common_names[-1] if certificate.common_names else ""
    days = round((certificate.not_after - certificate.not_before).total_seconds() / 86_400)
    return (
        f"profile={_profile(certificate)}\nsubject={_one_line(common_name)}\n"
        f"dns={' '.join(map(_one_line, certificate.dns_names))}\n"
        f"ip={' '.join(map(str, certificate.addresses))}\nkey={certificate.key_type}\nlifetime={days}d"
    )


def _may_stay(key_type: str, wanted: str) -> bool:
    if key_type == wanted:
        return True
    kind = kind_of(key_type)
    if made_here(key_type) is not None or kind.algorithm != kind_of(wanted).algorithm:
        return False
    return kind.is_elliptic or (kind.bits is not None and kind.bits > SMALLEST_RSA)


def _flaws(certificate: PresentedCertificate, profile: Profile) -> str:
    """What the certificate lacks of a profile, in the words of the field."""
    purposes = ["serverAuth"] if profile is not Profile.CLIENT else []
    purposes += ["clientAuth"] if profile is not Profile.SERVER else []
    usages = ("digitalSignature",) if profile is Profile.CLIENT else ("digitalSignature", "keyEncipherment")
    words = [f"no {one}" for one in usages if one not in (certificate.key_usage or ())]
    words += [f"no {one}" for one in purposes if one not in (certificate.extended_key_usage or ())]
    if certificate.signature_hash not in _SOUND_HASHES:
        words.append(f"signed with {certificate.signature_hash or 'an unknown hash'}")
    return ", ".join(words) or _profile(certificate)


def _profile(certificate: PresentedCertificate) -> str:
    usages = (certificate.key_usage, certificate.extended_key_usage)
    words = [" ".join(usage) if usage else "no usage" for usage in usages]
    return "; ".join(words)


def _one_line(name: str) -> str:
    return name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
