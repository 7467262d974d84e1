"""The JSON Schemas are sound, and true of what ipmpki reads and writes; docs/generate.py writes them."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ipmpki.declaration.model import allowed_values, known_keys
from ipmpki.declaration.tables import Declaration
from ipmpki.render.json_schemas import SCHEMAS, schema_text
from ipmpki.render.problems.json import render_json
from tests.places import GOLDEN, REPOSITORY
from tests.problems import AUTHORITY, CLIENT, checked, fleet_with, server
from tests.tools import require

EXAMPLES = sorted(
    path for path in REPOSITORY.glob("examples/*/pki.toml") if path.parent.name != "everything-wrong"
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text(name)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(name)))


def keys_of(node: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every key that a schema describes, with its own schema."""
    found = []
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            found.append((f"{path}.{key}", value))
        for key, value in node.items():
            found += keys_of(value, f"{path}.{key}")
    return found


UNPUBLISHED = {".ca_file", ".crl_file", ".mutual_auth"}
"""The keywords of ipmssl.cfg that the vendor does not publish: nobody can give an example of one."""


def test_every_key_of_pki_toml_is_explained() -> None:
    schema = json.loads(schema_text("pki"))
    for path, key in keys_of(schema):
        assert key.get("title"), path
        assert key.get("description"), path


def test_every_value_of_pki_toml_has_an_example_or_a_fixed_set_of_values() -> None:
    schema = json.loads(schema_text("pki"))
    for path, key in keys_of(schema):
        whole = {**schema["$defs"].get(key.get("$ref", "").rpartition("/")[2], {}), **key}
        is_table = whole["type"] == "object" if "type" in whole else False
        of_tables = "$ref" in whole.get("items", {})
        is_keyword = "Keywords" in path and path[path.rindex(".") :] in UNPUBLISHED
        if not (is_table or of_tables or is_keyword):
            assert whole.keys() & {"examples", "enum", "const"} or whole["type"] == "boolean", path


def test_every_example_in_the_schema_is_valid() -> None:
    schema = json.loads(schema_text("pki"))
    for path, key in keys_of(schema):
        for example in key.get("examples", []):
            one = Draft202012Validator({**key, "$defs": schema["$defs"]})
            assert not list(one.iter_errors(example)), path


def test_every_key_that_the_model_knows_is_in_the_schema_with_its_fixed_values() -> None:
    schema = json.loads(schema_text("pki"))
    for table in (
        (),
        ("ca",),
        ("client_ca",),
        ("tls",),
        ("defaults",),
        ("rollout",),
        ("rules",),
        ("hosts", 0),
    ):
        described = schema
        for step in table:
            described = described["items"] if step == 0 else described["properties"][step]
            described = schema["$defs"].get(described.get("$ref", "").rpartition("/")[2], described)
        assert set(described["properties"]) == set(known_keys(Declaration, table))
        for key in described["properties"]:
            whole = described["properties"][key]
            whole = {**schema["$defs"].get(whole.get("$ref", "").rpartition("/")[2], {}), **whole}
            if whole.get("type") == "string":
                assert tuple(whole.get("enum", ())) == allowed_values(Declaration, (*table, key)), key


def test_the_rules_that_can_be_ignored_can_be_completed() -> None:
    ignore = json.loads(schema_text("pki"))["$defs"]["RuleSettings"]["properties"]["ignore"]
    assert "single-label-alias" in ignore["items"]["enum"]
    assert "partial-wildcard" not in ignore["items"]["enum"]


def test_no_table_of_pki_toml_lets_unknown_keys_in() -> None:
    schema = json.loads(schema_text("pki"))
    for table in [schema, *schema["$defs"].values()]:
        if table["type"] == "object":
            assert table["additionalProperties"] is False


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_are_valid(example: Path) -> None:
    validator("pki").validate(tomllib.loads(example.read_text("utf-8")))


VALUES = ["unknown-key", "missing-key-no-authority", "wrong-type", "wrong-value", "key-too-weak"]


@pytest.mark.parametrize("name", VALUES)
def test_what_the_model_refuses_the_schema_refuses(name: str) -> None:
    values = tomllib.loads((GOLDEN / f"{name}.toml").read_text("utf-8"))
    assert list(validator("pki").iter_errors(values))


@pytest.mark.parametrize(
    "text",
    [
        AUTHORITY + server() + CLIENT,
        AUTHORITY + 'passphrase = { env = "X" }\n' + server("lifetime = '12w'\nkey = 'rsa-4096'"),
        AUTHORITY + "[ipm.aix]\nserver_account = 'ipm1'\nkeywords = { ca_file = 'CaFile' }\n",
        "schema = 1\ninclude = ['a.toml']\nstore = 'x.db'\n[ca]\nkind = 'third-party'\n",
    ],
)
def test_what_the_model_takes_the_schema_takes(text: str) -> None:
    assert not [one for one in checked(text).problems if one.problem.rule in set(VALUES)]
    validator("pki").validate(tomllib.loads(text))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.toml")), ids=lambda path: path.stem)
def test_real_problems_are_valid(path: Path) -> None:
    output = render_json(checked(path.read_bytes()).problems, "pki.toml")
    validator("problems").validate(json.loads(output))


def test_no_problem_at_all_is_valid() -> None:
    validator("problems").validate(json.loads(render_json([], "pki.toml")))


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    schema = (REPOSITORY / "schemas" / "pki.schema.json").as_uri()
    beside = Path(sys.executable).with_name("taplo")
    taplo = str(beside) if beside.exists() else require("taplo")
    return subprocess.run(
        [taplo, "lint", "--schema", schema, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_taplo_finds_nothing_in_an_example(example: Path) -> None:
    found = lint(example)
    assert found.returncode == 0, found.stderr


def test_taplo_finds_a_misspelt_key(tmp_path: Path) -> None:
    path = tmp_path / "pki.toml"
    path.write_text(fleet_with("alias = []"), "utf-8")
    found = lint(path)
    assert found.returncode != 0
    assert "alias" in found.stderr
