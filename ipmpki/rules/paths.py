"""Rules about the files that pki.toml names, by what is written; nothing on the disk is looked at."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from ipmpki.declaration.pkcs11_uri import is_token_uri
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.registry import Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration import tables
    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Place

_OF_A_SHELL = re.compile(r"~[^/\\]*(?:[/\\]|$)|.*\$\{?[A-Za-z_]|.*%[A-Za-z_][A-Za-z0-9_]*%", re.DOTALL)

_PUBLISHED = "dist"


def _secrets(fleet: Fleet) -> Iterator[tuple[str, Place]]:
    """The paths of files that hold the authority's secrets, as written."""
    if fleet.declared.store is not None and fleet.was_read("store"):
        yield fleet.declared.store, fleet.place.at("store")
    authorities: tuple[tuple[str, tables.SigningAuthority | None], ...] = (
        ("ca", fleet.declared.ca),
        ("client_ca", fleet.declared.client_ca),
    )
    for table, authority in authorities:
        if authority is None:
            continue
        key_file, passphrase = authority.key_file, authority.passphrase
        if key_file is not None and not is_token_uri(key_file) and fleet.was_read(table, "key_file"):
            yield key_file, fleet.place.at(table, "key_file")
        file = passphrase.file if passphrase is not None else None
        if file is not None and fleet.was_read(table, "passphrase", "file"):
            yield file, fleet.place.at(table, "passphrase", "file")


def _paths(fleet: Fleet) -> Iterator[tuple[str, Place]]:
    """Every path of the declaration, as written."""
    yield from _secrets(fleet)
    for index, pattern in enumerate(fleet.declared.include):
        if fleet.was_read("include", index):
            yield pattern, fleet.place.at("include", index)
    for key in ("certificate", "bundle", "certdata"):
        written: str | None = getattr(fleet.declared.ca, key)
        if written is not None and fleet.was_read("ca", key):
            yield written, fleet.place.at("ca", key)
    client_ca = fleet.declared.client_ca
    written = client_ca.certificate if client_ca is not None else None
    if written is not None and fleet.was_read("client_ca", "certificate"):
        yield written, fleet.place.at("client_ca", "certificate")
    for host in fleet.hosts:
        if host.declared.csr is not None and host.was_read("csr"):
            yield host.declared.csr, host.place.at("csr")


@fleet_rule(Severity.WARNING, cites="POSIX.1-2017, Shell Command Language, sections 2.6.1 and 2.6.2")
def path_not_expanded(fleet: Fleet) -> Iterator[Finding]:
    """A path holds what only a shell replaces.

    ## What it finds

    A "~" at the beginning of a path, "$HOME" or another "$NAME" in it, or "%NAME%". In pki.toml they mean
    themselves.

    ## Who is hurt

    You: the file is not found, or the store comes to lie in a folder that is really called "~".

    ## Example

    ```toml
    store = "~/pki/pki.db"
    ```

    ## Instead

    ```toml
    store = "/home/print/pki/pki.db"
    ```
    """
    for path, place in _paths(fleet):
        if _OF_A_SHELL.match(path):
            yield Finding(
                f"{quote(path)} is taken as it stands: '~' and variables mean something to a shell only",
                "write the whole path, or one relative to pki.toml",
                place,
            )


@fleet_rule(Severity.WARNING, cites="RFC 5280, section 8 (protection of the authority's private key)")
def secret_inside_dist(fleet: Fleet) -> Iterator[Finding]:
    """A secret of the authority is declared to lie in dist/.

    ## What it finds

    The store, the authority's key_file or the file of its passphrase, below the folder dist beside pki.toml.

    ## Who is hurt

    Every host of the fleet: dist/ is made to be carried around, and whoever copies all of it has the key
    with which to make certificates that all hosts trust.

    ## Example

    ```toml
    store = "dist/pki.db"
    ```

    ## Instead

    ```toml
    store = "private/pki.db"
    ```
    """
    for path, place in _secrets(fleet):
        if posixpath.normpath(path.replace("\\", "/")).split("/")[0] == _PUBLISHED:
            yield Finding(
                f"{quote(path)} lies in dist/, which is made to be handed out",
                "keep it beside pki.toml, or in a folder of its own",
                place,
            )
