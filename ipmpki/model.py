"""The declaration as written: what pki.toml may say, and of which type.

Everything the field of X.509 or DNS has an opinion on (names, addresses, lifetimes against each other)
is left to the rules, so that a value that is merely wrong still reaches them and hides nothing else.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ipmpki.vocabulary import KeyType, OperatingSystem, Role

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_LONGEST = timedelta(days=365 * 100)
"""A validity further off could pass the year 9999, where GeneralizedTime ends (RFC 5280, 4.1.2.5.2)."""

_RSA = re.compile(r"rsa-(?P<bits>[0-9]{1,5})", re.ASCII)
_SMALLEST_RSA = 2048


def _duration(written: Any) -> Any:
    if isinstance(written, timedelta):
        return written
    if not isinstance(written, str):
        raise PydanticCustomError("string_type", "a duration is a string such as '397d'")
    match = _DURATION.fullmatch(written)
    if match is None:
        raise PydanticCustomError(
            "duration", "'{written}' is not a duration; write a number and d, w, m or y", {"written": written}
        )
    length = timedelta(days=int(match["count"]) * _DAYS[match["unit"]])
    if length > _LONGEST:
        raise PydanticCustomError(
            "duration", "'{written}' is longer than a hundred years", {"written": written}
        )
    return length


def _key_type(written: Any) -> Any:
    if not isinstance(written, str):
        raise PydanticCustomError("string_type", "a key type is a string such as 'rsa-2048'")
    match = _RSA.fullmatch(written)
    if match is not None and 0 < int(match["bits"]) < _SMALLEST_RSA:
        raise PydanticCustomError("key_too_weak", "'{written}' is too weak", {"written": written})
    return written


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_DURATION.pattern.replace('?P<count>', '').replace('?P<unit>', '')}$",
        }
    ),
]
Key = Annotated[KeyType, BeforeValidator(_key_type)]


class Table(BaseModel):
    """A table of pki.toml. Unknown keys are errors; strings are never coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Passphrase(Table):
    """Where the CA key's passphrase is read from; exactly one of the two."""

    env: str | None = Field(
        default=None,
        title="Environment variable",
        description="Name of the environment variable that holds the passphrase.",
    )
    file: str | None = Field(
        default=None,
        title="Passphrase file",
        description="File whose first line is the passphrase; relative to pki.toml.",
    )


class CertificateAuthority(Table):
    """The certificate authority: made by ipmpki, or one that exists already."""

    kind: Literal["private", "third-party"] = Field(
        default="private",
        title="Kind of authority",
        description="'private' issues the certificates here; 'third-party' is a globally known CA.",
    )
    common_name: str | None = Field(
        default=None, title="Common name", description="The authority's name.", examples=["Acme Print CA"]
    )
    organization: str | None = Field(default=None, title="Organization")
    organizational_unit: str | None = Field(default=None, title="Organizational unit")
    country: str | None = Field(
        default=None, title="Country", description="Two letters, as in ISO 3166.", examples=["DE"]
    )
    state: str | None = Field(default=None, title="State or province")
    locality: str | None = Field(default=None, title="Locality")
    key: Key = Field(
        default=KeyType.RSA_3072, title="The authority's key", description="Key type of a new authority."
    )
    lifetime: Duration = Field(
        default=timedelta(days=3650),
        title="The authority's lifetime",
        description="Validity of a new authority.",
        examples=["10y"],
    )
    certificate: str | None = Field(
        default=None,
        title="Existing certificate",
        description="PEM file of an authority that exists already; relative to pki.toml.",
    )
    key_file: str | None = Field(
        default=None,
        title="Existing key",
        description="PEM file of that authority's private key; relative to pki.toml.",
    )
    passphrase: Passphrase | None = Field(
        default=None, title="Passphrase of the CA's key", description='{ env = "NAME" } or { file = "PATH" }.'
    )


class Tls(Table):
    """How the hosts authenticate each other."""

    mutual_auth: Literal["off", "required"] = Field(
        default="off",
        title="Mutual authentication",
        description="'required': clients need a certificate of their own, which the server checks.",
    )


