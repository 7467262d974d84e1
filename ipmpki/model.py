"""The declaration as written: what pki.toml may say, and of which type.

Everything the field of X.509 or DNS has an opinion on (names, addresses, lifetimes against each other)
is left to the rules, so that a value that is merely wrong still reaches them and hides nothing else.

Nothing else imports pydantic: what it finds leaves this module as plain ``Fault`` values.
"""

from __future__ import annotations

import re
import typing
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from ipmpki.vocabulary import KeyType, OperatingSystem, Role
from ipmpki.wording import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

    from ipmpki.diagnostics import DocumentPath

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[dwmy])", re.ASCII)
_DURATION_PATTERN = "^[1-9][0-9]{0,4}[dwmy]$"
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_LONGEST = timedelta(days=365 * 100)
"""A validity further off could pass the year 9999, where GeneralizedTime ends (RFC 5280, 4.1.2.5.2)."""
_NEAR_DURATION = re.compile(
    r"0*(?P<count>[1-9][0-9]{0,4})\s*(?P<unit>d|w|m|y)?(?:ays?|eeks?|o|ons?|onths?|rs?|ears?)?\.?",
    re.ASCII | re.IGNORECASE,
)

_RSA = re.compile(r"rsa[-_ ]?(?P<bits>[0-9]{1,5})", re.ASCII | re.IGNORECASE)
_SMALLEST_RSA = 2048


def _refused(fault: str, remedy: str, meant: str | int | None = None) -> PydanticCustomError:
    """A value of the right type that cannot be meant: fault and remedy in the words of a problem.

    ``meant`` is the value to write instead, where there is just one.
    """
    return PydanticCustomError("refused", "{fault}", {"fault": fault, "remedy": remedy, "meant": meant})


def _duration(written: Any) -> Any:
    if isinstance(written, timedelta):
        return written
    if not isinstance(written, str):
        raise PydanticCustomError("string_type", "a duration is a string")
    match = _DURATION.fullmatch(written)
    if match is None:
        near = _NEAR_DURATION.fullmatch(written.strip())
        guess = f"{near['count']}{(near['unit'] or 'd').lower()}" if near else None
        meant = f"did you mean '{guess}'? " if guess else ""
        raise _refused(
            f"{quote(written)} is not a duration",
            f"{meant}write a number and one of d, w, m, y (days, weeks, months, years), such as '397d'",
            guess if near and near["unit"] else None,  # a number alone may be days or years
        )
    length = timedelta(days=int(match["count"]) * _DAYS[match["unit"]])
    if length > _LONGEST:
        raise _refused(
            f"{quote(written)} is longer than a hundred years", "declare a shorter time, such as '10y'"
        )
    return length


def _key_type(written: Any) -> Any:
    if not isinstance(written, str):
        raise PydanticCustomError("string_type", "a key type is a string")
    match = _RSA.fullmatch(written)
    if match is not None and int(match["bits"]) < _SMALLEST_RSA:
        raise PydanticCustomError("key_too_weak", "{written}", {"written": written})
    return written


def _integer(written: Any) -> Any:
    # Python holds True and 1.0 for equal to 1, TOML does not.
    if type(written) is not int:
        raise PydanticCustomError("int_type", "not an integer")
    return written


def _printable(written: str) -> str:
    """Refuse what no name, path or command holds on purpose: line ends, NUL, escape sequences."""
    if not written.isprintable() and any(unicodedata.category(character) == "Cc" for character in written):
        raise _refused(
            f"{quote(written)} holds a line end or another control character", "write it on one line"
        )
    return written


def _given(written: str) -> str:
    if not written.strip():
        raise _refused("this text is empty", "write a text, or leave the key out")
    return _printable(written)


def _country(written: str) -> str:
    # countryName is exactly two letters, in PrintableString: RFC 5280, appendix A.1; ISO 3166-1.
    if re.fullmatch("[A-Z]{2}", written) is None:
        near = written.strip().upper()
        meant = f"did you mean '{near}'? " if re.fullmatch("[A-Z]{2}", near) else ""
        raise _refused(
            f"{quote(written)} is not a country code",
            f"{meant}write the two capital letters of ISO 3166, such as 'US' or 'DE'",
            near if meant else None,
        )
    return written


