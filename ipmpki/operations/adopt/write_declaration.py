"""The pki.toml of an old PKI: the template of ``ipmpki init``, with what was found for its examples."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipmpki.declaration.edit.toml import write_value
from ipmpki.declaration.key_types import KeyType, made_here
from ipmpki.declaration.vocabulary import Role
from ipmpki.diagnostics.escape import is_hidden
from ipmpki.operations.adopt.hosts import declarable_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from tomlkit.items import String

    from ipmpki.declaration.fleet import DistinguishedName, PassphraseSource
    from ipmpki.operations.adopt.hosts import HostEntry
    from ipmpki.x509.presented_certificates import PresentedCertificate

_COLUMN = 40
"""Where the template's remarks begin."""
_LONGEST = {"common_name": 64, "organization": 64, "organizational_unit": 64, "state": 128, "locality": 128}
"""Upper bounds of RFC 5280, appendix A.1, which the rules hold pki.toml to."""
_COUNTRY = re.compile("[A-Z]{2}")
_YEAR, _LONGEST_DAYS = 365, 36_500
_USUAL_LIFETIME, _USUAL_WINDOW = 397, 30


@dataclass(frozen=True, slots=True)
class Declared:
    """All that goes into the new pki.toml."""

    subject: DistinguishedName
    authority: PresentedCertificate
    passphrase: PassphraseSource | None
    mutual_auth: bool
    hosts: tuple[HostEntry, ...]
    day: datetime


def declaration_text(declared: Declared, template: str) -> str:
    """The whole file. Raises ValueError where the template lacks a key that is to be set."""
    lifetime = usual_lifetime(declared)
    key = usual_key(declared.hosts)
    head = template.partition("\n[[hosts]]\n")[0]
    head = _introduced(head, declared)
    for table, name, value in _settings(declared, key, lifetime):
        head = _set(head, table, name, value)
    head = _without_examples(head)
    if declared.mutual_auth:
        head = _set_by_hand(head)
    what = "clients have certificates in the old folder" if declared.mutual_auth else "no client has one"
    head = head.replace("\nmutual_auth = ", f"\n# A guess, as {what}:\nmutual_auth = ", 1)
    hosts = "".join(f"\n{_host(host, key)}" for host in declared.hosts)
    return f"{head.rstrip()}\n{hosts}"


def usual_key(hosts: Iterable[HostEntry]) -> KeyType:
    """The type of key that most servers have, or most hosts where there is no server."""
    for role in (Role.SERVER, Role.CLIENT):
        found = Counter(
            kind
            for host in hosts
            if host.role is role and host.certificate is not None
            for kind in (made_here(host.certificate.key_type),)
            if kind is not None and not (role is Role.SERVER and kind.is_elliptic)
        )
        if found:
            return found.most_common(1)[0][0]
    return KeyType.RSA_2048


def usual_lifetime(declared: Declared) -> int:
    """How long most certificates were made for, in days, though never for longer than the authority."""
    found = Counter(_days(one.certificate) for one in declared.hosts if one.certificate is not None)
    usual = found.most_common(1)[0][0] if found else _USUAL_LIFETIME
    return max(1, min(usual, _days(declared.authority), _LONGEST_DAYS))


def _days(certificate: PresentedCertificate) -> int:
    """Whole days: both ends are inclusive, and openssl leaves out the last second's."""
    length: timedelta = certificate.not_after - certificate.not_before
    return max(1, round(length.total_seconds() / 86_400))


def _settings(declared: Declared, key: KeyType, lifetime: int) -> Iterator[tuple[str, str, str]]:
    subject = declared.subject
    yield "ca", "common_name", write_value(authority_name(declared))
    for name in ("organization", "organizational_unit", "country", "state", "locality"):
        value = getattr(subject, name)
        if value and _may_stand(name, value):
            yield "ca", name, write_value(value)
    yield "ca", "key", write_value((made_here(declared.authority.key_type) or KeyType.RSA_3072).value)
    yield "ca", "lifetime", write_value(_duration(min(_days(declared.authority), _LONGEST_DAYS)))
    if declared.passphrase is not None:
        kind = "env" if declared.passphrase.env is not None else "file"
        value = declared.passphrase.env or declared.passphrase.file or ""
        yield "ca", "passphrase", write_value({kind: value})
    yield "tls", "mutual_auth", write_value("required" if declared.mutual_auth else "off")
    yield "defaults", "key", write_value(key.value)
    yield "defaults", "lifetime", write_value(_duration(lifetime))
    if lifetime <= _USUAL_WINDOW:
        yield "defaults", "renew_before", write_value(f"{max(1, lifetime // 3)}d")


def authority_name(declared: Declared) -> str:
    """The authority's common name, or what else it calls itself."""
    subject = declared.subject
    names = (subject.common_name, subject.organizational_unit, subject.organization)
    return next((one for one in names if one and _may_stand("common_name", one)), "Print CA")


