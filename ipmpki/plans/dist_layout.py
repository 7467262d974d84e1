"""Where each file of dist/ lies, relative to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import Fleet


CA_FOLDER = "ca"


REPORT_FOLDER = "."


HOSTS_FOLDER = "hosts"


PLAYBOOK_FOLDER = "ansible"


TRUSTED = "ca-cert.pem"
"""The file with the authorities that hosts trust: the vendor's name for it."""


TRUSTED_FOR_CLIENTS = "client-ca-cert.pem"
"""The file with the authority that signs for clients alone, where servers' certificates are bought."""


def authority_file(fleet: Fleet) -> str:
    """The published file of the authority that signs here."""
    return TRUSTED_FOR_CLIENTS if fleet.is_mixed else TRUSTED


def host_folder(name: str) -> str:
    """A host's folder below dist/."""
    return f"{HOSTS_FOLDER}/{name}"
