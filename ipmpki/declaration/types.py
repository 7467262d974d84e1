"""The values that pki.toml may hold, and what to write in place of one that cannot be meant."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ipmpki.declaration.dns_names import read_name
from ipmpki.declaration.key_types import SMALLEST_RSA, KeyType
from ipmpki.declaration.name_scope import DECLARED
from ipmpki.declaration.texts import file_path, given_line, line, refused, subject_text, variable_name
from ipmpki.diagnostics.wording import quote

if TYPE_CHECKING:
    from collections.abc import Callable

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[dwmy])", re.ASCII)
_DURATION_PATTERN = "^[1-9][0-9]{0,4}[dwmy]$"
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
LONGEST_LIFETIME = timedelta(days=365 * 100)
"""A validity further off could pass the year 9999, where GeneralizedTime ends (RFC 5280, 4.1.2.5.2)."""
_NEAR_DURATION = re.compile(
    r"0*(?P<count>[1-9][0-9]{0,4})\s*(?P<unit>d|w|m|y)?(?:ays?|eeks?|o|ons?|onths?|rs?|ears?)?\.?",
    re.ASCII | re.IGNORECASE,
)

_RSA = re.compile(r"rsa[-_ ]?(?P<bits>[0-9]{1,5})", re.ASCII | re.IGNORECASE)


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
        raise refused(
            f"{quote(written)} is not a duration",
            f"{meant}write a number and one of d, w, m, y (days, weeks, months, years), such as '397d'",
            guess if near and near["unit"] else None,  # a number alone may be days or years
        )
    length = timedelta(days=int(match["count"]) * _DAYS[match["unit"]])
    if length > LONGEST_LIFETIME:
        raise refused(
            f"{quote(written)} is longer than a hundred years", "declare a shorter time, such as '10y'"
        )
    return length


def _key_type(written: Any) -> Any:
    if not isinstance(written, str):
        raise PydanticCustomError("string_type", "a key type is a string")
    match = _RSA.fullmatch(written)
    if match is not None and int(match["bits"]) < SMALLEST_RSA:
        raise PydanticCustomError("key_too_weak", "{written}", {"written": written})
    return written


def integer(written: Any) -> Any:
    """An integer as TOML knows it."""
    # Python holds True and 1.0 for equal to 1, TOML does not.
    if type(written) is not int:
        raise PydanticCustomError("int_type", "not an integer")
    return written


def _generation(written: Any) -> Any:
    if type(written) is int and written < 1:
        raise refused(f"{written} is not a generation", "count from 1; a successor is one higher", 1)
    if type(written) is int and written > _LAST_GENERATION:
        raise refused(
            f"{written} is too high for a generation: they end at {_LAST_GENERATION}",
            "write the number of the authority before, plus one",
        )
    return integer(written)


_LAST_GENERATION = 9999
"""One a day for 27 years: whoever writes more has mistyped, and no lower one could follow."""


def _country(written: str) -> str:
    # countryName is exactly two letters, in PrintableString: RFC 5280, appendix A.1; ISO 3166-1.
    if re.fullmatch("[A-Z]{2}", written) is None:
        near = written.strip().upper()
        meant = f"did you mean '{near}'? " if re.fullmatch("[A-Z]{2}", near) else ""
        raise refused(
            f"{quote(written)} is not a country code",
            f"{meant}write the two capital letters of ISO 3166, such as 'US' or 'DE'",
            near if meant else None,
        )
    return written


def _keyword(written: str) -> str:
    if written and re.fullmatch("[A-Za-z][A-Za-z0-9_.-]*", written) is None:
        raise refused(
            f"{quote(written)} is not a keyword", "copy the keyword's name from the sample ipmssl.cfg"
        )
    return written


def _keyword_setting(written: str) -> str:
    name = written.partition("=")[0]
    _keyword(name.strip())
    if written and not name.strip():
        raise refused(f"{quote(written)} names no keyword", "write NAME or NAME=VALUE")
    return line(written)


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN}),
]
Key = Annotated[KeyType, BeforeValidator(_key_type)]
_GIVEN_SCHEMA = {"type": "string", "pattern": r"\S"}
SubjectText = Annotated[str, AfterValidator(subject_text), WithJsonSchema(_GIVEN_SCHEMA)]
FilePath = Annotated[str, AfterValidator(file_path), WithJsonSchema(_GIVEN_SCHEMA)]
GivenLine = Annotated[str, AfterValidator(given_line), WithJsonSchema(_GIVEN_SCHEMA)]
VariableName = Annotated[str, AfterValidator(variable_name), WithJsonSchema(_GIVEN_SCHEMA)]
Line = Annotated[str, AfterValidator(line)]
Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
KeywordName = Annotated[
    str,
    AfterValidator(_keyword),
    WithJsonSchema({"type": "string", "pattern": "^([A-Za-z][A-Za-z0-9_.-]*)?$"}),
]
Address = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f:.]+$"})]
"""Just a text, as rules judge it: whoever writes a name or a network learns from them what is wrong."""
KeywordSetting = Annotated[str, AfterValidator(_keyword_setting)]


def _batches(written: Any) -> Any:
    """One batch or an array of them, as the tuple that is meant; an array's items are looked at later."""
    if isinstance(written, list | tuple):
        if not written:
            raise refused("this array of batches is empty", f"{_BATCH_REMEDY}, or leave the key out")
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
            raise refused(
                f"{quote(written)} is not a batch",
                f"did you mean {guess}? {_BATCH_REMEDY}",
                f"{near['count']}%" if near["sign"] else int(near["count"]),
            )
    shown = quote(written) if isinstance(written, str) else "this"
    if isinstance(written, int | float):
        shown = str(written).lower()  # TOML's true is Python's True
    raise refused(f"{shown} is not a batch", _BATCH_REMEDY)


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


