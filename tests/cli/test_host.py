"""``ipmpki host``: edits that are checked before they are written, and the list."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from ipmpki.cli.host import OPTIONAL_KEYS
from ipmpki.declaration.tables import Host

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal

MAIN = """\
schema = 1
include = ["sites/*.toml"]

[ca]
common_name = "Print CA"

[[hosts]]
name = "ipm1.example.com"  # the server
role = "server"
"""

SITE = """\
# Boulder

[[hosts]]
name = "b1.example.com"
role = "client"
os = "aix"
ips = ["10.0.0.1"]
"""


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    terminal.write("pki.toml", MAIN)
    terminal.write("sites/boulder.toml", SITE)
    return terminal


# --- Editing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [("pki.toml", "desk1.example.com"), ("desk1.example.com",)])
def test_a_host_is_added_and_the_next_step_is_named(shop: Terminal, target: tuple[str, ...]) -> None:
    outcome = shop("host", "add", *target, "--role", "client", "--os", "windows", "--ip", "10.1.2.9")
    assert outcome.status == 0
    assert outcome.out == "pki.toml: added client desk1.example.com\nnext: ipmpki plan pki.toml\n"
    assert outcome.err == ""
    assert shop.read("pki.toml") == (
        MAIN
        + '\n[[hosts]]\nname = "desk1.example.com"\nrole = "client"\nos = "windows"\nips = ["10.1.2.9"]\n'
    )


def test_every_key_of_a_host_can_be_given(shop: Terminal) -> None:
    given = ["--role", "server", "--os", "aix", "--subject", "*.example.com", "--alias", "p.example.com"]
    given += ["--alias", "q.example.com", "--ip", "::5", "--key", "rsa-4096", "--lifetime", "90d"]
    assert shop("host", "add", "s.example.com", *given, "--renew-before", "9d").status == 0
    assert shop.read("pki.toml").endswith(
        'name = "s.example.com"\nrole = "server"\nos = "aix"\nsubject = "*.example.com"\n'
        'aliases = ["p.example.com", "q.example.com"]\nips = ["::5"]\nkey = "rsa-4096"\n'
        'lifetime = "90d"\nrenew_before = "9d"\n'
    )


OPTIONS = {
    "--role": ("role", "server"),
    "--os": ("os", "aix"),
    "--subject": ("subject", "*.example.com"),
    "--alias": ("aliases", ["p.example.com"]),
    "--ip": ("ips", ["10.0.0.9"]),
    "--key": ("key", "rsa-4096"),
    "--lifetime": ("lifetime", "90d"),
    "--renew-before": ("renew_before", "9d"),
    "--renew-key": ("renew_key", "keep"),
    "--csr": ("csr", "ipm3.csr"),
    "--restart-command": ("restart_command", "startsrv ipm3"),
    "--server-name": ("server_name", "ipm3"),
    "--tls-port": ("tls_port", 16874),
    "--formerly": ("formerly", "old.example.com"),
}
"""Each key of a host's table with a value, by the option that gives it."""


def test_each_key_of_a_host_has_an_option_that_writes_it(shop: Terminal) -> None:
    assert {key for key, _ in OPTIONS.values()} == set(Host.model_fields) - {"name"}
    assert set(OPTIONAL_KEYS) == set(Host.model_fields) - {"name", "role"}
    lists = {key: text for key, text in OPTIONS.items() if key != "--csr"}
    for options in ({"--csr": OPTIONS["--csr"]}, lists):
        given = [
            part
            for option, (_, value) in options.items()
            for part in (option, "".join(value) if isinstance(value, list) else str(value))
        ]
        shop.write("pki.toml", MAIN)
        role = [] if "--role" in options else ["--role", "server"]
        assert shop("host", "add", "pki.toml", "ipm3.example.com", *role, *given).status == 0
        added = tomllib.loads(shop.read("pki.toml"))["hosts"][-1]
        expected = dict(options.values())
        assert added == {"name": "ipm3.example.com", "role": "server", **expected}
        assert list(added) == [key for key in Host.model_fields if key in added]
        shop.write("pki.toml", MAIN)
        assert shop("host", "set", "pki.toml", "ipm1.example.com", *given).status == 0
        assert tomllib.loads(shop.read("pki.toml"))["hosts"][0] == {
            "name": "ipm1.example.com",
            "role": "server",
            **expected,
        }
        for key in expected.keys() - {"role"}:
            assert shop("host", "set", "pki.toml", "ipm1.example.com", "--unset", key).status == 0
        assert tomllib.loads(shop.read("pki.toml"))["hosts"][0].keys() == {"name", "role"}


