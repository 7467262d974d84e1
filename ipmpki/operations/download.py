"""One file fetched over HTTPS: the certificate checked, size and time bounded, an unchanged file spared.

The network is all this touches; what came is returned as bytes, and keeping it is up to the caller.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from ipmpki.diagnostics.fault import Fault, WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage

MEGABYTE: Final = 1_000_000
_CHUNK: Final = 1 << 16
_NOT_MODIFIED: Final = 304
_PROXY_REFUSALS: Final = frozenset({403, 407})
_BY_HAND: Final = (
    "or fetch the file with another program and name it: ipmpki bundle certdata.txt -o ca-cert.pem"
)


class DownloadProgress(Protocol):
    """Told how many bytes have come, and of how many; 0 where the server does not say."""

    def __call__(self, done: int, total: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a download may take: bytes in all, seconds in all, and seconds without a byte."""

    size: int = 32 * MEGABYTE
    seconds: float = 300.0
    silence: float = 30.0


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What is known of a file that was fetched: from where, its ETag, and its SHA-256 in hexadecimal."""

    url: str
    etag: str
    sha256: str

    def covers(self, url: str, content: bytes) -> bool:
        """Whether a file is still the one that came from ``url``."""
        return self.url == url and self.sha256 == hashlib.sha256(content).hexdigest()

    def to_json(self) -> str:
        """The receipt as text to keep beside the file."""
        return json.dumps({"url": self.url, "etag": self.etag, "sha256": self.sha256}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: bytes) -> FetchedFile | None:
        """A receipt from its text; None where it is none, so that the file is fetched anew."""
        try:
            found = json.loads(text)
            receipt = cls(found["url"], found["etag"], found["sha256"])
        except (ValueError, KeyError, TypeError):
            return None
        is_plain = all(isinstance(one, str) and one.isprintable() for one in found.values())
        return receipt if is_plain else None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came. ``receipt`` is None where the server gave no ETag."""

    content: bytes
    receipt: FetchedFile | None


def fetch(
    url: str,
    *,
    known: FetchedFile | None,
    progress: DownloadProgress,
    limits: Limits = Limits(),
) -> Fetched | None:
    """Fetch ``url``; None where the server says that the file ``known`` describes is unchanged.

    Certificates are checked against this computer's authorities, or those that SSL_CERT_FILE names; proxies
    are taken from https_proxy (both as in curl). Redirections are followed while they stay on HTTPS. Raises
    WrongUse for a URL that is no HTTPS one, and Fault where the file does not come whole and within limits.
    """
    host = _host_of(url)
    request = urllib.request.Request(url, headers={"User-Agent": "ipmpki", "Accept-Encoding": "identity"})  # noqa: S310 -- https, checked above
    if known is not None:
        request.add_header("If-None-Match", known.etag)
    watch = _Watch(limits.seconds)
    opener = urllib.request.build_opener(_Handler(watch), _OnlyHttps())
    with _clear_failures(host, watch, limits), watch:
        try:
            with opener.open(request, timeout=min(limits.silence, limits.seconds)) as response:
                content = _read(response, watch, progress, limits, host)
                etag = response.headers.get("ETag")
        except urllib.error.HTTPError as error:
            with error:
                if error.code == _NOT_MODIFIED and known is not None:
                    return None
                raise _refusal(host, error) from None
    is_plain = bool(etag) and etag.isprintable() and etag.isascii()
    receipt = FetchedFile(url, etag, hashlib.sha256(content).hexdigest()) if is_plain else None
    return Fetched(content, receipt)


