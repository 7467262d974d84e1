"""Requests that hosts made themselves: read from where pki.toml says they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import GivenKey, KeptKey, Role
from ipmpki.declaration.key_types import kind_of
from ipmpki.diagnostics.fault import Fault
from ipmpki.diagnostics.problem import Problem, Related, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.operations.repairs import repairs_told
from ipmpki.source import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ipmpki.declaration.fleet import CertificateSpec, Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place
    from ipmpki.x509.csr import RequestFacts


def read_requests(root: Path, fleet: Fleet) -> tuple[Fleet, tuple[Problem, ...]]:
    """The fleet with the keys of the requests that are there, and what is wrong with them.

    ``root`` is the folder of pki.toml. A request that is not there yet is awaited.
    """
    if not any(host.certificate is not None and host.certificate.kept_key for host in fleet.hosts):
        return fleet, ()
    problems: list[Problem] = []
    owners: dict[str, Place] = {}
    hosts = tuple(_with_request(host, root, owners, problems) for host in fleet.hosts)
    return replace(fleet, hosts=hosts), tuple(problems)


def _is_absent(path: Path) -> bool:
    """Whether there is no such file; one whose path cannot be followed is read, which says why."""
    try:
        return not path.exists()
    except OSError:
        return False


def _with_request(host: HostSpec, root: Path, owners: dict[str, Place], problems: list[Problem]) -> HostSpec:
    spec = host.certificate
    if spec is None or spec.kept_key is None or not host.was_read("csr"):
        return host
    place, path = host.place.at("csr"), spec.kept_key.path
    if host.declared.key is not None:
        problems.append(
            Problem(
                "wrong-value",
                Severity.ERROR,
                "the key comes with the request, so 'key' has no meaning here",
                "leave out key, or leave out csr to have a key made",
                host.place.at("key").key(),
            )
        )
    if _is_absent(root / path):
        problems.append(
            Problem(
                "request-awaited",
                Severity.INFO,
                f"{quote(host.name)} waits for its request: there is no file {quote(path)} yet",
                "build, make the request on the host as its folder's README.txt says, and put it there",
                place,
            )
        )
        return host
    from ipmpki.x509.csr import read_request

    try:
        content = files.read_file(root / path, what="the request")
        facts = read_request(content)
    except Fault as fault:
        problems.append(Problem("request-unreadable", Severity.ERROR, fault.message, fault.remedy, place))
        return host
    problems += repairs_told(path, content, place)
    problems += _judged(host, spec, facts, place)
    first = owners.setdefault(facts.public_key_digest, place)
    if first is not place:
        problems.append(
            Problem(
                "request-repeated",
                Severity.ERROR,
                "this request is for the same key as another host's",
                "make a key and a request on each host",
                place,
                (Related("the other one", first),),
            )
        )
    given = GivenKey(facts.key_type, facts.public_key_digest, facts.pem)
    return replace(host, certificate=replace(spec, kept_key=KeptKey(path, given)))


def _judged(host: HostSpec, spec: CertificateSpec, facts: RequestFacts, place: Place) -> Iterator[Problem]:
    kind = kind_of(facts.key_type)
    if kind.is_weak:
        yield Problem(
            "key-too-weak",
            Severity.ERROR,
            f"the request's key, {quote(facts.key_type)}, is too weak",
            "make a key of 2048 bits or more, and a request with it",
            place,
        )
    if not kind.can_encipher and host.role is Role.SERVER:
        yield Problem(
            "server-key-cannot-encipher",
            Severity.ERROR,
            f"{quote(facts.key_type)} cannot be a server's key:"
            " InfoPrint Manager needs one that can encipher",
            "make an RSA key on the host, and a request with it",
            place,
        )
    asked = {*facts.dns_names, *map(str, facts.addresses)}
    asked |= {facts.common_name} if facts.common_name else set()
    declared = {*spec.dns_names, spec.common_name, *map(str, spec.addresses)}
    other = sorted(asked - declared)
    if other:
        yield Problem(
            "request-asks-for-other-names",
            Severity.INFO,
            f"the request asks for {', '.join(map(quote, other))}, which pki.toml does not declare",
            "the certificate gets the names of pki.toml; declare these if the host has them",
            place,
        )
