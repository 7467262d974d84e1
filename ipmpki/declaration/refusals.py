"""What is wrong with a value that the model refuses, in words, and what to write instead."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from ipmpki.declaration import model, tables
from ipmpki.declaration.model import FaultKind, Shape
from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.diagnostics.problem import Bracket, Fix, Place, Problem, Replace, Severity
from ipmpki.diagnostics.wording import certain, closest, either, quote
from ipmpki.source.secrets import is_passphrase

if TYPE_CHECKING:
    from ipmpki.declaration.model import RefusedValue
    from ipmpki.diagnostics.problem import DocumentPath


def refusal(root: type[tables.Table], file: str, fault: RefusedValue) -> Problem:
    """The problem of a value that the model refuses, with its fix where one value alone can be meant."""
    place = Place(file, fault.path)
    if is_passphrase(fault.path[:2]):
        place = place.key()  # the caret must not stand under a secret
    if fault.kind is FaultKind.KEY_TOO_WEAK:
        return Problem(
            "key-too-weak",
            Severity.ERROR,
            f"{quote(fault.value)} is too weak: RSA keys below 2048 bits can be broken",
            "use 'rsa-2048' or longer",
            place,
        )
    if fault.kind is FaultKind.WRONG_TYPE:
        words = f"{_named(fault.path)} must be {_expected(root, fault)}, not {_kind_of(fault.value)}"
        fix = _writing(place, _value_of_right_type(root, fault)) or _bracketing(root, fault, place)
        return Problem("wrong-type", Severity.ERROR, words, _right_type(root, fault), place, fix=fix)
    if fault.words is not None:
        fix = _writing(place, fault.meant)
        return Problem("wrong-value", Severity.ERROR, fault.words, fault.remedy, place, fix=fix)
    return _wrong_choice(fault, place)


def _writing(place: Place, value: str | int | tuple[str, ...] | None) -> Fix | None:
    if value is None:
        return None
    if isinstance(value, str):
        return Fix(f"write {quote(value)}", (Replace(place, value),))
    shown = f"[{', '.join(map(quote, value))}]" if isinstance(value, tuple) else str(value).lower()
    return Fix(f"write {shown}", (Replace(place, value),))


def _bracketing(root: type[tables.Table], fault: RefusedValue, place: Place) -> Fix | None:
    """The fix of a table that is written as an array of tables, or the other way round."""
    path, value = fault.path, fault.value
    name = ".".join(map(str, path))
    if any(isinstance(step, int) for step in path) or is_passphrase(path[:2]):
        return None
    match model.shape_of(root, path):
        case Shape.TABLES if isinstance(value, dict):
            return Fix(f"write [[{name}]]", (Bracket(place, is_array=True),))
        case Shape.TABLE if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            return Fix(f"write [{name}]", (Bracket(place, is_array=False),))
        case _:
            return None


_NOUNS = {
    "role": "a role",
    "os": "a word for an operating system here",
    "key": "a key type",
    "kind": "a kind of authority",
    "mutual_auth": "a mode of mutual authentication",
}

_SYNONYMS = {
    **{other: system.value for system in OperatingSystem for other in system.other_names},
    "on": "required",
    "yes": "required",
    "true": "required",
    "mandatory": "required",
    "no": "off",
    "false": "off",
    "none": "off",
    "disabled": "off",
    "own": "private",
    "self-signed": "private",
    "internal": "private",
    "public": "third-party",
    "global": "third-party",
    "rsa": "rsa-2048",
    "ec": "ec-p256",
    "ecdsa": "ec-p256",
}


_VAGUE = {"rsa", "ec", "ecdsa"}
"""Synonyms of which the likeliest meaning is not the only one."""


def _wrong_choice(fault: RefusedValue, place: Place) -> Problem:
    key = str(fault.path[-1])
    if key == "schema":
        return Problem(
            "wrong-value",
            Severity.ERROR,
            f"schema {fault.value} is not known to this ipmpki",
            "write schema = 1; a file made for a newer ipmpki needs that version of it",
            place,
        )
    allowed = [str(choice) for choice in fault.allowed]
    written = str(fault.value)
    guess = closest(written, allowed) or _SYNONYMS.get(written.lower())
    meant = f"did you mean '{guess}'? " if guess in allowed else ""
    words = f"{quote(written)} is not {_NOUNS.get(key, f'a value of {key}')}"
    synonym = None if written.lower() in _VAGUE else _SYNONYMS.get(written.lower())
    sure = certain(written, allowed) or synonym
    fix = _writing(place, sure if sure in allowed and sure == guess else None)
    return Problem("wrong-value", Severity.ERROR, words, f"{meant}write {either(allowed)}", place, fix=fix)


def _named(path: DocumentPath) -> str:
    step = path[-1]
    if not isinstance(step, int):
        return quote(step)
    if path[-2] == "hosts":
        return f"host {step + 1} of 'hosts'"
    return f"item {step + 1} of '{path[-2]}'"


def _expected(root: type[tables.Table], fault: RefusedValue) -> str:
    return str(model.shape_of(root, fault.path))


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "a string"),
        (int, "an integer"),
        (float, "a number with a fraction"),
        (datetime.datetime, "a date and time"),
        (datetime.date, "a date"),
        (datetime.time, "a time"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next(words for kind, words in kinds if isinstance(value, kind))


def _right_type(root: type[tables.Table], fault: RefusedValue) -> str:  # noqa: PLR0911 -- one for each shape
    path, value = fault.path, fault.value
    key = next(str(step) for step in reversed(path) if isinstance(step, str))
    if is_passphrase(path):
        return 'keep the passphrase out of this file: { env = "NAME" } or { file = "PATH" }'
    match model.shape_of(root, path):
        case Shape.TABLES:
            return f"write every {key.removesuffix('s')} as [[{key}]], with two pairs of brackets"
        case Shape.TABLE if isinstance(path[-1], int):
            return 'write every host as [[hosts]] with its keys below, or as { name = "…", role = "…" }'
        case Shape.TABLE:
            return f"write [{'.'.join(map(str, path))}], with one pair of brackets, and its keys below"
        case Shape.TEXTS:
            shown = value if isinstance(value, str) else "…"
            return f'write: {key} = ["{shown}"]'
        case Shape.BOOLEAN:
            return f"write: {key} = true, or {key} = false"
        case Shape.INTEGER:
            return f"write: {key} = {fault.allowed[0]}" if fault.allowed else "write a whole number"
        case Shape.TEXT:
            return _as_text(root, fault, key)


_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _value_of_right_type(  # noqa: PLR0911 -- one for each shape
    root: type[tables.Table], fault: RefusedValue
) -> str | int | tuple[str, ...] | None:
    """What alone can have been meant by a value of the wrong type; None where that cannot be told."""
    path, value = fault.path, fault.value
    if is_passphrase(path[:2]) or isinstance(path[-1], int):
        return None
    match model.shape_of(root, path):
        case Shape.TEXTS if isinstance(value, str) and re.fullmatch(r"[^\s,;]+", value):
            return (value,)
        case Shape.INTEGER if isinstance(value, str) and value in map(str, fault.allowed):
            return int(value)
        case Shape.BOOLEAN if isinstance(value, str):
            return _BOOLEANS.get(value.lower())
        case Shape.TEXT if isinstance(value, bool):
            meant = "required" if value else "off"
            return meant if meant in fault.allowed else None
        case Shape.TEXT if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            return value[0]
        case _:
            return None


def _as_text(root: type[tables.Table], fault: RefusedValue, key: str) -> str:
    value = fault.value
    if fault.allowed:
        guess = {True: "required", False: "off"}.get(value) if isinstance(value, bool) else None
        meant = f"did you mean '{guess}'? " if guess in fault.allowed else ""
        return f"{meant}write {either(map(str, fault.allowed))}, with the quotes"
    example = model.example_of(root, fault.path)
    if key in {"lifetime", "renew_before", "renew_spread", "bundle_age", "restart_every"}:
        shown = f"{value}d" if type(value) is int and 0 < value < 100_000 else example  # noqa: PLR2004 -- as the pattern of durations
        return f'write: {key} = "{shown}"'
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return f'write: {key} = "{value[0]}"'
    if isinstance(value, list | dict):
        return f'write: {key} = "{example or "…"}"'
    return "put it into quotes"