def _host_of(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or not url.isascii() or not url.isprintable() or " " in url:
        raise WrongUse(f"'{url}' is no URL", "write one such as https://example.com/certdata.txt")
    if parts.scheme != "https":
        raise WrongUse(
            f"'{url}' does not begin with https://",
            "whom to trust is not to be learnt over a line that anybody can change: use https",
        )
    if parts.username is not None:
        raise WrongUse("a name and a password in the URL are not supported", "leave them out")
    return host


def _read(response: Any, watch: _Watch, progress: DownloadProgress, limits: Limits, host: str) -> bytes:
    total = int(response.length or 0)
    if total > limits.size:
        raise _too_large(host, limits)
    parts: list[bytes] = []
    done = 0
    # read1 returns what one packet brings, so that a trickle meets the limit of time.
    while part := response.read1(_CHUNK):
        parts.append(part)
        done += len(part)
        if done > limits.size:
            raise _too_large(host, limits)
        progress(done, total)
        watch.check()
    watch.check()
    if done < total:
        raise http.client.IncompleteRead(b"", total - done)
    return b"".join(parts)


class _Overdue(Exception):
    """The time is up."""


class _Watch:
    """Ends a connection when its time is up, whatever it is waiting for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._socket: socket.socket | None = None

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Raise _Overdue when the time is up."""
        if self.is_over:
            raise _Overdue

    def guard(self, connected: socket.socket) -> None:
        """Hang up on this connection, too."""
        self._socket = connected

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Handler(urllib.request.HTTPSHandler):
    """Opens connections that the watch knows of."""

    def __init__(self, watch: _Watch) -> None:
        self._checked = ssl.create_default_context()
        super().__init__(context=self._checked)
        self._watch = watch

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a connection for a request."""
        watch = self._watch

        class Watched(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                watch.guard(self.sock)

        return self.do_open(Watched, req, context=self._checked)


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but not down to HTTP."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        """Follow, or raise a fault."""
        try:
            place = urllib.parse.urljoin(req.full_url, headers.get("Location", ""))
            if urllib.parse.urlsplit(place).scheme != "https":
                raise Fault(
                    f"{req.host} sends us on to '{place}', which is not HTTPS; nothing was fetched",
                    "name the file's own address with --url",
                )
        finally:
            fp.close()  # urllib would read what comes with a redirection to its end, and there may be none
        return super().http_error_302(req, io.BytesIO(), code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@contextlib.contextmanager
def _clear_failures(host: str, watch: _Watch, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (_Overdue, http.client.HTTPException, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _failure(host, reason, limits, is_over=watch.is_over) from None


def _failure(host: str, reason: object, limits: Limits, *, is_over: bool) -> Fault:
    if is_over:
        return Fault(
            f"{host} took longer than {limits.seconds:.0f} seconds; nothing was fetched",
            f"try again later, {_BY_HAND}",
        )
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Fault(
            f"the certificate of {host} cannot be trusted: {reason.verify_message}; nothing was fetched",
            "where a proxy inspects HTTPS, let SSL_CERT_FILE name a file with its authority's certificate, "
            f"{_BY_HAND}",
        )
    if isinstance(reason, TimeoutError):
        return Fault(
            f"{host} has been silent for {limits.silence:.0f} seconds; nothing was fetched",
            f"check the network and https_proxy, {_BY_HAND}",
        )
    if isinstance(reason, http.client.IncompleteRead):
        return Fault(f"{host} broke off before the file was whole; nothing was fetched", "try again")
    if isinstance(reason, socket.gaierror):
        return Fault(
            f"there is no address for {host}; nothing was fetched",
            f"check the name, the network and https_proxy, {_BY_HAND}",
        )
    why = (reason.strerror if isinstance(reason, OSError) else None) or str(reason) or type(reason).__name__
    return Fault(
        f"{host} cannot be reached: {why}; nothing was fetched",
        f"check the network and https_proxy, {_BY_HAND}",
    )


def _refusal(host: str, error: urllib.error.HTTPError) -> Fault:
    remedy = (
        "a proxy may have answered" if error.code in _PROXY_REFUSALS else "check the address given by --url"
    )
    return Fault(f"{host} answered {error.code} {error.reason}; nothing was fetched", f"{remedy}, {_BY_HAND}")


def _too_large(host: str, limits: Limits) -> Fault:
    return Fault(
        f"what {host} sends is larger than {limits.size / MEGABYTE:.0f} MB; nothing was fetched",
        "check the address given by --url: certdata.txt has about 1.5 MB",
    )
