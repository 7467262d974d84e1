"""Who may import whom, where each library lives, and what the pure packages never do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ipmpki

ROOT = Path(ipmpki.__file__).parent
FLOORS = {
    "diagnostics": "",
    "source": "diagnostics",
    "declaration": "diagnostics source",
    "x509": "diagnostics declaration",
    "store": "diagnostics source declaration x509",
    "plans": "diagnostics declaration store",
    "rules": "diagnostics source declaration x509 store",
    "render": "diagnostics declaration x509 store plans rules",
    "issue": "diagnostics declaration x509 store plans",
    "publish": "diagnostics source declaration x509 store plans rules render issue",
    "operations": "diagnostics source declaration x509 store plans rules render issue publish",
    "lsp": "diagnostics source declaration rules render operations",
    "cli": "diagnostics source declaration x509 store plans rules render issue publish operations lsp",
}
"""A package imports from itself, from those named here, and the version; for type checking, too."""

HOMES = {
    "cryptography": "x509 operations/backup", "OpenSSL": "x509 operations/verify", "pkcs11": "x509",
    "asn1crypto": "x509", "pydantic": "declaration render/json_schemas", "pydantic_core": "declaration",
    "jinja2": "render", "markupsafe": "render", "tree_sitter": "source", "tree_sitter_toml": "source",
    "sqlite3": "store/sqlite", "filelock": "store/sqlite", "click": "cli", "rich": "cli", "pygls": "lsp",
    "lsprotocol": "lsp", "tomlkit": "declaration/edit operations/adopt", "idna": "declaration",
}  # fmt: skip
PURE = ("declaration", "plans", "rules", "render")
IMPURE = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "exists", "stat"),
    *(
        "now",
        "today",
        "utcnow",
        "time",
        "monotonic",
        "random",
        "urandom",
        "token_bytes",
        "token_hex",
        "uuid4",
    ),
}
OWN_TEMPLATES = {
    "render/host_folder/templates.py",
    "render/host_folder/script_parts.py",
    "render/host_folder/inputs.py",
    "render/problems/page.py",
}
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")
}


def imports(tree: ast.Module) -> set[str]:
    """The dotted names that a module imports, wherever it does."""
    nodes = list(ast.walk(tree))
    plain = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    return plain | {
        f"{node.module}.{one.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }


@pytest.mark.parametrize("package", FLOORS)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    allowed = {package, *FLOORS[package].split(), "version"}
    wrong = [
        (name, one)
        for name, tree in MODULES.items()
        if name.startswith(f"{package}/")
        for one in imports(tree)
        if one.startswith("ipmpki.") and one.split(".")[1] not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_used_in_its_homes_alone(library: str) -> None:
    homes = tuple(HOMES[library].split())
    users = [name for name, tree in MODULES.items() for one in imports(tree) if one.split(".")[0] == library]
    assert not [name for name in users if not name.startswith(homes)]


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_opens_no_file_asks_no_clock_and_draws_no_random_number(package: str) -> None:
    calls = [
        (name, ast.unparse(node))
        for name, tree in MODULES.items()
        if name.startswith(f"{package}/") and name not in OWN_TEMPLATES
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        in IMPURE
    ]
    assert not calls


def test_every_module_stands_on_a_floor_and_no_two_import_each_other() -> None:
    assert {name.split("/")[0] for name in MODULES} == {*FLOORS, "__init__.py", "__main__.py", "version.py"}
    dotted = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in MODULES}
    edges = {
        module: {
            found
            for one in imports(MODULES[name])
            if one.startswith("ipmpki.")
            for found in (one.removeprefix("ipmpki."), one.removeprefix("ipmpki.").rpartition(".")[0])
            if found in dotted and found != module
        }
        for module, name in dotted.items()
    }
    while leaves := {module for module, needed in edges.items() if not needed & edges.keys()}:
        edges = {module: needed for module, needed in edges.items() if module not in leaves}
    assert not edges
