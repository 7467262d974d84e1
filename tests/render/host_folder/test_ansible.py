"""dist/ansible: an inventory of the declared hosts, playbooks in the declared batches, all of it planned."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.shop import HEAD, SERVER, client
from tests.tools import require_module

if TYPE_CHECKING:
    from tests.shop import Shop

FILES = {
    "README.txt",
    "host.yml",
    "install.yml",
    "inventory.yml",
    "posix.yml",
    "rollback.yml",
    "verify.yml",
    "windows.yml",
}
PLAYBOOK = ("playbook", None)


def loaded(shop: Shop, name: str) -> Any:
    """A file of dist/ansible as YAML."""
    return require_module("yaml").safe_load((shop.dist / "ansible" / name).read_text("ascii"))


def groups(shop: Shop) -> dict[str, Any]:
    """The groups of the inventory."""
    found: dict[str, Any] = loaded(shop, "inventory.yml")["all"]["children"]
    return found


def test_all_files_are_public_and_hold_no_key(built_shop: Shop) -> None:
    folder = built_shop.dist / "ansible"
    assert {path.name for path in folder.iterdir()} == FILES
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o644
        assert "PRIVATE KEY" not in path.read_text("ascii")


def test_hosts_are_grouped_by_role_and_by_system(shop: Shop) -> None:
    systems = ("aix", "linux", "windows", "macos")
    shop.write(HEAD + SERVER + "".join(client(f"pc-{system}", os=system) for system in systems))
    shop.build()
    found = groups(shop)
    posix = found.pop("posix")
    assert {name: set(group["hosts"]) for name, group in found.items()} == {
        "servers": {"ipm1.example.com"},
        "clients": {f"pc-{system}.example.com" for system in systems},
        "aix": {"pc-aix.example.com"},
        "linux": {"ipm1.example.com", "pc-linux.example.com"},
        "windows": {"pc-windows.example.com"},
        "macos": {"pc-macos.example.com"},
    }
    assert set(posix["children"]) == {"aix", "linux", "macos"}


def test_a_group_without_hosts_is_there_all_the_same(built_shop: Shop) -> None:
    assert groups(built_shop)["aix"] == {"hosts": {}}


def test_hosts_with_a_restart_command_are_told(built_shop: Shop) -> None:
    reboot = client("pc", restart_command="reboot")
    built_shop.write(built_shop.text + reboot + '[ipm]\nrestart_command = "stop; start"\n')
    built_shop.build()
    hosts = {**groups(built_shop)["servers"]["hosts"], **groups(built_shop)["clients"]["hosts"]}
    told = {name for name, variables in hosts.items() if variables == {"ipmpki_has_restart_command": True}}
    assert told == {"ipm1.example.com", "pc.example.com"}


@pytest.mark.parametrize(
    ("declared", "serial"),
    [("", [1]), ("5", [5]), ('"25%"', ["25%"]), ('[1, "10%", 20]', [1, "10%", 20])],
)
def test_the_declared_batches_are_those_of_the_playbook(shop: Shop, declared: str, serial: list[Any]) -> None:
    shop.write(shop.text + (f"\n[rollout]\nbatch = {declared}\n" if declared else ""))
    shop.build()
    plays = loaded(shop, "install.yml")
    assert [play["hosts"] for play in plays] == ["clients", "servers"]
    for play in plays:
        assert play["serial"] == serial
        assert play["any_errors_fatal"] is True
    assert (
        f"in batches of {', then '.join(map(str, serial))}," in (shop.dist / "ansible/README.txt").read_text()
    )


def test_a_batch_that_cannot_be_meant_keeps_the_build_from_happening(shop: Shop) -> None:
    shop.write(shop.text + "\n[rollout]\nbatch = 0\n")
    assert [one.problem.message for one in shop.load().errors] == ["0 is not a batch"]


def tasks(node: Any) -> list[dict[str, Any]]:
    """The tasks of a file, those in blocks too."""
    found: list[dict[str, Any]] = []
    for task in node:
        inner = [*task.get("block", ()), *task.get("always", ())]
        found += tasks(inner) if inner else [task]
    return found


@pytest.mark.parametrize("name", ["posix.yml", "windows.yml"])
def test_keys_are_copied_in_silence_and_removed_whatever_happens(built_shop: Shop, name: str) -> None:
    blocks = [task for task in loaded(built_shop, name) if "always" in task]
    assert len(blocks) == 1
    removal = blocks[0]["always"][0]
    assert removal["check_mode"] is False
    copies = [task for task in tasks(loaded(built_shop, name)) if any("copy" in key for key in task)]
    assert len(copies) == 1
    assert copies[0]["no_log"] is True
    assert copies[0]["diff"] is False


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.endswith(".yml")))
def test_every_module_is_called_by_its_full_name(built_shop: Shop, name: str) -> None:
    if name == "inventory.yml":
        return
    content = loaded(built_shop, name)
    found = tasks([task for play in content for task in play.get("tasks", ())] or content)
    words = {key for task in found for key in task if "." in key}
    assert words
    assert all(key.startswith(("ansible.builtin.", "ansible.windows.")) for key in words)


def test_the_readme_speaks_of_systems_that_are_there(built_shop: Shop) -> None:
    readme = built_shop.dist / "ansible/README.txt"
    assert "ansible.windows" not in readme.read_text()
    assert "AIX" not in readme.read_text()
    built_shop.write(built_shop.text + client("pc", os="windows") + client("old", os="aix"))
    built_shop.build()
    assert "ansible.windows" in readme.read_text()
    assert "AIX Toolbox" in readme.read_text()
    assert max(map(len, readme.read_text().splitlines())) <= 100


def test_another_host_system_batch_or_restart_command_is_another_playbook(built_shop: Shop) -> None:
    before = built_shop.text
    for edited in (
        before + client("desk3"),
        before.replace(client("desk2"), ""),
        before.replace(client("desk2"), client("desk2", os="aix")),
        before + "\n[rollout]\nbatch = 2\n",
        before + '\n[ipm]\nrestart_command = "reboot"\n',
    ):
        built_shop.write(edited)
        assert built_shop.changes()[PLAYBOOK] == {"settings-changed"}, edited
    built_shop.build()
    assert built_shop.changes() == {}


def test_what_does_not_concern_it_leaves_it_alone(built_shop: Shop) -> None:
    def sight() -> dict[str, object]:
        return {
            path: found for path, found in built_shop.bytes_on_disk().items() if path.startswith("ansible")
        }

    before = sight()
    built_shop.edit("10.1.2.3", "10.1.2.4")
    built_shop.now += timedelta(days=380)
    assert PLAYBOOK not in built_shop.changes()
    built_shop.build()
    assert sight() == before


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_is_missing_or_changed_is_restored(built_shop: Shop, name: str) -> None:
    path = built_shop.dist / "ansible" / name
    before = path.read_bytes()
    path.unlink()
    assert built_shop.changes() == {PLAYBOOK: {"files-missing"}}
    built_shop.build()
    path.write_bytes(before + b"# mine\n")
    assert built_shop.changes() == {PLAYBOOK: {"files-changed"}}
    assert built_shop.actions() == {PLAYBOOK: "restore"}
    built_shop.build()
    assert path.read_bytes() == before
    assert built_shop.changes() == {}


def test_restoring_it_asks_for_no_passphrase_and_signs_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.edit('key = "ec-p256"\n\n[tls]', 'key = "ec-p256"\npassphrase = { env = "CA_WORD" }\n\n[tls]')
    monkeypatch.setenv("CA_WORD", "a word")
    shop.build()
    monkeypatch.delenv("CA_WORD")
    shop.write(shop.text + "\n[rollout]\nbatch = 3\n")
    assert set(shop.actions().items()) == {(PLAYBOOK, "replace")}
    shop.build()
    assert shop.changes() == {}
