"""Whoever wrote what is shown, it drives no terminal, turns no writing about, and looks like nothing else.

Each text comes from where an attacker, or a mistake, can put one: pki.toml, the names of files, certificates
that somebody else made, the index of an old authority, a backup, a server. Each command and format shows it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import socket
import ssl
import threading
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ipmpki.cli import console
from ipmpki.diagnostics.escape import is_hidden
from ipmpki.operations.backup.archive import Manifest, write_archive
from ipmpki.x509.sealed_file import Sealer, normal
from tests import shop
from tests.cli.command import Outcome
from tests.cli.command import ipmpki as run
from tests.https_server import https_server
from tests.operations.keeper import BACKUP_ENV, BACKUP_OPTION, PASSPHRASE
from tests.operations.verify import mint
from tests.render.report.test_report import Page
from tests.x509.mozilla import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

HOSTILE = "\x1b]0;own\x07\x1b[8m\x9b2J\u202eb\u200bc\u3164\x7f"
NOW = datetime.now(UTC).replace(microsecond=0)
DATES: dict[str, Any] = {"begin": NOW - timedelta(days=1), "end": NOW + timedelta(days=3000)}
LINES = "\n\t"
CALENDAR = "\r\n"
ESCAPED = json.dumps(HOSTILE)
"""As TOML and JSON write it; DEL stays as it is there."""


def assert_harmless(text: str, allowed: str = LINES) -> None:
    """Nothing in it that nobody sees, but what the format demands."""
    found = sorted({f"U+{ord(one):04X}" for one in text if one not in allowed and is_hidden(one)})
    assert not found, (found, text[:3000])


def ipmpki(
    folder: Path, *arguments: object, allowed: str = LINES, env: dict[str, str] | None = None
) -> Outcome:
    """Run a command in a folder; what it says is harmless, and nothing went wrong as it should not."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        for name, value in {**BACKUP_ENV, **(env or {})}.items():
            patch.setenv(name, value)
        done = run(*arguments)
    assert_harmless(done.out, allowed)
    assert_harmless(done.err, allowed)
    assert "should not" not in done.err
    assert "Traceback" not in done.err
    return done


