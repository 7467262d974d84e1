"""What running install.ps1 under PowerShell 7 does not show: its bytes, and that it keeps to what Windows
PowerShell 5.1 has, which is on no machine but Windows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.fleet import KeywordNames
from ipmpki.render.host_folder.folder import render_host
from ipmpki.render.host_folder.install_ps1 import ascii_literal
from ipmpki.render.host_folder.script_parts import Needs, needs_of
from tests.render.host_folder.bundles import bundle_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.host_folder.powershell import PowerShell

KEYWORDS = KeywordNames(ca_file="CaFile", crl_file="CrlFile", mutual_auth="VerifyClient=yes")

BUNDLES = {
    "server": bundle_of("server", "windows", account="NT SERVICE\\ipm", restart='net stop "IPM"'),
    "mutual server": bundle_of("server", "windows", mutual=True, keywords=KEYWORDS, crl=b"a CRL\n"),
    "server that awaits its certificate": bundle_of("server", "windows", own_key=True, label="awaited"),
    "server with its own key": bundle_of("server", "windows", own_key=True),
    "client": bundle_of("client", "windows"),
    "mutual client": bundle_of("client", "windows", mutual=True, account="Örtliche Drucker\u2019s"),
    "client with its own key": bundle_of("client", "windows", mutual=True, own_key=True, restart="x"),
    "odd words": bundle_of("server", "windows", restart="echo 'ä' “x” 🖨\n\t%PATH% $env:x `n {{ a }}"),
}

EVERY_PART = "client with its own key"


def script_of(label: str, name: str = "install.ps1") -> bytes:
    return next(file.content for file in render_host(BUNDLES[label]) if file.name == name)


def body_of(label: str) -> str:
    _, _, body = script_of(label).decode("ascii").partition("# ---- the same for every host")
    return body


def tokens(script: str) -> list[str]:
    """A reading of PowerShell coarse enough to be right: comments, strings, brackets; everything else by the
    character. Fails on a string or comment that has no end."""
    pattern = re.compile(
        r"(?P<comment><\#.*?\#>|\#[^\n]*)|(?P<string>@'\n.*?\n'@|'(?:[^']|'')*'|\"(?:[^\"`]|`.|\"\")*\")|(?P<char>.)",
        re.DOTALL,
    )
    found = []
    for match in pattern.finditer(script):
        assert match["char"] not in {"'", '"'}, f"no end: {script[match.start() : match.start() + 60]!r}"
        if match["comment"] is None:
            found.append(match.group())
    return found


def code_of(script: str) -> str:
    """The script without its comments, each string emptied."""
    return "".join("''" if len(token) > 1 else token for token in tokens(script))


def value_of(literal: str) -> str:
    """What PowerShell makes of an expression of ``ascii_literal``, by the language's rules for verbatim
    strings, ``+`` and ``[char]``."""
    single = r"'(?:[^']|'')*'"
    term = rf"(?:{single}|\[char\][0-9]+)"
    assert re.fullmatch(rf"{single}|\({single}(?: \+ {term})*\)", literal), literal
    units = b""
    for found in re.findall(term, literal):
        if found.startswith("'"):
            units += found[1:-1].replace("''", "'").encode("utf-16-le")
        else:
            units += int(found.removeprefix("[char]")).to_bytes(2, "little")
    return units.decode("utf-16-le", "surrogatepass")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=())))
def test_any_text_survives_as_a_literal_in_ascii(text: str) -> None:
    literal = ascii_literal(text)
    assert literal.isascii()
    assert literal.isprintable(), "no line of a script may be broken by a value"
    assert value_of(literal) == text


def test_a_literal_has_no_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        ascii_literal("a\0b")


def test_a_plain_literal_reads_as_anybody_would_write_it() -> None:
    assert ascii_literal("Jo's $x `n") == "'Jo''s $x `n'"
    assert ascii_literal("café") == "('' + 'caf' + [char]233)"


@pytest.mark.parametrize("name", ["install.ps1", "install.cmd"])
@pytest.mark.parametrize("label", BUNDLES)
def test_scripts_are_ascii_with_crlf_and_no_byte_order_mark(label: str, name: str) -> None:
    script = script_of(label, name)
    assert script.isascii()
    assert script.count(b"\n") == script.count(b"\r\n") == script.count(b"\r")
    assert script.endswith(b"\r\n")


def test_the_body_is_the_same_for_every_host_with_the_same_needs() -> None:
    bodies: dict[Needs, set[str]] = {}
    for label, bundle in BUNDLES.items():
        bodies.setdefault(needs_of(bundle), set()).add(body_of(label))
    assert len(bodies) > 2
    assert {len(alike) for alike in bodies.values()} == {1}


def test_a_template_tag_in_a_value_stays_text() -> None:
    assert "{{ a }}" in script_of("odd words").decode("ascii")


@pytest.mark.parametrize(
    "absent",
    [
        r"&&",
        r"\|\|",
        r"\?",  # the ternary operator, ?? and ?.; an alias of Where-Object
        r"\$Is(?:Windows|Linux|MacOS|CoreCLR)\b",
        r"\bConvertFrom-Json\b",
        r"\b(?:Get|Set|Add)-Content\b",
        r"\bOut-File\b",
        r"(?<![-0-9])>",  # redirection: its encoding is another one in each PowerShell
        r"\bclean\s*\{",
        r"\bInvoke-Expression\b",
        r"\busing\s+(?:module|namespace|assembly)\b",
        r"-Parallel\b",
    ],
)
def test_nothing_that_windows_powershell_lacks_or_does_differently(absent: str) -> None:
    code = code_of(body_of(EVERY_PART).replace("\r\n", "\n"))
    assert re.findall(absent, code, re.IGNORECASE) == []


def test_every_function_that_is_called_is_there_and_the_other_way_round() -> None:
    code = code_of(body_of(EVERY_PART).replace("\r\n", "\n"))
    defined = re.findall(r"function ([A-Z]\w+-\w+)", code)
    assert len(defined) == len({name.lower() for name in defined})
    words = re.findall(r"(?<![\w$:.-])[A-Z][A-Za-z]+-[A-Z]\w+", code)
    cmdlets = {
        "Set-StrictMode", "New-Object", "ForEach-Object", "Write-Host", "Where-Object", "Sort-Object",
        "Get-ChildItem", "Get-Item", "Get-ItemProperty", "Add-Type", "Add-Member", "Start-Sleep",
        "Select-Object",
    }  # fmt: skip
    assert {word for word in words if word not in defined} == cmdlets
    assert [name for name in defined if words.count(name) < 2] == []


def test_every_variable_that_is_read_from_the_script_is_set_at_its_top() -> None:
    script = script_of("server").decode("ascii").replace("\r\n", "\n")
    read = set(re.findall(r"\$script:(\w+)", script))
    assert {name for name in read if not re.search(rf"^\${name} = ", script, re.MULTILINE)} == set()


def functions_of(code: str) -> dict[str, str]:
    """The text of each function, by its name; they begin and end in the first column."""
    return {
        match[1]: match[2]
        for match in re.finditer(
            r"^function (\S+?)(?=[ (])([^\n]*\}$|.*?^\})", code, re.MULTILINE | re.DOTALL
        )
    }


def variables_in(text: str) -> set[str]:
    """The variables of a text without a scope of their own, in small letters, as PowerShell knows no case.
    Those in strings count."""
    plain = re.sub(r"'(?:[^']|'')*'", "''", text)
    return {name.lower() for name in re.findall(r"\$\{?(\w+)\b(?!:)", plain)}


def assigned_in(text: str) -> set[str]:
    """The parameters and local variables of a function's text, and of blocks in it."""
    parameters = " ".join([text.partition("{")[0], *re.findall(r"param\(([^()]*)\)", text)])
    assigned = {name.lower() for name in re.findall(r"\$(\w+)(?=(?:, \$\w+)* [+]?= )", text)}
    return (
        assigned
        | variables_in(parameters)
        | {name.lower() for name in re.findall(r"foreach \(\$(\w+) in", text)}
    )


