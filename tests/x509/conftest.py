"""Keys and certificates shared by the tests: each made once a run, as RSA-4096 takes its time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from ipmpki.declaration.key_types import KeyType
from ipmpki.x509 import keys
from ipmpki.x509.issuer import Issuer, issue, load_issuer, new_serial, self_signed
from tests.x509.matrix import COMBINATIONS, Combination, authority_spec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KeyRing = dict[KeyType, keys.PrivateKey]


@dataclass(frozen=True)
class Issuance:
    """All combinations issued at one moment, which is now, as verifiers look at the wall clock."""

    now: datetime
    authorities: Mapping[KeyType, bytes]
    issuers: Mapping[KeyType, Issuer]
    leaves: Mapping[Combination, bytes]


@pytest.fixture(scope="session")
def authority_keys(shared: Path) -> KeyRing:
    """A key of every type for authorities."""
    return _key_ring(shared, "authority")


@pytest.fixture(scope="session")
def leaf_keys(shared: Path) -> KeyRing:
    """A key of every type for hosts."""
    return _key_ring(shared, "leaf")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all of this run's xdist workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def issuance(authority_keys: KeyRing, leaf_keys: KeyRing) -> Issuance:
    """An authority of every key type, and below each every leaf of the contract's table."""
    now = datetime.now(UTC)
    authorities = {
        key_type: self_signed(authority_spec(key_type), key, now=now, serial=new_serial(os.urandom))
        for key_type, key in authority_keys.items()
    }
    issuers = {key_type: load_issuer(pem, authority_keys[key_type]) for key_type, pem in authorities.items()}
    leaves = {
        combination: issue(
            issuers[combination.authority_key],
            combination.spec,
            leaf_keys[combination.leaf_key].public_key(),
            now=now,
            serial=new_serial(os.urandom),
        )
        for combination in COMBINATIONS
    }
    return Issuance(now, authorities, issuers, leaves)


def _key_ring(shared: Path, purpose: str) -> KeyRing:
    """Keys from files of this run, made by whichever worker comes first."""
    folder = shared / f"{purpose}-keys"
    with FileLock(shared / f"{purpose}-keys.lock"):
        if not folder.exists():
            with ThreadPoolExecutor() as threads:
                made = dict(zip(KeyType, threads.map(keys.generate, KeyType), strict=True))
            folder.mkdir(mode=0o700)
            for key_type, key in made.items():
                (folder / key_type.value).write_bytes(keys.to_pem(key))
    return {key_type: keys.load((folder / key_type.value).read_bytes()) for key_type in KeyType}
