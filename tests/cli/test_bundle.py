"""``ipmpki bundle``, as an administrator runs it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from ipmpki.cli import bundle, console
from tests.https_server import file_of, https_server
from tests.x509.mozilla.writing import EXCERPT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from ipmpki.issue.context import Progress
    from tests.cli.terminal import Terminal
    from tests.https_server import Site

PAGE = b"<!DOCTYPE html><html><body>Please log in to the network.</body></html>"


@pytest.fixture
def folder(terminal: Terminal) -> Terminal:
    """A shell in a folder with an excerpt of a real certdata.txt."""
    shutil.copy(EXCERPT, terminal.folder / "certdata.txt")
    return terminal


def test_a_bundle_is_made_and_its_account_given(folder: Terminal) -> None:
    outcome = folder("bundle", "certdata.txt", "-o", "ca-cert.pem", "--at", "2026-01-01")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == (
        "ca-cert.pem: 3 authorities, written\n"
        "left out 5: 2 expired; 2 not trusted for these purposes; 1 listed without a certificate\n"
        "1 of the 3 kept vouches only for certificates issued until a day:\n"
        "  2024-11-30  SERVER_AUTH  AffirmTrust Premium ECC\n"
    )
    assert folder.read("ca-cert.pem").count("-----BEGIN CERTIFICATE-----") == 3
    assert "# judged as of:   2026-01-01 00:00:00 UTC\n" in folder.read("ca-cert.pem")


def test_it_is_for_all_to_read_and_its_owner_to_write_whatever_the_umask(folder: Terminal) -> None:
    before = os.umask(0o077)
    try:
        folder("bundle", "-o", "ca-cert.pem")
    finally:
        os.umask(before)
    assert (folder.folder / "ca-cert.pem").stat().st_mode & 0o777 == 0o644


def test_a_second_run_rewrites_nothing(folder: Terminal) -> None:
    folder("bundle", "-o", "ca-cert.pem")
    before = (folder.folder / "ca-cert.pem").stat()
    again = folder("bundle", "-o", "ca-cert.pem")
    assert again.out.startswith("ca-cert.pem: 3 authorities, unchanged\n")
    after = (folder.folder / "ca-cert.pem").stat()  # being read may have changed the time of access
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


def test_permissions_that_are_too_narrow_are_mended(folder: Terminal) -> None:
    folder("bundle", "-o", "ca-cert.pem")
    (folder.folder / "ca-cert.pem").chmod(0o600)
    folder("bundle", "-o", "ca-cert.pem")
    assert (folder.folder / "ca-cert.pem").stat().st_mode & 0o777 == 0o644


def test_a_bundle_that_changes_says_what_came_and_went(folder: Terminal) -> None:
    folder("bundle", "-o", "ca-cert.pem", "--at", "2025-01-01")
    changed = folder("bundle", "-o", "ca-cert.pem", "--at", "2026-01-01", "--distrust-after", "drop")
    assert "compared with the bundle before: 0 new, 2 gone\n" in changed.out
    assert "1 dropped, as what they issue now is not trusted" in changed.out


def test_everything_left_out_is_listed_on_request(folder: Terminal) -> None:
    outcome = folder("bundle", "-o", "ca-cert.pem", "--at", "2026-01-01", "--left-out")
    assert "  Baltimore CyberTrust Root: expired (valid until 2025-05-12)\n" in outcome.out


def test_purposes_and_levels_are_chosen(folder: Terminal) -> None:
    options = ("--purposes", "email_protection", "--at", "2026-01-01")
    assert folder("bundle", "-o", "a.pem", *options).out.startswith("a.pem: 3 authorities, written\n")
    outcome = folder("bundle", "-o", "b.pem", "--levels", "ALL", "--at", "2026-01-01")
    assert outcome.status == 0
    assert outcome.err.startswith("warning: the levels NOT_TRUSTED, MUST_VERIFY_TRUST, TRUSTED bring in ")


def test_to_standard_output_goes_the_bundle_alone(folder: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        outcome = folder("bundle", "-o", "-", "--format", "pem", "--at", "2026-01-01")
    written = out.buffer.getvalue()  # type: ignore[attr-defined]
    assert written.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert written.count(b"-----BEGIN") == 3
    assert outcome.err.startswith("3 authorities\nleft out 5: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "PEM already"),
        (PAGE, "a web page"),
        (EXCERPT.read_bytes()[:30_000], "cut off after line"),
        (EXCERPT.read_bytes().replace(b"\\060\\202", b"\\960\\202"), "damaged at line"),
        (b"", "it is empty"),
    ],
)
def test_another_file_is_refused_and_the_old_bundle_stays(
    terminal: Terminal, content: bytes, said: str
) -> None:
    (terminal.folder / "certdata.txt").write_bytes(content)
    terminal.write("ca-cert.pem", "old")
    outcome = terminal("bundle", "certdata.txt", "-o", "ca-cert.pem")
    assert outcome.status == 2
    assert said in outcome.err
    assert "; nothing was written\n  help: " in outcome.err
    assert terminal.read("ca-cert.pem") == "old"
    assert sorted(path.name for path in terminal.folder.iterdir()) == ["ca-cert.pem", "certdata.txt"]


def test_a_bundle_of_nobody_is_not_written(folder: Terminal) -> None:
    folder.write("ca-cert.pem", "old")
    outcome = folder("bundle", "-o", "ca-cert.pem", "--at", "2100-01-01")
    assert outcome.status == 1
    assert outcome.err.startswith("error: not one authority meets ")
    assert folder.read("ca-cert.pem") == "old"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("certdata.txt",), "'-o'"),
        (("gone.txt", "-o", "ca-cert.pem"), "there is no file 'gone.txt'"),
        ((".", "-o", "ca-cert.pem"), "'.' is a folder"),
        ((".", "-o", "ca-cert.pem", "--download"), "'.' is a folder"),
        (("-o", "certdata.txt"), "is the file that is read"),
        (("-o", "./certdata.txt"), "is the file that is read"),
        (("-o", "server-key.pem"), "holds a private key"),
        (("-o", "x.pem", "--url", "https://example.com/"), "nothing is to be fetched"),
        (("-o", "x.pem", "--download", "--url", "http://example.com/"), "https"),
        (("-o", "x.pem", "--purposes", "SERVERS"), "there is no purpose 'SERVERS'"),
        (("-o", "x.pem", "--levels", "DELEGATOR"), "there is no trust level 'DELEGATOR'"),
        (("-o", "x.pem", "--at", "tomorrow"), "'tomorrow' is not a day"),
    ],
)
def test_wrong_usage_is_told(folder: Terminal, arguments: tuple[str, ...], said: str) -> None:
    folder.write("server-key.pem", "-----BEGIN PRIVATE KEY-----\n")
    outcome = folder("bundle", *arguments)
    assert outcome.status == 2
    assert said in outcome.err
    assert "  help: " in outcome.err
    assert not (folder.folder / "x.pem").exists()


def test_a_folder_that_is_not_there_is_told(folder: Terminal) -> None:
    outcome = folder("bundle", "-o", "gone/ca-cert.pem")
    assert outcome.status == 4
    assert "'gone/ca-cert.pem' cannot be written" in outcome.err


def test_a_read_only_bundle_is_left_alone(folder: Terminal) -> None:
    folder.write("ca-cert.pem", "old").chmod(0o444)
    outcome = folder("bundle", "-o", "ca-cert.pem")
    assert (outcome.status, folder.read("ca-cert.pem")) == (4, "old")
    assert "is read-only" in outcome.err


def test_a_device_is_written_to(folder: Terminal) -> None:
    assert folder("bundle", "-o", "/dev/null").status == 0


@pytest.fixture
def site(folder: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server that stands for Mozilla's; nothing is in the folder yet."""
    (folder.folder / "certdata.txt").unlink()
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    keys = folder.folder / "keys"
    keys.mkdir()
    with https_server(keys) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        monkeypatch.setattr(bundle, "URL", running.url)
        running.answer = file_of(EXCERPT.read_bytes())
        yield running


