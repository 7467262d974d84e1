"""What ``check`` passes, ``build`` builds, whatever the free texts say; and what it writes is valid."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from ipmpki.diagnostics.escape import is_hidden
from tests.cli.command import Outcome, ipmpki
from tests.operations.verify import mint
from tests.render.report.test_report import Page
from tests.test_soundness import toml
from tests.tools import require

ODD = (
    "$(reboot)",
    "`reboot`",
    "'; reboot #",
    '" & reboot',
    "%COMSPEC%",
    "!x!",
    "{{ 7*7 }}",
    "{% raw %}",
    "<script>alert(1)</script>",
    "</style>",
    "-rf",
    "..",
    ".",
    "/",
    "a/b",
    "\\",
    "a\\",
    "~",
    "*",
    "[x]",
    "#x",
    "; x",
    "x = y",
    "MUT=a b",
    "MUT= ",
    "=x",
    "true",
    "null",
    "1",
    "@x",
    "&x",
    "x: y",
    "- x",
    "\u2018\u2019\u201c\u201d",
    "a\u00a0b",
    "\u3000",
    "a\u200bb",
    "\u202ea",
    "\ufeff",
    "e\u0301",
    "\U0001f5a8",
    "\ue000",
    "\U0010ffff",
    "x" * 65,
    "ü" * 40,
    "x" * 300,
    "x" * 5000,
    "pki.toml",
    "dist",
    "dist/x",
    "pki.db-journal",
    ".git/config",
    "NUL",
    "C:\\x",
    "pkcs11:object=x",
)
texts = st.one_of(
    st.sampled_from(ODD),
    st.lists(st.sampled_from(ODD), min_size=2, max_size=3).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text("ab '\"$`\\%!;=#&|<>(){}[]*?~^-/.,:@\t\u202e\u200b", min_size=1, max_size=12),
)
SETTINGS = ("server_account", "restart_command")
FIELDS: tuple[tuple[str, ...], ...] = (
    *(("ca", name) for name in ("common_name", "organization", "organizational_unit", "state", "locality")),
    *(("ipm", name) for name in SETTINGS),
    *(("ipm", os, name) for os in ("linux", "windows") for name in SETTINGS),
    *(("ipm", "keywords", name) for name in ("ca_file", "crl_file", "mutual_auth")),
    ("ca", "passphrase", "env"),
    ("ca", "passphrase", "file"),
    ("ca", "files"),
    ("store",),
    ("include",),
    ("ignore",),
    ("linux", "csr"),
    ("awaited", "csr"),
    ("linux", "restart_command"),
    ("awaited", "restart_command"),
    ("desk", "formerly"),
    ("desk", "aliases"),
    ("desk", "restart_command"),
    ("desk", "name"),
)
"""Each place of a free text."""


@functools.cache
def request(number: int) -> bytes:
    """A server's request; its key took its time once."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return made.sign(mint.key(number=900 + number), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def put(folder: Path, name: str, content: bytes) -> None:
    """Make a file of any name, where there can be one within the folder."""
    path = folder / name
    with contextlib.suppress(OSError, ValueError):
        if path.resolve().is_relative_to(folder) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)


