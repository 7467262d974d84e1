"""install.ps1 and install.cmd, as far as they can be known without a PowerShell.

install.ps1 is not run here: there is no PowerShell to run it. These tests read it. install.cmd is run by
wine's cmd.exe, with a program that records its command line in the place of powershell.exe.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

import pytest
import tree_sitter
import tree_sitter_powershell
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ipmpki.declaration.fleet import KeywordNames
from ipmpki.render.host_folder.folder import render_host
from ipmpki.render.host_folder.install_ps1 import ascii_literal
from ipmpki.render.host_folder.script_parts import Needs, needs_of
from tests.render.host_folder.bundles import bundle_of
from tests.tools import require

KEYWORDS = KeywordNames(ca_file="CaFile", crl_file="CrlFile", mutual_auth="VerifyClient=yes")

BUNDLES = {
    "server": bundle_of("server", "windows", account="NT SERVICE\\ipm", restart='net stop "IPM"'),
    "mutual server": bundle_of("server", "windows", mutual=True, keywords=KEYWORDS, crl=b"a CRL\n"),
    "server that awaits its certificate": bundle_of("server", "windows", own_key=True, label="awaited"),
    "server with its own key": bundle_of("server", "windows", own_key=True),
    "client": bundle_of("client", "windows"),
    "mutual client": bundle_of("client", "windows", mutual=True, account="Örtliche Drucker\u2019s"),
    "client with its own key": bundle_of("client", "windows", mutual=True, own_key=True),
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


@pytest.mark.parametrize("label", BUNDLES)
def test_brackets_strings_and_comments_are_closed(label: str) -> None:
    opened = []
    for token in tokens(script_of(label).decode("ascii").replace("\r\n", "\n")):
        if token in {"(", "[", "{"}:
            opened.append(token)
        elif token in {")", "]", "}"}:
            assert opened, "a bracket is closed that was not opened"
            assert opened.pop() + token in {"()", "[]", "{}"}
    assert opened == []


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


def test_strictness_is_asked_for_before_anything_is_done() -> None:
    code = code_of(body_of("server").replace("\r\n", "\n"))
    assert code.index("Set-StrictMode -Version Latest") < code.index("function ")
    assert "$ErrorActionPreference = ''" in code


def test_every_function_that_is_called_is_there_and_the_other_way_round() -> None:
    code = code_of(body_of(EVERY_PART).replace("\r\n", "\n"))
    defined = re.findall(r"function ([A-Z]\w+-\w+)", code)
    assert len(defined) == len({name.lower() for name in defined})
    words = re.findall(r"(?<![\w$:.-])[A-Z][A-Za-z]+-[A-Z]\w+", code)
    cmdlets = {
        "Set-StrictMode", "New-Object", "ForEach-Object", "Write-Host", "Where-Object", "Sort-Object",
        "Get-ChildItem", "Add-Type", "Start-Sleep", "Get-Command",
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
    """The parameters and local variables of a function's text."""
    parameters = text.partition("{")[0]
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
    given = {"_", "true", "false", "null", "psscriptroot", "psversiontable", "executioncontext"}
    for name, text in functions.items():
        local = assigned_in(text)
        assert local & of_the_script == set(), f"{name} hides a variable of the script"
        assert variables_in(text) - local - given == set(), f"{name} reads what it has not set"


