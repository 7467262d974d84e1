"""Fetching over HTTPS, from a server on this computer."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault, WrongUse
from ipmpki.operations.download import Fetched, FetchedFile, Limits, fetch
from tests.https_server import Site, file_of, https_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

USUAL = Limits()
FILE = b"roots\n" * 40_000


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server whose authority this process trusts."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with https_server(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        running.answer = file_of(FILE)
        yield running


def fetched(url: str, known: FetchedFile | None = None, limits: Limits = USUAL) -> Fetched | None:
    return fetch(url, known=known, progress=lambda _done, _total: None, limits=limits)


def refused(url: str, limits: Limits = USUAL) -> Fault:
    with pytest.raises(Fault) as caught:
        fetched(url, limits=limits)
    assert caught.value.remedy
    return caught.value


def test_a_file_comes_whole_and_its_progress_is_told(site: Site) -> None:
    told: list[tuple[int, int]] = []
    found = fetch(site.url, known=None, progress=lambda done, total: told.append((done, total)))
    assert found is not None
    assert found.content == FILE
    assert found.receipt is not None
    assert found.receipt.covers(site.url, FILE)
    assert told[-1] == (len(FILE), len(FILE))
    assert told == sorted(told)
    assert site.requests[0]["accept-encoding"] == "identity"


def test_an_unchanged_file_is_not_fetched_again(site: Site) -> None:
    first = fetched(site.url)
    assert first is not None
    assert fetched(site.url, first.receipt) is None
    assert site.requests[1]["if-none-match"] == '"1"'
    site.answer = file_of(b"newer", '"2"')
    second = fetched(site.url, first.receipt)
    assert second is not None
    assert second.content == b"newer"


@pytest.mark.parametrize("etag", [None, '"\xe4"'])
def test_without_a_usable_etag_there_is_no_receipt(site: Site, etag: str | None) -> None:
    site.answer = file_of(FILE, etag)
    found = fetched(site.url)
    assert found is not None
    assert found.receipt is None


def test_a_file_of_unknown_length_is_fetched_too(site: Site) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(FILE)

    site.answer = answer
    found = fetched(site.url)
    assert found is not None
    assert found.content == FILE
    assert "larger than 0 MB" in refused(site.url, Limits(size=1000)).message


def test_an_authority_unknown_here_is_not_trusted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    fault = refused(site.url)
    assert "the certificate of 127.0.0.1 cannot be trusted" in fault.message
    assert "SSL_CERT_FILE" in (fault.remedy or "")
    assert site.requests == []


def test_a_certificate_for_another_name_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with https_server(tmp_path, "other.example.com") as other:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
        assert "cannot be trusted" in refused(other.url).message
        assert other.requests == []


def test_a_larger_file_than_allowed_is_not_read(site: Site) -> None:
    assert "larger than 0 MB" in refused(site.url, Limits(size=1000)).message


def test_a_file_that_breaks_off_is_refused(site: Site) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(FILE)))
        request.end_headers()
        request.wfile.write(FILE[:1000])

    site.answer = answer
    assert "broke off" in refused(site.url).message


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_trickle_meets_the_limit_of_time(site: Site, *, is_begun: bool) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n")
        if is_begun:
            request.wfile.write(b"\r\n")
        while True:
            request.wfile.write(b"X-A: b\r\n")
            time.sleep(0.02)

    site.answer = answer
    begun = time.monotonic()
    fault = refused(site.url, Limits(seconds=0.3))
    assert "took longer than" in fault.message
    assert time.monotonic() - begun < 5


def test_silence_meets_its_limit(site: Site) -> None:
    site.answer = lambda _request: time.sleep(1)
    assert "silent" in refused(site.url, Limits(silence=0.2)).message


@pytest.mark.parametrize("status", [304, 404, 407, 500])
def test_a_refusal_is_told(site: Site, status: int) -> None:
    site.answer = lambda request: request.send_error(status)
    fault = refused(site.url)
    assert f"answered {status}" in fault.message
    assert fault.exit_status == 4


@pytest.mark.parametrize(
    ("place", "said"),
    [("http://127.0.0.1/certdata.txt", "not HTTPS"), ("file:///etc/passwd", "not HTTPS"), ("https://[", "")],
)
def test_it_is_not_led_away_from_https(site: Site, place: str, said: str) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", place)
        request.end_headers()

    site.answer = answer
    assert said in refused(site.url).message


def test_a_redirection_on_https_is_followed(site: Site) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/new":
            return file_of(FILE)(request)
        request.send_response(301)
        request.send_header("Location", "/new")
        return request.end_headers()

    site.answer = answer
    found = fetched(site.url)
    assert found is not None
    assert found.content == FILE


def test_what_comes_with_a_redirection_is_not_read(site: Site) -> None:
    sent = 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        if request.path == "/new":
            return file_of(FILE)(request)
        request.send_response(302)
        request.send_header("Location", "/new")
        request.end_headers()
        with contextlib.suppress(OSError):
            while sent < 200_000_000:  # there is no end to what a server may send
                sent += request.wfile.write(bytes(1_000_000))
        return None

    site.answer = answer
    found = fetched(site.url)
    assert found is not None
    assert found.content == FILE
    assert sent < 50_000_000


def test_nobody_listening_is_told(site: Site) -> None:
    free = site.url.replace("127.0.0.1", "127.255.255.254")
    assert "cannot be reached" in refused(free).message
    assert "no address for" in refused("https://nowhere.invalid/certdata.txt").message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "certdata.txt",
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https://host:port/",
        "https://ä/",
        "https://a:b@example.com/",
        "https://example.com/a b",
        "https://[/",
        "https://example.com/\r\nX: y",
    ],
)
def test_what_is_no_https_url_is_wrong_usage(url: str) -> None:
    with pytest.raises(WrongUse) as caught:
        fetched(url)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"url": 1, "etag": "", "sha256": ""}',
        b'{"url":"","etag":"\\n","sha256":""}',
    ],
)
def test_a_damaged_receipt_is_none(text: bytes) -> None:
    assert FetchedFile.from_json(text) is None


def test_a_receipt_goes_there_and_back() -> None:
    receipt = FetchedFile("https://example.com/", 'W/"1"', "00")
    assert FetchedFile.from_json(receipt.to_json().encode()) == receipt
    assert not receipt.covers("https://example.com/", b"")