def test_the_file_is_fetched_kept_and_not_fetched_again(site: Site, folder: Terminal) -> None:
    first = folder("bundle", "--download", "-o", "ca-cert.pem")
    assert first.status == 0
    assert first.err == f"certdata.txt: 52,688 bytes from {site.url}\n"
    assert (folder.folder / "certdata.txt").read_bytes() == EXCERPT.read_bytes()
    made = folder.read("ca-cert.pem")
    second = folder("bundle", "--download", "-o", "ca-cert.pem")
    assert second.err == f"certdata.txt: unchanged at {site.url}\n"
    assert site.requests[1]["if-none-match"] == '"1"'
    assert folder.read("ca-cert.pem") == made


@pytest.mark.usefixtures("site")
def test_the_progress_bar_is_told_how_far_it_is(folder: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []

    @contextlib.contextmanager
    def bar() -> Iterator[Progress]:
        yield lambda work, done, total: told.append((work, done, total))

    monkeypatch.setattr(console, "progress_bar", bar)
    folder("bundle", "--download", "-o", "ca-cert.pem")
    assert told[-1] == ("downloading", len(EXCERPT.read_bytes()), len(EXCERPT.read_bytes()))


@pytest.mark.parametrize("change", ["certdata.txt", "certdata.txt.etag", "url"])
def test_a_file_that_is_not_as_it_was_fetched_is_fetched_anew(
    site: Site, folder: Terminal, change: str
) -> None:
    folder("bundle", "--download", "-o", "ca-cert.pem")
    options: tuple[str, ...] = ()
    if change == "url":
        options = ("--url", f"{site.url}?other")
    else:
        folder.write(change, "changed")
    assert folder("bundle", "--download", "-o", "ca-cert.pem", *options).status == 0
    assert "if-none-match" not in site.requests[1]
    assert (folder.folder / "certdata.txt").read_bytes() == EXCERPT.read_bytes()


def test_without_an_etag_the_file_is_kept_alone(site: Site, folder: Terminal) -> None:
    site.answer = file_of(EXCERPT.read_bytes(), None)
    assert folder("bundle", "--download", "-o", "ca-cert.pem").status == 0
    assert not (folder.folder / "certdata.txt.etag").exists()


def test_what_a_proxy_sends_instead_replaces_neither_the_file_nor_the_bundle(
    site: Site, folder: Terminal
) -> None:
    folder("bundle", "--download", "-o", "ca-cert.pem")
    before = {path: path.read_bytes() for path in folder.folder.iterdir() if path.is_file()}
    site.answer = file_of(PAGE, None)
    outcome = folder("bundle", "--download", "-o", "ca-cert.pem")
    assert outcome.status == 2
    assert f"'{site.url}' is not Mozilla's certdata.txt: it is a web page" in outcome.err
    assert {path: path.read_bytes() for path in folder.folder.iterdir() if path.is_file()} == before


def test_a_server_that_fails_leaves_everything_as_it_was(site: Site, folder: Terminal) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_error(503)

    site.answer = answer
    outcome = folder("bundle", "--download", "-o", "ca-cert.pem")
    assert outcome.status == 4
    assert "answered 503 Service Unavailable; nothing was fetched" in outcome.err
    assert [path.name for path in folder.folder.iterdir()] == ["keys"]
