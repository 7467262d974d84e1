"""Real outputs validate against the published schemas."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from ipmpki.plans.saved_plan import render_plan_json
from ipmpki.render.problems.json import render_json
from tests.places import REPOSITORY
from tests.shop import client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop


def validate(document: Any, name: str) -> None:
    schema = json.loads((REPOSITORY / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)


def test_a_first_plan(shop: Shop) -> None:
    validate(json.loads(render_plan_json(shop.plan())), "plan")


def test_plans_of_every_action(built_shop: Shop) -> None:
    built_shop.edit(client("desk2"), client("desk3"))
    built_shop.edit("10.1.2.3", "10.1.2.4")
    (built_shop.host("desk1") / "README.txt").unlink()
    plan = json.loads(render_plan_json(built_shop.plan()))
    assert {change["action"] for change in plan["changes"]} == {
        "create",
        "replace",
        "restore",
        "revoke",
        "remove",
        "renew",
    }
    validate(plan, "plan")
    validate(json.loads(render_plan_json(built_shop.plan(replace_ca=True))), "plan")


def test_an_empty_plan(built_shop: Shop) -> None:
    validate(json.loads(render_plan_json(built_shop.plan())), "plan")


def test_every_manifest_and_what_it_lists(built_shop: Shop) -> None:
    import hashlib

    manifests = list(built_shop.dist.glob("hosts/*/manifest.json"))
    assert len(manifests) == 3
    for path in manifests:
        manifest = json.loads(path.read_bytes())
        validate(manifest, "manifest")
        listed = {file["name"]: file for file in manifest["files"]}
        assert set(listed) == {found.name for found in path.parent.iterdir()} - {"manifest.json"}
        for name, file in listed.items():
            assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == file["sha256"]
            assert f"{(path.parent / name).stat().st_mode & 0o7777:04o}" == file["mode"]


def test_problems_of_a_broken_declaration(shop: Shop) -> None:
    shop.edit("10.1.2.3", "10.1.2.300")
    shop.edit('role = "server"', 'rle = "server"')
    validate(json.loads(render_json(shop.load().problems, file="pki.toml")), "problems")


SOUND_EXAMPLES = [
    path
    for path in sorted((REPOSITORY / "examples").glob("*/pki.toml"))
    if path.parent.name != "everything-wrong"
]


@pytest.mark.parametrize("example", SOUND_EXAMPLES, ids=lambda path: path.parent.name)
def test_the_sound_examples(example: Path) -> None:
    validate(tomllib.loads(example.read_text(encoding="utf-8")), "pki")
