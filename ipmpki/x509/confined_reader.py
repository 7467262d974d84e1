"""Reads files of others in a process of its own, which is stopped where one costs too much time or memory.

What a file costs need not follow from its size: a PKCS#12 file says how many rounds its passphrase is put
through, a zip what it unpacks to. The library that counts the rounds heeds no signal until it is done.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from dataclasses import is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast

from ipmpki.diagnostics.problem import Place
from ipmpki.x509.containers import is_pkcs12, is_zip, read_received
from ipmpki.x509.contents import Contents, read_contents
from ipmpki.x509.der import DerShape, shape_of
from ipmpki.x509.foreign_pki import FileContents, read_found
from ipmpki.x509.presented_certificates import Flaw, FlawKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipmpki.x509.foreign_pki import Passphrases

SECONDS: Final = 20.0
"""For one file, by the clock; what people who are asked for a passphrase take is not counted."""
MEBIBYTES: Final = 1024
"""Of address space, the interpreter and its libraries included."""
LARGEST_PLAIN: Final = 16 * 1024
"""Octets: a file that is neither an archive nor larger is read without another process.

It holds five RSA keys at most, or some forty certificates: a second's work, whatever they say.
"""

_START: Final = (
    "import sys; sys.path[:] = sys.argv[2:];"
    " from ipmpki.x509.reader_process import main; main(int(sys.argv[1]))"
)
_VALUES: Final = {
    "datetime": {"datetime", "timedelta", "timezone"},
    "ipaddress": {"IPv4Address", "IPv6Address"},
}
_OWN: Final = {
    "ipmpki.diagnostics.problem",
    "ipmpki.x509.contents",
    "ipmpki.x509.foreign_pki",
    "ipmpki.x509.key_flaws",
    "ipmpki.x509.presented_certificates",
}


class TooCostly(Exception):
    """A file that was given up on; the text says why, in words."""


def read_received_confined(
    name: str, content: bytes, passphrase: Callable[[str], bytes | None]
) -> list[Contents]:
    """As :func:`containers.read_received`; a file that costs too much is a flaw."""
    if _is_plain(content):
        return list(read_received(name, content, passphrase))
    try:
        return cast("list[Contents]", _shared.ask("received", name, content, (), passphrase))
    except TooCostly as why:
        return [_given_up(name, content, why)]


def read_contents_confined(name: str, content: bytes) -> Contents:
    """As :func:`contents.read_contents`; a file that costs too much is a flaw."""
    if _is_plain(content):
        return read_contents(name, content)
    try:
        return cast("Contents", _shared.ask("contents", name, content, (), lambda _: None))
    except TooCostly as why:
        return _given_up(name, content, why)


def read_found_confined(name: str, content: bytes, passphrases: Passphrases) -> FileContents:
    """As :func:`foreign_pki.read_found`; a file that costs too much is a flaw."""
    if _is_plain(content):
        return read_found(name, content, passphrases)
    try:
        found, known = _shared.ask("found", name, content, passphrases.known, passphrases.ask)
    except TooCostly as why:
        return FileContents(_given_up(name, content, why))
    passphrases.known = known
    return cast("FileContents", found)


def _is_plain(content: bytes) -> bool:
    return len(content) <= LARGEST_PLAIN and not (is_pkcs12(content) or is_zip(content))


def _given_up(name: str, content: bytes, why: TooCostly) -> Contents:
    is_list = b"BEGIN X509 CRL" in content or shape_of(content) is DerShape.REVOCATION_LIST
    kind = FlawKind.REVOCATION_LIST if is_list else FlawKind.FILE
    remedy = "see whether it is the right file; nobody's certificates take as much"
    return Contents(flaws=[Flaw(kind, Place(name, (0,)), str(why), remedy)])


class _Reader:
    """The process that reads, started when first asked, and again after it was stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def ask(
        self,
        what: str,
        name: str,
        content: bytes,
        known: tuple[bytes, ...],
        passphrase: Callable[[str], bytes | None],
    ) -> Any:
        """What the file holds. Raises TooCostly, and what ``passphrase`` does; then the process is gone."""
        with self._lock:
            try:
                return self._ask((what, name, content, known), passphrase)
            except BaseException:  # Ctrl-C, too: no work goes on behind anybody's back
                self.stop()
                raise

    def _ask(self, question: object, passphrase: Callable[[str], bytes | None]) -> object:
        process, left = self._started(), SECONDS
        is_over = threading.Event()
        while True:
            began = time.monotonic()
            clock = threading.Timer(left, _kill, (process, is_over))
            clock.daemon = True
            clock.start()
            try:
                kind, value = _exchange(process, question)
            except (EOFError, OSError, pickle.UnpicklingError):
                raise TooCostly(
                    f"it takes more than {SECONDS:g} seconds to read, and was given up on"
                    if is_over.is_set()
                    else f"it takes more than {MEBIBYTES} MiB of memory to read, or brings down what reads it"
                ) from None
            finally:
                clock.cancel()
            if kind == "result":
                return value
            left = max(left - (time.monotonic() - began), 0.0)
            question = passphrase(value)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            # -I: nothing of the folder at hand or of the environment is imported but what is here already.
            self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, and this package
                [sys.executable, "-I", "-c", _START, str(MEBIBYTES), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._owner = os.getpid()
        return self._process

    def stop(self) -> None:
        """End the process, if there is one, and wait for it."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what it did not take any more
                    pipe.close()
        process.wait()


def _kill(process: subprocess.Popen[bytes], is_over: threading.Event) -> None:
    is_over.set()
    process.kill()


def _exchange(process: subprocess.Popen[bytes], question: object) -> tuple[str, Any]:
    assert process.stdin is not None  # noqa: S101 -- both are pipes
    assert process.stdout is not None  # noqa: S101
    pickle.dump(question, process.stdin)
    process.stdin.flush()
    answer = _Values(process.stdout).load()
    if not isinstance(answer, tuple) or len(answer) != 2:  # noqa: PLR2004 -- what it is, and itself
        raise pickle.UnpicklingError
    return answer


class _Values(pickle.Unpickler):
    """Takes values alone: what reads the files of others may have been taken over by one."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of values; raises UnpicklingError for anything else."""
        if name in _VALUES.get(module, ()):
            return super().find_class(module, name)
        if module in _OWN and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, (Enum, tuple))):
                return found
        raise pickle.UnpicklingError(name)


_shared = _Reader()
atexit.register(_shared.stop)