def test_a_host_is_removed_from_the_file_it_stands_in(shop: Terminal) -> None:
    outcome = shop("host", "remove", "pki.toml", "B1.example.com")
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "sites/boulder.toml: removed B1.example.com")
    assert shop.read("sites/boulder.toml") == "# Boulder\n"
    assert shop.read("pki.toml") == MAIN


def test_a_host_is_changed_in_the_file_it_stands_in(shop: Terminal) -> None:
    changes = [
        "--os",
        "linux",
        "--add-alias",
        "b.example.com",
        "--add-ip",
        "fc00::1",
        "--remove-ip",
        "10.0.0.1",
    ]
    outcome = shop("host", "set", "pki.toml", "b1.example.com", *changes, "--rename", "b2.example.com")
    assert outcome.status == 0
    assert shop.read("sites/boulder.toml") == (
        '# Boulder\n\n[[hosts]]\nname = "b2.example.com"\nrole = "client"\nos = "linux"\n'
        'aliases = ["b.example.com"]\nips = ["fc00::1"]\nformerly = "b1.example.com"\n'
    )


def test_lists_are_replaced_and_keys_unset(shop: Terminal) -> None:
    changes = ["--ip", "10.0.0.2", "--ip", "10.0.0.3", "--unset", "os", "--alias", "b.example.com"]
    assert shop("host", "set", "b1.example.com", *changes).status == 0
    assert shop.read("sites/boulder.toml").endswith(
        'role = "client"\naliases = ["b.example.com"]\nips = ["10.0.0.2", "10.0.0.3"]\n'
    )


def test_what_is_so_already_is_not_written(shop: Terminal) -> None:
    before = (shop.folder / "sites/boulder.toml").stat()
    outcome = shop("host", "set", "b1.example.com", "--os", "aix")
    assert (outcome.status, outcome.out) == (0, "sites/boulder.toml says so already; nothing was changed\n")
    after = (shop.folder / "sites/boulder.toml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_edit_that_brings_errors_is_shown_and_refused(shop: Terminal) -> None:
    outcome = shop("host", "add", "desk*.example.com", "--role", "client", "--ip", "10.0.0.300")
    assert outcome.status == 1
    assert "error[partial-wildcard]" in outcome.err
    assert "error[ip-invalid]" in outcome.err
    assert "this would bring 2 errors into pki.toml; nothing was changed" in outcome.err
    assert outcome.out == ""
    assert shop.read("pki.toml") == MAIN


def test_an_alias_that_is_another_host_in_another_file_is_refused(shop: Terminal) -> None:
    outcome = shop("host", "set", "b1.example.com", "--add-alias", "ipm1.example.com")
    assert outcome.status == 1
    assert "error[alias-is-another-host]" in outcome.err
    assert "this would bring an error into sites/boulder.toml" in outcome.err
    assert shop.read("sites/boulder.toml") == SITE


def test_a_warning_is_shown_and_the_edit_made(shop: Terminal) -> None:
    outcome = shop("host", "add", "d.example.com", "--role", "client", "--ip", "10.0.0.1")
    assert outcome.status == 0
    assert "warning[shared-ip]" in outcome.err
    assert "d.example.com" in shop.read("pki.toml")


def test_errors_that_were_there_do_not_stand_in_the_way(shop: Terminal) -> None:
    shop.write("pki.toml", MAIN + 'ips = ["x"]\n')
    outcome = shop("host", "add", "d.example.com", "--role", "client")
    assert outcome.status == 0
    assert outcome.err == ""
    assert "next: ipmpki check pki.toml, which had an error before already" in outcome.out


def test_removing_the_first_host_does_not_make_old_errors_new(shop: Terminal) -> None:
    shop.write("pki.toml", MAIN + '\n[[hosts]]\nname = "d"\nrole = "client"\nips = ["x"]\n')
    outcome = shop("host", "remove", "ipm1.example.com")
    assert outcome.status == 0
    assert "error[" not in outcome.err
    assert "which had 2 errors before" in outcome.out


def test_crlf_and_a_byte_order_mark_are_kept(shop: Terminal) -> None:
    text = "\ufeff" + MAIN.replace("\n", "\r\n")
    shop.write("pki.toml", text)
    assert shop("host", "add", "d.example.com", "--role", "client").status == 0
    assert shop.read("pki.toml") == (text + '\r\n[[hosts]]\r\nname = "d.example.com"\r\nrole = "client"\r\n')


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("remove",), ("set", "--os", "aix")])
def test_a_host_that_is_not_there_is_guessed_in_all_files(shop: Terminal, command: tuple[str, ...]) -> None:
    outcome = shop("host", *command, "b1.exmple.com")
    assert outcome.status == 2
    assert "no host is named 'b1.exmple.com'" in outcome.err
    assert "did you mean 'b1.example.com'?" in outcome.err


