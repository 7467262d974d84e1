"""From paths and servers to all problems of what they hold: what ``ipmpki verify`` does.

Files given one by one are judged together, as key and certificate often lie apart; a folder, such as a
host's ``/etc/ipm`` or ``dist/hosts/NAME``, and a server are judged each for itself.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipmpki import peer
from ipmpki.authority.contents import Contents, read_chain, read_contents
from ipmpki.authority.paths import Evidence, judge_path
from ipmpki.diagnostics import Label, LocatedProblem, Place, Position, Span
from ipmpki.faults import Fault, UnreadableFile, WrongUse
from ipmpki.names import NameFault, read_address, read_name
from ipmpki.presented import Chain, Flaw, FlawKind, KeyFileMode, Presented
from ipmpki.reader import read_file
from ipmpki.rules.engine import judge_presented
from ipmpki.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from ipmpki.diagnostics import Problem
    from ipmpki.fleet import Address
    from ipmpki.presented import PresentedCertificate

BUNDLE = "ca-cert.pem"
CERTIFICATES = {"server-cert.pem": Role.SERVER, "client-cert.pem": Role.CLIENT}
_IN_FOLDERS = (BUNDLE, *CERTIFICATES, "server-key.pem", "client-key.pem", "crl.pem")
_FEW = 5
"""Authorities in a file that are judged each by itself; more are a bundle of which few are ever needed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged, and by what.

    ``paths`` are files, folders and servers as written. ``anchors`` are files with the trusted authorities,
    ``revocation_lists`` with CRLs. ``now`` is aware. ``names`` are DNS names and addresses as written.
    ``seconds`` is how long a server may take.
    """

    paths: Sequence[str]
    now: datetime
    anchors: Sequence[str] = ()
    revocation_lists: Sequence[str] = ()
    role: Role | None = None
    mutual_auth: bool | None = None
    names: Sequence[str] = ()
    seconds: float = peer.USUAL_SECONDS


@dataclass(frozen=True, slots=True)
class Verified:
    """Every problem, by file and line, and how many certificates were seen. ``failed`` is an exit status.

    It is 2 where a file could not be read, 4 where a server could not be reached, else 0.
    """

    problems: tuple[LocatedProblem, ...]
    certificates: int
    failed: int


@dataclass(slots=True)
class _Group:
    """What is judged together."""

    contents: dict[str, Contents] = field(default_factory=dict)
    anchors: list[Contents] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    key_files: list[KeyFileMode] = field(default_factory=list)
    server: str | None = None

    def everything(self) -> list[Contents]:
        return [*self.contents.values(), *self.anchors]


def verify(question: Question) -> Verified:
    """Judge everything the question names. Raises WrongUse where a name given is none."""
    names, addresses = _names(question.names)
    asked = Presented(
        question.now,
        role=question.role,
        mutual_auth=question.mutual_auth,
        names=names,
        addresses=addresses,
    )
    shared = _Group()
    for written in question.anchors:
        _add_bundle(shared, written)
    for written in question.revocation_lists:
        _add_lists(shared, written)
    groups = list(_groups(question))
    problems: list[Problem] = list(judge_presented(replace(asked, flaws=_flaws(shared))))
    said: set[tuple[str, ...]] = set()
    certificates = 0
    for group in groups:
        presented = _presented(group, shared, asked)
        certificates += sum(len(one.certificates) for one in group.contents.values())
        if presented.unchecked in said:
            presented = replace(presented, unchecked=())
        said.add(presented.unchecked)
        problems.extend(judge_presented(presented))
    every = [shared, *groups]
    kinds = {flaw.kind for group in every for flaw in _flaws(group)}
    failed = 4 if FlawKind.SERVER in kinds else 2 if FlawKind.FILE in kinds else 0
    return Verified(_located(problems, every, question.paths), certificates, failed)


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


def _groups(question: Question) -> Iterator[_Group]:
    files = _Group()
    yield files
    for written in question.paths:
        path = Path(written)
        server = peer.read_peer(written) if not os.path.lexists(path) else None
        if server is not None:
            yield _server(server, question.seconds)
        elif os.path.isdir(written):  # noqa: PTH112 -- a Path raises where the name is too long
            yield _folder(path, written)
        elif written not in files.contents:
            _add_file(files, written)


def _server(server: peer.Peer, seconds: float) -> _Group:
    group = _Group(server=server.host)
    try:
        chain = peer.fetch_chain(server, seconds=seconds)
    except peer.ServerUnreachable as fault:
        group.flaws.append(Flaw(FlawKind.SERVER, Place(server.written), fault.message, fault.remedy))
    else:
        group.contents[server.written] = read_chain(server.written, chain)
    return group


def _folder(path: Path, written: str) -> _Group:
    group = _Group()
    found = [name for name in _IN_FOLDERS if os.path.lexists(path / name)]
    for name in found:
        inside = os.path.join(written, name)  # noqa: PTH118 -- how the user wrote it, not a path to use
        if name == BUNDLE:
            _add_bundle(group, inside)
        else:
            _add_file(group, inside)
    if not found:
        message = f"the folder holds none of {', '.join(_IN_FOLDERS)}"
        group.flaws.append(Flaw(FlawKind.NOTHING, Place(written), message, "name the files one by one"))
    return group


def _add_file(group: _Group, written: str) -> None:
    contents = _read(group, written)
    if contents is None:
        return
    group.contents[written] = contents
    if not (contents.certificates or contents.keys or contents.revocation_lists or contents.flaws):
        message = "there is no certificate, key or CRL in this file"
        contents.flaws.append(Flaw(FlawKind.NOTHING, Place(written, (0,)), message, "copy the right file"))
    if contents.keys and os.name == "posix":
        with contextlib.suppress(OSError):  # gone since it was read
            mode = stat.S_IMODE(Path(written).stat().st_mode)
            group.key_files.append(KeyFileMode(written, mode, contents.keys[0].place))


def _add_bundle(group: _Group, written: str) -> None:
    contents = _read(group, written)
    if contents is None:
        return
    contents.flaws = [
        replace(flaw, kind=FlawKind.BUNDLE) if flaw.kind is FlawKind.NOTHING else flaw
        for flaw in contents.flaws
    ]
    if not contents.certificates and not contents.flaws:
        message = "there is no certificate in this file, which should hold the trusted authorities"
        remedy = "an authority's certificate begins with the line -----BEGIN CERTIFICATE-----"
        contents.flaws.append(Flaw(FlawKind.BUNDLE, Place(written, (0,)), message, remedy))
    group.anchors.append(contents)


def _add_lists(group: _Group, written: str) -> None:
    contents = _read(group, written)
    if contents is None:
        return
    if not contents.revocation_lists and not contents.flaws:
        message = "there is no CRL in this file"
        remedy = "a CRL begins with the line -----BEGIN X509 CRL-----"
        contents.flaws.append(Flaw(FlawKind.NOTHING, Place(written, (0,)), message, remedy))
    group.contents[written] = contents


def _read(group: _Group, written: str) -> Contents | None:
    """What a regular file holds; anything else might never end, and is a flaw."""
    path = Path(written)
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile(f"'{written}' is not a regular file", "save what it holds into a file first")
        return read_contents(written, read_file(path, what="the file"))
    except Fault as fault:
        group.flaws.append(Flaw(FlawKind.FILE, Place(written), fault.message, fault.remedy))
    except (OSError, ValueError) as error:  # a path that the system cannot even look at
        message = f"'{written}' cannot be read: {getattr(error, 'strerror', None) or error}"
        group.flaws.append(Flaw(FlawKind.FILE, Place(written), message, "check the path"))
    return None


def _flaws(group: _Group) -> tuple[Flaw, ...]:
    return (*group.flaws, *(flaw for one in group.everything() for flaw in one.flaws))


def _presented(group: _Group, shared: _Group, asked: Presented) -> Presented:
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
    misplaced = tuple(
        held[0] for name, held in alone if _is_for_a_leaf(name, group) or (asked.role and not chains)
    )
    bundles = [one.certificates for one in group.anchors if len(one.certificates) <= _FEW]
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
    evidence = Evidence(der, anchors, pool, [one.fingerprint for one in lists])
    # An authority shown alone has no role, but somebody must have certified it, too.
    paths = [*chains, *(Chain(held[0], tuple(held), None) for _, held in small)]
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
        authorities=tuple(one for held in (*(held for _, held in small), *bundles) for one in held),
        misplaced=misplaced,
        keys=tuple(key for one in group.contents.values() for key in one.keys),
        key_files=tuple(group.key_files),
        revocation_lists=tuple(lists),
        flaws=_flaws(group),
        verdicts=tuple(judge_path(one, evidence, asked.now) for one in paths) if trusted else (),
        names=names,
        addresses=addresses,
        unchecked=tuple(unchecked),
    )


def _is_for_a_leaf(name: str, group: _Group) -> bool:
    """Whether a file, by its name or its source, should hold a server's or client's certificate."""
    return group.server is not None or Path(name).name in CERTIFICATES


def _server_names(host: str) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """The name by which the server was reached is one its certificate must be good for."""
    try:
        return _names([host])
    except WrongUse:
        return (), ()


def _chains(name: str, contents: Contents, group: _Group, asked: Presented) -> Iterator[Chain]:
    leaf = next((one for one in contents.certificates if not one.is_authority), None)
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


def _located(
    problems: Iterable[Problem], groups: Sequence[_Group], paths: Sequence[str]
) -> tuple[LocatedProblem, ...]:
    """Problems by file in the order given, then by line."""
    lines: dict[tuple[str, int], tuple[int, str]] = {}
    order: dict[str, int] = {path: rank for rank, path in enumerate(paths)}
    for group in groups:
        for one in group.everything():
            for place in _places(one):
                if place.path and isinstance(place.path[0], int) and place.path[0] in one.lines:
                    lines[place.file, place.path[0]] = one.lines[place.path[0]]
    located = []
    for problem in dict.fromkeys(problems):
        place = problem.place
        number, text = lines.get(
            (place.file, int(place.path[0])) if place.path else (place.file, -1), (0, "")
        )
        span = Span(Position(number, 1), Position(number, len(text) + 1)) if number else None
        shown = (text,) if text else ()
        located.append(LocatedProblem(problem, Label(place.file, place.path, span, shown)))
    start = Span(Position(1, 1), Position(1, 1))
    located.sort(
        key=lambda one: (
            order.get(one.label.file, len(order)),
            one.label.file,
            one.label.span or start,
            one.problem.rule,
        )
    )
    return tuple(located)


def _places(contents: Contents) -> Iterator[Place]:
    for group in (contents.certificates, contents.keys, contents.revocation_lists, contents.flaws):
        yield from (one.place for one in group)
