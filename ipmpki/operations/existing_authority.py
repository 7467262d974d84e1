"""The authority that exists already, as its files lie beside pki.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.source.files import read_file, unreadable
from ipmpki.x509.der import DerShape
from ipmpki.x509.pem import plain_certificates, read_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Problem
    from ipmpki.store.records import Issued


def read_authority(root: Path, written: str) -> bytes:
    """The certificates of the declared file as plain PEM, each once, and nothing else that it may hold.

    ``root`` is the folder of pki.toml. Raises UnreadableFile where there is none, or one is damaged.
    """
    content = read_file(root / written, what="the CA certificate")
    if all(one.octets is not None and one.shape is DerShape.CERTIFICATE for one in read_blocks(content)):
        found = plain_certificates(content)  # without the library, as a plan that changes nothing needs none
        if found:
            return found
    from ipmpki.x509.certificate import rewritten

    return rewritten(content)


def unusable_files(root: Path, fleet: Fleet, issued: Issued) -> Iterator[Problem]:
    """Why a build could not use the files of the authority that exists, where they are there.

    Once it is in the store, its key's file may go. That key and certificate belong together, a build tries.
    """
    if fleet.existing is None or not (root / fleet.existing.certificate).is_file():
        return
    table = fleet.place.at(fleet.signing_table)
    try:
        read_authority(root, fleet.existing.certificate)
    except UnreadableFile as fault:
        yield unreadable(fault.message, table.at("certificate"), fault.remedy or "check the path")
        return
    key_file = fleet.existing.key_file
    if issued.signer is not None or fleet.token_key is not None or not (root / key_file).is_file():
        return
    try:
        blocks = read_blocks(read_file(root / key_file, what="the CA key"))
    except UnreadableFile as fault:
        yield unreadable(fault.message, table.at("key_file"), fault.remedy or "check the path")
        return
    if not any(one.is_key for one in blocks):
        yield unreadable(
            f"there is no private key in '{key_file}'",
            table.at("key_file"),
            "name the file of the authority's private key, in PEM or DER",
        )
