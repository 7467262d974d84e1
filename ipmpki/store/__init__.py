"""The store: one SQLite file that holds the authority, every key, every certificate ever issued and a ledger.

Each method that writes is one transaction, so that a process killed at any instant leaves either all of
it or nothing. Nothing is overwritten: a certificate that is replaced stays, marked as retired.
"""

from __future__ import annotations

from ipmpki.store.adopted import AdoptedCertificate
from ipmpki.store.copying import Holdings, holdings, require_sound_store, snapshot
from ipmpki.store.ledger import (
    BoughtCertificate,
    Keeping,
    Material,
    NewCertificate,
    NewRequest,
    Revoked,
    Store,
)
from ipmpki.store.opening import (
    AuthorityKey,
    hold,
    open_store,
    read_authority_keys,
    read_chains,
    read_issued,
    read_replaced,
)
from ipmpki.store.replacing import candidate, put_in_place, record_restore, settle
from ipmpki.store.tables import APPLICATION_ID, VERSION

__all__ = [
    "APPLICATION_ID",
    "VERSION",
    "AdoptedCertificate",
    "AuthorityKey",
    "BoughtCertificate",
    "Holdings",
    "Keeping",
    "Material",
    "NewCertificate",
    "NewRequest",
    "Revoked",
    "Store",
    "candidate",
    "hold",
    "holdings",
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
]
