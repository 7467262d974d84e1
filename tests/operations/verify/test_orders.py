"""The order of certificates and roots in files changes no verdict."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ipmpki
from tests.operations.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

ASKED = ("--role", "server", "--name", "ipm1.example.com", "--at", "2026-11-25", "--format", "json")


def verdict(folder: Path, sent: list[mint.Made], trusted: list[mint.Made]) -> tuple[int, bool]:
    """The exit status, and whether anything is said of what was sent beside what is needed."""
    (folder / "chain.pem").write_bytes(b"".join(one.pem for one in sent))
    (folder / "ca.pem").write_bytes(b"".join(one.pem for one in trusted))
    shown = ipmpki("verify", folder / "chain.pem", "--ca", folder / "ca.pem", *ASKED)
    return shown.status, "superfluous-certificate-expired" in shown.out


def test_an_expired_cross_certificate_beside_a_valid_path_does_no_harm(tmp_path: Path) -> None:
    issuing = mint.authority("Issuing CA", 2, mint.authority())
    crossed = mint.authority("Issuing CA", 2, mint.authority("Old Root", 3), end=mint.TODAY - mint.DAY)
    for above in itertools.permutations([issuing, crossed]):
        assert verdict(tmp_path, [mint.server(issuing), *above], [mint.authority()]) == (0, True)


def test_a_root_that_was_renewed_with_its_key_is_found_beside_the_expired_one(tmp_path: Path) -> None:
    renewed, expired = mint.authority(), mint.authority(end=mint.TODAY - mint.DAY)
    for trusted in itertools.permutations([renewed, expired]):
        assert verdict(tmp_path, [mint.server()], list(trusted))[0] == 0


def test_a_choice_of_two_paths_of_which_one_leads_nowhere_is_refused_in_either_order(tmp_path: Path) -> None:
    issuing = mint.authority("Issuing CA", 2, mint.authority())
    astray = mint.authority("Issuing CA", 2, mint.authority("Old Root", 3))
    for above in itertools.permutations([issuing, astray]):
        assert verdict(tmp_path, [mint.server(issuing), *above], [mint.authority()]) == (1, False)


@pytest.mark.parametrize(
    ("purpose", "status"), [(mint.SERVER, 0), (mint.CLIENT, 1)], ids=["server", "client"]
)
def test_the_roots_own_extended_key_usage_counts(
    tmp_path: Path, purpose: x509.ObjectIdentifier, status: int
) -> None:
    root = mint.authority("Confined Root", 4, purposes=(purpose,))
    assert verdict(tmp_path, [mint.server(root)], [root])[0] == status