@pytest.mark.parametrize(
    "command",
    [
        ("add", "B1.example.com", "--role", "client"),
        ("set", "ipm1.example.com", "--rename", "b1.example.com"),
    ],
)
def test_a_name_that_another_file_has_is_taken(shop: Terminal, command: tuple[str, ...]) -> None:
    outcome = shop("host", *command)
    assert outcome.status == 2
    assert "is declared already in sites/boulder.toml; nothing was changed" in outcome.err
    assert shop.read("pki.toml") == MAIN


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("remove",), "the host's NAME is missing: ipmpki host remove pki.toml NAME"),
        (("remove", "pki.toml"), "the host's NAME is missing: ipmpki host remove pki.toml NAME"),
        (("remove", "b1.example.com", "pki.toml"), "FILE comes before NAME"),
        (("remove", "pki.toml", "a", "b"), "one NAME at a time"),
        (("add", "pki.toml", "a.example.com"), "--role"),
        (("set", "b1.example.com"), "nothing to change"),
        (("set", "b1.example.com", "--os", "aix", "--unset", "os"), "cannot be set and unset at once"),
        (("set", "b1.example.com", "--add-ip", "::1", "--unset", "ips"), "cannot be set and unset at once"),
        (("add", "a.example.com", "--role", "sever"), "sever"),
        (("add", "gone.toml", "a.example.com", "--role", "client"), "'gone.toml' cannot be read"),
    ],
)
def test_wrong_use_is_said_in_a_line_and_changes_nothing(
    shop: Terminal, arguments: tuple[str, ...], fault: str
) -> None:
    outcome = shop("host", *arguments)
    assert outcome.status == 2
    assert fault in outcome.err
    assert shop.read("pki.toml") == MAIN
    assert shop.read("sites/boulder.toml") == SITE


# --- Files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (MAIN.encode() + b'x = "\n', "pki.toml: the file is not valid TOML in line 10, column"),
        (MAIN.encode() + b"# \xff\n", "pki.toml is not UTF-8"),
    ],
)
@pytest.mark.parametrize("command", [("add", "--role", "client"), ("remove",), ("set", "--os", "aix")])
def test_a_file_that_is_no_toml_is_named_and_left_alone(
    shop: Terminal, content: bytes, fault: str, command: tuple[str, ...]
) -> None:
    (shop.folder / "pki.toml").write_bytes(content)
    outcome = shop("host", *command, "ipm9.example.com")
    assert outcome.status == 1
    assert fault in outcome.err
    assert (shop.folder / "pki.toml").read_bytes() == content


def test_a_broken_site_does_not_keep_others_from_being_edited(shop: Terminal) -> None:
    shop.write("sites/broken.toml", "[[hosts")
    assert shop("host", "set", "b1.example.com", "--os", "linux").status == 0
    outcome = shop("host", "set", "c1.example.com", "--os", "linux")
    assert outcome.status == 1
    assert "sites/broken.toml: the file is not valid TOML" in outcome.err


def test_the_mode_is_kept_and_no_other_file_is_left(shop: Terminal) -> None:
    (shop.folder / "pki.toml").chmod(0o664)
    assert shop("host", "add", "d.example.com", "--role", "client").status == 0
    assert stat.S_IMODE((shop.folder / "pki.toml").stat().st_mode) == 0o664
    assert sorted(path.name for path in shop.folder.iterdir()) == ["pki.toml", "sites"]


