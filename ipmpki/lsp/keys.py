"""What the JSON Schema of pki.toml says of its keys, by their paths."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from ipmpki.declaration.edit.toml import write_value
from ipmpki.render.json_schemas import schema_text

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE_KEYS = ("hosts",)
"""What an included file may hold."""


@cache
def _schema() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(schema_text("pki"))
    return whole


def keyed(path: Sequence[str]) -> dict[str, Any]:
    """What the schema says of a key, with what its type says; empty where there is no such key."""
    found = _schema()
    for step in path:
        table = found.get("items", found) if found.get("type") == "array" else found
        known = _whole(table).get("properties", {}).get(step)
        if known is None:
            return {}
        found = _whole(known)
    return found


def keys_of(path: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The keys of a table, or of each table of an array, with what the schema says of them."""
    found = keyed(path)
    table = _whole(found["items"]) if found.get("type") == "array" else found
    return {key: _whole(one) for key, one in table.get("properties", {}).items()}


def is_table(key: dict[str, Any]) -> bool:
    """Whether a key's value is a table."""
    return key.get("type") == "object"


def is_tables(key: dict[str, Any]) -> bool:
    """Whether a key's value is an array of tables."""
    return key.get("type") == "array" and is_table(_whole(key["items"]))


def values_of(key: dict[str, Any]) -> list[Any]:
    """The fixed set of values that a key takes, or the items of its array; empty where there is none."""
    if key.get("type") == "boolean":
        return [True, False]
    if "const" in key:
        return [key["const"]]
    within = _whole(key["items"]) if key.get("type") == "array" else key
    return list(within.get("enum", ()))


def explained(path: Sequence[str]) -> str:
    """A key in Markdown: title, what it is for, its values, default and example."""
    key = keyed(path)
    if not key:
        return ""
    name = f"[[{'.'.join(path)}]]" if is_tables(key) else f"[{'.'.join(path)}]" if is_table(key) else path[-1]
    lines = [f"**{key['title']}** `{name}`", "", key["description"].replace("*", r"\*")]
    values = values_of(key)
    few = [f"`{write_value(value)}`" for value in values]
    if 1 < len(few) <= _FEW:
        lines += ["", "One of: " + ", ".join(few)]
    default = key.get("default")
    if default is not None and default != []:
        lines += ["", f"Default: `{write_value(default)}`"]
    for example in key.get("examples", [])[:1]:
        lines += ["", "```toml", f"{path[-1]} = {write_value(example)}", "```"]
    return "\n".join(lines)


_FEW = 12
"""More values than these are completed, but not listed."""


def _whole(key: dict[str, Any]) -> dict[str, Any]:
    """A key with what it refers to put in; its own words come first."""
    name = key.get("$ref", "").rpartition("/")[2]
    return {**_schema()["$defs"][name], **key} if name else key
