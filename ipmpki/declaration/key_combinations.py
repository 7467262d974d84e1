"""What the keys of an authority ask of one another: which go together, and which exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ipmpki.declaration.pkcs11_uri import UriFault, is_token_uri, parse_token_uri
from ipmpki.diagnostics.problem import DocumentPath, Place, Problem, Related, Severity
from ipmpki.source.secrets import AUTHORITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.source import Document

WasRead: TypeAlias = Callable[[DocumentPath], bool]
"""Whether what is written at a path is what it should be, so that it can be judged further."""


def conditions(document: Document, was_read: WasRead) -> Iterator[Problem]:
    """What is wrong between the keys of pki.toml's authorities, where each of them could be read."""
    for table in AUTHORITIES:
        values = document.values.get(table)
        if isinstance(values, dict):
            at = Place(document.source.name, (table,))
            yield from _authority_conditions(at, values, was_read)
            yield from _passphrase_conditions(at, values, was_read)
    ca = document.values.get("ca")
    if isinstance(ca, dict):
        yield from _bundle_conditions(Place(document.source.name, ("ca",)), ca, was_read)


def _bundle_conditions(at: Place, ca: dict[str, Any], was_read: WasRead) -> Iterator[Problem]:
    paths = ("ca", "certdata"), ("ca", "bundle")
    if {"certdata", "bundle"} <= ca.keys() and all(map(was_read, paths)):
        yield Problem(
            "wrong-value",
            Severity.ERROR,
            "the trust bundle is to come from two files",
            "keep either certdata or bundle",
            at.at("bundle").key(),
            (Related("the other one", at.at("certdata").key()),),
        )


def _authority_conditions(at: Place, ca: dict[str, Any], was_read: WasRead) -> Iterator[Problem]:
    keys = ("kind", "common_name", "certificate", "key_file")
    if ca.get("kind", "private") != "private" or not all(was_read((*at.path, key)) for key in keys):
        return
    key_file = ca.get("key_file")
    in_token = isinstance(key_file, str) and is_token_uri(key_file)
    if in_token:
        yield from _token_conditions(at, ca)
    if "certificate" in ca and "key_file" not in ca:
        yield Problem(
            "missing-key",
            Severity.ERROR,
            "the authority's certificate is given, but not its key",
            'add: key_file = "ca-key.pem", or leave out certificate to have an authority made',
            at.at("key_file"),
            (Related("for this certificate", at.at("certificate")),),
        )
    elif "key_file" in ca and "certificate" not in ca and not in_token:
        yield Problem(
            "missing-key",
            Severity.ERROR,
            "the authority's key is given, but not its certificate",
            'add: certificate = "ca-cert.pem", or leave out key_file to have an authority made',
            at.at("certificate"),
            (Related("for this key", at.at("key_file")),),
        )
    elif "certificate" not in ca and "common_name" not in ca:
        yield Problem(
            "missing-key",
            Severity.ERROR,
            "the authority has no 'common_name'",
            'write: common_name = "Acme Print CA", with your company\'s name',
            at.at("common_name"),
        )


def _token_conditions(at: Place, ca: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with the URI of a key in a token, and with what stands beside it."""
    try:
        uri = parse_token_uri(ca["key_file"])
    except UriFault as fault:
        yield Problem("wrong-value", Severity.ERROR, str(fault), fault.remedy, at.at("key_file"))
        return
    if uri.pin_file is not None and "passphrase" in ca:
        yield Problem(
            "wrong-value",
            Severity.ERROR,
            "the PIN of the token is to be read from two places",
            "keep either pin-source in key_file, or passphrase",
            at.at("passphrase").key(),
        )
    if "key" in ca:
        yield Problem(
            "wrong-value",
            Severity.ERROR,
            "the key lies in a token already, so 'key' has no meaning here",
            "leave out key",
            at.at("key").key(),
        )


def _passphrase_conditions(at: Place, ca: dict[str, Any], was_read: WasRead) -> Iterator[Problem]:
    passphrase = ca.get("passphrase")
    paths = [(*at.path, "passphrase", *key) for key in ((), ("env",), ("file",))]
    if not isinstance(passphrase, dict) or not all(map(was_read, paths)):
        return
    given = {"env", "file"} & passphrase.keys()
    if len(given) == 1:
        return
    words = (
        "the passphrase is to be read from two places"
        if given
        else "'passphrase' does not say where the passphrase is"
    )
    remedy = 'write either { env = "NAME" } or { file = "PATH" }'
    if not (passphrase.keys() - given) or given:
        yield Problem("wrong-value", Severity.ERROR, words, remedy, at.at("passphrase").key())
