"""JSON Schemas (draft 2020-12) of what ipmpki reads and writes, generated from the models and outputs."""

from __future__ import annotations

import inspect
import json
import types
import typing
from typing import TYPE_CHECKING, Any, Literal, Union

from ipmpki.render import json_outputs

if TYPE_CHECKING:
    from collections.abc import Callable

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text(name: str) -> str:
    """The schema of that name, as it lies in ``schemas/NAME.schema.json``. Raises KeyError for others."""
    body = SCHEMAS[name]()
    whole = {"$schema": DIALECT, "$id": f"urn:ipmpki:schema:{name}:1", **body}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _declaration() -> dict[str, Any]:
    from ipmpki.declaration import (
        model,  # loaded for this schema only, as it brings pydantic
        tables,
    )

    schema = model.json_schema(tables.Declaration)
    schema["title"] = "pki.toml"
    schema["description"] = "The declaration of an InfoPrint Manager installation's certificates."
    definitions = schema["$defs"]
    del definitions["Keywords"]["title"]
    _name_silenceable_rules(definitions["RuleSettings"]["properties"]["ignore"])
    passphrase = definitions["Passphrase"]
    passphrase["minProperties"] = passphrase["maxProperties"] = 1  # exactly one of env and file
    plain: dict[str, Any] = _without_null(schema)
    for table in (plain, *plain["$defs"].values()):
        for key in table.get("properties", {}).values():
            _explain_by_its_table(key, plain["$defs"])
    # definitions are titled by their keys, and what a table is for stands with the key
    for table in plain["$defs"].values():
        if table.get("type") == "object":
            table.pop("title", None)
    return plain


def _name_silenceable_rules(ignore: dict[str, Any]) -> None:
    """Let editors complete the names of the rules that can be ignored: all but errors."""
    from ipmpki.diagnostics.problem import Severity
    from ipmpki.rules.catalog import registered

    ignore["items"]["enum"] = [
        rule.name
        for rule in registered().values()
        if rule.severity is not Severity.ERROR and not rule.is_about_presented_only
    ]


def _explain_by_its_table(key: dict[str, Any], tables: dict[str, Any]) -> None:
    """Say with a key what pydantic leaves out there because its table says the same."""
    table = tables.get(key.get("$ref", "").rpartition("/")[2], {})
    for word in ("title", "description"):
        if word in table:
            key.setdefault(word, table[word])


def _without_null(node: Any) -> Any:
    """TOML has no null: a key that may be left out is left out."""
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {
        key: _without_null(value)
        for key, value in node.items()
        if not (key == "default" and (value is None or isinstance(value, dict)))
    }
    choices = node.get("anyOf")
    if choices is not None:
        given = [choice for choice in choices if choice != {"type": "null"}]
        if len(given) == 1:
            del node["anyOf"]
            node = {**given[0], **node}
    return node


def _of_output(shape: type) -> Callable[[], dict[str, Any]]:
    def build() -> dict[str, Any]:
        tables: dict[str, Any] = {}
        _describe(shape, tables)
        body: dict[str, Any] = tables.pop(shape.__name__)
        return {"title": shape.__name__.removesuffix("Output"), **body, "$defs": tables}

    return build


_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    json_outputs.Balance: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}


def _describe(shape: Any, tables: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; tables it is made of are described in ``tables`` on their first use."""
    origin, parts = typing.get_origin(shape), typing.get_args(shape)
    if shape in _PLAIN:
        return _PLAIN[shape]
    if origin is Literal:
        return {"const": parts[0]} if len(parts) == 1 else {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": _describe(parts[0], tables)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _describe(parts[1], tables)}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [_describe(part, tables) for part in parts]}
    if shape.__name__ not in tables:
        tables[shape.__name__] = {}  # taken, for shapes that hold themselves
        hints = typing.get_type_hints(shape)
        tables[shape.__name__] = {
            "description": inspect.cleandoc(shape.__doc__ or "").replace("``", "'"),
            "type": "object",
            "properties": {key: _describe(hint, tables) for key, hint in hints.items()},
            "required": list(hints),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{shape.__name__}"}


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "pki": _declaration,
    "problems": _of_output(json_outputs.ProblemsOutput),
    "plan": _of_output(json_outputs.PlanOutput),
    "status": _of_output(json_outputs.StatusOutput),
    "verify": _of_output(json_outputs.VerifiedOutput),
    "show": _of_output(json_outputs.ShowOutput),
    "log": _of_output(json_outputs.LogOutput),
    "manifest": _of_output(json_outputs.ManifestOutput),
    "adoption": _of_output(json_outputs.AdoptionOutput),
}
"""The schemas by name; each is written to ``schemas/`` and held there by a test."""
