"""The reference of pki.toml as one Markdown document: ``ipmpki schema pki --format markdown``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipmpki.declaration.edit.toml import write_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]
_WORDS = {"boolean": "`true` or `false`", "integer": "a number", "string": "a string"}
_ENDS = {"[dwmy]$": "a duration", "%$": "a percentage"}
"""What a string means, by the end of the pattern that it has to match."""
_MOST_LISTED = 8
"""A longer choice, such as the names of all rules, has a reference of its own."""


def render_pki_reference(schema: Schema, version: str) -> str:
    """Every table of pki.toml and every key in it (CommonMark with tables), from its JSON Schema."""
    return "\n".join(_lines(schema, version))


def _lines(schema: Schema, version: str) -> Iterator[str]:
    tables = dict(_tables(schema, schema["$defs"]))
    yield "# pki.toml"
    yield ""
    yield f"Every table and key, as of version {version}. Unknown keys are errors. A duration is a number and"
    yield "`d`, `w`, `m` or `y`: days, weeks, months of 30 days, years of 365."
    shown: dict[str, Schema] = {}
    passed_over: tuple[str, ...] = ()
    for path, table in tables.items():
        if path.startswith(passed_over):
            continue
        properties = table["properties"]
        yield ""
        yield f"## {_heading(path)}"
        if table.get("description"):
            yield ""
            yield _cell(table["description"])
        yield ""
        same = next((other for other, before in shown.items() if properties.items() <= before.items()), None)
        if same is not None:
            passed_over += (f"{path}.",)
            yield f"Its keys are those of {_heading(same)}: {', '.join(f'`{name}`' for name in properties)}."
            continue
        shown[path] = properties
        yield "| key | what it says | value | example | without it |"
        yield "|---|---|---|---|---|"
        for name, key in properties.items():
            if not tables.keys() & {_joined(path, name), f"{_joined(path, name)}[]"}:
                yield _row(name, _resolved(key, schema["$defs"]), is_needed=name in table.get("required", ()))
    yield ""


def _row(name: str, key: Schema, *, is_needed: bool) -> str:
    says = f"**{_cell(key['title'])}**. {_cell(key['description'])}"
    missing = "an error" if is_needed else _without(key)
    return f"| `{name}` | {says} | {_value(key)} | {_example(key)} | {missing} |"


def _tables(
    schema: Schema, definitions: Mapping[str, Schema], path: str = ""
) -> Iterator[tuple[str, Schema]]:
    """Each table by its path: "" is the file's own, and ``hosts[]`` an array of tables."""
    yield path, schema
    for name, key in schema["properties"].items():
        whole, mark = _resolved(key, definitions), ""
        if whole.get("type") == "array":
            whole, mark = _resolved(whole["items"], definitions), "[]"
        if "properties" in whole:
            yield from _tables(whole, definitions, _joined(path, name) + mark)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _resolved(key: Schema, definitions: Mapping[str, Schema]) -> Schema:
    return {**definitions.get(key.get("$ref", "").rpartition("/")[2], {}), **key}


def _heading(path: str) -> str:
    if not path:
        return "The file itself"
    return f"`[[{path[:-2]}]]`" if path.endswith("[]") else f"`[{path}]`"


def _value(key: Schema) -> str:
    if "const" in key:
        return _code(key["const"])
    if "enum" in key:
        if len(key["enum"]) > _MOST_LISTED:
            return "a name of [the rules](rules.md)"
        return " ".join(_code(one) for one in key["enum"])
    if key.get("type") == "array":
        return f"an array of: {_value(key['items'])}"
    if "anyOf" in key:
        return ", or ".join(_value(one) for one in key["anyOf"])
    pattern = key.get("pattern", "")
    return next((word for end, word in _ENDS.items() if pattern.endswith(end)), _WORDS[key["type"]])


def _without(key: Schema) -> str:
    return "" if key.get("default") is None else _code(key["default"])


def _example(key: Schema) -> str:
    return _code(key["examples"][0]) if key.get("examples") else ""


def _code(value: object) -> str:
    return f"`{write_value(value)}`".replace("|", "\\|")


def _cell(text: str) -> str:
    """A text as CommonMark, in which a bar would end a cell and brackets would begin a link."""
    for character in "\\|*_<>[]":
        text = text.replace(character, "\\" + character)
    return text
