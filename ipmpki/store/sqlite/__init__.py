"""The store: one SQLite file that holds the authority, every key, every certificate ever issued and a ledger.

Each method that writes is one transaction, so that a process killed at any instant leaves either all of
it or nothing. Nothing is overwritten: a certificate that is replaced stays, marked as retired.
"""

from __future__ import annotations

from ipmpki.store.sqlite.entries import (
    AdoptedCertificate,
    BoughtCertificate,
    Forgotten,
    Keeping,
    Material,
    NewCertificate,
    NewRequest,
    Revoked,
)
from ipmpki.store.sqlite.inspect import Inspection, KeptAuthority, KeptCertificate, inspect
from ipmpki.store.sqlite.open import (
    AuthorityKey,
    EmptyStore,
    hold,
    open_store,
    read_authority_keys,
    read_by_fingerprint,
    read_chains,
    read_issued,
    read_replaced,
    read_serials,
    rehearse,
)
from ipmpki.store.sqlite.pages import Value
from ipmpki.store.sqlite.replace import candidate, leftovers, put_in_place, revise, settle
from ipmpki.store.sqlite.salvage import SalvagedRows, find_rows, write_store
from ipmpki.store.sqlite.schema import APPLICATION_ID, VERSION
from ipmpki.store.sqlite.snapshot import Holdings, holdings, require_sound_store, snapshot
from ipmpki.store.sqlite.writer import Store

__all__ = [
    "APPLICATION_ID",
    "VERSION",
    "AdoptedCertificate",
    "AuthorityKey",
    "BoughtCertificate",
    "EmptyStore",
    "Forgotten",
    "Holdings",
    "Inspection",
    "Keeping",
    "KeptAuthority",
    "KeptCertificate",
    "Material",
    "NewCertificate",
    "NewRequest",
    "Revoked",
    "SalvagedRows",
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
    "read_by_fingerprint",
    "read_chains",
    "read_issued",
    "read_replaced",
    "read_serials",
    "rehearse",
    "require_sound_store",
    "revise",
    "settle",
    "snapshot",
    "write_store",
]
