"""A name says where something is: no class is called as another, no module as another one beside it."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.test_architecture import MODULES


def test_no_two_classes_have_the_same_name() -> None:
    places = defaultdict(list)
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_no_two_modules_of_a_package_have_the_same_name_unless_their_folders_tell_them_apart() -> None:
    """``render/report/json.py`` and ``render/status/json.py`` are plain; one on two floors is not."""
    places: defaultdict[tuple[str, str], list[list[str]]] = defaultdict(list)
    for module in MODULES:
        *folders, name = module.removesuffix(".py").split("/")
        if folders and name != "__init__":
            places[folders[0], name].append(folders)
    for (package, name), holders in places.items():
        if len(holders) > 1:
            assert [package] not in holders, f"{name} stands in {package} and below it"
            assert len({tuple(one[:2]) for one in holders}) == len(holders), f"{name}: {holders}"


def test_no_module_is_named_by_a_gerund() -> None:
    """A module is a noun for what it holds, or the verb of its stage."""
    names = {module.removesuffix(".py").rpartition("/")[2] for module in MODULES}
    assert {name for name in names if name.endswith("ing")} == {"wording"}
