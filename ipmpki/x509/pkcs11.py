"""Signing with a key that lies in a PKCS#11 token, which it never leaves.

A PIN is tried once: three wrong ones lock most tokens for good.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ipmpki.declaration.key_types import kind_of
from ipmpki.declaration.pkcs11_uri import parse_token_uri
from ipmpki.diagnostics.fault import Fault, WrongDeclaration
from ipmpki.x509.keys import PrivateKey, PublicKey, UnsupportedKey, key_type_of

if TYPE_CHECKING:
    from ipmpki.declaration.pkcs11_uri import TokenUri

Signed = TypeVar("Signed", bound=x509.Certificate | x509.CertificateRevocationList)

_INSTALL: Final = "install it beside ipmpki: pip install 'ipmpki[pkcs11]'"
_SMALLEST_STAND_IN: Final = 1024


class TokenFault(WrongDeclaration):
    """A token, or the key in it, cannot be used. ``str()`` says why and never tells the PIN."""


class TokenKey:
    """A key in a token that is logged in to. Its public half is here; signing is done there."""

    def __init__(self, key: Any, public: PublicKey) -> None:
        self._key = key
        self._public = public

    def __repr__(self) -> str:
        return f"<TokenKey {key_type_of(self._public)}>"

    def public_key(self) -> PublicKey:
        """Its public half."""
        return self._public

    @cached_property
    def stand_in(self) -> PrivateKey:
        """A key of the same kind, by which the library makes what is to be signed; it is thrown away."""
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            return ec.generate_private_key(self._public.curve)
        return rsa.generate_private_key(public_exponent=65537, key_size=_SMALLEST_STAND_IN)

    def sign_again(self, made: Signed, algorithm: hashes.HashAlgorithm) -> Signed:
        """The same certificate or CRL with this key's signature in place of the stand-in's.

        Raises TokenFault where the token fails, or what it gives is no signature by this key.
        """
        from asn1crypto import crl as asn1_crl
        from asn1crypto import x509 as asn1_x509

        der = made.public_bytes(serialization.Encoding.DER)
        whole: Any
        if isinstance(made, x509.Certificate):
            whole = asn1_x509.Certificate.load(der)
            whole["signature_value"] = self.sign(made.tbs_certificate_bytes, algorithm)
            return cast("Signed", x509.load_der_x509_certificate(whole.dump()))
        whole = asn1_crl.CertificateList.load(der)
        whole["signature"] = self.sign(made.tbs_certlist_bytes, algorithm)
        return cast("Signed", x509.load_der_x509_crl(whole.dump()))

    def sign(self, content: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
        """A signature by RSA with PKCS #1 v1.5, or ECDSA in DER, as X.509 has them."""
        import pkcs11

        digest = algorithm.name.upper()
        try:
            if isinstance(self._public, rsa.RSAPublicKey):
                signature: bytes = self._key.sign(content, mechanism=pkcs11.Mechanism[f"{digest}_RSA_PKCS"])
            else:
                # CKM_ECDSA, of a hash made here: older modules know no other.
                hashed = hashlib.new(digest, content).digest()
                raw = self._key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA)
                half = len(raw) // 2
                signature = encode_dss_signature(
                    int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
                )
        except pkcs11.PKCS11Error as error:
            raise TokenFault(
                f"the token did not sign: {_words(error)}",
                "see that it is still there, then run the command again",
            ) from None
        self._require(signature, content, algorithm)
        return signature

    def _require(self, signature: bytes, content: bytes, algorithm: hashes.HashAlgorithm) -> None:
        try:
            if isinstance(self._public, rsa.RSAPublicKey):
                self._public.verify(signature, content, padding.PKCS1v15(), algorithm)
            else:
                self._public.verify(signature, content, ec.ECDSA(algorithm))
        except InvalidSignature:
            raise TokenFault(
                "the token's signature does not fit the public key beside its private key",
                "the two objects in the token do not belong together: import the pair anew",
            ) from None


_opened: dict[str, TokenKey] = {}
"""Keys of tokens this process has logged in to: a build opens its authority more than once."""


def open_token_key(uri: str, pin: bytes | None) -> TokenKey:
    """The key that a PKCS#11 URI names, after logging in with the PIN; None where the token wants none.

    Raises TokenFault for whatever is in the way, and Fault where the library for it is not installed.
    """
    if uri not in _opened:
        _opened[uri] = _open(parse_token_uri(uri), pin)
    return _opened[uri]


def _open(uri: TokenUri, pin: bytes | None) -> TokenKey:
    try:
        import pkcs11
    except ImportError:
        raise Fault(
            "the CA's key lies in a token, and python-pkcs11, which reaches it, is not here", _INSTALL
        ) from None
    token = _token(uri, _module(uri))
    _require_tries(token)
    try:
        session = token.open(user_pin=_text(pin))
    except pkcs11.UserAlreadyLoggedIn:  # for another key of the same token: a login is a process's
        session = token.open()
    except pkcs11.PKCS11Error as error:
        raise _login_fault(error, pin) from None
    return _key(uri, session)


def _module(uri: TokenUri) -> Any:
    import pkcs11

    try:
        return pkcs11.lib(uri.module_path)
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        raise TokenFault(
            f"the PKCS#11 module '{uri.module_path}' cannot be loaded: {_words(error)}",
            "correct module-path in key_file, or install the module",
        ) from None