def _keyword(written: str) -> str:
    if written and re.fullmatch("[A-Za-z][A-Za-z0-9_.-]*", written) is None:
        raise _refused(
            f"{quote(written)} is not a keyword", "copy the keyword's name from the sample ipmssl.cfg"
        )
    return written


def _keyword_setting(written: str) -> str:
    name, equals, _ = written.partition("=")
    _keyword(name.strip())
    if equals and not name.strip():
        raise _refused(f"{quote(written)} names no keyword", "write NAME or NAME=VALUE")
    return _printable(written)


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN}),
]
Key = Annotated[KeyType, BeforeValidator(_key_type)]
GivenText = Annotated[str, AfterValidator(_given), WithJsonSchema({"type": "string", "pattern": r"\S"})]
Line = Annotated[str, AfterValidator(_printable)]
Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
KeywordName = Annotated[str, AfterValidator(_keyword)]
KeywordSetting = Annotated[str, AfterValidator(_keyword_setting)]


def _batches(written: Any) -> Any:
    """One batch or an array of them, as the tuple that is meant; an array's items are looked at later."""
    if isinstance(written, list | tuple):
        if not written:
            raise _refused("this array of batches is empty", f"{_BATCH_REMEDY}, or leave the key out")
        return tuple(written)
    return (_batch(written),)


def _batch(written: Any) -> int | str:
    """What Ansible's ``serial`` takes: a number of hosts, or a percentage of them."""
    if type(written) is int and written >= 1:
        return written
    if isinstance(written, str):
        if re.fullmatch(_BATCH_PATTERN, written):
            return written
        near = re.fullmatch(r"0*(?P<count>[1-9][0-9]{0,6})\s*(?P<sign>%|percent)?", written.strip(), re.ASCII)
        if near is not None and (not near["sign"] or int(near["count"]) <= _WHOLE):
            guess = f"'{near['count']}%'" if near["sign"] else near["count"]
            raise _refused(
                f"{quote(written)} is not a batch",
                f"did you mean {guess}? {_BATCH_REMEDY}",
                f"{near['count']}%" if near["sign"] else int(near["count"]),
            )
    shown = quote(written) if isinstance(written, str) else "this"
    if isinstance(written, int | float):
        shown = str(written).lower()  # TOML's true is Python's True
    raise _refused(f"{shown} is not a batch", _BATCH_REMEDY)


_BATCH_PATTERN = "^([1-9][0-9]?|100)%$"
_WHOLE = 100
_BATCH_REMEDY = "write how many hosts at once, such as 5, or what share of them, such as '25%'"
_BATCH_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _BATCH_PATTERN}]
}

Batch = Annotated[Any, BeforeValidator(_batch), WithJsonSchema(_BATCH_SCHEMA)]
Batches = Annotated[
    tuple[Batch, ...],
    BeforeValidator(_batches),
    WithJsonSchema(
        {"anyOf": [*_BATCH_SCHEMA["anyOf"], {"type": "array", "items": _BATCH_SCHEMA, "minItems": 1}]}
    ),
]


RenewKey = Literal["new", "keep"]
Generation = Annotated[int, Field(ge=1, le=999)]


class Table(BaseModel):
    """A table of pki.toml. Unknown keys are errors; strings are never coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Passphrase(Table):
    """Where the CA key's passphrase is read from; exactly one of the two."""

    env: GivenText | None = Field(
        default=None,
        title="Environment variable",
        description="Name of the environment variable that holds the passphrase.",
        examples=["IPMPKI_CA_PASSPHRASE"],
    )
    file: GivenText | None = Field(
        default=None,
        title="Passphrase file",
        description="File whose first line is the passphrase; relative to pki.toml.",
        examples=["ca-passphrase.txt"],
    )


