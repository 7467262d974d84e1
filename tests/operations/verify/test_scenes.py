"""Each rule about what is shown to ``ipmpki verify`` has files that break it and the text people then read.

``REGENERATE=1 pytest tests/operations/verify/test_scenes.py`` writes the pairs in ``golden`` beside this file
anew; read each text as an administrator who knows printing before it is committed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ipmpki.rules.catalog import registered
from tests.cli.command import ipmpki
from tests.operations.verify import mint, scenes_of_chains, scenes_of_leaves
from tests.operations.verify.scenes import GOOD, SCENES, lay
from tests.tools import writes_goldens

assert scenes_of_chains, scenes_of_leaves  # each registers its scenes as it is imported
GOLDEN = Path(__file__).parent / "golden"


ONLY_ON_IMPORT = {"issued-after-distrust", "name-not-ordered", "not-requested"}
"""What compares with an order, which nobody has who verifies: the tests of importing show these."""


def rule_of(name: str) -> str:
    """The rule a scene is named after: the longest rule name that begins its own."""
    return max((rule for rule in registered() if name == rule or name.startswith(f"{rule}-")), key=len)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_reads_as_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = SCENES[name]().split()
    at = [] if "--at" in arguments else ["--at", "2026-11-24T12:00"]
    outcome = ipmpki("verify", *arguments, *at)
    text = f"$ ipmpki verify {' '.join(arguments)}\n{outcome.err}[{outcome.status}]\n"
    expected = GOLDEN / f"{name}.txt"
    if writes_goldens():
        GOLDEN.mkdir(exist_ok=True)
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")
    assert f"[{rule_of(name)}]: " in text
    assert "[" not in outcome.out, "what is wrong goes to where errors go"


def test_each_rule_has_a_scene_and_each_text_too() -> None:
    judging = {name for name, rule in registered().items() if rule.presented_check is not None}
    judging -= ONLY_ON_IMPORT
    assert {rule_of(name) for name in SCENES} == judging
    assert {path.stem for path in GOLDEN.iterdir()} == set(SCENES)


def test_a_good_certificate_is_found_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    leaf = mint.server(addresses=("10.1.2.3", "fc00::1"))
    lay(leaf)
    Path("key.pem").write_bytes(leaf.key_pem())
    Path("key.pem").chmod(0o600)
    asked = [*GOOD.split(), "--name", "10.1.2.3", "--name", "FC00::1", "--name", "IPM1.example.com"]
    outcome = ipmpki("verify", "server.pem", "key.pem", *asked, "--at", "2026-11-24", "--strict")
    assert (outcome.status, outcome.err) == (0, "server.pem key.pem: no problems (1 certificate)\n")