def _token(uri: TokenUri, module: Any) -> Any:
    import pkcs11

    try:
        found = [
            slot.get_token()
            for slot in module.get_slots(token_present=True)
            if slot.get_token().flags & pkcs11.TokenFlag.TOKEN_INITIALIZED
        ]
    except pkcs11.PKCS11Error as error:
        raise TokenFault(f"no token can be reached: {_words(error)}", "see that it is plugged in") from None
    matching = [one for one in found if _matches(uri, one)]
    if len(matching) == 1:
        return matching[0]
    labels = ", ".join(f"'{one.label}' (serial={_octets(one.serial)})" for one in (matching or found))
    if not matching:
        raise TokenFault(
            "the token that key_file names is not there",
            f"plug it in, or correct key_file; there is {labels or 'no token at all'}",
        )
    raise TokenFault(
        f"key_file fits {len(matching)} tokens: {labels}", "say which one: add token=… or serial=… to it"
    )


def _matches(uri: TokenUri, token: Any) -> bool:
    pairs = (
        (uri.token, token.label),
        (uri.serial, _octets(token.serial)),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
    )
    return all(wanted is None or wanted == held.strip() for wanted, held in pairs)


def _octets(value: bytes | str) -> str:
    return value.decode(errors="replace").strip() if isinstance(value, bytes) else value.strip()


def _require_tries(token: Any) -> None:
    """Never use up the last try: whoever has only that left should know what they do."""
    import pkcs11

    if token.flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
        raise TokenFault("the token's PIN is locked", "have its security officer unlock it")
    if token.flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
        raise TokenFault(
            "the token's PIN was given wrongly before, and one more wrong one locks it; it was not tried",
            "log in once with its vendor's tool, which sets the count back, then run the command again",
        )


def _login_fault(error: Exception, pin: bytes | None) -> Fault:
    import pkcs11

    if isinstance(error, (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid)):
        return TokenFault(
            "the token does not take the PIN; it was tried once",
            "correct it where pki.toml says it is, before you run the command again: wrong ones lock it",
        )
    if isinstance(error, pkcs11.PinLocked):
        return TokenFault("the token's PIN is locked", "have its security officer unlock it")
    if pin is None:
        return _no_pin()
    return TokenFault(
        f"the token does not let ipmpki in: {_words(error)}", "look at it with the vendor's own tool"
    )


def _no_pin() -> TokenFault:
    return TokenFault(
        "the token wants a PIN, and pki.toml does not say where it is",
        'add to the table of key_file: passphrase = { env = "NAME" } or { file = "PATH" }',
    )


def _key(uri: TokenUri, session: Any) -> TokenKey:
    import pkcs11

    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if uri.object is not None:
        wanted[pkcs11.Attribute.LABEL] = uri.object
    if uri.id is not None:
        wanted[pkcs11.Attribute.ID] = uri.id
    try:
        found = list(session.get_objects(wanted))
        if len(found) == 1:
            return TokenKey(found[0], _public_key(session, found[0]))
    except pkcs11.PKCS11Error as error:
        raise TokenFault(
            f"the token's key cannot be used: {_words(error)}", "look at it with pkcs11-tool"
        ) from None
    if not found:
        raise TokenFault(
            "the token has no such private key as key_file names, or shows it only after a PIN",
            "correct object or id in key_file, and see that a PIN is declared: passphrase = { env = … }",
        )
    raise TokenFault(f"key_file fits {len(found)} private keys of the token", "say which one: add id=… to it")


def _public_key(session: Any, private: Any) -> PublicKey:
    """The public half: an object of the same id beside it, or what an RSA private key tells of it."""
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key

    attribute = pkcs11.Attribute
    if private.key_type is pkcs11.KeyType.RSA:
        modulus, exponent = (
            int.from_bytes(private[one], "big") for one in (attribute.MODULUS, attribute.PUBLIC_EXPONENT)
        )
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if private.key_type is not pkcs11.KeyType.EC:
        raise UnsupportedKey(f"of the kind {private.key_type.name}")
    beside = list(
        session.get_objects(
            {attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, attribute.ID: private[attribute.ID]}
        )
    )
    if len(beside) != 1:
        raise TokenFault(
            "the token has no public key beside the private one, with the same id",
            "import it, too: pkcs11-tool --write-object public.der --type pubkey --id …",
        )
    try:
        public = serialization.load_der_public_key(encode_ec_public_key(beside[0]))
    except (ValueError, UnsupportedAlgorithm):
        raise UnsupportedKey("an EC key on an unknown curve") from None
    if not isinstance(public, PublicKey) or kind_of(key_type_of(public)).curve is None:
        raise UnsupportedKey("an EC key on an unknown curve")
    return public


def _text(pin: bytes | None) -> str | None:
    try:
        return pin.decode() if pin is not None else None
    except UnicodeDecodeError:
        raise TokenFault("the PIN is not text in UTF-8", "correct it where pki.toml says it is") from None


def _words(error: Exception) -> str:
    """What PKCS#11 calls it, as a vendor's manual has it; never what was given."""
    return str(error) or type(error).__name__