class SigningAuthority(Table):
    """An authority that signs here: made by ipmpki, or one that exists already."""

    common_name: GivenText | None = Field(
        default=None,
        title="Common name",
        description="The authority's name, as it stands in every certificate it issues.",
        examples=["Acme Print CA"],
    )
    organization: GivenText | None = Field(
        default=None, title="Organization", description="The company's name.", examples=["Acme Corporation"]
    )
    organizational_unit: GivenText | None = Field(
        default=None,
        title="Organizational unit",
        description="The department's name.",
        examples=["Print operations"],
    )
    country: Country | None = Field(
        default=None,
        title="Country",
        description="Two capital letters, as in ISO 3166.",
        examples=["DE"],
    )
    state: GivenText | None = Field(
        default=None, title="State or province", description="In full.", examples=["Colorado"]
    )
    locality: GivenText | None = Field(
        default=None, title="Locality", description="City or town.", examples=["Boulder"]
    )
    key: Key = Field(
        default=KeyType.RSA_3072,
        title="The authority's key",
        description="Key type of a new authority.",
        examples=["rsa-3072"],
    )
    lifetime: Duration = Field(
        default=timedelta(days=3650),
        title="The authority's lifetime",
        description="How long a new authority is valid: a number and d, w, m or y.",
        examples=["10y"],
        json_schema_extra={"default": "10y"},
    )
    certificate: GivenText | None = Field(
        default=None,
        title="Existing certificate",
        description="PEM file of an authority that exists already; relative to pki.toml.",
        examples=["ca-cert.pem"],
    )
    key_file: GivenText | None = Field(
        default=None,
        title="Existing key",
        description="PEM file of the authority's private key, relative to pki.toml; or the PKCS#11 URI"
        " of a key in a token.",
        examples=["ca-key.pem", "pkcs11:token=CA;object=ca-key?module-path=/usr/lib/softhsm/libsofthsm2.so"],
    )
    generation: Generation = Field(
        default=1,
        title="Generation",
        description="A higher number has a successor made, which takes over without an outage.",
        examples=[2],
    )
    revoke_replaced: bool = Field(
        default=False,
        title="Revoke what was replaced",
        description="Revoke a certificate once the one in its place is known to be installed.",
    )
    passphrase: Passphrase | None = Field(
        default=None,
        title="Passphrase of the CA's key",
        description='Kept out of this file: { env = "NAME" } or { file = "PATH" }.',
        examples=[{"env": "IPMPKI_CA_PASSPHRASE"}],
    )


class CertificateAuthority(SigningAuthority):
    """The certificate authority of this fleet: one that signs here, or one that sells certificates."""

    kind: Literal["private", "third-party"] = Field(
        default="private",
        title="Kind of authority",
        description="'private' issues the certificates here; 'third-party' is a globally known CA.",
    )
    bundle: GivenText | None = Field(
        default=None,
        title="Trust bundle",
        description="PEM file of the authorities to trust under kind = 'third-party'; relative to pki.toml.",
        examples=["root.pem"],
    )
    certdata: GivenText | None = Field(
        default=None,
        title="Mozilla's list",
        description="Mozilla's certdata.txt, to make the trust bundle from; relative to pki.toml.",
        examples=["certdata.txt"],
    )
    bundle_age: Duration = Field(
        default=timedelta(days=398),
        title="Age of the trust bundle",
        description="How old the trust bundle may become before a newer one is asked for.",
        examples=["398d"],
        json_schema_extra={"default": "398d"},
    )


class ClientAuthority(SigningAuthority):
    """The private authority that signs the certificates of clients, where those of servers are bought."""


class Tls(Table):
    """How the hosts authenticate each other."""

    mutual_auth: Literal["off", "required"] = Field(
        default="off",
        title="Mutual authentication",
        description="'required': clients need a certificate of their own, which the server checks.",
    )


class Defaults(Table):
    """What holds for every host that does not say otherwise."""

    os: OperatingSystem = Field(
        default=OperatingSystem.LINUX,
        title="Operating system",
        description="The system a host runs, where it does not say otherwise.",
    )
    key: Key = Field(
        default=KeyType.RSA_2048,
        title="Key type",
        description="The key made for a host; a server needs an RSA key.",
        examples=["rsa-2048"],
    )
    lifetime: Duration = Field(
        default=timedelta(days=397),
        title="Validity of a certificate",
        description="How long a host's certificate is valid: a number and d, w, m or y.",
        examples=["397d"],
        json_schema_extra={"default": "397d"},
    )
    renew_before: Duration = Field(
        default=timedelta(days=30),
        title="Renewal window",
        description="How long before its end a certificate is renewed.",
        examples=["30d"],
        json_schema_extra={"default": "30d"},
    )
    renew_spread: Duration | None = Field(
        default=None,
        title="Spread of renewals",
        description="Renew hosts over this span before the window, each on a day of its own.",
        examples=["60d"],
    )
    renew_key: RenewKey = Field(
        default="new",
        title="Key on renewal",
        description="'new': a renewed certificate gets a new key; 'keep': the one before stays.",
    )


