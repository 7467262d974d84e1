"""What a declaration is, for the floors: a model of their own, so that ipmpki's may change and they do not.

The tables and keys of pki.toml as they were when it was frozen, validated as strictly.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


class Algorithm(Enum):
    """The key types."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"


class Platform(Enum):
    """The operating systems."""

    AIX = "aix"
    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"


class Part(Enum):
    """The roles."""

    SERVER = "server"
    CLIENT = "client"


def _duration(value: object) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,5})([dwmy])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("no duration")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])


def _given(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("nothing is given")
    return text


def _whole(value: object) -> object:
    if type(value) is not int or value < 1:
        raise ValueError("no whole number")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Text = Annotated[str, AfterValidator(_given)]
Whole = Annotated[int, BeforeValidator(_whole)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]


class Strict(BaseModel):
    """A table. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Phrase(Strict):
    """``passphrase``."""

    env: Text | None = None
    file: Text | None = None


class Signing(Strict):
    """What ``[ca]`` and ``[client_ca]`` share."""

    common_name: Text | None = None
    organization: Text | None = None
    organizational_unit: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    state: Text | None = None
    locality: Text | None = None
    key: Algorithm = Algorithm.RSA_3072
    lifetime: Duration = timedelta(days=3650)
    certificate: Text | None = None
    key_file: Text | None = None
    generation: Whole = 1
    revoke_replaced: StrictBool = True
    permitted_domains: Literal["declared"] | tuple[Text, ...] | None = None
    permitted_addresses: Literal["declared"] | tuple[Text, ...] | None = None
    passphrase: Phrase | None = None


class Authority(Signing):
    """``[ca]``."""

    kind: Literal["private", "third-party"] = "private"
    bundle: Text | None = None
    certdata: Text | None = None
    bundle_age: Duration = timedelta(days=365)


class Handshake(Strict):
    """``[tls]``."""

    mutual_auth: Literal["off", "required"] = "off"


class Usual(Strict):
    """``[defaults]``."""

    os: Platform = Platform.LINUX
    key: Algorithm = Algorithm.RSA_2048
    lifetime: Duration = timedelta(days=397)
    renew_before: Duration = timedelta(days=30)
    renew_spread: Duration | None = None
    renew_key: Literal["new", "keep"] = "new"


class Words(Strict):
    """``keywords``."""

    ca_file: Word | None = None
    crl_file: Word | None = None
    mutual_auth: Text | None = None


class Settings(Strict):
    """``[ipm.aix]`` and its like."""

    server_account: Text | None = None
    restart_command: Text | None = None
    server_name: Word | None = None
    tls_port: Whole | None = None
    restart_every: Duration | None = None
    ec_keys: StrictBool | None = None
    keywords: Words = Words()


class Installation(Settings):
    """``[ipm]``."""

    aix: Settings | None = None
    linux: Settings | None = None
    windows: Settings | None = None
    macos: Settings | None = None


class Judgement(Strict):
    """``[rules]``."""

    ignore: tuple[str, ...] = ()


class Batches(Strict):
    """``[rollout]``."""

    batch: tuple[Any, ...] = ()


class Computer(Strict):
    """``[[hosts]]``."""

    name: str
    role: Part
    os: Platform | None = None
    subject: str | None = None
    aliases: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    key: Algorithm | None = None
    lifetime: Duration | None = None
    renew_before: Duration | None = None
    renew_key: Literal["new", "keep"] | None = None
    csr: Text | None = None
    restart_command: Text | None = None
    server_name: Word | None = None
    tls_port: Whole | None = None
    formerly: Text | None = None


class Document(Strict):
    """The whole file."""

    schema_: Annotated[Literal[1], BeforeValidator(_whole)] = Field(alias="schema")
    include: tuple[Text, ...] = ()
    store: Text | None = None
    ca: Authority
    client_ca: Signing | None = None
    tls: Handshake = Handshake()
    defaults: Usual = Usual()
    ipm: Installation = Installation()
    rollout: Batches = Batches()
    rules: Judgement = Judgement()
    hosts: tuple[Computer, ...] = ()
