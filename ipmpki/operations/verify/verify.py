"""From paths and servers to all problems of what they hold: what ``ipmpki verify`` does.

Files given one by one are judged together, as key and certificate often lie apart; a folder, such as a
host's ``/etc/ipm`` or ``dist/hosts/NAME``, and a server are judged each for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki.declaration.dns_names import NameFault, read_name
from ipmpki.declaration.ip_addresses import read_address
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.fault import WrongUse
from ipmpki.operations.verify import tls_server
from ipmpki.operations.verify.collect import (
    CERTIFICATES,
    Group,
    add_bundle,
    add_lists,
    flaws_of,
    groups_of,
    remarks_of,
)
from ipmpki.operations.verify.locate import place_problems
from ipmpki.operations.verify.origin import recognised
from ipmpki.rules.engine import judge_presented
from ipmpki.x509.path_validation import Evidence, judge_path
from ipmpki.x509.presented_certificates import Chain, FlawKind, Presented

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from ipmpki.declaration.fleet import Address
    from ipmpki.diagnostics.problem import LocatedProblem, Problem
    from ipmpki.store.origin import Seen
    from ipmpki.x509.contents import Contents
    from ipmpki.x509.presented_certificates import PresentedCertificate

_FEW = 5
"""Authorities in a file that are judged each by itself; more are a bundle of which few are ever needed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged, and by what.

    ``paths`` are files, folders and servers as written. ``anchors`` are files with the trusted authorities,
    ``revocation_lists`` with CRLs. ``now`` is aware. ``names`` are DNS names and addresses as written.
    ``seconds`` is how long a server may take. ``declaration`` is the pki.toml whose store is asked what it
    knows of the certificates; where it is None, that of the working folder is, if there is one.
    """

    paths: Sequence[str]
    now: datetime
    anchors: Sequence[str] = ()
    revocation_lists: Sequence[str] = ()
    role: Role | None = None
    mutual_auth: bool | None = None
    names: Sequence[str] = ()
    seconds: float = tls_server.USUAL_SECONDS
    declaration: Path | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """Every problem, by file and line, and every certificate that was seen. ``failed`` is an exit status.

    It is 2 where a file could not be read, 4 where a server could not be reached, else 0.
    """

    problems: tuple[LocatedProblem, ...]
    certificates: tuple[Seen, ...]
    failed: int


def verify(question: Question) -> Verified:
    """Judge everything the question names.

    Raises WrongUse where a name given is none, and Fault where a store cannot be read.
    """
    names, addresses = _names(question.names)
    asked = Presented(
        question.now,
        role=question.role,
        mutual_auth=question.mutual_auth,
        names=names,
        addresses=addresses,
    )
    shared = Group()
    for written in question.anchors:
        add_bundle(shared, written)
    for written in question.revocation_lists:
        add_lists(shared, written)
    groups = list(groups_of(question.paths, question.seconds, next(iter(names), None)))
    problems: list[Problem] = list(
        judge_presented(replace(asked, flaws=flaws_of(shared), remarks=remarks_of(shared)))
    )
    said: set[tuple[str, ...]] = set()
    for group in groups:
        presented = _presented(group, shared, asked)
        if presented.unchecked in said:
            presented = replace(presented, unchecked=())
        said.add(presented.unchecked)
        problems.extend(judge_presented(presented))
    every = [shared, *groups]
    kinds = {flaw.kind for group in every for flaw in flaws_of(group)}
    failed = 4 if FlawKind.SERVER in kinds else 2 if FlawKind.FILE in kinds else 0
    held = [one for group in every for one in group.everything()]
    shown = [one for group in groups for each in group.everything() for one in each.certificates]
    seen = recognised(question.declaration, shown)
    return Verified(place_problems(problems, held, question.paths), seen, failed)


def _names(written: Iterable[str]) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    names: list[str] = []
    addresses: list[Address] = []
    for one in written:
        address = read_address(one)
        name = read_name(one)
        if not isinstance(address, str):
            addresses.append(address)
        elif name.fault is None:
            names.append(name.ascii)
        else:
            what = (
                "a wildcard"
                if name.fault is NameFault.WILDCARD
                else "neither a computer's name nor an address"
            )
            raise WrongUse(f"'{one}' is {what}", "give --name as clients write it when they connect")
    return tuple(names), tuple(addresses)


def _presented(group: Group, shared: Group, asked: Presented) -> Presented:
    """What one group shows, with the path of each chain validated where there is somebody to trust."""
    chains = tuple(
        chain for name, one in group.contents.items() for chain in _chains(name, one, group, asked)
    )
    alone = [
        (name, one.certificates)
        for name, one in group.contents.items()
        if one.certificates and all(cert.is_authority for cert in one.certificates)
    ]
    small = [(name, held) for name, held in alone if len(held) <= _FEW]
    leaves = {chain.leaf.fingerprint for chain in chains}
    misplaced = tuple(
        held[0]
        for name, held in alone
        if held[0].fingerprint in leaves or _is_for_a_leaf(name, group) or (asked.role and not chains)
    )
    known = [*group.anchors, *group.client_anchors]
    bundles = [one.certificates for one in known if len(one.certificates) <= _FEW]
    lists = [
        one
        for source in (group, shared)
        for held in source.contents.values()
        for one in held.revocation_lists
    ]
    anchors = [cert for one in (shared.anchors or group.anchors) for cert in one.certificates]
    pool = (
        []
        if group.server
        else [c for one in group.contents.values() for c in one.certificates if c.is_authority]
    )
    der = {
        key: value
        for source in (group, shared)
        for one in source.everything()
        for key, value in one.der.items()
    }
    # Who names the trusted authorities asks what openssl verify -CAfile answers; in a folder it is what lies
    # there, of which each program makes what it does.
    needs_root = bool(shared.anchors)
    evidence = Evidence(der, anchors, pool, [one.fingerprint for one in lists], needs_root=needs_root)
    own = [cert for one in group.client_anchors for cert in one.certificates]
    of_clients = replace(evidence, anchors=[*anchors, *own])
    # An authority shown alone has no role, but somebody must have certified it, too.
    unclaimed = [held for _, held in small if held[0].fingerprint not in leaves]
    paths = [*chains, *(Chain(held[0], tuple(held), None) for held in unclaimed)]
    names, addresses = asked.names, asked.addresses
    if group.server is not None and not names and not addresses:
        names, addresses = _server_names(group.server)
    trusted = bool(shared.anchors or group.anchors)
    unchecked = [
        words
        for words, is_missing in (
            ("names (--name)", not names and not addresses),
            ("trust (--ca)", not trusted),
            ("revocation (--crl)", not lists),
        )
        if is_missing
    ]
    return replace(
        asked,
        chains=chains,
        authorities=tuple(one for _, held in small for one in held),
        trusted=tuple(one for held in bundles for one in held),
        misplaced=misplaced,
        keys=tuple(key for one in group.contents.values() for key in one.keys),
        key_files=tuple(group.key_files),
        revocation_lists=tuple(lists),
        flaws=flaws_of(group),
        remarks=remarks_of(group),
        verdicts=(
            tuple(judge_path(one, of_clients if _is_clients(one) else evidence, asked.now) for one in paths)
            if trusted
            else ()
        ),
        names=names,
        addresses=addresses,
        unchecked=tuple(unchecked),
    )


def _is_clients(chain: Chain) -> bool:
    """Whether it is servers that judge a chain, who may believe another authority than clients do."""
    return CERTIFICATES.get(Path(chain.leaf.place.file).name) is Role.CLIENT


def _is_for_a_leaf(name: str, group: Group) -> bool:
    """Whether a file, by its name or its source, should hold a server's or client's certificate."""
    return group.server is not None or Path(name).name in CERTIFICATES


def _server_names(host: str) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """The name by which the server was reached is one its certificate must be good for."""
    try:
        return _names([host])
    except WrongUse:
        return (), ()


def _chains(name: str, contents: Contents, group: Group, asked: Presented) -> Iterator[Chain]:
    """The chain in a file, if there is one.

    Its leaf is the first certificate that is no authority's. An authority's is one, too, where somebody uses
    it as such: a server sends it, or its key lies beside it, as "openssl req -x509" makes them.
    """
    leaf = next((one for one in contents.certificates if not one.is_authority), None)
    if leaf is None and contents.certificates:
        first = contents.certificates[0]
        held = {key.public_key_digest for one in group.contents.values() for key in one.keys}
        leaf = first if group.server is not None or first.public_key_digest in held else None
    if leaf is not None:
        told = CERTIFICATES.get(Path(name).name) or (Role.SERVER if group.server else None)
        role = asked.role or told or _role_of(leaf)
        yield Chain(leaf, tuple(contents.certificates), role)


def _role_of(leaf: PresentedCertificate) -> Role | None:
    """What a certificate seems to be made for; None where it would do, or fail, for both."""
    purposes = set(leaf.extended_key_usage or ())
    if "serverAuth" in purposes and "clientAuth" not in purposes:
        return Role.SERVER
    return Role.CLIENT if "clientAuth" in purposes and "serverAuth" not in purposes else None