def test_only_members_that_both_kinds_of_net_have_are_called() -> None:
    """A list of what is in .NET Framework 4.5 (Windows PowerShell 5.1) as well as in .NET 6 (PowerShell 7.2):
    a new member is to be looked up in the reference of both. Those that one of them lacks stand behind a look
    at $PSVersionTable."""
    script = script_of(EVERY_PART).decode("ascii")
    called = set(re.findall(r"\[([A-Za-z0-9.]+)\]::(\w+)", script))
    only_one = {
        ("Microsoft.VisualBasic.FileIO.FileSystem", "MoveFile"),
        ("System.IO.FileSystemAclExtensions", "SetAccessControl"),
    }
    assert only_one < called
    by_type: dict[str, set[str]] = {}
    for kind, member in called - only_one:
        by_type.setdefault(kind.removeprefix("System."), set()).add(member)
    assert by_type == {
        "BitConverter": {"ToString"},
        "Console": {"Error"},
        "Convert": {"FromBase64String"},
        "DateTime": {"Now", "UtcNow"},
        "Diagnostics.Process": {"Start"},
        "Environment": {"GetFolderPath", "NewLine", "OSVersion", "SystemDirectory"},
        "Globalization.CultureInfo": {"InvariantCulture"},
        "IO.Directory": {
            "CreateDirectory", "Delete", "Exists", "GetDirectories", "GetFiles", "GetFileSystemEntries",
            "Move",
        },
        "IO.File": {"Create", "Delete", "Exists", "Move", "Open", "ReadAllBytes", "ReadAllLines"},
        "IO.FileOptions": {"DeleteOnClose"},
        "IO.Path": {"Combine", "DirectorySeparatorChar", "GetFileName"},
        "Net.Dns": {"GetHostName"},
        "Net.NetworkInformation.IPGlobalProperties": {"GetIPGlobalProperties"},
        "PlatformID": {"Win32NT"},
        "Security.Cryptography.SHA256": {"Create"},
        "Security.Principal.WindowsBuiltInRole": {"Administrator"},
        "Security.Principal.WindowsIdentity": {"GetCurrent"},
        "StringComparison": {"OrdinalIgnoreCase"},
        "Text.Encoding": {"GetEncoding"},
        "regex": {"Match", "Matches"},
    }  # fmt: skip
    # File.Move has its third parameter in .NET alone.
    guard = r"\(\$PSVersionTable\.PSVersion\.Major -ge 7\) \{ "
    assert len(re.findall(r"File\]::Move\(", script)) == 1
    assert re.search(guard + r"\[System\.IO\.File\]::Move\(\$Source, \$Target, \$true\)", script)


def test_every_option_is_read_and_explained() -> None:
    body = body_of("client").replace("\r\n", "\n")
    block = re.search(r"^\$Options = @\{(.*?)^\}", body, re.MULTILINE | re.DOTALL)
    usage = re.search(r"@'\n(.*?)\n'@", body, re.DOTALL)
    switches = re.search(r"\$switches = @\((.*?)\)", body)
    assert block
    assert usage
    assert switches
    options = set(re.findall(r"(\w+) = ", block[1]))
    assert set(re.findall(r"^  -(\w+)", usage[1], re.MULTILINE)) == options
    assert set(re.findall(r"\[?-([A-Z]\w+)", usage[1].partition("(nothing)")[0])) == options - {"Help"}
    assert set(re.findall(r"'(\w+)'", switches[1])) == options - {"Root", "Owner"}
    assert max(map(len, usage[1].splitlines())) <= 110


def test_the_key_of_a_user_is_for_the_user_too_and_else_for_nobody() -> None:
    text = functions_of(body_of("client").replace("\r\n", "\n"))["Initialize-User"]
    assert '$script:PrivateFile += "(A;;FA;;;$sid)"' in text
    assert '$script:PrivateFolder += "(A;OICI;FA;;;$sid)"' in text
    assert re.findall(r"\$script:Public(\w+) = ''", text) == ["File", "Folder"], "the profile's rights hold"


def test_the_words_are_those_of_every_platform() -> None:
    """Callers read the first line and the last; see README.txt."""
    body = body_of(EVERY_PART)
    for words in [
        "'this would change'",
        "'changed'",
        '"differs from $PSScriptRoot"',
        '"nothing differs from $PSScriptRoot"',
        "'already up to date'",
        "'completed what an earlier run had prepared'",
        "'-User is for a client: this folder was made for a server'",
        "('  wrong host: ' + $script:WrongHost)",
    ]:
        assert words in body
    assert len(re.findall(r"Write-Host \(?'Next: ", body)) == 9