def test_a_link_is_followed(shop: Terminal) -> None:
    (shop.folder / "pki.toml").rename(shop.folder / "real.toml")
    (shop.folder / "pki.toml").symlink_to("real.toml")
    assert shop("host", "add", "d.example.com", "--role", "client").status == 0
    assert (shop.folder / "pki.toml").is_symlink()
    assert "d.example.com" in shop.read("real.toml")


def test_a_read_only_file_stays_as_it_is(shop: Terminal) -> None:
    (shop.folder / "pki.toml").chmod(0o444)
    outcome = shop("host", "add", "d.example.com", "--role", "client")
    assert outcome.status == 4
    assert "'pki.toml' is read-only; nothing was changed" in outcome.err
    assert "chmod u+w" in outcome.err
    assert shop.read("pki.toml") == MAIN


def test_a_disk_that_takes_nothing_leaves_the_file_whole(
    shop: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = shop("host", "add", "d.example.com", "--role", "client")
    assert outcome.status == 4
    assert "cannot be written: No space left on device; nothing was changed" in outcome.err
    assert shop.read("pki.toml") == MAIN
    assert sorted(path.name for path in shop.folder.iterdir()) == ["pki.toml", "sites"]


def test_what_somebody_else_writes_in_the_meantime_is_not_lost(
    shop: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipmpki.cli import save

    new_problems = save._new_problems  # noqa: SLF001 -- the moment between reading and writing

    def meanwhile(*problems: object) -> object:
        shop.write("pki.toml", MAIN + "# mine\n")
        return new_problems(*problems)  # type: ignore[arg-type]

    monkeypatch.setattr(save, "_new_problems", meanwhile)
    outcome = shop("host", "add", "d.example.com", "--role", "client")
    assert outcome.status == 4
    assert "somebody else changed 'pki.toml' in the meantime" in outcome.err
    assert shop.read("pki.toml") == MAIN + "# mine\n"


# --- The list -------------------------------------------------------------------------------------


def test_the_list_is_a_table_of_all_files(shop: Terminal) -> None:
    outcome = shop("host", "list", "pki.toml")
    assert outcome.status == 0
    assert outcome.out == (
        "NAME              ROLE    OS     ALIASES  ADDRESSES  FILE\n"
        "ipm1.example.com  server  linux  -        -          pki.toml\n"
        "b1.example.com    client  aix    -        10.0.0.1   sites/boulder.toml\n"
    )


def test_the_file_column_is_left_out_where_there_is_one_file(terminal: Terminal) -> None:
    terminal.write("pki.toml", MAIN.replace("include", "# include"))
    assert terminal("host", "list").out == (
        "NAME              ROLE    OS     ALIASES  ADDRESSES\nipm1.example.com  server  linux  -        -\n"
    )


def test_the_list_as_json(shop: Terminal) -> None:
    listed = json.loads(shop("host", "list", "--format", "json").out)
    assert listed["version"] == 1
    assert listed["hosts"][1] == {
        "name": "b1.example.com",
        "role": "client",
        "os": "aix",
        "aliases": [],
        "ips": ["10.0.0.1"],
        "file": "sites/boulder.toml",
    }


def test_a_list_without_hosts_says_how_to_add_one(terminal: Terminal) -> None:
    terminal.write("pki.toml", '[ca]\ncommon_name = "x"\n')
    outcome = terminal("host", "list")
    assert (outcome.status, outcome.out) == (0, "")
    assert "ipmpki host add pki.toml NAME" in outcome.err


def test_a_list_of_a_faulty_file_says_that_it_may_lack_something(shop: Terminal) -> None:
    shop.write("pki.toml", MAIN + 'ips = ["x"]\n')
    outcome = shop("host", "list")
    assert outcome.status == 0
    assert "b1.example.com" in outcome.out
    assert "pki.toml has an error, so this list may lack something" in outcome.err


def test_a_file_that_declares_nothing_has_no_list(terminal: Terminal) -> None:
    terminal.write("pki.toml", f"x = {'[' * 5000}")
    outcome = terminal("host", "list")
    assert outcome.status == 1
    assert "error[toml-syntax]" in outcome.err
