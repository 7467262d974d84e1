"""The authorities that sign: made, brought, kept safe, and opened to sign."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ipmpki.declaration import specification
from ipmpki.diagnostics.fault import WrongDeclaration
from ipmpki.store.records import StoredAuthority
from ipmpki.x509 import certificate, issuer, keys, signing_key
from ipmpki.x509.pkcs11 import TokenKey
from ipmpki.x509.protection import Protection, is_encrypted, is_in_token, protection_of

if TYPE_CHECKING:
    from ipmpki.declaration.fleet import AuthoritySpec
    from ipmpki.issue.context import AuthorityFiles, BuildContext
    from ipmpki.store.records import Issued
    from ipmpki.store.sqlite.writer import Store
    from ipmpki.x509.issuer import Issuer
    from ipmpki.x509.signing_key import SigningKey


def new_authority(context: BuildContext) -> StoredAuthority:
    """The declared authority, made now or brought. Raises KeyFault, IssuerFault or UnreadableFile."""
    if context.fleet.existing is not None:
        return existing_authority(context)
    return _made_authority(context.fleet.authority, context)


def _made_authority(spec: AuthoritySpec, context: BuildContext) -> StoredAuthority:
    key: SigningKey
    if context.fleet.token_key is not None:
        key, kept = declared_key(context), context.fleet.token_key.encode()
    else:
        passphrase = context.passphrase()
        key = keys.generate(spec.key)
        kept = keys.to_keep(key, passphrase, context.random_bytes)
    serial = issuer.new_serial(context.random_bytes)
    orders = [order for host in context.fleet.hosts for _, order in host.certificates if not order.is_bought]
    pem = issuer.self_signed(spec, key, now=context.now, serial=serial, scope=spec.scope_for(orders))
    return _authority(pem, kept, specification.of_authority(spec), is_existing=False)


def declared_key(context: BuildContext) -> SigningKey:
    """The key in the token that the declaration names, which must name one."""
    assert context.fleet.token_key is not None  # noqa: S101 -- the callers look
    return signing_key.open_key(context.fleet.token_key.encode(), context.passphrase())


def protect_keys(context: BuildContext, store: Store, issued: Issued) -> None:
    """Seal stored keys that lie open or weakly sealed, or forget the one that the declared token has, too."""
    if context.fleet.token_key is not None:
        assert issued.signer is not None  # noqa: S101 -- the plan found its key
        issuer.load_issuer(issued.signer.certificates_pem, declared_key(context))
        kept = {issued.signer.identity: context.fleet.token_key.encode()}
        store.replace_authority_keys(kept, "authority-key-forgotten", "it lies in a token")
        return
    passphrase, sealed = context.passphrase(), {}
    for authority in issued.signers:
        protection = protection_of(authority.key_pem)
        if protection in {Protection.OPEN, Protection.WEAK}:
            opened = _from_store(authority.key_pem, passphrase if protection is Protection.WEAK else None)
            sealed[authority.identity] = keys.to_keep(opened, passphrase, context.random_bytes)
    store.replace_authority_keys(sealed, "authority-key-encrypted", "with the declared passphrase")


def existing_authority(context: BuildContext) -> StoredAuthority:
    """The authority that was brought. Raises KeyFault, IssuerFault or UnreadableFile."""
    files = context.authority_files()
    key = signing_key.open_key(files.key_pem, context.passphrase())
    issuer.load_issuer(files.certificates_pem, key)
    generation = context.fleet.authority.generation
    order = specification.of_existing_authority(existing_fingerprint(files.certificates_pem), generation)
    digest = keys.public_key_digest(key.public_key())
    kept = files.key_pem
    if not isinstance(key, TokenKey):
        kept = keys.to_keep(key, context.passphrase(), context.random_bytes)
    return _authority(files.certificates_pem, kept, order, is_existing=True, digest=digest)


def unopened_authority(files: AuthorityFiles, generation: int, digest: str) -> StoredAuthority:
    """The authority that was brought and whose key has this digest, without looking into its key's file."""
    order = specification.of_existing_authority(existing_fingerprint(files.certificates_pem), generation)
    return _authority(files.certificates_pem, files.key_pem, order, is_existing=True, digest=digest)


def existing_fingerprint(certificates_pem: bytes) -> str:
    """What identifies an existing authority: the fingerprints of all certificates in its file."""
    held = certificate.encodings(certificates_pem)
    return "+".join(sorted(hashlib.sha256(one).hexdigest() for one in held))


def _authority(
    pem: bytes, key_pem: bytes, order: str, *, is_existing: bool, digest: str | None = None
) -> StoredAuthority:
    found = certificate.read_readable_certificates(pem)
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


def open_issuer(authority: StoredAuthority, context: BuildContext) -> Issuer:
    """The authority ready to sign. Raises KeyFault where the passphrase does not open its key.

    A key that still lies open, though a passphrase is declared, needs none. One in a token is where the
    declaration says now, as modules move; that of a predecessor, which it no longer names, where it was.
    """
    kept, passphrase = authority.key_pem, context.passphrase()
    if not is_in_token(kept):
        key = _from_store(kept, passphrase if is_encrypted(kept) else None)
        return issuer.load_issuer(authority.certificates_pem, key)
    if context.fleet.token_key is None:
        raise WrongDeclaration(
            "the authority's key lies in a token, and pki.toml does not name it any more",
            f'say again in [{context.fleet.signing_table}]: key_file = "pkcs11:…"',
        )
    uri = context.fleet.token_key.encode() if _is_declared(authority, context) else kept
    return issuer.load_issuer(authority.certificates_pem, signing_key.open_key(uri, passphrase))


def _from_store(kept: bytes, passphrase: bytes | None) -> keys.PrivateKey:
    """A key that lies in the store, of which nobody has a file. Raises KeyFault."""
    try:
        return keys.load(kept, passphrase)
    except keys.WrongPassphrase:
        raise keys.WrongPassphraseOfStore from None


def _is_declared(authority: StoredAuthority, context: BuildContext) -> bool:
    """Whether this is the authority that pki.toml describes, rather than one before it."""
    if context.fleet.existing is not None:
        return authority.certificates_pem == context.authority_files().certificates_pem
    return authority.specification == specification.of_authority(context.fleet.authority)
