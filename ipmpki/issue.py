"""Carry out a plan: make keys, certificates and CRL, and commit them to the store.

Everything issued is in the store before anything is published, so whatever moment a build dies at, the
next one finds what was issued and carries on from there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ipmpki import specification
from ipmpki.authority import issuing, keys, reading, requests, revocation, signing
from ipmpki.changes import Action, Artifact
from ipmpki.faults import Fault, WrongDeclaration
from ipmpki.fleet import tools_holder
from ipmpki.issued import IssuedCertificate, StoredAuthority, StoredRevocationList
from ipmpki.keymaking import make_keys
from ipmpki.store import NewCertificate
from ipmpki.vocabulary import Profile, RevocationReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ipmpki.authority.issuing import Issuer
    from ipmpki.authority.keys import PrivateKey, PublicKey
    from ipmpki.authority.signing import SigningKey
    from ipmpki.changes import Change, Plan
    from ipmpki.fleet import AuthoritySpec, CertificateSpec, Fleet, HostSpec
    from ipmpki.issued import Issued
    from ipmpki.store import Store
    from ipmpki.trust import TrustBundle

BATCH_SECONDS = 1.0
"""How much issuing one transaction holds at most: what a killed build would have to do again."""
BATCH_SIZE = 5_000

CERTIFICATES = frozenset({Artifact.SERVER_CERTIFICATE, Artifact.CLIENT_CERTIFICATE})
SIGNED = CERTIFICATES | {Artifact.CA_CERTIFICATE, Artifact.CA_KEY, Artifact.CRL}
ISSUING = frozenset({Action.CREATE, Action.RENEW, Action.REPLACE})


class Progress(Protocol):
    """Told how far the work is: what is done, how many are, of how many."""

    def __call__(self, work: str, done: int, total: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class AuthorityFiles:
    """An existing authority as it lies on disk: its certificates and its key, maybe encrypted, both PEM."""

    certificates_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Commission:
    """What a build works from: the fleet, what the edge reads for it, time, randomness, a watcher."""

    fleet: Fleet
    passphrase: Callable[[], bytes | None]
    authority_files: Callable[[], AuthorityFiles]
    trust_bundle: Callable[[], TrustBundle]
    random_bytes: Callable[[int], bytes]
    now: datetime
    progress: Progress


def preflight(plan: Plan, commission: Commission, issued: Issued) -> None:
    """Before anything is written, see that the authority a plan needs can be had, and may do what it asks.

    Raises KeyFault for a wrong or missing passphrase, UnreadableFile for a file that is not there,
    IssuerFault for an authority that exists and is confined to other names or uses, and Fault for one that
    has expired or has not begun.
    """
    if not any(_signs(change) for change in plan.changes):
        return
    if _makes_authority(plan) and commission.fleet.existing is None:
        if commission.fleet.token_key is not None:
            _declared_key(commission)
        commission.passphrase()
        return
    authority = signing_authority(plan, issued)
    if _makes_authority(plan):
        made = _existing_authority(commission)
        _next_update(commission, made)
        authority = made if plan.rollover is None else authority
    if authority is not None:
        _require_permission(plan, commission, _open_issuer(authority, commission))
        _next_update(commission, authority)


def _require_permission(plan: Plan, commission: Commission, issuer: Issuer) -> None:
    for order in _ordered(plan, commission.fleet):
        reason = issuing.objection(issuer, order.spec)
        if reason is not None:
            message = f"{order.change.host}: {reason}"
            raise issuing.IssuerFault(
                message, "declare another authority, or names and uses that this one may certify"
            )


def _makes_authority(plan: Plan) -> bool:
    return any(
        change.artifact is Artifact.CA_CERTIFICATE and change.action in {Action.CREATE, Action.REPLACE}
        for change in plan.changes
    )


def carry_out(plan: Plan, commission: Commission, store: Store, issued: Issued) -> Issued:
    """Issue everything a plan asks for; publish nothing.

    ``issued`` is what the store holds when the work begins; what it holds afterwards is returned.
    """
    if not any(_signs(change) for change in plan.changes):
        return issued
    for change in plan.changes:
        if change.artifact is Artifact.CA_CERTIFICATE and change.action in ISSUING:
            # A successor stands beside the one before, until that is retired.
            detail = f"{change.action}: {_why(change)}"
            store.add_authority(_new_authority(commission), detail, replaces=plan.rollover is None)
        elif change.artifact is Artifact.CA_KEY:
            _protect_keys(commission, store, issued)
    issued = store.issued()
    _issue_certificates(plan, commission, store, issued)
    _revoke_certificates(plan, store, issued)
    for authority in _retired(plan, issued):
        store.retire_authority(authority.identity, f"another has taken over from {authority.subject}")
    if any(
        change.artifact is Artifact.CRL and change.action is not Action.RESTORE for change in plan.changes
    ):
        _issue_revocation_lists(commission, store, store.issued())
    return store.issued()


def _retired(plan: Plan, issued: Issued) -> Iterator[StoredAuthority]:
    """Those that a plan lets go: by its rollover's word, or as they have ended."""
    if not any(
        change.artifact is Artifact.CA_CERTIFICATE and change.action is Action.REMOVE
        for change in plan.changes
    ):
        return
    gone = plan.rollover.retires if plan.rollover is not None else ()
    for authority in issued.signers[:]:
        if authority.fingerprint in gone or authority.not_after <= plan.at:
            yield authority


