"""The store: one SQLite file that holds the authority, every key, every certificate ever issued and a ledger.

Each method that writes is one transaction, so that a process killed at any instant leaves either all of
it or nothing. Nothing is overwritten: a certificate that is replaced stays, marked as retired.
"""

from __future__ import annotations

from ipmpki.store.adopted import AdoptedCertificate
from ipmpki.store.copying import Holdings, holdings, require_sound_store, snapshot
from ipmpki.store.entries import (
    BoughtCertificate,
    Keeping,
    Material,
    NewCertificate,
    NewRequest,
    Revoked,
)
from ipmpki.store.inspecting import Inspection, KeptAuthority, KeptCertificate, inspect
from ipmpki.store.ledger import Store
from ipmpki.store.opening import (
    AuthorityKey,
    hold,
    open_store,
    read_authority_keys,
    read_chains,
    read_issued,
    read_replaced,
)
from ipmpki.store.pages import Value
from ipmpki.store.replacing import candidate, leftovers, put_in_place, record_restore, settle
from ipmpki.store.salvaging import Found, find_rows, write_store
from ipmpki.store.tables import APPLICATION_ID, VERSION

__all__ = [
    "APPLICATION_ID",
    "VERSION",
    "AdoptedCertificate",
    "AuthorityKey",
    "BoughtCertificate",
    "Found",
    "Holdings",
    "Inspection",
    "Keeping",
    "KeptAuthority",
    "KeptCertificate",
    "Material",
    "NewCertificate",
    "NewRequest",
    "Revoked",
    "Store",
    "Value",
    "candidate",
    "find_rows",
    "hold",
    "holdings",
    "inspect",
    "leftovers",
    "open_store",
    "put_in_place",
    "read_authority_keys",
    "read_chains",
    "read_issued",
    "read_replaced",
    "record_restore",
    "require_sound_store",
    "settle",
    "snapshot",
    "write_store",
]