def test_every_function_knows_its_variables_and_hides_none_of_the_script() -> None:
    """Under Set-StrictMode a variable that was not set is an error when it is read. A local one hides one of
    the script's that is called the same, in whatever case."""
    script = script_of(EVERY_PART).decode("ascii").replace("\r\n", "\n")
    script = re.sub(r"<#.*?#>|@'\n.*?\n'@|#[^\n'\"]*$", "", script, flags=re.DOTALL | re.MULTILINE)
    of_the_script = {name.lower() for name in re.findall(r"^\$(\w+) = ", script, re.MULTILINE)}
    functions = functions_of(script)
    assert len(functions) == len(re.findall(r"^function ", script, re.MULTILINE))
    given = {
        *("_", "args", "true", "false", "null", "psscriptroot", "pscommandpath", "psversiontable"),
        *("executioncontext", "matches"),
    }
    for name, text in functions.items():
        local = assigned_in(text)
        assert local & of_the_script == set(), f"{name} hides a variable of the script"
        assert variables_in(text) - local - of_the_script - given == set(), f"{name} reads what is not set"


def test_only_members_that_both_kinds_of_net_have_are_called() -> None:
    """A list of what is in .NET Framework 4.7.2 (Windows PowerShell 5.1) as well as in .NET (PowerShell 7): a
    new member is to be looked up in the reference of both. What only one of them has stands behind a look at
    which of them it is, or is for Unix, where the other never runs."""
    script = script_of(EVERY_PART).decode("ascii")
    called = set(re.findall(r"\[([A-Za-z0-9.]+)\]::(\w+)", script))
    only_one = {
        ("Microsoft.VisualBasic.FileIO.FileSystem", "MoveFile"),
        ("IO.FileSystemAclExtensions", "SetAccessControl"),
        ("IO.FileSystemAclExtensions", "Create"),
        ("IO.FileSystemAclExtensions", "CreateDirectory"),
        ("IO.File", "GetUnixFileMode"),
    }
    assert only_one < called
    by_type: dict[str, set[str]] = {}
    for kind, member in called - only_one:
        by_type.setdefault(kind, set()).add(member)
    assert by_type == {
        "BitConverter": {"ToString"},
        "Console": {"Error"},
        "Convert": {"FromBase64String"},
        "DateTime": {"Now", "UtcNow"},
        "Diagnostics.Process": {"Start"},
        "Environment": {
            "Exit", "GetCommandLineArgs", "GetFolderPath", "NewLine", "OSVersion", "SystemDirectory",
        },
        "Globalization.CultureInfo": {"InvariantCulture"},
        "IO.Directory": {
            "CreateDirectory", "Delete", "Exists", "GetDirectories", "GetFiles", "GetFileSystemEntries",
            "Move",
        },
        "IO.File": {
            "Create", "Delete", "Exists", "GetAttributes", "Move", "Open", "ReadAllBytes", "ReadAllLines",
            "SetAttributes",
        },
        "IO.FileAttributes": {"ReadOnly", "ReparsePoint"},
        "IO.FileOptions": {"DeleteOnClose"},
        "IO.Path": {"Combine", "DirectorySeparatorChar", "GetDirectoryName", "GetFileName"},
        "Net.Dns": {"GetHostName"},
        "Net.NetworkInformation.IPGlobalProperties": {"GetIPGlobalProperties"},
        "Math": {"Max", "Min"},
        "PlatformID": {"Win32NT"},
        "Security.AccessControl.FileSystemRights": {"Write"},
        "Security.Cryptography.SHA256": {"Create"},
        "Security.Principal.WindowsBuiltInRole": {"Administrator"},
        "Security.Principal.WindowsIdentity": {"GetCurrent"},
        "StringComparison": {"Ordinal", "OrdinalIgnoreCase"},
        "Text.Encoding": {"GetEncoding"},
        "char": {"ToLowerInvariant", "ToUpperInvariant"},
        "int": {"MinValue"},
        "regex": {"Escape", "Match", "Matches", "Replace"},
    }  # fmt: skip
    # File.Move has its third parameter in .NET alone.
    assert len(re.findall(r"File\]::Move\(", script)) == 1
    assert re.search(r"\(\$IsCore\) \{ \[IO\.File\]::Move\(\$Source, \$Target, \$true\)", script)


@pytest.mark.parametrize("label", BUNDLES)
def test_powershell_reads_it_without_an_objection(
    label: str, tmp_path: Path, linux_powershell: PowerShell
) -> None:
    script = tmp_path / "install.ps1"
    script.write_bytes(script_of(label))
    said = linux_powershell.command(
        "$found = $null; "
        f"[void][Management.Automation.Language.Parser]::ParseFile('{script}', [ref]$null, [ref]$found); "
        "$found | ForEach-Object { $_.Message }"
    )
    assert said.strip() == ""


def test_no_automatic_variable_is_assigned() -> None:
    code = code_of(script_of(EVERY_PART).decode("ascii").replace("\r\n", "\n"))
    assigned = {name.lower() for name in re.findall(r"\$(\w+) [+]?= ", code)}
    assigned |= {name.lower() for name in re.findall(r"foreach \(\$(\w+) in", code)}
    automatic = "args error event foreach home host input matches pid profile psitem pwd sender switch this"
    assert assigned & set(automatic.split()) == set()
