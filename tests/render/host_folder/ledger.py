"""NTFS rights without NTFS: a copy of install.ps1 whose few calls for rights go to ``[Ledger]``.

wine keeps no rights. ``[Ledger]``, which powershell-wine brings along, keeps them as SDDL by a file's
identity, and writes down each step: ``log`` has ``ALARM`` wherever a private key lay open. What is left
unproven is that NTFS does as told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_STAND_INS = {
    "Get-Sddl": """([string]$Path) {
    $sddl = [Ledger]::Get($Path)
    if ($sddl.StartsWith('O:')) { return $sddl }
    return 'O:BA' + $sddl
}""",
    "Set-FolderRights": """([string]$Path, [string]$Rights) { [Ledger]::Set($Path, $Rights) }""",
    # With its rights before there is anything in it, as Windows makes it in one call.
    "Open-SecuredFile": """([string]$Path, [string]$Rights) {
    if ([IO.File]::Exists($Path)) { throw "$Path exists already" }
    [IO.File]::Open($Path, 'CreateNew', 'Write', 'None').Dispose()
    [Ledger]::Forget($Path)
    [Ledger]::Set($Path, $Rights)
    return [IO.File]::Open($Path, 'Open', 'Write', 'None')
}""",
    "New-SecuredFolder": """([string]$Path, [string]$Rights) {
    [void][IO.Directory]::CreateDirectory($Path)
    [Ledger]::Forget($Path)
    [Ledger]::Set($Path, $Rights)
}""",
}
_WATCHED = {"Write-NewFile": "$Path", "Move-Once": "$Target"}


def with_ledger(script: str) -> str:
    """Return install.ps1 with the calls for rights replaced, each file looked at once it is written."""
    for name, body in _STAND_INS.items():
        script, count = re.subn(
            rf"^function {name}\(.*?^\}}$",
            f"function {name}{body}".replace("\\", r"\\"),
            script,
            flags=re.M | re.S,
        )
        assert count == 1, name
    for name, path in _WATCHED.items():
        found = re.search(rf"^function {name}(\(.*?\)) \{{", script, re.M)
        assert found is not None, name
        words = " ".join(re.findall(r"\$\w+", found[1]))
        script = script.replace(f"function {name}(", f"function {name}Unwatched(")
        script = script.replace(
            f"function {name}Unwatched(",
            f"function {name}{found[1]} {{\n    {name}Unwatched {words}\n"
            f"    [Ledger]::Check({path}, '{name}')\n}}\n\nfunction {name}Unwatched(",
            1,
        )
    return script


def put_ledger(folder: Path) -> None:
    """Let the install.ps1 of a folder keep its rights in the ledger."""
    script = folder / "install.ps1"
    text = script.read_bytes().decode("ascii").replace("\r\n", "\n")
    script.write_bytes(with_ledger(text).replace("\n", "\r\n").encode("ascii"))
