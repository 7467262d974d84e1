"""Every rule there is: each subject's module registers its own as it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.rules import (
    addresses,
    aliases,
    authority,
    ca_subject,
    certificates,
    client_ca,
    csr,
    dns,
    host_names,
    hosts,
    ipm,
    issuance,
    keys,
    lifetimes,
    paths,
    public_ca,
    renewals,
    secrets,
    special_addresses,
    syntax,
    trust_bundle,
    wildcards,
)
from ipmpki.rules.registry import rules_so_far

if TYPE_CHECKING:
    from ipmpki.rules.registry import Rule

SUBJECTS = (
    addresses,
    aliases,
    authority,
    ca_subject,
    certificates,
    client_ca,
    csr,
    dns,
    host_names,
    hosts,
    ipm,
    issuance,
    keys,
    lifetimes,
    paths,
    public_ca,
    renewals,
    secrets,
    special_addresses,
    syntax,
    trust_bundle,
    wildcards,
)
"""The modules with rules, one a subject."""


def registered() -> dict[str, Rule]:
    """All rules by name, in alphabetical order."""
    return rules_so_far()