class Keywords(Table):
    """Names of ipmssl.cfg keywords that the vendor does not publish, read off the sample on a host."""

    ca_file: KeywordName | None = Field(
        default=None,
        title="Keyword for the CA file",
        description="Keyword of the sample ipmssl.cfg that names the CA's certificate.",
    )
    crl_file: KeywordName | None = Field(
        default=None,
        title="Keyword for the revocation list",
        description="Keyword of the sample ipmssl.cfg that names the CRL.",
    )
    mutual_auth: KeywordSetting | None = Field(
        default=None,
        title="Keyword for mutual authentication",
        description="Its name alone is set to 1 as EnableTLS is; 'NAME=VALUE' sets another value.",
    )


class IpmSettings(Table):
    """What only the site knows of its InfoPrint Manager."""

    server_account: Line | None = Field(
        default=None,
        title="Server's account",
        description="The account that runs the server: owner of the server's key.",
        examples=["ipm1"],
    )
    restart_command: Line | None = Field(
        default=None,
        title="Server's restart command",
        description="Restarts a server. An instruction, unless the install script is told to run it.",
        examples=["pdshutdown ipm1 && startsrv ipm1"],
    )
    keywords: Keywords = Field(
        default=Keywords(),
        title="ipmssl.cfg keywords",
        description="Names of keywords that the vendor does not publish; read them off the sample.",
    )


class Ipm(IpmSettings):
    """The site's settings, and where one operating system differs."""

    aix: IpmSettings | None = Field(
        default=None, title="Settings on AIX", description="What differs on AIX hosts."
    )
    linux: IpmSettings | None = Field(
        default=None, title="Settings on Linux", description="What differs on Linux hosts."
    )
    windows: IpmSettings | None = Field(
        default=None, title="Settings on Windows", description="What differs on Windows hosts."
    )
    macos: IpmSettings | None = Field(
        default=None, title="Settings on macOS", description="What differs on macOS hosts."
    )


class RuleSettings(Table):
    """Which rules are silenced."""

    ignore: tuple[str, ...] = Field(
        default=(),
        title="Ignored rules",
        description="Warnings and infos that are not to be reported; never errors.",
        examples=[["single-label-alias"]],
    )


class Rollout(Table):
    """How the playbook in dist/ansible goes through the hosts."""

    batch: Batches = Field(
        default=(1,),
        title="Batch",
        description="How many hosts at once: a number, a percentage, or an array of them, one batch each.",
        examples=[[1, "25%"]],
        json_schema_extra={"default": 1},
    )


class Host(Table):
    """One computer that runs an InfoPrint Manager server or client."""

    name: str = Field(
        title="Full computer name",
        description="The computer's full name, as it stands in DNS.",
        examples=["ipm1.example.com"],
    )
    role: Role = Field(
        title="Role", description="'server' runs InfoPrint Manager; 'client' prints through it."
    )
    os: OperatingSystem | None = Field(
        default=None, title="Operating system", description="The system this computer runs."
    )
    subject: str | None = Field(
        default=None,
        title="Subject",
        description="A wildcard to put in the certificate's subject instead of the name.",
        examples=["*.example.com"],
    )
    aliases: tuple[str, ...] = Field(
        default=(),
        title="Aliases",
        description="Other names by which this computer is reached.",
        examples=[["print.example.com", "ipm1"]],
    )
    ips: tuple[str, ...] = Field(
        default=(),
        title="IP addresses",
        description="The computer's own IPv4 and IPv6 addresses.",
        examples=[["10.1.2.3", "fc00::1"]],
    )
    key: Key | None = Field(
        default=None, title="Key type", description="The key made for this host.", examples=["rsa-2048"]
    )
    lifetime: Duration | None = Field(
        default=None,
        title="Validity of its certificate",
        description="A number and d, w, m or y.",
        examples=["397d"],
    )
    renew_before: Duration | None = Field(
        default=None,
        title="Renewal window",
        description="How long before its end its certificate is renewed.",
        examples=["30d"],
    )
    renew_key: RenewKey | None = Field(
        default=None,
        title="Key on renewal",
        description="'new' or 'keep'; as in [defaults], where not given.",
        examples=["keep"],
    )
    csr: GivenText | None = Field(
        default=None,
        title="Request made on the host",
        description="A signing request whose key never leaves the host; relative to pki.toml.",
        examples=["csr/ipm1.csr"],
    )
    restart_command: Line | None = Field(
        default=None,
        title="Restart command",
        description="Restarts what runs on this host; a server's, where not given, is that of [ipm].",
        examples=["pdshutdown ipm2 && startsrv ipm2"],
    )


