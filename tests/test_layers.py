"""The imports of the package run one way, and each heavy library has one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ipmpki

PACKAGE = Path(ipmpki.__file__).parent

LAYERS = (
    (
        "diagnostics",
        "faults",
        "vocabulary",
        "addresses",
        "names",
        "serials",
        "wording",
        "token_uri",
        "workers",
    ),
    ("source", "spans", "model"),
    ("fleet",),
    ("conditions", "resolving"),
    ("refusals", "validation", "issued", "specification", "editing", "changes", "presented"),
    ("chronicle",),
    ("rules",),
    ("checking", "reader", "exposure", "peer"),
    ("drafts",),
    ("fixing",),
    ("store", "planning", "authority", "platforms"),
    ("mozilla", "standing"),
    ("trust", "trusting"),
    ("render",),
    ("outputs", "schema"),
    ("keymaking", "publish", "reporting", "download"),
    ("commission",),
    ("signers",),
    ("withdrawing",),
    ("issue",),
    ("ordering",),
    ("distribute",),
    ("bundling", "collecting", "placing", "requested"),
    ("project", "verifying"),
    ("following", "importing", "installing", "revoking", "watching", "adopting", "keeping"),
    ("recalling",),
    ("lsp",),
    ("cli",),
    ("__main__",),
)
"""A module imports from its own layer and those before it; ``ipmpki`` itself re-exports lazily."""

PLACES = {
    "cryptography": {"authority"},
    "pkcs11": {"authority"},
    "asn1crypto": {"authority"},
    "OpenSSL": {"authority", "peer"},
    "pydantic": {"model"},
    "pydantic_core": {"model"},
    "jinja2": {"render"},
    "markupsafe": {"render"},
    "click": {"cli"},
    "rich": {"cli"},
    "tree_sitter": {"source", "spans"},
    "tree_sitter_toml": {"source", "spans"},
    "sqlite3": {"store"},
    "filelock": {"store"},
    "idna": {"names"},
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    """The module or sub-package directly below ipmpki that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path, *, at_run_time: bool) -> set[str]:
    """The full names of what a file imports; those for type checking only, just where asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if at_run_time and id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_every_module_has_a_layer() -> None:
    known = {name for layer in LAYERS for name in layer}
    assert {unit_of(path) for path in MODULES} - {"__init__"} <= known


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    unit = unit_of(path)
    if unit == "__init__":
        return
    for name in imports_of(path, at_run_time=True):
        parts = name.split(".")
        if parts[0] == "ipmpki" and len(parts) > 1 and parts[1] in rank:
            assert rank[parts[1]] <= rank[unit], f"{unit} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_heavy_library_has_one_place(path: Path) -> None:
    for name in imports_of(path, at_run_time=True):
        library = name.partition(".")[0]
        if library in PLACES:
            assert unit_of(path) in PLACES[library], f"{library} belongs to {PLACES[library]}"
