"""Keys that are to be certified, held against those that authorities and other hosts have already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import host_of
from ipmpki.diagnostics.fault import UnreadableFile
from ipmpki.diagnostics.problem import Problem, Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.operations.existing_authority import read_authority
from ipmpki.store.sqlite.queries import read_authorities, read_key_histories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.diagnostics.problem import Place
    from ipmpki.store.records import Issued, KeyHistory


def keys_of_others(root: Path, fleet: Fleet, store: Path, issued: Issued) -> Iterator[Problem]:
    """What is wrong with whose keys the requests and the authority's file are for.

    ``root`` is the folder of pki.toml; the requests have been read. Raises Fault where the store cannot be.
    """
    given = [(host, digest) for host in fleet.hosts if (digest := _given(host)) is not None]
    if not given and not issued.last_event:
        return  # nothing was issued, and nobody has a key
    brought = _brought(root, fleet, issued)
    if not brought and not given:
        return
    histories = read_key_histories(store, [*brought, *(digest for _, digest in given)])
    yield from _of_authority(fleet, brought, histories)
    if not given:
        return
    authorities = {**_in_store(store), **brought}
    declared = {host.name for host in fleet.hosts}
    for host, digest in given:
        place = host.place.at("csr")
        if digest in authorities:
            yield _taken(
                f"the request of {quote(host.name)} is for the key of the authority"
                f" {quote(authorities[digest])}, which is nobody else's",
                "make a key and a request on the host",
                place,
            )
        elif digest in histories:
            yield from _of_host(host, histories[digest], declared, place, issued)


def _given(host: HostSpec) -> str | None:
    spec = host.certificate
    if spec is None or spec.kept_key is None or spec.kept_key.given is None:
        return None
    return spec.kept_key.given.digest


def _of_host(
    host: HostSpec, history: KeyHistory, declared: set[str], place: Place, issued: Issued
) -> Iterator[Problem]:
    """A host goes on with its own key, also under a new name; nobody else does, nor when it may be known."""
    own = {host.name, host.formerly}
    holders = {host_of(one) for one in history.holders}
    others = holders - own
    # A name that is gone tells nothing where the key has come along from it already.
    theirs = sorted(others & declared) or sorted(others if not holders & own else ())
    if theirs:
        way = (
            ""
            if declared.intersection(theirs)
            else f'; where it is the same host under another name, add: formerly = "{theirs[0]}"'
        )
        yield _taken(
            f"the request of {quote(host.name)} is for a key that {' and '.join(map(quote, theirs))}"
            f" {'have' if len(theirs) > 1 else 'has'}, or had",
            f"make a key and a request on the host{way}",
            place,
        )
        return
    current, spec = issued.current.get(host.name), host.certificate
    # Where it is the current certificate that was revoked, none is made, and another rule tells of it.
    if history.is_compromised and not (
        current is not None and spec is not None and current.is_compromised(spec)
    ):
        yield _taken(
            f"the request of {quote(host.name)} is for a key that was revoked as compromised,"
            " so that somebody else may have it",
            "make another key and request on the host",
            place,
        )


def _of_authority(
    fleet: Fleet, brought: Mapping[str, str], histories: Mapping[str, KeyHistory]
) -> Iterator[Problem]:
    for digest, name in brought.items():
        if digest in histories:
            holders = sorted({host_of(one) for one in histories[digest].holders})
            yield _taken(
                f"the authority {quote(name)} has the same key as {' and '.join(map(quote, holders))}:"
                " whoever holds that host's folder can issue certificates",
                "bring an authority with a key of its own",
                fleet.place.at(fleet.signing_table, "certificate"),
            )


def _brought(root: Path, fleet: Fleet, issued: Issued) -> dict[str, str]:
    """The keys in the declared authority's file that the store has not taken over yet, with its name."""
    if not fleet.signs_here or fleet.existing is None:
        return {}
    try:
        content = read_authority(root, fleet.existing.certificate)
    except UnreadableFile:
        return {}  # told elsewhere
    if any(one.certificates_pem == content for one in issued.signers):
        return {}  # it was judged when it was taken over, and what has come since, against it
    return _keys_in(content)


def _in_store(store: Path) -> dict[str, str]:
    """The keys of every authority there ever was, with its name."""
    return {digest: name for content in read_authorities(store) for digest, name in _keys_in(content).items()}


def _keys_in(content: bytes) -> dict[str, str]:
    from ipmpki.x509.certificate import CertificateUnreadable, read_readable_certificates

    try:
        found = read_readable_certificates(content)
    except CertificateUnreadable:
        return {}  # told where it is used
    return {one.public_key_digest: one.common_name or one.subject for one in found if one.public_key_digest}


def _taken(message: str, remedy: str, place: Place) -> Problem:
    return Problem("key-of-another", Severity.ERROR, message, remedy, place)
