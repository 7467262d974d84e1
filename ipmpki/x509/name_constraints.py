"""Name constraints of an authority that exists already (RFC 5280, section 4.2.1.10).

A company's authority may be confined to the company's names. A leaf outside them can be signed, but every
verifier refuses it; so it is found out beforehand.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable


def names_outside(
    constraints: x509.NameConstraints, subject: x509.Name, names: Iterable[x509.GeneralName]
) -> list[str]:
    """The leaf's names that the constraints do not let through, as text; empty where all pass.

    ``names`` are the general names of its subjectAltName; the subject counts as a directory name.
    """
    candidates = (x509.DirectoryName(subject), *names)
    return [_text(name) for name in candidates if not _passes(constraints, name)]


def _passes(constraints: x509.NameConstraints, name: x509.GeneralName) -> bool:
    """Within a permitted subtree, if there are any of the name's kind, and within no excluded one."""
    permitted = [each for each in constraints.permitted_subtrees or () if isinstance(each, type(name))]
    if permitted and not any(_within(name, subtree) for subtree in permitted):
        return False
    return not any(_within(name, subtree) for subtree in constraints.excluded_subtrees or ())


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName):
        # A leading dot is for mail and URIs, but OpenSSL and others let it stand here: subdomains only.
        suffix = subtree.value.lower()
        is_below = name.value.lower().endswith(f".{suffix.removeprefix('.')}")
        return not suffix or is_below or name.value.lower() == suffix
    if isinstance(name, x509.IPAddress) and isinstance(subtree, x509.IPAddress):
        # A constraint's value is a network, a leaf's an address; an IPv4 address is in no IPv6 network.
        return isinstance(subtree.value, (IPv4Network, IPv6Network)) and name.value in subtree.value
    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        return name.value.rdns[: len(subtree.value.rdns)] == subtree.value.rdns
    return False


def _text(name: x509.GeneralName) -> str:
    return name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)