def _permitted(written: Any, one: Callable[[Any], Any]) -> Any:
    """A list of domains or networks, or the word for those of the hosts."""
    if written == DECLARED:
        return written
    if not isinstance(written, list | tuple):
        shown = quote(written) if isinstance(written, str) else "this"
        raise refused(
            f"{shown} is neither an array nor '{DECLARED}'",
            f"put it into brackets, each in quotes; or write '{DECLARED}', for those of the hosts",
        )
    return tuple(dict.fromkeys(map(one, written)))


def _domain(written: Any) -> str:
    if not isinstance(written, str):
        raise refused("a domain is a text", "write it in quotes, such as 'example.com'")
    name = read_name(written.removeprefix("*").removeprefix("."))
    if name.fault is not None:
        raise refused(
            f"{quote(written)} is not a domain",
            "write it as in 'example.com': all names below it are meant, too",
        )
    return name.ascii


def _network(written: Any) -> Any:
    if not isinstance(written, str):
        if isinstance(written, IPv4Network | IPv6Network):
            return written
        raise refused("a network is a text", "write it in quotes, such as '10.0.0.0/8'")
    near = None
    with contextlib.suppress(ValueError):
        near = ip_network(written, strict=False)
        return ip_network(written)
    if near is not None:
        raise refused(
            f"{quote(written)} is an address within a network, not a network", f"write '{near}'", str(near)
        )
    raise refused(f"{quote(written)} is not a network", "write it as in '10.0.0.0/8' or 'fc00::/7'")


def _permitted_schema(example: str) -> dict[str, Any]:
    return {"anyOf": [{"const": example}, {"type": "array", "items": {"type": "string"}}]}


PermittedDomains = Annotated[
    Any,
    BeforeValidator(lambda written: _permitted(written, _domain)),
    WithJsonSchema(_permitted_schema(DECLARED)),
]
PermittedNetworks = Annotated[
    Any,
    BeforeValidator(lambda written: _permitted(written, _network)),
    WithJsonSchema(_permitted_schema(DECLARED)),
]

RenewKey = Literal["new", "keep"]
Generation = Annotated[
    int,
    BeforeValidator(_generation),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LAST_GENERATION}),
]


def _tcp_port(written: Any) -> int:
    """RFC 9293, section 3.1: 16 bits, and 0 is reserved."""
    if type(written) is int and 0 < written <= _LARGEST_PORT:
        return written
    shown = quote(written) if isinstance(written, str) else str(written).lower()
    raise refused(f"{shown} is not a TCP port", f"write a number from 1 to {_LARGEST_PORT}, such as 6874")


def _server_name(written: str) -> str:
    """It becomes a word of a command that root runs; the vendor's page names no other characters."""
    if re.fullmatch(_SERVER_NAME_PATTERN, written):
        return written
    raise refused(
        f"{quote(written)} is not a server's name that a command can be made of",
        "write the name that pdshutdown and startsrv take, of letters, digits, '_', '.' and '-', or declare"
        " restart_command instead",
    )


_LARGEST_PORT = 65535
_SERVER_NAME_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
TcpPort = Annotated[
    int,
    BeforeValidator(_tcp_port),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LARGEST_PORT}),
]
ServerName = Annotated[
    str, AfterValidator(_server_name), WithJsonSchema({"type": "string", "pattern": _SERVER_NAME_PATTERN})
]