def _signs(change: Change) -> bool:
    """Whether a change makes an authority, or needs the one there is; every revocation makes a list."""
    return change.action in ISSUING and change.artifact in SIGNED


def _why(change: Change) -> str:
    return "; ".join(f"{reason.code}: {reason.detail}" for reason in change.reasons)


# --- The authority --------------------------------------------------------------------------------


def _new_authority(commission: Commission) -> StoredAuthority:
    if commission.fleet.existing is not None:
        return _existing_authority(commission)
    return _made_authority(commission.fleet.authority, commission)


def _made_authority(spec: AuthoritySpec, commission: Commission) -> StoredAuthority:
    key: SigningKey
    if commission.fleet.token_key is not None:
        key, kept = _declared_key(commission), commission.fleet.token_key.encode()
    else:
        passphrase = commission.passphrase()
        key = keys.generate(spec.key)
        kept = keys.to_pem(key, passphrase)
    serial = issuing.new_serial(commission.random_bytes)
    pem = issuing.self_signed(spec, key, now=commission.now, serial=serial)
    return _authority(pem, kept, specification.of_authority(spec), is_existing=False)


def _declared_key(commission: Commission) -> SigningKey:
    """The key in the token that the declaration names, which must name one."""
    assert commission.fleet.token_key is not None  # noqa: S101 -- the callers look
    return signing.open_key(commission.fleet.token_key.encode(), commission.passphrase())


def _protect_keys(commission: Commission, store: Store, issued: Issued) -> None:
    """Encrypt stored keys that lie open, or forget the one that the declared token has, too."""
    if commission.fleet.token_key is not None:
        assert issued.signer is not None  # noqa: S101 -- the plan found its key
        issuing.load_issuer(issued.signer.certificates_pem, _declared_key(commission))
        kept = {issued.signer.identity: commission.fleet.token_key.encode()}
        store.replace_authority_keys(kept, "authority-key-forgotten", "it lies in a token")
        return
    for authority in issued.signers:
        if not keys.is_encrypted(authority.key_pem) and not keys.is_in_token(authority.key_pem):
            encrypted = keys.to_pem(keys.load(authority.key_pem), commission.passphrase())
            store.encrypt_authority_key(authority.identity, encrypted)


def _existing_authority(commission: Commission) -> StoredAuthority:
    files = commission.authority_files()
    key = signing.open_key(files.key_pem, commission.passphrase())
    issuing.load_issuer(files.certificates_pem, key)
    generation = commission.fleet.authority.generation
    order = specification.of_existing_authority(existing_fingerprint(files.certificates_pem), generation)
    digest = keys.public_key_digest(key.public_key())
    return _authority(files.certificates_pem, files.key_pem, order, is_existing=True, digest=digest)


def existing_fingerprint(certificates_pem: bytes) -> str:
    """What identifies an existing authority: the fingerprints of all certificates in its file."""
    return "+".join(sorted(facts.fingerprint for facts in reading.read_certificates(certificates_pem)))


def _authority(
    pem: bytes, key_pem: bytes, order: str, *, is_existing: bool, digest: str | None = None
) -> StoredAuthority:
    found = reading.read_certificates(pem)
    own = [facts for facts in found if digest is None or facts.public_key_digest == digest]
    facts = max(own, key=lambda one: one.not_after)
    return StoredAuthority(
        identity=0,  # given by the store
        subject=facts.subject,
        specification=order,
        certificates_pem=pem,
        key_pem=key_pem,
        key_type=facts.key_type,
        fingerprint=facts.fingerprint,
        not_before=facts.not_before,
        not_after=facts.not_after,
        is_existing=is_existing,
    )


