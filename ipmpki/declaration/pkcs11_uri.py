"""PKCS#11 URIs (RFC 7512): how pki.toml names a key that lies in a token, such as a smart card or an HSM."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

SCHEME: Final = "pkcs11:"

# RFC 7512, section 2.3. Attributes about the module and the slot as such tell nothing of a key.
_PATH: Final = frozenset({"token", "manufacturer", "serial", "model", "object", "type", "id"})
_IGNORED_PATH: Final = frozenset(
    {
        "library-manufacturer",
        "library-description",
        "library-version",
        "slot-manufacturer",
        "slot-description",
    }
)
_QUERY: Final = frozenset({"pin-source", "pin-value", "module-name", "module-path"})
_ALLOWED: Final = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/?|]|%[0-9A-Fa-f]{2})*")


class UriFault(Exception):
    """A URI that cannot be used: ``str()`` says why without quoting it, ``remedy`` what to write."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class TokenUri(NamedTuple):
    """Which key of which token, through which module; None for what the URI does not say.

    ``pin_file`` is the path of the file with the PIN, where ``pin-source`` names one.
    """

    module_path: str
    object: str | None
    id: bytes | None
    token: str | None
    serial: str | None
    manufacturer: str | None
    model: str | None
    pin_file: str | None


def is_token_uri(text: str) -> bool:
    """Whether a key_file is a PKCS#11 URI rather than a path (RFC 3986: schemes have no case)."""
    return text[: len(SCHEME)].lower() == SCHEME


def parse_token_uri(text: str) -> TokenUri:
    """Read a URI, of which every attribute counts. Raises UriFault."""
    path, _, query = text[len(SCHEME) :].partition("?")
    place = _attributes(path, ";")
    how = _attributes(query, "&")
    if "pin-value" in how:
        raise UriFault(
            "the PIN of the token stands in the file, so whoever reads the file can use the CA's key",
            "take pin-value out and change the PIN; say where it is:"
            ' passphrase = { env = "NAME" } or { file = "PATH" }',
        )
    for name in [*place, *how]:
        if name in _IGNORED_PATH or (name not in _PATH and name not in _QUERY):
            raise UriFault(
                f"'{name}' in a PKCS#11 URI is not known here",
                f"use {', '.join(sorted(_PATH))}, and after '?' module-path and pin-source",
            )
    if place.keys() & _QUERY or how.keys() & _PATH:
        raise UriFault(
            "the PKCS#11 URI has an attribute on the wrong side of '?'",
            "write: pkcs11:token=…;object=…?module-path=…",
        )
    if _text(place, "type") not in {None, "private"}:
        raise UriFault("the PKCS#11 URI is not of a private key", "write type=private, or leave it out")
    if not {"object", "id"} & place.keys():
        raise UriFault(
            "the PKCS#11 URI does not say which key of the token it means",
            "add object=LABEL or id=%01, as 'pkcs11-tool --list-objects' shows them",
        )
    if "module-path" not in how:
        raise UriFault(
            "the PKCS#11 URI does not say by which module the token is reached",
            "add the path of the vendor's library, for example ?module-path=/usr/lib/softhsm/libsofthsm2.so",
        )
    return TokenUri(
        module_path=_text(how, "module-path") or "",
        object=_text(place, "object"),
        id=place.get("id"),
        token=_text(place, "token"),
        serial=_text(place, "serial"),
        manufacturer=_text(place, "manufacturer"),
        model=_text(place, "model"),
        pin_file=_pin_file(_text(how, "pin-source")),
    )


def _attributes(text: str, separator: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in text.split(separator) if text else ():
        name, equals, value = attribute.partition("=")
        if not equals or not _ALLOWED.fullmatch(value):
            raise UriFault(
                "the PKCS#11 URI cannot be read",
                "write pkcs11:token=NAME;object=LABEL?module-path=PATH, with %20 for a space and so on",
            )
        if name in found:
            raise UriFault(f"the PKCS#11 URI says '{name}' twice", "keep one of them")
        found[name] = unquote_to_bytes(value)
    return found


def _text(attributes: dict[str, bytes], name: str) -> str | None:
    try:
        return attributes[name].decode() if name in attributes else None
    except UnicodeDecodeError:
        raise UriFault(f"'{name}' of the PKCS#11 URI is not text in UTF-8", "correct its %XX") from None


def _pin_file(source: str | None) -> str | None:
    """The file with the PIN. RFC 7512 leaves open what a pin-source is, and warns of commands (section 5)."""
    if source is None:
        return None
    if source.startswith("|") or "\0" in source:
        raise UriFault("a command as pin-source is not run", "name a file: pin-source=file:/path/to/pin")
    if source.lower().startswith("file:"):
        source = source[len("file:") :]
        source = source.removeprefix("//") if source.startswith("///") else source
    if not source or source.startswith("//") or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", source):
        raise UriFault("the pin-source is not a file", "name a file: pin-source=file:/path/to/pin")
    return source
