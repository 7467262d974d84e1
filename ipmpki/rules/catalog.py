"""Every rule there is: each subject's module registers its own as it is imported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ipmpki.rules.registry import rules_so_far

if TYPE_CHECKING:
    from ipmpki.rules.registry import Rule

SUBJECTS = (
    "addresses",
    "aliases",
    "authority",
    "ca_subject",
    "client_ca",
    "csr",
    "dns",
    "host_names",
    "hosts",
    "ipm",
    "issuance",
    "keys",
    "lifetimes",
    "mutual_auth",
    "paths",
    "public_ca",
    "renewals",
    "secrets",
    "special_addresses",
    "syntax",
    "trust_bundle",
    "wildcards",
)
"""The modules with rules about declarations and the state of things, one a subject."""

OF_CERTIFICATES = (
    "chains",
    "contents",
    "names",
    "order",
    "private_keys",
    "revocation",
    "usage",
    "validity",
)
"""The modules below ``certificates``, whose rules judge what is shown to ``ipmpki verify``."""


def declared() -> dict[str, Rule]:
    """The rules about declarations and the state of things by name, in alphabetical order.

    ``check`` needs no others, and importing those about certificates would double its rules.
    """
    for subject in SUBJECTS:
        import_module(f"ipmpki.rules.{subject}")
    return {name: rule for name, rule in rules_so_far().items() if not rule.is_about_presented_only}


def registered() -> dict[str, Rule]:
    """All rules by name, in alphabetical order."""
    declared()
    for subject in OF_CERTIFICATES:
        import_module(f"ipmpki.rules.certificates.{subject}")
    return rules_so_far()