def _open_issuer(authority: StoredAuthority, commission: Commission) -> Issuer:
    """The authority ready to sign. Raises KeyFault where the passphrase does not open its key.

    A key that still lies open, though a passphrase is declared, needs none. One in a token is where the
    declaration says now, as modules move; that of a predecessor, which it no longer names, where it was.
    """
    kept, passphrase = authority.key_pem, commission.passphrase()
    if not keys.is_in_token(kept):
        key = keys.load(kept, passphrase if keys.is_encrypted(kept) else None)
        return issuing.load_issuer(authority.certificates_pem, key)
    if commission.fleet.token_key is None:
        raise WrongDeclaration(
            "the authority's key lies in a token, and pki.toml does not name it any more",
            f'say again in [{commission.fleet.signing_table}]: key_file = "pkcs11:…"',
        )
    uri = commission.fleet.token_key.encode() if _is_declared(authority, commission) else kept
    return issuing.load_issuer(authority.certificates_pem, signing.open_key(uri, passphrase))


def _is_declared(authority: StoredAuthority, commission: Commission) -> bool:
    """Whether this is the authority that pki.toml describes, rather than one before it."""
    if commission.fleet.existing is not None:
        return authority.certificates_pem == commission.authority_files().certificates_pem
    return authority.specification == specification.of_authority(commission.fleet.authority)


# --- Certificates ---------------------------------------------------------------------------------


def _issue_certificates(plan: Plan, commission: Commission, store: Store, issued: Issued) -> None:
    ordered = _ordered(plan, commission.fleet)
    if not ordered:
        return
    signing = signing_authority(plan, issued)
    if signing is None:
        raise Fault("the store holds no authority", "run 'ipmpki plan' to see what a build would do")
    issuer = _open_issuer(signing, commission)
    authority = signing.identity
    batch: list[NewCertificate] = []
    begun = time.monotonic()
    for done, (one, key) in enumerate(_with_keys(ordered, store, issued), start=1):
        batch.append(_certificate(one, key, commission, issuer, authority))
        if len(batch) >= BATCH_SIZE or time.monotonic() - begun > BATCH_SECONDS or done == len(ordered):
            store.add_certificates(batch)
            batch, begun = [], time.monotonic()
        commission.progress("issuing certificates", done, len(ordered))


@dataclass(frozen=True, slots=True)
class _Order:
    """A certificate that a plan asks for; ``holder`` is whose it will be in the store."""

    change: Change
    holder: str
    spec: CertificateSpec
    keeps_key: bool


def signing_authority(plan: Plan, issued: Issued) -> StoredAuthority | None:
    """The one that signs what a plan asks for: the newest, or the one before until all trust the newest."""
    if plan.rollover is None:
        return issued.signer
    return next((one for one in issued.signers if one.fingerprint == plan.rollover.signs), None)


def _ordered(plan: Plan, fleet: Fleet) -> list[_Order]:
    hosts = {host.name: host for host in fleet.hosts}
    return [
        _order(change, hosts[change.host])
        for change in plan.changes
        if change.artifact in CERTIFICATES and change.action in ISSUING and change.host is not None
    ]


def _order(change: Change, host: HostSpec) -> _Order:
    is_client = change.artifact is Artifact.CLIENT_CERTIFICATE
    for holder, spec in host.certificates:
        if (spec.profile is Profile.CLIENT) == is_client:
            return _Order(change, holder, spec, host.keeps_key)
    message = f"{host.name} is to have no {change.artifact}"
    raise ValueError(message)


def _with_keys(
    ordered: Sequence[_Order], store: Store, issued: Issued
) -> Iterator[tuple[_Order, PrivateKey | PublicKey]]:
    """Each order with the key of its host's own request, the one it had before, or one made here."""
    made = []
    keeping = {one.holder: one.spec for one in ordered if one.keeps_key}
    before = keys_before(keeping, store, issued)
    for one in ordered:
        kept = one.spec.kept_key
        if kept is not None and kept.given is not None:
            yield one, requests.public_key_of(kept.given.request)
        elif one.holder in before:
            yield one, before[one.holder]
        else:
            made.append((one, one.spec.key))
    yield from make_keys(made)