AUTHORITY = mint.authority(f"Acme{HOSTILE}CA", 77, **DATES)
DECLARATION = f"p{HOSTILE}.toml"
AWAITED = shop.client("desk2", csr="desk2.csr").replace('key = "ec-p256"\n', "")
HOSTS = shop.SERVER + shop.client("desk1") + AWAITED


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop under an authority with a hostile name, declared in a file and a folder of such names, built."""
    folder = tmp_path_factory.mktemp("site") / f"s{HOSTILE}"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(AUTHORITY.pem)
    (folder / "ca-key.pem").write_bytes(AUTHORITY.key_pem())
    (folder / "ca-key.pem").chmod(0o600)
    made_here = 'common_name = "Acme Print CA"\nkey = "ec-p256"'
    assert made_here in shop.HEAD
    brought = shop.HEAD.replace(made_here, 'certificate = "ca.pem"\nkey_file = "ca-key.pem"')
    (folder / DECLARATION).write_text(f"{brought}{HOSTS}")
    done = ipmpki(folder, "build", DECLARATION)
    assert done.status == 0, done.err
    return folder


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return shutil.copytree(site, tmp_path / site.name, symlinks=True)


# --- What is valid, whatever it says ----------------------------------------------------------------


def is_json(text: str) -> None:
    json.loads(text)


def is_xml(text: str) -> None:
    ET.fromstring(text)  # noqa: S314 -- our own


def is_html(text: str) -> None:
    assert Page(text).all("html")


def is_prometheus(text: str) -> None:
    assert list(text_string_to_metric_families(text))


def is_calendar(text: str) -> None:
    assert icalendar.Calendar.from_ical(text).walk("VEVENT")


def is_nagios(text: str) -> None:
    assert re.fullmatch(r"IPMPKI (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]*(\| [^|\n]*)?\n", text)


def is_text(text: str) -> None:
    assert text.endswith("\n") or not text


FORMATS: dict[str, Callable[[str], None]] = {
    "json": is_json,
    "sarif": is_json,
    "junit": is_xml,
    "html": is_html,
    "prometheus": is_prometheus,
    "ics": is_calendar,
    "nagios": is_nagios,
    "text": is_text,
    "table": is_text,
    "github": is_text,
}
PROBLEMS = ("text", "json", "sarif", "github", "junit", "html")
READING = [
    *(("check", DECLARATION, "--format", one) for one in PROBLEMS),
    *(("plan", DECLARATION, "--format", one) for one in ("text", "json")),
    *(("plan", DECLARATION, "--until", "2050-01-01", "--format", one) for one in ("text", "json")),
    *(("plan", DECLARATION, "--at", "2033-01-01", "--format", one) for one in ("text", "json")),
    *(("status", DECLARATION, "--format", one) for one in ("table", "json", "prometheus", "ics", "nagios")),
    *(("log", DECLARATION, "--format", one) for one in ("text", "json")),
    *(("show", DECLARATION, "desk1.example.com", "--format", one) for one in ("text", "json")),
    *(("show", DECLARATION, HOSTILE, "--format", one) for one in ("text", "json")),
    *(("host", "list", DECLARATION, "--format", one) for one in ("text", "json")),
    *(("doctor", DECLARATION, "--format", one) for one in ("text", "json")),
    *(("verify", "ca.pem", f"no{HOSTILE}.pem", "--format", one) for one in PROBLEMS),
    *(("verify", "dist/hosts/desk1.example.com", "--name", HOSTILE, "--format", one) for one in PROBLEMS),
    ("check", DECLARATION, "--diff"),
    ("explain", HOSTILE),
    ("rules", "--format", HOSTILE),
    (HOSTILE,),
    ("check", f"no{HOSTILE}.toml"),
    ("plan", DECLARATION, "--at", HOSTILE),
    ("status", DECLARATION, f"--{HOSTILE}"),
    ("verify", f"tls:{HOSTILE}:443"),
    ("bundle", f"no{HOSTILE}.txt"),
    ("adopt", f"no{HOSTILE}"),
    ("restore", DECLARATION, f"no{HOSTILE}", *BACKUP_OPTION),
    ("build", DECLARATION, "--plan", f"no{HOSTILE}.json"),
    ("import", DECLARATION, f"no{HOSTILE}.pem"),
    ("revoke", DECLARATION, f"no{HOSTILE}", "--reason", "superseded"),
    ("revoke", DECLARATION, "desk1.example.com"),
    ("installed", DECLARATION, f"no{HOSTILE}"),
    ("passphrase", DECLARATION, "--new-passphrase-env", f"NO{HOSTILE}"),
]


def named(words: tuple[str, ...]) -> str:
    return " ".join(words).replace(HOSTILE, "HOSTILE").replace("/", "_")


@pytest.mark.parametrize("words", READING, ids=named)
def test_a_command_shows_what_nobody_sees_and_its_format_stays_valid(
    site: Path, words: tuple[str, ...]
) -> None:
    format_ = words[-1] if "--format" in words else "text"
    done = ipmpki(site, *words, allowed=CALENDAR if format_ == "ics" else LINES)
    assert done.out or done.err
    is_usage = done.status == 2
    if not is_usage and (done.out or format_ != "text"):
        FORMATS.get(format_, is_text)(done.out)


@pytest.mark.parametrize("format_", ["table", "json", "prometheus", "ics", "nagios"])
def test_a_file_for_monitors_and_calendars_is_harmless_too(copy: Path, format_: str) -> None:
    ipmpki(copy, "status", DECLARATION, "--format", format_, "-o", "written")
    text = (copy / "written").read_bytes().decode()
    assert_harmless(text, CALENDAR if format_ == "ics" else LINES)
    FORMATS[format_](text)
    shown = "".join(text.split("\r\n "))
    assert "u202e" in shown or format_ in {"nagios"}


def test_json_gives_back_the_very_text(site: Path) -> None:
    values: list[object] = []
    written = ipmpki(site, "status", DECLARATION, "--format", "json").out
    json.loads(written, object_pairs_hook=lambda pairs: values.extend(value for _, value in pairs))
    assert f"Acme{HOSTILE}CA" in values
    report = json.loads((site / "dist" / "report.json").read_bytes())
    assert report["declaration"] == DECLARATION


PUBLISHED = ("README.txt", "report.txt", "report.html", "report.json", "settings.json", "manifest.json")


def test_what_is_published_for_people_is_harmless(site: Path) -> None:
    found = [path for path in (site / "dist").rglob("*") if path.is_file()]
    assert {path.name for path in found} >= set(PUBLISHED)
    for path in found:
        allowed = CALENDAR + LINES if path.suffix in {".ps1", ".cmd"} else LINES
        assert_harmless(path.read_bytes().decode("utf-8"), allowed)
    readme = (site / "dist" / "hosts" / "desk1.example.com" / "README.txt").read_text("utf-8")
    assert r"\u202eb\u200bc" in readme
    is_html((site / "dist" / "report.html").read_text("utf-8"))


CHANGING: list[tuple[tuple[str, ...], ...]] = [
    (("host", "add", DECLARATION, HOSTILE, "--role", "client"),),
    (("host", "set", DECLARATION, "desk1.example.com", "--alias", HOSTILE),),
    (("host", "set", DECLARATION, "desk1.example.com", "--restart-command", f"a{HOSTILE}"),),
    (("host", "remove", DECLARATION, "desk1.example.com"), ("plan", DECLARATION), ("build", DECLARATION)),
    (
        ("revoke", DECLARATION, "desk1.example.com", "--reason", "superseded"),
        ("build", DECLARATION),
        ("log", DECLARATION),
    ),
    (("installed", DECLARATION, "--all"), ("installed", DECLARATION, "desk1.example.com")),
    (("installed", DECLARATION, "--skip", "desk1.example.com", "--reason", HOSTILE), ("status", DECLARATION)),
    (
        ("plan", DECLARATION, "--out", f"saved{HOSTILE}.json"),
        ("build", DECLARATION, "--plan", f"saved{HOSTILE}.json"),
    ),
    (("doctor", DECLARATION, "--salvage", f"saved{HOSTILE}.db"),),
    (
        ("backup", DECLARATION, f"b{HOSTILE}.backup", *BACKUP_OPTION),
        ("host", "remove", DECLARATION, "desk1.example.com"),
        ("build", DECLARATION),
        ("restore", DECLARATION, f"b{HOSTILE}.backup", *BACKUP_OPTION),
        ("restore", DECLARATION, f"b{HOSTILE}.backup", *BACKUP_OPTION, "--force"),
    ),
    (("passphrase", DECLARATION, "--new-passphrase-env", "BACKUP_PASS"),),
    (("init", f"new{HOSTILE}.toml"), ("init", f"new{HOSTILE}.toml"), ("check", f"new{HOSTILE}.toml")),
]


@pytest.mark.parametrize("steps", CHANGING, ids=lambda steps: named(steps[0]))
def test_a_command_that_changes_something_says_so_harmlessly(
    copy: Path, steps: tuple[tuple[str, ...], ...]
) -> None:
    for words in steps:
        assert "error: there is no command" not in ipmpki(copy, *words).err


def test_a_brought_request_says_its_subject_harmlessly(copy: Path) -> None:
    (copy / "desk2.csr").write_bytes(mint.server(subject=HOSTILE, **DATES).pem)
    ipmpki(copy, "check", DECLARATION)
    ipmpki(copy, "build", DECLARATION)


# --- On a terminal with colours ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("check", DECLARATION),
        ("check", f"no{HOSTILE}.toml"),
        ("plan", DECLARATION),
        ("status", DECLARATION),
        ("check", DECLARATION, "--diff"),
    ],
    ids=named,
)
def test_the_colours_on_a_terminal_are_the_program_s_own(
    copy: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A name cannot conceal what follows it, as ``ESC [ 8 m`` would."""
    monkeypatch.setattr(console, "wants_colour", lambda _stream: True)
    text = (copy / DECLARATION).read_text()
    aliases = f"aliases = [{ESCAPED}]".replace("\x7f", "")
    lifetime = 'lifetime = "31 days" # \x9b8m\u202e'
    (copy / DECLARATION).write_text(
        f"{text}{aliases}\n{lifetime}\n[tsl]\nmutual_auth = 'required'\n", "utf-8"
    )
    with contextlib.chdir(copy):
        done = run(*words)
    assert "\x1b[" in done.out + done.err
    for stream in (done.out, done.err):
        assert "\x1b[8m" not in stream
        assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", stream))


