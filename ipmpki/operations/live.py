"""What servers show now: asked over TLS, compared with what was issued. It changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ipmpki.declaration.fleet import host_of
from ipmpki.diagnostics.fault import WrongDeclaration, WrongUse
from ipmpki.operations.build import renew_report
from ipmpki.operations.verify.tls_server import NoTls, Peer, ServerUnreachable, fetch_chain
from ipmpki.plans.sight import Comparison, Sight, Word, judge
from ipmpki.store.records import Installation, InstallationSource
from ipmpki.store.sqlite.open import open_store
from ipmpki.store.sqlite.queries import read_by_fingerprint
from ipmpki.x509.contents import read_chain
from ipmpki.x509.foreign_pki import is_issued_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipmpki.declaration.fleet import Fleet, HostSpec
    from ipmpki.operations.project import Project
    from ipmpki.store.records import Issued
    from ipmpki.x509.presented_certificates import PresentedCertificate

SECONDS = 5.0
"""How long a server may take; one in the same building answers in milliseconds."""
_MOST_AT_ONCE = 256
"""Whoever never answers costs a thread and no time of the others."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of asking a server: the certificate that it showed and its encoding, or why there is none."""

    certificate: PresentedCertificate | None
    der: bytes = b""
    word: Word = Word.NO_ANSWER
    detail: str = ""


def look(project: Project, *, seconds: float = SECONDS, at: datetime | None = None) -> tuple[Comparison, ...]:
    """Ask every server that declares where it speaks TLS, all at once, which certificate it shows.

    ``seconds`` limits each. Nothing is sent but a handshake with the server's name. Raises WrongUse where no
    server declares a port.
    """
    fleet = project.fleet
    if fleet is None:
        raise WrongDeclaration("the declaration cannot be understood", "run 'ipmpki check', and mend it")
    asked = [host for host in fleet.hosts if host.tls_port is not None]
    if not asked:
        raise WrongUse(
            "no server declares where it speaks TLS, and no port is assumed",
            "declare it in pki.toml: [ipm] tls_port = …, or tls_port of a host",
        )
    shared = _shared_addresses(fleet)
    with ThreadPoolExecutor(min(len(asked), _MOST_AT_ONCE)) as pool:
        answers = list(pool.map(lambda host: _ask(host, shared, seconds), asked))
    shown = [one.certificate.fingerprint for one in answers if one.certificate is not None]
    known = read_by_fingerprint(project.store, shown)
    now = at or datetime.now(UTC)
    return tuple(
        _verdict(host, answer, known.get(_fingerprint(answer)), project.issued, now)
        for host, answer in zip(asked, answers, strict=True)
    )


def _fingerprint(answer: _Answer) -> str:
    return answer.certificate.fingerprint if answer.certificate is not None else ""


def _shared_addresses(fleet: Fleet) -> frozenset[str]:
    """Addresses of several hosts: who answers there need not be the one that is meant."""
    seen: set[str] = set()
    twice: set[str] = set()
    for host in fleet.hosts:
        for address in map(str, host.addresses):
            (twice if address in seen else seen).add(address)
    return frozenset(twice)


def _ask(host: HostSpec, shared: frozenset[str], seconds: float) -> _Answer:
    """Its own declared addresses first, which need no look-up; then its name."""
    assert host.tls_port is not None  # noqa: S101 -- only such are asked
    own = [str(address) for address in host.addresses if str(address) not in shared]
    answer = _Answer(None)
    for place in (*own, host.name):
        peer = Peer(f"{host.name}:{host.tls_port}", place, host.tls_port)
        try:
            chain = fetch_chain(peer, seconds=seconds, server_name=host.name)
        except NoTls as fault:
            return _Answer(None, word=Word.NO_TLS, detail=fault.message.rpartition(": ")[2])
        except ServerUnreachable as fault:
            answer = _Answer(None, detail=fault.message.rpartition(": ")[2])
            continue
        found = read_chain(peer.written, chain[:1])
        if not found.certificates:
            return _Answer(None, word=Word.NO_TLS, detail="its certificate cannot be read")
        return _Answer(found.certificates[0], chain[0])
    return answer


def _verdict(host: HostSpec, answer: _Answer, known: object, issued: Issued, now: datetime) -> Comparison:
    from ipmpki.store.records import IssuedCertificate

    one = answer.certificate
    if one is None:
        return Comparison(host.name, answer.word, None, answer.detail)
    ours = known if isinstance(known, IssuedCertificate) else None
    sight = Sight(
        one.serial,
        one.not_before,
        one.not_after,
        one.issuer,
        one.dns_names or one.common_names,
        one.addresses,
        is_ours=ours is not None or _is_signed_here(answer.der, issued),
    )
    return judge(host, sight, ours, issued, now)


def _is_signed_here(der: bytes, issued: Issued) -> bool:
    from ipmpki.x509.contents import read_contents

    return any(
        is_issued_by(der, authority)
        for signer in issued.signers
        for authority in read_contents("", signer.certificates_pem).der.values()
    )


def record_seen(project: Project, seen: Sequence[Comparison]) -> tuple[str, ...]:
    """Record which of the certificates that were issued here servers show; the names of those that changed.

    That proves certificate and key alone: what is known of trust, lists and settings stays as it is.
    """
    with open_store(project.store, now=project.now) as store:
        issued = store.issued()
        fresh = []
        for one in seen:
            if one.sight is None or one.holder is None or host_of(one.holder) != one.host:
                continue
            known = issued.installed.get(one.host)
            serials = frozenset({one.sight.serial})
            if known is None:
                found = Installation(one.host, project.now, serials, frozenset(), InstallationSource.LIVE)
            else:
                others = {
                    serial
                    for serial in known.serials
                    if (held := _held(serial, issued)) is not None and held != one.holder
                }
                found = replace(
                    known, at=project.now, serials=serials | others, source=InstallationSource.LIVE
                )
            if known is None or known.serials != found.serials:
                fresh.append(found)
        if fresh:
            store.record_installations(fresh, "as it was seen")
            renew_report(project, store)
        return tuple(one.host for one in fresh)


def _held(serial: int, issued: Issued) -> str | None:
    """Whose certificate it is."""
    if serial in issued.in_use:
        return issued.in_use[serial].host
    return next((one.host for one in issued.current.values() if one.serial == serial), None)