def keys_before(
    keeping: Mapping[str, CertificateSpec], store: Store, issued: Issued
) -> dict[str, PrivateKey]:
    """The keys that holders have and may go on with: of the wanted type, here, and not revoked."""
    serials = {}
    for holder, spec in keeping.items():
        current = issued.current.get(holder)
        if current is not None and current.revoked_at is None:
            had = specification.fields(current.specification)["key"]
            if had == spec.key_words:
                serials[holder] = current.serial
    materials = store.materials(list(serials.values()))
    kept = {holder: materials[serial].key_pem for holder, serial in serials.items()}
    return {holder: keys.load(pem) for holder, pem in kept.items() if pem}


def _certificate(
    order: _Order,
    key: PrivateKey | PublicKey,
    commission: Commission,
    issuer: Issuer,
    authority: int,
) -> NewCertificate:
    change, spec = order.change, order.spec
    public = key.public_key() if isinstance(key, keys.PrivateKey) else key
    serial = issuing.new_serial(commission.random_bytes)
    pem = issuing.issue(issuer, spec, public, now=commission.now, serial=serial)
    not_before, not_after = issuing.validity(issuer, spec.lifetime, now=commission.now)
    certificate = IssuedCertificate(
        serial=serial,
        host=order.holder,
        authority=authority,
        profile=spec.profile,
        specification=specification.of_certificate(spec),
        not_before=not_before,
        not_after=not_after,
        fingerprint=reading.fingerprint_of(pem),
        issued_at=commission.now,
    )
    return NewCertificate(
        certificate,
        pem,
        keys.to_pem(key) if isinstance(key, keys.PrivateKey) else b"",
        keys.public_key_digest(key),
        f"certificate-{_past(change)}",
        _why(change),
    )


def _past(change: Change) -> str:
    return {Action.CREATE: "issued", Action.RENEW: "renewed", Action.REPLACE: "replaced"}[change.action]


def holder_of(change: Change, issued: Issued) -> str:
    """Whose certificate a change ends: a host's own, or what a server's own programs show as clients."""
    name = change.host or ""
    own = issued.current.get(name)
    is_client = change.artifact is Artifact.CLIENT_CERTIFICATE
    if own is not None and (own.profile is Profile.CLIENT) == is_client:
        return name
    return tools_holder(name)


# --- Revocation -----------------------------------------------------------------------------------


def _revoke_certificates(plan: Plan, store: Store, issued: Issued) -> None:
    revoked = []
    for change in plan.changes:
        if change.action is Action.REVOKE and change.host is not None:
            serial = next((one.old for one in change.differences if one.field == "serial"), None)
            if serial is not None:  # one that was replaced, and is not current any more
                reason, one = RevocationReason.SUPERSEDED, store.certificate(int(serial, 16))
            else:
                reason = RevocationReason.CESSATION_OF_OPERATION
                one = issued.current.get(holder_of(change, issued))
            if one is not None:
                revoked.append((one, reason.value, _why(change)))
    if revoked:
        store.revoke(revoked)


def _next_update(commission: Commission, authority: StoredAuthority) -> datetime:
    """How long a revocation list made now would hold; Fault where the authority does not hold now."""
    now = commission.now
    next_update = min(now + commission.fleet.crl_lifetime, authority.not_after)
    if next_update <= now:
        raise Fault(
            f"the authority has expired, on {authority.not_after:%Y-%m-%d}",
            "declare another one, then say: ipmpki build --replace-ca",
        )
    if next_update <= authority.not_before:
        raise Fault(
            f"this computer's clock says {now:%Y-%m-%d}, long before the authority began, on"
            f" {authority.not_before:%Y-%m-%d}",
            "set the clock right, then build again",
        )
    return next_update


def _issue_revocation_lists(commission: Commission, store: Store, issued: Issued) -> None:
    """One for each authority that is trusted: a list names no other's certificates (RFC 5280, section 5)."""
    for authority in issued.signers:
        _issue_revocation_list(commission, store, authority, issued.revocation_lists.get(authority.identity))


def _issue_revocation_list(
    commission: Commission, store: Store, authority: StoredAuthority, old: StoredRevocationList | None
) -> None:
    now = commission.now
    issuer = _open_issuer(authority, commission)
    number = old.number + 1 if old is not None else 1
    revoked = store.revocations(authority.identity)
    next_update = _next_update(commission, authority)
    pem = revocation.make_crl(
        issuer,
        [revocation.Revocation(one.serial, one.revoked_at, one.reason) for one in revoked],
        number=number,
        now=now,
        next_update=next_update,
    )
    store.add_revocation_list(
        StoredRevocationList(authority.identity, number, now, next_update, pem),
        [one.serial for one in revoked],
    )