# --- pki.toml itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", PROBLEMS)
def test_every_key_of_a_declaration_may_be_hostile(tmp_path: Path, format_: str) -> None:
    value = ESCAPED.replace("\x7f", "\\u007f")
    text = f"""
include = [{value}]
store = {value}
schema = {value}
{value} = 1
[ca]
common_name = {value}
organization = {value}
key_file = {value}
passphrase = {{ env = {value} }}
[tls]
mutual_auth = {value}
[ipm]
server_account = {value}
restart_command = {value}
keywords = {{ ca_file = {value}, mutual_auth = {value} }}
[rules]
ignore = [{value}]
[{value}]
x = {value}
[[hosts]]
name = {value}
role = {value}
aliases = [{value}]
ips = [{value}]
csr = {value}
formerly = {value}
"""
    (tmp_path / "pki.toml").write_text(text)
    done = ipmpki(tmp_path, "check", "--format", format_)
    assert done.status == 1
    FORMATS[format_](done.out)
    assert ipmpki(tmp_path, "build").status == 1
    for path in (tmp_path / "dist").glob("report.*"):
        assert_harmless(path.read_bytes().decode())
    raw = f'[ca]\ncommon_name = "x\u202e\u200b"\n{HOSTILE} = 1\n[[hosts]]\nname = "a"\n'
    (tmp_path / "pki.toml").write_text(raw)
    assert ipmpki(tmp_path, "check", "--format", format_).status == 1
    ipmpki(tmp_path, "check", "--diff")
    ipmpki(tmp_path, "check", "--fix")


