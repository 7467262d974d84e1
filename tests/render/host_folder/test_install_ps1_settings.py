"""install.ps1 edits ipmssl.cfg as install.sh does, and leaves every other line alone."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.ipmssl_samples import EXAMPLES, FURTHER, REFUSED
from tests.render.host_folder.powershell import CLIENT, SAMPLES, asked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import PrepareWindows
    from tests.render.host_folder.powershell import PowerShell

CFG = f"{CLIENT}/ipmssl.cfg"
TABLE = EXAMPLES | FURTHER

# Each sample is edited, and edited back, by the functions of the script itself.
ASK = """
foreach ($sample in (ConvertFrom-Json ([IO.File]::ReadAllText('{samples}')))) {{
    $before = $Latin1.GetString([Convert]::FromBase64String($sample))
    $wanted = @([pscustomobject]@{{ Action = '{action}'; Keyword = 'EnableTLS'; Value = '1' }})
    $edit = Edit-Settings $before $wanted 'ipmssl.cfg'
    $again = Edit-Settings $edit.Content $wanted 'ipmssl.cfg'
    $back = Undo-Edit $before $edit.Content ("mine`n" + $edit.Content)
    foreach ($text in @($edit.Content, $again.Content, $back)) {{
        '_' + [Convert]::ToBase64String($Latin1.GetBytes($text))
    }}
}}
"""


def edited(
    powershell: PowerShell, place: Path, samples: list[bytes], action: str = "set"
) -> list[list[bytes]]:
    """What becomes of each sample: edited, edited twice, and taken back after a line was added above."""
    folder = write_folder(bundle_of("client", "windows"), place / "carried")
    (place / "samples.json").write_text(json.dumps([b64encode(sample).decode() for sample in samples]))
    outcome = powershell.run(asked(folder, ASK.format(samples=place / "samples.json", action=action)))
    assert (outcome.status, outcome.error) == (0, "")
    lines = [b64decode(line[1:]) for line in outcome.output.split()]
    return [lines[at : at + 3] for at in range(0, len(lines), 3)]


def test_a_keyword_is_set_by_example_with_the_bytes_that_install_sh_writes(
    linux_powershell: PowerShell, tmp_path: Path
) -> None:
    results = edited(linux_powershell, tmp_path, [before for before, _ in TABLE.values()])
    for (what, (before, after)), (once, twice, back) in zip(TABLE.items(), results, strict=True):
        assert once == after, what
        assert twice == after, what
        assert back == b"mine\n" + before or before.rstrip(b"\r\n") == back.removeprefix(b"mine\n").rstrip(
            b"\r\n"
        ), what


def test_a_keyword_that_must_not_be_in_force_is_commented_out(
    linux_powershell: PowerShell, tmp_path: Path
) -> None:
    samples = [b"EnableTLS=1\nEnableTLS=0\n", b"; x\r\n enabletls 3\r\n", b"#EnableTLS=1\n", b""]
    results = edited(linux_powershell, tmp_path, samples, "unset")
    assert [once for once, *_ in results] == [
        b"#EnableTLS=1\n#EnableTLS=0\n",
        b"; x\r\n; enabletls 3\r\n",
        b"#EnableTLS=1\n",
        b"",
    ]


def test_a_run_sets_it_in_the_file_that_is_there_or_in_the_sample(windows_host: PrepareWindows) -> None:
    host = windows_host(bundle_of("client", "windows"))
    host.write(f"{SAMPLES}/client/ipmssl.cfg", b"; shipped\n;EnableTLS 0\n")
    host.run()
    assert (host.root / CFG).read_bytes() == b"; shipped\nEnableTLS 1\n"
    host.write(CFG, b"EnableTLS=1\nEnableTLS=0\n")
    assert "EnableTLS stands 2 times; the last one counts" in host.run()
    assert (host.root / CFG).read_bytes() == b"EnableTLS=1\nEnableTLS=1\n"


# In UTF-16 letters of other scripts hold no NUL, which would give it away.
MARKS = {
    "the mark alone": "字段".encode("utf-16"),
    "the other mark alone": b"\xfe\xff" + "字段".encode("utf-16-be"),
}


@pytest.mark.parametrize("what", [*REFUSED, *MARKS])
def test_what_is_no_plain_text_is_refused(windows_host: PrepareWindows, what: str) -> None:
    host = windows_host(bundle_of("client", "windows"))
    host.write(CFG, (REFUSED | MARKS)[what])
    before = host.sight()
    said = host.run(status=1)
    assert "Save it as plain text" in said
    assert host.sight() == before


def test_a_keyword_with_odd_characters_is_taken_literally(windows_host: PrepareWindows) -> None:
    keyword = r"A+B$&[x]\1"
    names = KeywordNames(mutual_auth=rf"{keyword}=a\tb & 'c' $HOME \1 $1")
    host = windows_host(bundle_of(os="windows", mutual=True, keywords=names))
    host.write(
        "ProgramData/RICOH/InfoPrint Manager/var/pddir/ssl/ipmssl.cfg", f"AxB=1\n#{keyword} = x\n".encode()
    )
    host.run()
    lines = host.server("ipmssl.cfg").read_text().splitlines()
    assert lines[:2] == ["AxB=1", rf"{keyword} = a\tb & 'c' $HOME \1 $1"]


@pytest.mark.parametrize(
    "line", [b"# a comment: like many\r\n", b"Key = value\r\n", b"#EnableTLS=0\r\n", b"\r\n"]
)
@pytest.mark.exhaustive
def test_a_megabyte_takes_two_seconds_more_than_nothing(windows_host: PrepareWindows, line: bytes) -> None:
    host = windows_host(bundle_of("client", "windows"))
    host.run()
    host.run("-Uninstall")

    def seconds() -> float:
        start = time.perf_counter()
        host.run()
        took = time.perf_counter() - start
        host.run("-Uninstall")
        return took

    empty = min(seconds() for _ in range(2))
    host.write(CFG, line * (1_000_000 // len(line)))
    assert seconds() < empty + 2