def test_no_automatic_variable_is_assigned() -> None:
    code = code_of(script_of(EVERY_PART).decode("ascii").replace("\r\n", "\n"))
    assigned = {name.lower() for name in re.findall(r"\$(\w+) [+]?= ", code)}
    assigned |= {name.lower() for name in re.findall(r"foreach \(\$(\w+) in", code)}
    automatic = "args error event foreach home host input matches pid profile psitem pwd sender switch this"
    assert assigned & set(automatic.split()) == set()


@pytest.mark.parametrize("label", BUNDLES)
def test_every_file_keyword_and_digest_is_declared(label: str) -> None:
    files = {file.name: file for file in render_host(BUNDLES[label])}
    head, _, _ = files["install.ps1"].content.decode("ascii").partition("# ---- the same for every host")
    for name, file in files.items():
        if name.endswith(".pem"):
            assert f"Name = '{name}'" in head
            assert f"Sha256 = '{sha256(file.content).hexdigest()}'" in head
    settings = json.loads(files["settings.json"].content)["files"] if "settings.json" in files else []
    assert bool(settings) is (label != "server that awaits its certificate")
    for file in settings:
        for keyword, value in file["settings"].items():
            row = f"Area = '{file['role']}'; Action = 'set'; Keyword = '{keyword}'; Value = '{value}'"
            assert f"    @{{ {row} }}\r\n" in head


def test_a_server_on_windows_is_told_all_it_needs() -> None:
    head, _, _ = script_of("mutual server").decode("ascii").replace("\r\n", "\n").partition("# ---- the same")
    for line in [
        "$DeclaredHost = 'ipm1.example.com'",
        "$DeclaredNames = @('ipm1.example.com', 'print.example.com', 'ipm1')",
        "$Role = 'server'",
        "$Identity = 'server'",
        "$OwnKey = $false",
        r"$ServerFolder = '%ProgramData%\RICOH\InfoPrint Manager\var\pddir\ssl'",
        r"$ClientFolder = '%windir%\ipm'",
        r"$UserFolder = '%APPDATA%\Ricoh\InfoPrint Manager\ssl'",
        "    @{ Area = 'server'; Action = 'set'; Keyword = 'VerifyClient'; Value = 'yes' }",
        "    @{ Area = 'server'; Action = 'set'; Keyword = 'CrlFile'; Value = 'crl.pem' }",
    ]:
        assert line + "\n" in head
    areas = re.findall(r"Area = '(\w+)'; Name = '([\w.-]+)'; Kind = '(\w+)'", head)
    assert areas == [
        ("server", "ca-cert.pem", "public"),
        ("client", "ca-cert.pem", "public"),
        ("server", "server-cert.pem", "public"),
        ("server", "server-key.pem", "key"),
        ("server", "crl.pem", "public"),
    ]


def test_a_host_that_keeps_its_key_is_not_asked_for_one() -> None:
    head, _, _ = script_of("server with its own key").decode("ascii").partition("# ---- the same")
    assert "$OwnKey = $true" in head
    assert "server-key.pem'; Kind" not in head


def test_a_host_that_makes_its_key_is_told_of_what_kind_and_for_which_request() -> None:
    label = "server that awaits its certificate"
    files = {file.name: file for file in render_host(BUNDLES[label])}
    assert sorted(files) == ["README.txt", "install.cmd", "install.ps1", "manifest.json", "request.cnf"]
    head, _, _ = script_of(label).decode("ascii").partition("# ---- the same")
    for line in [
        "$OwnKey = $true",
        "$Awaits = $true",
        "$Identity = ''",
        "$KeyType = 'rsa-2048'",
        f"$RequestSum = '{files['request.cnf'].sha256}'",
        "$RequestPlace = 'csr/server.csr'",
        "$Payload = @()",
    ]:
        assert line + "\r\n" in head
    assert "install.cmd -NewKey -DryRun" in files["README.txt"].content.decode()
    head, _, _ = script_of("server").decode("ascii").partition("# ---- the same")
    assert "$KeyType = ''\r\n" in head
    assert "$Awaits = $false\r\n" in head