def _may_stand(name: str, value: str) -> bool:
    if name == "country":
        return _COUNTRY.fullmatch(value) is not None
    if name == "common_name" and len(value.encode()) > _LONGEST[name]:
        return False
    return len(value) <= _LONGEST[name] and not any(map(is_hidden, value)) and bool(value.strip())


def _duration(days: int) -> str:
    return f"{days // _YEAR}y" if days % _YEAR == 0 and days > _YEAR else f"{days}d"


def _set(head: str, table: str, name: str, value: str) -> str:
    """Give a key of a table its value, be it a remark so far; the remark at its line's end stays."""
    before, header, body = head.partition(f"\n[{table}]\n")
    end = re.search(r"^\[|^# ----", body, re.MULTILINE)
    own, rest = (body[: end.start()], body[end.start() :]) if end is not None else (body, "")
    line = re.compile(
        rf"^(?:# )?{name} = (?:\"[^\"]*\"|\{{[^}}]*\}})(?P<space> *)(?P<remark>#.*)?$", re.MULTILINE
    )

    def written(found: re.Match[str]) -> str:
        told = found["remark"] or ""
        return f"{f'{name} = {value}':<{_COLUMN - 1}} {told}".rstrip() if told else f"{name} = {value}"

    replaced, count = line.subn(written, own, count=1)
    if not header or not count:
        message = f"the template has no {name} in [{table}]"
        raise ValueError(message)
    return f"{before}{header}{replaced}{rest}"


def _introduced(head: str, declared: Declared) -> str:
    """The template's first step, to put computers in, is done; what is left is to look at them."""
    step = "#   1. Put your own computers in place of the two at the end of this file."
    made = "# Made by the first build. Every computer trusts it, and through it each other."
    for found in (step, made):
        if found not in head:
            message = f"the template has no line {found!r}"
            raise ValueError(message)
    head = head.replace(
        step, "#   1. Look through the computers at the end of this file: each guess is marked."
    )
    end = f"{declared.authority.not_after:%Y-%m-%d}"
    return head.replace(
        made,
        f"# Adopted on {declared.day:%Y-%m-%d}; it goes on until {end}. Its certificate and its key lie in\n"
        "# the store: no file of the old folder is needed any more. What stands here describes it, and\n"
        "# is how its successor will be made: 'generation = 2', or another key, begins one.",
    )


_OF_KEYWORDS = (
    "# [ipm.keywords]\n",
    '# by_hand = ["mutual_auth"]             # what you set in ipmssl.cfg yourself\n',
)


def _set_by_hand(head: str) -> str:
    """Servers that ask clients for certificates already were told to by somebody else than ipmpki."""
    header, line = _OF_KEYWORDS
    if header not in head or line not in head:
        message = "the template has no [ipm.keywords], or no by_hand in it"
        raise ValueError(message)
    told = 'by_hand = ["mutual_auth", "crl_file"]   # a guess: each ipmssl.cfg has them already\n'
    return head.replace(header, header.removeprefix("# ")).replace(line, told)


def _without_examples(head: str) -> str:
    """Where one of the two ways to a passphrase is in use, remarks on the other would be odd."""
    if not re.search("^passphrase = ", head, re.MULTILINE):
        return head
    head = re.sub(r"^# passphrase = .*\n", "", head, flags=re.MULTILINE)
    return re.sub(r"^(passphrase = .*?\}) +#.*$", r"\1", head, flags=re.MULTILINE)


def _host(host: HostEntry, usual: KeyType) -> str:
    import tomlkit

    table = tomlkit.table()
    table["name"] = host.name
    if host.is_completed:
        table["name"] = _remarked("name", host.name, "a guess: its domain is that of --domain")
    table["role"] = host.role.value
    if host.is_guess:
        words = 'a guess: its certificate does not say; or "client"'
        table["role"] = _remarked("role", host.role.value, words)
    table["os"] = _remarked("os", "linux", "a guess: aix linux windows macos")
    if host.subject is not None:
        table["subject"] = host.subject
    for name, values in (("aliases", host.aliases), ("ips", tuple(map(str, host.addresses)))):
        if values:
            table[name] = list(values)
    key = declarable_key(host, usual)
    if host.request is not None:
        table["csr"] = request_path(host)
    elif key is not None:
        table["key"] = key.value
    return f"[[hosts]]\n{table.as_string()}"


def _remarked(key: str, value: str, words: str) -> String:
    """A value with a remark behind it, where the template has its own."""
    import tomlkit

    written = tomlkit.string(value)
    written.comment(words)
    written.trivia.comment_ws = " " * (_COLUMN - len(f"{key} = {written.as_string()}"))
    return written


def request_path(host: HostEntry) -> str:
    """Where a host's own request is put, beside pki.toml."""
    return f"csr/{host.name}.csr"
