"""How mutual authentication comes into force, and how it goes out of it, so that nobody is turned away.

A fleet is in one of three states: no host has a certificate to show as a client, and no server asks for
one; every host has one, and no server asks; every server asks. What is declared is the first or the last. A
client without a certificate must never meet a server that asks, so either way leads through the state
between, and a fleet leaves that only when the hosts are known to have installed what it gave them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.declaration.fleet import tools_holder
from ipmpki.declaration.resolve import with_client_certificates
from ipmpki.declaration.vocabulary import Profile, Role
from ipmpki.plans.dist_layout import host_folder
from ipmpki.plans.plan import MutualAuthChange, MutualAuthStage
from ipmpki.store.records import settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.store.records import Issued, IssuedCertificate, PublishedFolder

_SHOWN_BY_CLIENTS = frozenset({Profile.CLIENT, Profile.SERVER_MUTUAL})


def in_force(declared: Fleet, issued: Issued) -> Fleet:
    """The fleet as it is to be until the next stage, where mutual authentication is turned on or off.

    The declared one, where it is neither, or the last stage has come.
    """
    between = in_first_stage(declared, issued)
    return between if _waiting(between, issued) else declared


def in_first_stage(declared: Fleet, issued: Issued) -> Fleet:
    """The fleet as the first stage has it, until the second one is published, whoever is waited for."""
    if declared.mutual_auth:
        return replace(declared, asks_clients=False) if _asks_already(declared, issued) is False else declared
    if not _has_what_clients_show(declared, issued):
        return declared
    between = replace(with_client_certificates(declared), asks_clients=False)
    return between if _is_issued_alike(between, issued) else declared


def change_of(fleet: Fleet, issued: Issued) -> MutualAuthChange | None:
    """Which stage a fleet is in that :func:`in_force` gave; None where nothing is being turned on or off."""
    if fleet.mutual_auth and not fleet.asks_clients:
        stage = MutualAuthStage.HAND_OUT if _is_turned_on(fleet) else MutualAuthStage.RELEASE
        return MutualAuthChange(stage, _waiting(fleet, issued))
    if fleet.mutual_auth:
        return MutualAuthChange(MutualAuthStage.ASK, ()) if _asks_already(fleet, issued) is False else None
    if _has_what_clients_show(fleet, issued) and not _asks_already(fleet, issued):
        return MutualAuthChange(MutualAuthStage.WITHDRAW, ())
    return None


def _is_turned_on(fleet: Fleet) -> bool:
    return fleet.declared.tls.mutual_auth == "required"


def _waiting(fleet: Fleet, issued: Issued) -> tuple[str, ...]:
    """Whom the second stage waits for, where a fleet is in the first."""
    if not fleet.mutual_auth or fleet.asks_clients:
        return ()
    wait = _waiting_for_certificates if _is_turned_on(fleet) else _waiting_for_release
    return wait(fleet, issued)


def _servers(fleet: Fleet, issued: Issued) -> Iterator[tuple[HostSpec, PublishedFolder]]:
    """The servers of which a folder is published."""
    for host in fleet.hosts:
        folder = issued.folders.get(host_folder(host.name)) if host.role is Role.SERVER else None
        if folder is not None:
            yield host, folder


def _asks_already(fleet: Fleet, issued: Issued) -> bool | None:
    """Whether any server is told to ask clients for certificates; None where no server is published yet."""
    told = [folder.asks_clients for _, folder in _servers(fleet, issued)]
    return any(told) if told else None


def _waiting_for_certificates(fleet: Fleet, issued: Issued) -> tuple[str, ...]:
    """The hosts that are not known to have, and to show, a certificate where they are clients."""
    return tuple(
        host.name
        for host in fleet.hosts
        if host.name not in issued.skipped
        and any(spec.profile in _SHOWN_BY_CLIENTS for _, spec in host.certificates)
        and not (_has_settings(host, issued) and any(map(_serves_clients, _known_to_have(host, issued))))
    )


def _known_to_have(host: HostSpec, issued: Issued) -> Iterator[IssuedCertificate]:
    known = issued.installed.get(host.name)
    if known is None:
        return
    current = (issued.current.get(holder) for holder, _ in host.certificates)
    yield from (one for one in current if one is not None and one.serial in known.serials)
    yield from (issued.in_use[serial] for serial in known.serials if serial in issued.in_use)


def _serves_clients(one: IssuedCertificate) -> bool:
    return one.profile in _SHOWN_BY_CLIENTS and one.revoked_at is None


def _has_settings(host: HostSpec, issued: Issued) -> bool:
    """Whether a host is known to have the settings that are published: a certificate seen is not enough."""
    known, folder = issued.installed.get(host.name), issued.folders.get(host_folder(host.name))
    if known is None or folder is None:
        return False
    installed = settings_in(known.files)
    return bool(installed) and installed == settings_in(folder.essence)


def _waiting_for_release(fleet: Fleet, issued: Issued) -> tuple[str, ...]:
    """The servers that are not known to have stopped asking clients for certificates."""
    return tuple(
        host.name
        for host, folder in _servers(fleet, issued)
        if host.name not in issued.skipped and (folder.asks_clients or not _has_settings(host, issued))
    )


def _has_what_clients_show(fleet: Fleet, issued: Issued) -> bool:
    """Whether a host has a certificate that it has no use for where no server asks."""
    if not any(_servers(fleet, issued)):
        return False
    holders = (holder for host in fleet.hosts for holder in (host.name, tools_holder(host.name)))
    current = (issued.current.get(holder) for holder in holders)
    return any(one is not None and one.profile in _SHOWN_BY_CLIENTS for one in current)


def _is_issued_alike(fleet: Fleet, issued: Issued) -> bool:
    """Whether what hosts show as clients would come from where it came from: else it cannot be kept up.

    Where it was issued here and only a seller is declared now, nothing revokes it either.
    """
    pairs = ((issued.current.get(holder), spec) for host in fleet.hosts for holder, spec in host.certificates)
    return all(
        one is None or specification.is_bought(one.specification) == spec.is_bought
        for one, spec in pairs
        if spec.profile in _SHOWN_BY_CLIENTS
    )