# --- What others made --------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["text", "json"])
def test_an_old_authority_s_folder_may_be_hostile(tmp_path: Path, format_: str) -> None:
    old = tmp_path / f"old{HOSTILE}"
    old.mkdir()
    (old / f"ca{HOSTILE}.pem").write_bytes(AUTHORITY.pem)
    (old / f"ca{HOSTILE}.key").write_bytes(AUTHORITY.key_pem())
    for number, name in enumerate(("desk1.example.com", f"desk{HOSTILE}")):
        leaf = mint.client(
            AUTHORITY, subject=name, names=("desk1.example.com",), number=100 + number, **DATES
        )
        (old / f"{number}{HOSTILE}.pem").write_bytes(leaf.pem)
        (old / f"{number}{HOSTILE}.key").write_bytes(leaf.key_pem(b"secret" if number else None))
    (old / f"junk{HOSTILE}").write_bytes(b"junk")
    (old / f"link{HOSTILE}").symlink_to("nowhere")
    rows = [
        f"V\t370101000000Z\t\t1000\tunknown\t/CN=desk{HOSTILE}",
        f"R\t370101000000Z\t260101000000Z,{HOSTILE}\t1001\tunknown\t/CN=x",
    ]
    for further in (f"{HOSTILE}\t1\t2\t3\t4\t5", None):
        index = [*rows, further] if further else rows
        (old / "index.txt").write_text("\n".join(index) + "\n", "utf-8", newline="\n")
        assert (ipmpki(tmp_path, "adopt", old.name, "--dry-run").status == 0) == (further is None)
    for words in (("--dry-run",), ()):
        done = ipmpki(tmp_path, "adopt", old.name, "--format", format_, *words)
        FORMATS[format_](done.out)
        assert done.out, done.err
    declaration = tmp_path / "pki.toml"
    assert declaration.is_file()
    assert_harmless(declaration.read_text("utf-8"))
    for words in (("plan",), ("status",), ("log",), ("build",), ("doctor",)):
        ipmpki(tmp_path, *words)


@pytest.mark.parametrize("format_", PROBLEMS)
def test_a_certificate_that_is_verified_may_be_hostile(tmp_path: Path, format_: str) -> None:
    leaf = mint.server(
        AUTHORITY, subject=f"ipm{HOSTILE}", names=(f"a{HOSTILE.encode('ascii', 'ignore').decode()}",), **DATES
    )
    (tmp_path / f"odd{HOSTILE}.pem").write_bytes(leaf.pem + AUTHORITY.pem)
    (tmp_path / "crl.pem").write_bytes(mint.crl(AUTHORITY, leaf))
    done = ipmpki(
        tmp_path, "verify", f"odd{HOSTILE}.pem", "crl.pem", "--name", "ipm1.example.com", "--format", format_
    )
    FORMATS[format_](done.out)


