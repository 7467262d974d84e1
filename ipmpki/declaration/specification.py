"""Canonical texts of what was ordered, kept in the ledger and compared by the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import AuthoritySpec, CertificateSpec
    from ipmpki.declaration.name_scope import Domains, Networks

BUNDLE = "bundle="
"""How the canonical text of a trust bundle begins, and of no authority that signs."""

PERMITTED_DOMAINS = "permitted-domains"
PERMITTED_ADDRESSES = "permitted-addresses"

NAMES = ("subject", "dns", "ip")
"""Fields whose change means that the certificate's names changed."""


def of_certificate(spec: CertificateSpec) -> str:
    """One line a field, the order of names kept, so that equal orders are equal texts."""
    return (
        f"profile={spec.profile.value}\nsubject={spec.common_name}\ndns={' '.join(spec.dns_names)}\n"
        f"ip={' '.join(map(str, spec.addresses))}\nkey={spec.key_words}\nlifetime={spec.lifetime.days}d"
    )


def of_authority(spec: AuthoritySpec) -> str:
    """The order of an authority that ipmpki makes itself."""
    name = spec.subject
    attributes = (
        ("subject", name.common_name),
        ("organization", name.organization),
        ("organizational-unit", name.organizational_unit),
        ("country", name.country),
        ("state", name.state),
        ("locality", name.locality),
        ("key", "in a token" if spec.in_token else spec.key.value),
        ("lifetime", f"{spec.lifetime.days}d"),
        ("generation", _generation(spec.generation)),
        (PERMITTED_DOMAINS, _permitted(spec.permitted_domains)),
        (PERMITTED_ADDRESSES, _permitted(spec.permitted_networks)),
    )
    return "\n".join(f"{field}={_one_line(value)}" for field, value in attributes if value is not None)


def of_order(spec: CertificateSpec) -> str:
    """What is ordered, from whoever issues it."""
    return of_request(spec) if spec.is_bought else of_certificate(spec)


def of_request(spec: CertificateSpec) -> str:
    """What is ordered from an authority that sells certificates: it alone decides how long they hold."""
    return of_certificate(spec).rpartition("\n")[0]


def is_bought(specification: str) -> bool:
    """Whether a canonical text is one of ``of_request``, so that the certificate was not issued here."""
    return "lifetime" not in fields(specification)


def of_bundle(sha256: str) -> str:
    """The order of a trust bundle: these very bytes."""
    return f"{BUNDLE}{sha256}"


def of_existing_authority(fingerprint: str, generation: int = 1) -> str:
    """The order of an authority that exists already: that very certificate."""
    return f"existing={fingerprint}" + (f"\ngeneration={generation}" if generation > 1 else "")


def _generation(number: int) -> str | None:
    """The first goes without saying, as it did before there could be another."""
    return str(number) if number > 1 else None


def fields(specification: str) -> dict[str, str]:
    """A canonical text taken apart again, field by field."""
    return dict(line.split("=", 1) for line in specification.split("\n"))


def _permitted(named: Domains | Networks) -> str | None:
    """An authority that was made without constraints has no such line, as none had before there were any."""
    if named is None or isinstance(named, str):
        return named
    return " ".join(map(str, named)) or "none"


def _one_line(value: str) -> str:
    return value.encode("unicode_escape").decode("ascii") if not value.isprintable() else value