def declare(folder: Path, given: dict[tuple[str, ...], str]) -> None:
    """A fleet of a server here and one on Windows, a client, and a host whose request is awaited."""
    ca: dict[str, Any] = {"common_name": "Acme Print CA", "key": "ec-p256"}
    ipm: dict[str, Any] = {}
    hosts: dict[str, dict[str, Any]] = {
        "linux": {"name": "ipm1.example.com", "role": "server", "os": "linux", "csr": "linux.csr"},
        "windows": {"name": "ipm2.example.com", "role": "server", "os": "windows", "csr": "windows.csr"},
        "desk": {"name": "desk1.example.com", "role": "client", "key": "ec-p256"},
        "awaited": {"name": "desk2.example.com", "role": "client", "csr": "none.csr"},
    }
    top: dict[str, Any] = {}
    put(folder, "linux.csr", request(1))
    put(folder, "windows.csr", request(2))
    for place, text in given.items():
        match place:
            case ("ca", "files"):
                authority = mint.authority("Brought", 79)
                put(folder, text, authority.pem + authority.key_pem())
                ca = {"certificate": text, "key_file": text}
            case ("ca", "passphrase", source):
                ca["passphrase"] = {source: text}
                if source == "file":
                    put(folder, text, b"secret passphrase\n")
            case ("ca", name):
                ca[name] = text
            case ("ipm", *tables, name):
                table = ipm
                for one in tables:
                    table = table.setdefault(one, {})
                table[name] = text
            case ("include",):
                top["include"] = [text]
                put(
                    folder, text, b'[[hosts]]\nname = "desk3.example.com"\nrole = "client"\nkey = "ec-p256"\n'
                )
            case ("ignore",):
                top["rules"] = {"ignore": [text]}
            case ("store",):
                top["store"] = text
            case (host, name):
                hosts[host][name] = [text] if name == "aliases" else text
                if place == ("linux", "csr"):
                    put(folder, text, request(1))
    whole = {**top, "ca": ca, "tls": {"mutual_auth": "required"}, "ipm": ipm, "hosts": list(hosts.values())}
    lines = [f"{key} = {toml(value)}" for key, value in whole.items()]
    (folder / "pki.toml").write_text("\n".join(lines) + "\n", "utf-8")


def run(folder: Path, *words: str) -> Outcome:
    """A command, which never fails in a way it should not."""
    with contextlib.chdir(folder):
        done = ipmpki(*words)
    assert "should not" not in done.err, done.err
    for text in (done.out, done.err):
        assert not any(map(is_hidden, text.replace("\n", "").replace("\t", ""))), text
    return done


def assert_valid(dist: Path) -> None:
    """What was published says what it has to in its own language."""
    dash, openssl = require("dash"), require("openssl")
    for script in dist.rglob("install.sh"):
        done = subprocess.run([dash, "-n", script], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    for name in dist.rglob("*.json"):
        json.loads(name.read_bytes())
    for name in dist.rglob("*.yml"):
        yaml.safe_load(name.read_text("utf-8"))
    for name in dist.rglob("request.cnf"):
        words = ("req", "-new", "-config", str(name), "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        done = subprocess.run(
            [openssl, *words, "-nodes", "-keyout", "/dev/null", "-batch"], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        x509.load_pem_x509_csr(done.stdout)
    for name in dist.rglob("*.txt"):
        text = name.read_text("utf-8")
        assert not any(map(is_hidden, text.replace("\n", ""))), text
    Page((dist / "report.html").read_text("utf-8"))


def judge(given: dict[tuple[str, ...], str]) -> str:
    """Check, and where it passes, build; then there is nothing to do. What became of it."""
    folder, patch = Path(tempfile.mkdtemp()).resolve(), pytest.MonkeyPatch()
    try:
        with contextlib.suppress(UnicodeEncodeError):
            declare(folder, given)
        for name in (text for place, text in given.items() if place[-1] == "env"):
            with contextlib.suppress(ValueError, OSError):
                patch.setenv(name, "secret passphrase")
        checked = run(folder, "check")
        assert checked.status in {0, 1, 2, 4}, checked.err
        if checked.status == 0:
            built = run(folder, "build")
            assert built.status == 0, (given, built.err)
            assert_valid(folder / "dist")
            assert run(folder, "plan", "--exit-code").status == 0
        return "builds" if checked.status == 0 else "has errors"
    finally:
        patch.undo()
        shutil.rmtree(folder)


given_texts = st.dictionaries(st.sampled_from(sorted(FIELDS)), texts, min_size=1, max_size=2)


@settings(max_examples=15, deadline=None)
@given(given_texts)
@example({("ipm", "keywords", "mutual_auth"): "MUT=a\u200bb"})
@example({("store",): "pk\u202ei.db"})
@example({("store",): "a/b"})
def test_what_checks_builds_and_is_valid(given: dict[tuple[str, ...], str]) -> None:
    event(judge(given))


@pytest.mark.exhaustive
@settings(max_examples=600, deadline=None)
@given(given_texts)
def test_what_checks_builds_and_is_valid_for_many_texts(given: dict[tuple[str, ...], str]) -> None:
    event(judge(given))


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", sorted(FIELDS), ids=".".join)
def test_what_checks_builds_and_is_valid_for_each_odd_text(place: tuple[str, ...]) -> None:
    for text in ODD:
        judge({place: text})
