"""Keys, and whether they belong to the certificates beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipmpki.declaration.key_types import kind_of
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import quote
from ipmpki.rules.certificates.validity import judged
from ipmpki.rules.registry import VENDOR, Finding, also_of_presented, presented_rule
from ipmpki.x509.key_flaws import flaw_of
from ipmpki.x509.presented_certificates import FlawKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.x509.presented_certificates import Presented

_OTHERS = 0o077


@presented_rule(Severity.ERROR, cites="RFC 8446, section 4.4.3; RFC 5246, section 7.4.8")
def key_mismatch(presented: Presented) -> Iterator[Finding]:
    """A private key does not belong to the certificate beside it.

    ## What it finds

    A private key whose public half is in none of the certificates shown together with it.

    ## Who is hurt

    The server or client itself: it does not start, or cannot connect.

    ## Example

    It comes of a renewal where the certificate was copied and its new key was not.

    ## Instead

    Copy key and certificate of the same order together.
    """
    own = {chain.leaf.public_key_digest for chain in presented.chains}
    own |= {one.public_key_digest for one in presented.authorities}
    if not own:
        return
    for key in presented.keys:
        if not key.is_encrypted and key.public_key_digest not in own:
            yield Finding(
                "the private key belongs to none of the certificates shown with it",
                "copy the key and the certificate that were made together",
                key.place,
            )


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: only unencrypted certificate keys in PEM format")
def key_encrypted(presented: Presented) -> Iterator[Finding]:
    """A private key is encrypted, which InfoPrint Manager cannot open.

    ## What it finds

    A private key in PEM that needs a passphrase. Whether it belongs to the certificate cannot be told.

    ## Who is hurt

    The server or client itself: it does not start, or cannot connect.

    ## Example

    It comes of "openssl req" without "-noenc" (formerly "-nodes").

    ## Instead

    Decrypt it, into a file that only its account can read: openssl pkey -in KEY_FILE -out NEW_FILE
    """
    for key in presented.keys:
        if key.is_encrypted:
            yield Finding(
                "the private key is encrypted; InfoPrint Manager reads unencrypted keys only",
                "decrypt it with: umask 077; openssl pkey -in KEY_FILE -out NEW_FILE",
                key.place,
            )


@presented_rule(Severity.ERROR, cites=f"{VENDOR}: keys in PEM format; RFC 5958")
def key_unreadable(presented: Presented) -> Iterator[Finding]:
    """A private key cannot be read, or is of a kind InfoPrint Manager does not take.

    ## What it finds

    A key that is cut off or damaged, in DER or OpenSSH's form, or neither RSA nor elliptic.

    ## Who is hurt

    The server or client itself: it does not start, or cannot connect.

    ## Example

    It comes of copying by mouse: the END line is missing.

    ## Instead

    Copy the file again, whole and as text.
    """
    for flaw in presented.flaws:
        if flaw.kind is FlawKind.KEY:
            yield Finding(flaw.message, flaw.remedy, flaw.place)


@also_of_presented("private-key-readable")
def _readable(presented: Presented) -> Iterator[Finding]:
    for file in presented.key_files:
        if file.mode & _OTHERS:
            yield Finding(
                f"others than its owner have access to {quote(file.path)} (mode {file.mode & 0o7777:04o})",
                f"run: chmod 600 {file.path}",
                file.place,
            )


@also_of_presented("key-too-weak")
def _too_weak(presented: Presented) -> Iterator[Finding]:
    for one in judged(presented):
        if kind_of(one.key_type).is_weak:
            yield Finding(
                f"the key of {quote(one.title)}, {one.key_type}, is too weak to trust",
                "have it issued again for a new RSA key of 2048 bits or more",
                one.place,
            )


@presented_rule(
    Severity.ERROR, cites="NIST SP 800-89, section 5.3.3; CVE-2017-15361; RFC 8446, section 4.2.7"
)
def key_unsound(presented: Presented) -> Iterator[Finding]:
    """A certificate's key is one that others can compute, or that programs do not use.

    ## What it finds

    An RSA key with an even modulus, a factor below 752, primes that lie close together, or the mark of chips
    that made keys badly (ROCA); with the exponent 1, an even one or one of more than 64 bits; of more than
    16384 bits. Also a key on another curve than P-256, P-384 and P-521. Whether it is one of Debian's weak
    keys of 2008 is not looked up.

    ## Who is hurt

    Everybody: who computes the private key poses as its holder. Or nobody connects, as programs refuse it.

    ## Example

    It comes of smart cards made before 2017, and of small devices that made keys with too little chance.

    ## Instead

    Make a new key with openssl or ipmpki, and have a certificate issued for it.
    """
    for one in judged(presented):
        flaw = flaw_of(one.key_type, one.rsa)
        if flaw is not None and not kind_of(one.key_type).is_weak:
            yield Finding(
                f"the key of {quote(one.title)} {flaw}",
                "make a new key, an RSA key of 2048 bits or more, and have a certificate issued for it",
                one.place,
            )


@also_of_presented("server-key-cannot-encipher")
def _cannot_encipher(presented: Presented) -> Iterator[Finding]:
    for chain in presented.chains:
        leaf = chain.leaf
        if (
            chain.role is Role.SERVER
            and leaf.key_type != "unknown"
            and not kind_of(leaf.key_type).can_encipher
        ):
            yield Finding(
                f"{quote(leaf.key_type)} cannot be a server's key:"
                " InfoPrint Manager needs one that can encipher",
                "have it issued again for an RSA key of 2048 bits or more",
                leaf.place,
            )