def test_openssl_is_asked_for_a_key_and_a_request_as_install_sh_asks_it(tmp_path: Path) -> None:
    """The words that install.ps1 gives to openssl, taken from it; the script itself is not run."""
    functions = functions_of(body_of(EVERY_PART).replace("\r\n", "\n"))
    key, request = tmp_path / "waiting-key.pem", tmp_path / "request"
    (tmp_path / "request.cnf").write_bytes(
        next(
            file.content
            for file in render_host(BUNDLES["server with its own key"])
            if file.name == "request.cnf"
        )
    )
    values = {
        "$configuration": str(tmp_path / "request.cnf"),
        "$Key": str(key),
        "$Path": str(request),
    }

    def arguments(text: str) -> list[str]:
        found = [match[1] or match[2] for match in re.finditer(r"'([^']*)'|(\$\w+)", text)]
        return [values.get(word, word) for word in found]

    openssl = require("openssl")
    making = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    making += ["-pkeyopt", "ec_param_enc:named_curve", "-out", str(key)]
    for word in (*making[:-1], "RSA", "ec_paramgen_curve:secp384r1"):
        assert f"'{word}'" in functions["Write-Key"]
    assert "('rsa_keygen_bits:' + $script:KeyType.Replace('rsa-', ''))" in functions["Write-Key"]
    subprocess.run([openssl, *making], check=True, capture_output=True)
    new, out = re.findall(r"@\((.*?)\)(?=\n|\)\))", functions["New-Request"])[:2]
    subprocess.run([openssl, *arguments(new), *arguments(out)], check=True, capture_output=True)
    shown = [
        subprocess.run([openssl, *arguments(text)], check=True, capture_output=True).stdout
        for text in re.findall(r"Invoke-Openssl \$Program @\((.*?)\)", functions["New-Request"])
    ]
    assert len(shown) == 2
    assert shown[0] == shown[1] != b""


def test_whoever_waits_for_openssl_reads_both_of_its_streams() -> None:
    text = functions_of(body_of(EVERY_PART).replace("\r\n", "\n"))["Invoke-Openssl"]
    assert text.index("StandardError.ReadToEndAsync()") < text.index("StandardOutput.ReadToEnd()")
    assert text.index("StandardOutput.ReadToEnd()") < text.index("WaitForExit()")
    assert "UseShellExecute = $false" in text


def test_a_key_is_made_where_only_the_system_looks_and_one_rename_decides() -> None:
    text = functions_of(body_of(EVERY_PART).replace("\r\n", "\n"))["Invoke-NewKey"]
    order = [
        "Enter-Change",
        "Find-RequestFolder",
        "CreateDirectory($next)",
        "Write-Key $program $key",
        "New-Request $program $key",
        "Move-Over $next (Get-StatePath 'commit')",
        "Complete-Change",
        "Move-Over ($target + $script:Suffix) $target",
    ]
    places = [text.index(step) for step in order]
    assert places == sorted(places)


def test_a_client_without_certificate_has_no_identity() -> None:
    assert b"$Identity = ''\r\n" in script_of("client")


def test_rights_name_groups_by_sid_and_inherit_nothing() -> None:
    body = body_of("server")
    for rights in re.findall(r"'(D:P\([^']*)'", body):
        assert rights.startswith("D:P(A;")
        assert set(re.findall(r";;;(\w+)\)", rights)) <= {"SY", "BA", "BU"}
        assert not re.search(r";(?:FA|FW|GA|GW)[^)]*;BU\)", rights), "users only read"
    assert not re.search(r"'(?:BUILTIN\\\\)?(?:Administrators|Users)'", body)


