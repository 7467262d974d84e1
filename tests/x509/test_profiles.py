"""What is issued for every row of the contract's table, octet by octet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.vocabulary import Role
from tests.x509.expected import assert_is_ca, assert_is_client, assert_is_server
from tests.x509.matrix import COMBINATIONS, Combination

if TYPE_CHECKING:
    from tests.x509.conftest import Issuance, KeyRing


def test_the_table_has_every_combination() -> None:
    # Under each of 5 authority keys: 3 RSA keys in 2 modes for servers, 5 keys for clients.
    assert len(COMBINATIONS) == len(KeyType) * (3 * 2 + 5)
    assert len(set(COMBINATIONS)) == len(COMBINATIONS)


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.name)
def test_a_leaf_carries_exactly_its_profile(
    combination: Combination, issuance: Issuance, leaf_keys: KeyRing
) -> None:
    pem, ca = issuance.leaves[combination], issuance.authorities[combination.authority_key]
    key = leaf_keys[combination.leaf_key].public_key()
    if combination.role is Role.SERVER:
        assert_is_server(pem, ca, combination.spec, key, mutual_auth=combination.mutual_auth)
    else:
        assert_is_client(pem, ca, combination.spec, key)


@pytest.mark.parametrize("key_type", KeyType)
def test_an_authority_carries_exactly_its_profile(
    key_type: KeyType, issuance: Issuance, authority_keys: KeyRing
) -> None:
    assert_is_ca(issuance.authorities[key_type], authority_keys[key_type].public_key())