class Site(Table):
    """A file brought in by ``include``: further hosts."""

    hosts: tuple[Host, ...] = Field(
        default=(), title="Hosts", description="The computers of this site.", examples=[]
    )


class Declaration(Table):
    """A whole pki.toml."""

    schema_: Annotated[Literal[1], BeforeValidator(_integer)] = Field(
        default=1,
        alias="schema",
        title="Version of this format",
        description="Version of the format of this file.",
    )
    include: tuple[GivenText, ...] = Field(
        default=(),
        title="Included files",
        description="Patterns of files with further [[hosts]]; relative to this file.",
        examples=[["sites/*.toml"]],
    )
    store: GivenText | None = Field(
        default=None,
        title="Store",
        description="Where pki.db lies, if not beside this file.",
        examples=["/var/lib/ipmpki/pki.db"],
    )
    ca: CertificateAuthority = Field(
        title="Certificate authority", description="Who issues the certificates."
    )
    client_ca: ClientAuthority | None = Field(
        default=None,
        title="Authority for clients",
        description="A private authority for the clients, where servers have certificates from a known CA.",
    )
    tls: Tls = Field(default=Tls(), title="TLS", description="How servers and clients trust each other.")
    defaults: Defaults = Field(
        default=Defaults(),
        title="Defaults for every host",
        description="What holds for every host that does not say otherwise.",
    )
    ipm: Ipm = Field(
        default=Ipm(),
        title="InfoPrint Manager",
        description="What only the site knows of its InfoPrint Manager.",
    )
    rollout: Rollout = Field(
        default=Rollout(),
        title="Rollout",
        description="How the playbook in dist/ansible goes through the hosts.",
    )
    rules: RuleSettings = Field(
        default=RuleSettings(), title="Rules", description="Which rules are silenced."
    )
    hosts: tuple[Host, ...] = Field(
        default=(), title="Hosts", description="The computers that run a server or a client."
    )


# --- Faults ----------------------------------------------------------------------------------------


class FaultKind(StrEnum):
    """The ways in which a document is not a declaration."""

    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    KEY_TOO_WEAK = "key-too-weak"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing the model refuses, in plain values.

    ``allowed`` holds the values a key with a fixed set may take. ``words`` and ``remedy`` are given
    where the refusal knows them better than its kind does, ``meant`` where there is one right value.
    """

    kind: FaultKind
    path: DocumentPath
    value: Any
    allowed: tuple[str | int, ...] = ()
    words: str | None = None
    remedy: str | None = None
    meant: str | int | None = None


class Shape(StrEnum):
    """What kind of value a key takes."""

    TEXT = "a string"
    INTEGER = "an integer"
    TEXTS = "an array of strings"
    TABLE = "a table"
    TABLES = "an array of tables"


T = TypeVar("T", bound=Table)


def read(kind: type[T], values: Mapping[str, Any]) -> tuple[T | None, tuple[Fault, ...]]:
    """Validate a document's values; all faults at once, in the order of the model's fields."""
    try:
        return kind.model_validate(values), ()
    except ValidationError as refusal:
        return None, tuple(
            _fault(kind, error["type"], error["loc"], error["input"], error.get("ctx", {}))
            for error in refusal.errors(include_url=False)
        )


def _fault(
    root: type[Table], error: str, path: DocumentPath, value: Any, context: Mapping[str, Any]
) -> Fault:
    if error == "refused":
        words, remedy, meant = context["fault"], context["remedy"], context["meant"]
        return Fault(FaultKind.WRONG_VALUE, path, value, (), words, remedy, meant)
    allowed = allowed_values(root, path)
    kind = _KINDS.get(error, FaultKind.WRONG_TYPE)
    if error in {"literal_error", "enum"} and allowed and type(value) is type(allowed[0]):
        kind = FaultKind.WRONG_VALUE
    return Fault(kind, path, value, allowed)


_KINDS = {
    "missing": FaultKind.MISSING_KEY,
    "extra_forbidden": FaultKind.UNKNOWN_KEY,
    "key_too_weak": FaultKind.KEY_TOO_WEAK,
}
"""What pydantic calls the faults that are not one of type."""


def known_keys(root: type[Table], path: DocumentPath) -> tuple[str, ...]:
    """The keys a table of the document may hold; none where the path is not a table's."""
    table = _table(root, path)
    return tuple(field.alias or name for name, field in table.model_fields.items()) if table else ()