def test_a_server_s_certificate_may_be_hostile(tmp_path: Path) -> None:
    leaf = mint.server(
        AUTHORITY, subject=f"ipm{HOSTILE}", names=("ipm1.example.com",), addresses=("127.0.0.1",), **DATES
    )
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(leaf.pem + AUTHORITY.pem)
    key.write_bytes(leaf.key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connected, _ = listener.accept()
                    with (
                        contextlib.suppress(OSError),
                        context.wrap_socket(connected, server_side=True) as one,
                    ):
                        one.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        server = shop.SERVER.replace("10.1.2.3", "127.0.0.1").replace("role =", f"tls_port = {port}\nrole =")
        shop.Shop(tmp_path, NOW, shop.HEAD + server).build()
        for format_ in PROBLEMS:
            FORMATS[format_](ipmpki(tmp_path, "verify", f"127.0.0.1:{port}", "--format", format_).out)
        for format_ in ("table", "json", "prometheus", "nagios"):
            FORMATS[format_](ipmpki(tmp_path, "status", "--live", "--format", format_).out)
        ipmpki(tmp_path, "installed", "--live")


def test_what_a_web_server_says_may_be_hostile(tmp_path: Path) -> None:
    def refuse(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(f"HTTP/1.0 503 No{HOSTILE}\r\nX: y\r\n\r\n".encode())

    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(f"HTTP/1.0 302 Found\r\nLocation: http://a/{HOSTILE}\r\n\r\n".encode())

    def chatter(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(f"{HOSTILE} 200 OK\r\n\r\n".encode())

    with https_server(tmp_path) as web:
        for answer in (refuse, redirect, chatter):
            web.answer = answer
            done = ipmpki(
                tmp_path,
                *("bundle", "certdata.txt", "--download", "--url", web.url, "-o", "ca.pem"),
                env={"SSL_CERT_FILE": str(web.authority)},
            )
            assert done.status in {2, 4}, done.err


def test_mozilla_s_list_may_be_hostile(tmp_path: Path) -> None:
    name = f"Root{HOSTILE}"
    label = "".join(f"\\x{octet:02x}" for octet in name.encode())  # as C writes it
    objects = writing.certificate_object(writing.certificate(name), label=label, name=name)
    objects += writing.trust_object(label=label, name=name)
    (tmp_path / "certdata.txt").write_text(f"CVS_ID x\nBEGINDATA\n{objects}", "utf-8")
    for options in ((), ("--left-out",)):
        ipmpki(tmp_path, "bundle", "certdata.txt", "-o", "ca.pem", *options)
    shown = (tmp_path / "ca.pem").read_text("utf-8")
    assert_harmless(shown)
    assert r"b\u200bc" in shown


def test_a_backup_s_members_may_have_hostile_names(copy: Path) -> None:
    for manifest in (Manifest(NOW, f"x{HOSTILE}.toml", HOSTILE), Manifest(NOW, DECLARATION, "pki.db")):
        for name in (f"sites/{HOSTILE}.toml", f"../{HOSTILE}"):
            sealed = io.BytesIO()
            files = {DECLARATION: (copy / DECLARATION).read_bytes(), name: b"# hosts\n"}
            write_archive(
                Sealer(sealed, normal(PASSPHRASE.encode()), os.urandom),
                manifest,
                files,
                (copy / "pki.db").read_bytes(),
            )
            (copy / "evil.backup").write_bytes(sealed.getvalue())
            ipmpki(copy, "restore", DECLARATION, "evil.backup", *BACKUP_OPTION, "--force")


def test_a_bought_certificate_s_issuer_may_be_hostile(tmp_path: Path) -> None:
    root = mint.authority(f"Sold{HOSTILE}", 78, **DATES)
    (tmp_path / "root.pem").write_bytes(root.pem)
    text = f'[ca]\nkind = "third-party"\nbundle = "root.pem"\n{shop.SERVER}'
    (tmp_path / "pki.toml").write_text(text)
    assert ipmpki(tmp_path, "build").status == 0
    wrong = mint.server(root, subject=HOSTILE, **DATES)
    (tmp_path / f"came{HOSTILE}.pem").write_bytes(wrong.pem + root.pem)
    for format_ in PROBLEMS:
        ipmpki(tmp_path, "import", "pki.toml", f"came{HOSTILE}.pem", "--format", format_)
    ipmpki(tmp_path, "plan")
    for path in (tmp_path / "dist").rglob("*"):
        if path.is_file():
            assert_harmless(path.read_bytes().decode("utf-8"))
