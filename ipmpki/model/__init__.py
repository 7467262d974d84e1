"""The declaration as written: what pki.toml may say, and of which type.

Everything the field of X.509 or DNS has an opinion on (names, addresses, lifetimes against each other)
is left to the rules, so that a value that is merely wrong still reaches them and hides nothing else.

Nothing else imports pydantic: what it finds leaves this package as plain ``Fault`` values.
"""

from __future__ import annotations

from ipmpki.model.refusing import (
    Fault,
    FaultKind,
    Shape,
    T,
    allowed_values,
    example_of,
    has_room_for,
    json_schema,
    known_keys,
    read,
    shape_of,
    tables_with,
)
from ipmpki.model.tables import (
    CertificateAuthority,
    ClientAuthority,
    Declaration,
    Defaults,
    Host,
    Ipm,
    IpmSettings,
    Keywords,
    Passphrase,
    Rollout,
    RuleSettings,
    SigningAuthority,
    Site,
    Table,
    Tls,
)

__all__ = [
    "CertificateAuthority",
    "ClientAuthority",
    "Declaration",
    "Defaults",
    "Fault",
    "FaultKind",
    "Host",
    "Ipm",
    "IpmSettings",
    "Keywords",
    "Passphrase",
    "Rollout",
    "RuleSettings",
    "Shape",
    "SigningAuthority",
    "Site",
    "T",
    "Table",
    "Tls",
    "allowed_values",
    "example_of",
    "has_room_for",
    "json_schema",
    "known_keys",
    "read",
    "shape_of",
    "tables_with",
]