class Defaults(Table):
    """What holds for every host that does not say otherwise."""

    os: OperatingSystem = Field(default=OperatingSystem.LINUX, title="Operating system")
    key: Key = Field(default=KeyType.RSA_2048, title="Key type")
    lifetime: Duration = Field(
        default=timedelta(days=397), title="Validity of a certificate", examples=["397d"]
    )
    renew_before: Duration = Field(
        default=timedelta(days=30),
        title="Renewal window",
        description="How long before its end a certificate is renewed.",
        examples=["30d"],
    )


class Keywords(Table):
    """Names of ipmssl.cfg keywords that the vendor does not publish, read off the sample on a host."""

    ca_file: str | None = Field(default=None, title="Keyword for the CA file")
    crl_file: str | None = Field(default=None, title="Keyword for the revocation list")
    mutual_auth: str | None = Field(
        default=None,
        title="Keyword for mutual authentication",
        description="Its name alone is set to 1 as EnableTLS is; 'NAME=VALUE' sets another value.",
    )


class IpmSettings(Table):
    """What only the site knows of its InfoPrint Manager."""

    server_account: str | None = Field(
        default=None, title="Server's account", description="Owner of the server's key.", examples=["ipm1"]
    )
    restart_command: str | None = Field(
        default=None,
        title="Restart command",
        description="Printed as an instruction unless the install script is told to run it.",
    )
    keywords: Keywords = Field(default=Keywords(), title="ipmssl.cfg keywords")


class Ipm(IpmSettings):
    """The site's settings, and where one operating system differs."""

    aix: IpmSettings | None = Field(default=None, title="Settings on AIX")
    linux: IpmSettings | None = Field(default=None, title="Settings on Linux")
    windows: IpmSettings | None = Field(default=None, title="Settings on Windows")
    macos: IpmSettings | None = Field(default=None, title="Settings on macOS")


class RuleSettings(Table):
    """Which rules are silenced."""

    ignore: tuple[str, ...] = Field(
        default=(),
        title="Ignored rules",
        description="Warnings and infos that are not to be reported; never errors.",
    )


class Host(Table):
    """One computer that runs an InfoPrint Manager server or client."""

    name: str = Field(
        title="Full computer name", description="As it stands in DNS.", examples=["ipm1.example.com"]
    )
    role: Role = Field(title="Role")
    os: OperatingSystem | None = Field(default=None, title="Operating system")
    subject: str | None = Field(
        default=None,
        title="Subject",
        description="A wildcard to put in the subject instead of the name.",
        examples=["*.example.com"],
    )
    aliases: tuple[str, ...] = Field(default=(), title="Aliases", description="Other names of this computer.")
    ips: tuple[str, ...] = Field(default=(), title="IP addresses", description="IPv4 and IPv6.")
    key: Key | None = Field(default=None, title="Key type")
    lifetime: Duration | None = Field(default=None, title="Validity of its certificate")
    renew_before: Duration | None = Field(default=None, title="Renewal window")


class Site(Table):
    """A file brought in by ``include``: further hosts."""

    hosts: tuple[Host, ...] = Field(default=(), title="Hosts")


class Declaration(Table):
    """A whole pki.toml."""

    schema_: Literal[1] = Field(default=1, alias="schema", title="Version of this format")
    include: tuple[str, ...] = Field(
        default=(),
        title="Included files",
        description="Patterns of files with further [[hosts]].",
        examples=[["sites/*.toml"]],
    )
    store: str | None = Field(
        default=None, title="Store", description="Where pki.db lies, if not beside this file."
    )
    ca: CertificateAuthority = Field(title="Certificate authority")
    tls: Tls = Field(default=Tls(), title="TLS")
    defaults: Defaults = Field(default=Defaults(), title="Defaults for every host")
    ipm: Ipm = Field(default=Ipm(), title="InfoPrint Manager")
    rules: RuleSettings = Field(default=RuleSettings(), title="Rules")
    hosts: tuple[Host, ...] = Field(default=(), title="Hosts")
