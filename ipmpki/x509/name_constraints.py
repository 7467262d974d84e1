"""Name constraints of an authority (RFC 5280, section 4.2.1.10): made, and held against a leaf's names.

An authority may be confined to the company's names. A leaf outside them can be signed, but every verifier
refuses it; so it is found out beforehand.
"""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from cryptography import x509

from ipmpki.x509.certificate import CertificateUnreadable, parse_certificates, quietly
from ipmpki.x509.profiles import alternative_names, leaf_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipmpki.declaration.fleet import CertificateSpec
    from ipmpki.declaration.name_scope import NameScope


def constraints_of(scope: NameScope) -> x509.NameConstraints:
    """The extension that confines an authority to a scope; it is to be critical (section 4.2.1.10).

    A kind of name is confined by naming a subtree of it. Where none is permitted, all of it is excluded.
    """
    permitted: list[x509.GeneralName] = []
    excluded: list[x509.GeneralName] = []
    if scope.domains is not None:
        permitted += [x509.DNSName(one) for one in scope.domains]
        if not scope.domains:
            excluded.append(x509.DNSName(""))
    if scope.networks is not None:
        permitted += [x509.IPAddress(one) for one in scope.networks]
        # IPv4 and IPv6 are one kind of name, iPAddress; but to GnuTLS, networks of one leave the other free.
        versions = {one.version for one in scope.networks}
        excluded += [x509.IPAddress(each) for each in _EVERY_ADDRESS if each.version not in versions]
    return x509.NameConstraints(permitted or None, excluded or None)


_EVERY_ADDRESS = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


def names_outside(
    constraints: x509.NameConstraints, subject: x509.Name, names: Iterable[x509.GeneralName]
) -> list[str]:
    """The leaf's names that the constraints do not let through, as text; empty where all pass.

    ``names`` are the general names of its subjectAltName; the subject counts as a directory name.
    """
    candidates = (x509.DirectoryName(subject), *names)
    return [_text(name) for name in candidates if not _passes(constraints, name)]


def refused_by(
    pem: bytes, orders: Mapping[str, Iterable[CertificateSpec]]
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """An authority's subject, and by host the ordered names that its certificates in ``pem`` refuse.

    What cannot be read, or ordered, is left to those who tell of it.
    """
    confined = []
    with contextlib.suppress(CertificateUnreadable):
        for certificate in parse_certificates(pem):
            with quietly(), contextlib.suppress(x509.ExtensionNotFound, ValueError):
                value = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
                confined.append((certificate.subject.rfc4514_string(), value))
    found: dict[str, tuple[str, ...]] = {}
    for host, each in orders.items():
        outside: list[str] = []
        for order in each:
            with contextlib.suppress(ValueError):
                subject = leaf_subject(order.common_name)
                names = alternative_names(order.dns_names, order.addresses)
                outside += [name for _, value in confined for name in names_outside(value, subject, names)]
        if outside:
            found[host] = tuple(dict.fromkeys(outside))
    return (confined[0][0] if confined else ""), found


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
