"""install.ps1 on wine's Windows, with NTFS rights kept by the ledger: who may read what, at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.render.host_folder.bundles import bundle_of
from tests.render.host_folder.windows_machine import (
    CLIENT,
    SERVER,
    SYSTEM_AND_ADMINISTRATORS,
    USERS_READ,
)

if TYPE_CHECKING:
    from tests.render.host_folder.windows_machine import WindowsMachine

pytestmark = pytest.mark.exhaustive

ACCOUNT = "S-1-5-80-1-2-3-4-5"
STRANGER = "S-1-5-21-1-2-3-1001"
KEY = rf"{SERVER}\server-key.pem"


def key_rights(account: str = ACCOUNT) -> str:
    return f"D:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;{account})"


def test_no_key_is_ever_open_to_more_than_at_its_end(machine: WindowsMachine) -> None:
    """Install, upgrade, rollback, uninstall: a file with a key gets its rights once, before its content."""
    first = machine.carry(bundle_of(os="windows", mutual=True, account=ACCOUNT))
    second = machine.carry(bundle_of(os="windows", mutual=True, account=ACCOUNT, label="second"), "second")
    machine.run(first)
    assert machine.rights(KEY) == key_rights()
    assert "already up to date" in machine.run(first)
    machine.run(first, "-Verify")
    machine.run(second)
    machine.run(second, "-Rollback")
    assert machine.rights(KEY) == key_rights()
    machine.run(second)
    machine.run(second, "-Uninstall")
    assert not machine.path(CLIENT).exists()
    assert not machine.path(r"C:\ProgramData\RICOH").exists()
    given: dict[str, set[str]] = {}
    for line in machine.log():
        what, _, rest = line.partition(" ")
        if what == "set" and "key" in rest.rpartition("\\")[2]:
            path, _, sddl = rest.rpartition(" D:")
            given.setdefault(path, set()).add(sddl)
    assert given
    allowed = (key_rights()[2:], f"P{SYSTEM_AND_ADMINISTRATORS}")
    assert {sddl for several in given.values() for sddl in several} <= set(allowed)
    staged = [path for path in given if ".ipmpki" not in path]
    assert staged == [], "no key is made where others may look"


CROWDS = ["Everyone", "S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-113", "S-1-5-21-1-2-3-513", "S-1-15-2-1"]

FAULTS = {
    "no list at all": ("O:BAD:NO_ACCESS_CONTROL", "open to everybody"),
    "everybody": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;WD)", "may read it"),
    "local accounts": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;S-1-5-113)", "may read it"),
    "Domain Users": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;S-1-5-21-1-2-3-513)", "may read it"),
    "app packages": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;AC)", "may read it"),
    "another owner": (f"O:{STRANGER}{key_rights()}", "belongs to"),
    "the account changes it": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FA;;;{ACCOUNT})", "may change it"),
    "the account left out": (f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}", "may not read it"),
    "refused to the account": (f"O:BAD:P(D;;FR;;;{ACCOUNT}){key_rights()[3:]}", "refused to"),
}


WRITERS = {
    "adds": f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1200ad;;;BU)",
    "deletes what is in it": f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1200e9;;;BU)",
    "changes its rights": f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1600a9;;;{STRANGER})",
    "owns it": f"O:{STRANGER}D:P{SYSTEM_AND_ADMINISTRATORS}",
    "no list": "O:BAD:NO_ACCESS_CONTROL",
}


def test_whoever_is_not_on_the_list_is_a_fault(machine: WindowsMachine) -> None:
    """By the functions of the script itself, as a run for each would take minutes."""
    asked = [
        f"Find-RightsFault '{sddl}' @('{ACCOUNT}') @('{ACCOUNT}', 'S-1-5-18')" for sddl, _ in FAULTS.values()
    ]
    asked.append(
        f"'right: ' + (Find-RightsFault 'O:BA{key_rights()}' @('{ACCOUNT}') @('{ACCOUNT}', 'S-1-5-18'))"
    )
    asked += [f"'crowd: ' + (Test-Crowd '{sid}')" for sid in [*CROWDS[1:], ACCOUNT, STRANGER, "S-1-5-19"]]
    asked += [f"'harm: ' + (Find-Intruder '{sddl}' $WritesFolder $Trusted)" for sddl in WRITERS.values()]
    (*said,) = machine.ask(bundle_of(os="windows"), "\n".join(asked)).splitlines()
    for (what, (_, words)), line in zip(FAULTS.items(), said, strict=False):
        assert words in line, what
    rest = said[len(FAULTS) :]
    assert rest[0].strip() == "right:"
    count = len(CROWDS) - 1
    assert rest[1 : count + 4] == ["crowd: True"] * count + ["crowd: False"] * 3
    assert all(len(line) > len("harm: ") for line in rest[count + 4 :])
    assert len(rest) == count + 4 + len(WRITERS)


@pytest.mark.parametrize("what", ["server-key.pem", "ipmssl.cfg", "the folder", "what is remembered"])
def test_whoever_is_not_on_the_list_is_a_difference_and_install_mends_it(
    machine: WindowsMachine, what: str
) -> None:
    folder = machine.carry(bundle_of(os="windows", account=ACCOUNT))
    machine.run(folder)
    path = {"the folder": SERVER, "what is remembered": rf"{CLIENT}\.ipmpki"}.get(what, rf"{SERVER}\{what}")
    right = machine.rights(path)
    machine.set_rights(path, f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;FR;;;S-1-5-113)")
    assert "may read it" in machine.run(folder, "-Verify", status=1)
    machine.run(folder)
    assert machine.rights(path) == right
    machine.run(folder, "-Verify")


@pytest.mark.parametrize(
    ("which", "harm"), [(SERVER, "adds"), (SERVER, "owns it"), (CLIENT, "changes its rights")]
)
def test_a_folder_that_others_own_or_write_is_refused_and_repaired_when_asked(
    machine: WindowsMachine, which: str, harm: str
) -> None:
    folder = machine.carry(bundle_of(os="windows", account=ACCOUNT))
    machine.make(which)
    machine.set_rights(which, WRITERS[harm])
    for options in (["-DryRun"], [], ["-Uninstall"]):
        said = machine.run(folder, *options, status=1)
        assert f"{which} " in said
        assert "install.cmd -Repair takes it back" in said
        assert "Nothing was changed." in said
    assert list(machine.path(which).iterdir()) == []
    machine.run(folder, "-Verify", status=1)
    machine.run(folder, "-Repair", "-DryRun")
    assert machine.rights(which) == WRITERS[harm]
    machine.run(folder, "-Repair")
    machine.run(folder, "-Verify")


def test_the_folders_of_others_are_refused_and_never_repaired(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of(os="windows", account=ACCOUNT))
    vendors = machine.make(r"C:\ProgramData\RICOH\InfoPrint Manager")
    machine.set_rights(vendors, WRITERS["adds"])
    machine.run(folder)  # that users may add is Windows' own
    machine.run(folder, "-Uninstall")
    machine.make(vendors)
    machine.set_rights(vendors, WRITERS["deletes what is in it"])
    for options in ([], ["-Repair"]):
        said = machine.run(folder, *options, status=1)
        assert "Have its administrator put its owner and rights in order" in said
    assert machine.rights(vendors) == WRITERS["deletes what is in it"]
    assert list(machine.path(vendors).iterdir()) == []


def test_what_somebody_else_wrote_down_is_not_believed(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of("client", "windows", mutual=True))
    state = rf"{CLIENT}\.ipmpki"
    machine.write(rf"{state}\installed", b"file client ca-cert.pem " + b"0" * 64 + b" no\n")
    machine.set_rights(state, f"O:{STRANGER}D:P{SYSTEM_AND_ADMINISTRATORS}")
    assert "belongs to" in machine.run(folder, "-Uninstall", status=1)
    said = machine.run(folder, "-Repair")
    assert ".ipmpki-untrusted-1" in said
    assert machine.path(rf"{CLIENT}\.ipmpki-untrusted-1\installed").exists()
    machine.run(folder, "-Verify")


def test_a_crowd_is_refused_on_a_server_and_named_on_a_client(machine: WindowsMachine) -> None:
    server = machine.carry(bundle_of(os="windows"))
    client = machine.carry(bundle_of("client", "windows", mutual=True), "client")
    said = machine.run(server, "-Owner", CROWDS[0], status=1)
    assert "is more than the one account that runs the server" in said
    assert not machine.path(SERVER).exists()
    said = machine.run(client, "-Owner", "S-1-5-32-545")
    assert "may read the key of this host" in said
    assert machine.rights(rf"{CLIENT}\client-key.pem") == key_rights("S-1-5-32-545")
    assert "already up to date" in machine.run(client)


def test_an_account_that_is_not_here_is_one_difference(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of(os="windows", account="nobody here"))
    said = machine.run(folder, "-DryRun", status=1)
    assert "there is no account or group 'nobody here' here" in said
    machine.run(folder, "-Owner", ACCOUNT)
    said = machine.run(folder, "-Verify", status=1)
    assert said.count("there is no account or group") == 1
    assert "wrong rights" not in said
    assert "Next: name the account" in said


def test_no_owner_named_means_whom_an_earlier_run_was_told(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of(os="windows"))
    machine.run(folder, "-Owner", ACCOUNT)
    assert "already up to date" in machine.run(folder)
    assert machine.rights(KEY) == key_rights()
    machine.run(folder, "-Owner", "SYSTEM")
    assert machine.rights(KEY) == f"D:P{SYSTEM_AND_ADMINISTRATORS}"


def test_a_carried_folder_that_others_may_write_is_refused(machine: WindowsMachine) -> None:
    folder = machine.carry(bundle_of("client", "windows"))
    here = machine.powershell.path(folder)
    above = machine.powershell.path(folder.parent)
    machine.set_rights(here, f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1301bf;;;AU)")
    said = machine.run(folder, status=4)
    assert f"{here} may be written by" in said
    assert "-TrustFolder: " in machine.run(folder, "-TrustFolder", "-DryRun")
    machine.set_rights(here, f"O:{STRANGER}D:P{SYSTEM_AND_ADMINISTRATORS}")
    assert "belongs to" in machine.run(folder, status=4)
    machine.set_rights(here, f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}{USERS_READ}")
    machine.set_rights(above, f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1200ad;;;AU)")
    machine.run(folder, "-DryRun")  # that others add to a folder above is no fault
    machine.set_rights(above, f"O:BAD:P{SYSTEM_AND_ADMINISTRATORS}(A;;0x1301bf;;;AU)")
    assert f"{above} may be taken over by" in machine.run(folder, status=4)


def test_a_file_that_is_held_open_is_found_before_the_change(machine: WindowsMachine) -> None:
    first = machine.carry(bundle_of("client", "windows"))
    second = machine.carry(bundle_of("client", "windows", label="second"), "second")
    machine.run(first)
    before = machine.path(rf"{CLIENT}\ca-cert.pem").read_bytes()
    script = second / "install.ps1"
    held = machine.powershell.ask(
        {
            "args": [
                "-Command",
                rf"$held = [IO.File]::Open('{CLIENT}\ca-cert.pem', 'Open', 'Read', 'Read'); "
                f"& '{machine.powershell.path(script)}' -Force; $held.Dispose(); exit $LASTEXITCODE",
            ],
        }
    )
    assert "another program has it open" in held.said
    assert machine.path(rf"{CLIENT}\ca-cert.pem").read_bytes() == before


def test_a_read_only_file_is_replaced_and_stays_read_only(machine: WindowsMachine) -> None:
    first = machine.carry(bundle_of("client", "windows"))
    second = machine.carry(bundle_of("client", "windows", label="second"), "second")
    machine.run(first)
    target = rf"{CLIENT}\ca-cert.pem"
    machine.powershell.command(f"[IO.File]::SetAttributes('{target}', 'ReadOnly')")
    machine.run(second)
    assert machine.path(target).read_bytes() == (second / "ca-cert.pem").read_bytes()
    assert "ReadOnly" in machine.powershell.command(f"[IO.File]::GetAttributes('{target}')")
    machine.run(second, "-Uninstall")
    assert not machine.path(CLIENT).exists()