def tables_with(root: type[Table], key: str) -> Iterator[DocumentPath]:
    """The top-level tables that know a key, for whoever wrote it in the wrong one."""
    for name in known_keys(root, ()):
        if key in known_keys(root, (name,)):
            yield (name,)


def has_room_for(root: type[Table], key: str) -> tuple[DocumentPath, ...]:
    """Every table of the document that knows a key, hosts and settings further down among them."""

    def tables(path: DocumentPath) -> Iterator[DocumentPath]:
        yield path
        for name in known_keys(root, path):
            if known_keys(root, (*path, name)):
                yield from tables((*path, name))

    return tuple(path for path in tables(()) if key in known_keys(root, path))


def allowed_values(root: type[Table], path: DocumentPath) -> tuple[str | int, ...]:
    """The values a key with a fixed set of them may take."""
    field = _field(root, path)
    return tuple(_choices(field.annotation)) if field else ()


def example_of(root: type[Table], path: DocumentPath) -> Any:
    """A value to show for a key: its first example, else one of its fixed set, else None."""
    field = _field(root, path)
    if field is None:
        return None
    return next(iter(field.examples or _choices(field.annotation)), None)


def shape_of(root: type[Table], path: DocumentPath) -> Shape:
    """What kind of value stands at a path of the document."""
    field = _field(root, path)
    annotation = field.annotation if field else None
    is_item = bool(path) and isinstance(path[-1], int)
    table = _table_of(annotation)
    is_many = not is_item and any(typing.get_origin(part) is tuple for part in _parts(annotation))
    if table is not None:
        return Shape.TABLES if is_many else Shape.TABLE
    if is_many:
        return Shape.TEXTS
    return Shape.INTEGER if any(type(choice) is int for choice in _choices(annotation)) else Shape.TEXT


def _table(root: type[Table], path: DocumentPath) -> type[Table] | None:
    field = _field(root, path)
    if not any(isinstance(step, str) for step in path):
        return root
    return _table_of(field.annotation) if field else None


def _field(root: type[Table], path: DocumentPath) -> FieldInfo | None:
    table: type[Table] | None = root
    field: FieldInfo | None = None
    for step in path:
        if isinstance(step, int):
            continue
        if table is None:
            return None
        field = next(
            (field for name, field in table.model_fields.items() if (field.alias or name) == step), None
        )
        if field is None:
            return None
        table = _table_of(field.annotation)
    return field


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and everything it is made of, outermost first."""
    yield annotation
    for part in typing.get_args(annotation):
        yield from _parts(part)


def _table_of(annotation: Any) -> type[Table] | None:
    return next(
        (part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, Table)), None
    )


def _choices(annotation: Any) -> Iterator[str | int]:
    for part in _parts(annotation):
        if typing.get_origin(part) is Literal:
            yield from typing.get_args(part)
        elif isinstance(part, type) and issubclass(part, Enum):
            yield from (member.value for member in part)


def json_schema(shape: Any, *, by_alias: bool = True) -> dict[str, Any]:
    """The JSON Schema of a model or of a typed output, as pydantic writes it."""
    return TypeAdapter(shape).json_schema(by_alias=by_alias)