@pytest.mark.parametrize("kind", ["rsa-2048", "rsa-3072", "ec-p256", "ec-p384"])
def test_a_private_key_holds_the_public_key_as_the_script_looks_for_it(kind: str) -> None:
    """The fact that Test-Pair of install.ps1 stands on, shown on real keys; the script itself is not run."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind.startswith("rsa"):
        key = rsa.generate_private_key(65537, int(kind[-4:]))
        public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    else:
        key = ec.generate_private_key({"256": ec.SECP256R1(), "384": ec.SECP384R1()}[kind[-3:]])
        public = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    assert public in certificate_of(key), "X509Certificate2.GetPublicKey returns what the certificate holds"
    looked_for = re.sub(r"\A30(82....|81..)", "", public.hex().upper())
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert looked_for in private.hex().upper()
    assert r"'\A30(82....|81..)'" in body_of("server")


def certificate_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_the_pem_pattern_of_the_script_finds_a_key_and_a_certificate() -> None:
    files = {file.name: file.content.decode() for file in render_host(BUNDLES["server"])}
    pattern = r"-----BEGIN {0}-----([A-Za-z0-9+/=\s]+)-----END {0}-----"
    assert '"' + pattern.format("$Label") + '"' in body_of("server")
    for name, label in [("server-key.pem", "(?:RSA |EC )?PRIVATE KEY"), ("server-cert.pem", "CERTIFICATE")]:
        found = re.search(pattern.format(label), files[name])
        assert found is not None
        assert base64.b64decode(found[1])[0] == 0x30


def test_the_grammar_of_tree_sitter_finds_no_error() -> None:
    """Advisory: that grammar misses real mistakes, so that its consent proves little."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    for label in BUNDLES:
        assert not parser.parse(script_of(label)).root_node.has_error, label


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Windows of wine's, whose powershell.exe records how it is started."""
    require("wine")
    compiler = require("x86_64-w64-mingw32-gcc")
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    environment = {
        **os.environ,
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "DISPLAY": "",
    }
    boot = ["wine", "wineboot", "--init"]
    subprocess.run(boot, env=environment, check=True, capture_output=True, timeout=300)
    shell = prefix / "drive_c/windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    shell.unlink(missing_ok=True)
    source = Path(__file__).parent / "windows" / "recording_shell.c"
    options = ["-nostdlib", "-Wl,-e,entry", "-mconsole", "-s", "-o", str(shell)]
    subprocess.run([compiler, *options, str(source), "-lkernel32"], check=True, timeout=120)
    return environment


@pytest.mark.exhaustive
def test_install_cmd_hands_its_arguments_on_and_the_exit_status_back(
    wine: dict[str, str], tmp_path: Path
) -> None:
    """No per cent sign: wine's cmd.exe expands what %~dp0 gave once more, which Windows' does not."""
    for folder in ("plain", "a b", "R&D c!d ^e (f)"):
        place = tmp_path / folder
        place.mkdir()
        (place / "install.cmd").write_bytes(script_of("server", "install.cmd"))
        for status in (0, 1, 4):
            done = start(place, {**wine, "RECORDED_STATUS": str(status), "ERRORLEVEL": "9"})
            assert done.returncode == status
            recorded = done.stdout.decode("utf-16-le")
            windows_place = "Z:" + str(place).replace("/", "\\")
            assert recorded.split('"', 2)[2].strip() == (
                f'-NoProfile -ExecutionPolicy Bypass -File "{windows_place}\\install.ps1" '
                r'-DryRun -Root "C:\x y" -User -Owner ACME\print'
            )


@pytest.mark.exhaustive
def test_install_cmd_takes_powershell_7_where_there_is_no_other_and_says_where_there_is_none(
    wine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "install.cmd").write_bytes(script_of("server", "install.cmd"))
    drive = Path(wine["WINEPREFIX"]) / "drive_c"
    shell = drive / "windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    newer = drive / "Program Files/PowerShell/7/pwsh.exe"
    aside = shell.rename(drive / "aside.exe")
    try:
        done = start(tmp_path, wine)
        assert done.returncode == 1
        assert b"there is no PowerShell here" in done.stderr
        newer.parent.mkdir(parents=True)
        copyfile(aside, newer)
        done = start(tmp_path, {**wine, "RECORDED_STATUS": "3"})
        assert done.returncode == 3
        assert r"PowerShell\7\pwsh.exe" in done.stdout.decode("utf-16-le")
    finally:
        newer.unlink(missing_ok=True)
        aside.rename(shell)


def start(place: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    options = ["-DryRun", "-Root", r"C:\x y", "-User", "-Owner", r"ACME\print"]
    command = ["wine", "cmd", "/c", "install.cmd", *options]
    return subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
