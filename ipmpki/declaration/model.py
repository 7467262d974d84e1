"""What the model refuses, in plain values; and what it knows of each key, for whoever words the refusal."""

from __future__ import annotations

import typing
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from ipmpki.declaration.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

    from ipmpki.diagnostics.problem import DocumentPath


class FaultKind(StrEnum):
    """The ways in which a document is not a declaration."""

    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    KEY_TOO_WEAK = "key-too-weak"


class RefusedValue(NamedTuple):
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
    BOOLEAN = "true or false"
    TEXTS = "an array of strings"
    TABLE = "a table"
    TABLES = "an array of tables"


T = TypeVar("T", bound=Table)


def read(kind: type[T], values: Mapping[str, Any]) -> tuple[T | None, tuple[RefusedValue, ...]]:
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
) -> RefusedValue:
    if error == "refused":
        words, remedy, meant = context["fault"], context["remedy"], context["meant"]
        return RefusedValue(FaultKind.WRONG_VALUE, path, value, (), words, remedy, meant)
    allowed = allowed_values(root, path)
    kind = _KINDS.get(error, FaultKind.WRONG_TYPE)
    # An integer of more than 64 bits is another error to pydantic than one that is not among the choices.
    is_known_error = error in _KINDS
    if not is_known_error and allowed and type(value) is type(allowed[0]):
        kind = FaultKind.WRONG_VALUE
    return RefusedValue(kind, path, value, allowed)


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
    if any(part is bool for part in _parts(annotation)):
        return Shape.BOOLEAN
    is_integer = any(part is int for part in _parts(annotation)) or any(
        type(choice) is int for choice in _choices(annotation)
    )
    return Shape.INTEGER if is_integer else Shape.TEXT


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
