"""Processes that start in milliseconds: copies of a Python that has imported ipmpki already.

A server, started when it is first needed, forks for each start. What runs has its own folder, environment,
umask, streams and signals, as if it had been executed. Where the environment says otherwise than the tests'
own what Python reads as it starts (PYTHON…, the locale), a Python of its own is started.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_REQUEST = 1 << 18
_ROOT = Path(__file__).parents[1]
_ASKING = threading.Lock()
_STREAMS = ("stdin", "stdout", "stderr")
_READ_AT_START = ("PYTHON", "LC_", "LANG")


class Process:
    """A copy at work, with as much of subprocess.Popen as tests use. It dies when it is closed."""

    def __init__(self, request: Mapping[str, object], streams: Mapping[str, int]) -> None:
        self.args = request["words"]
        self.returncode: int | None = None
        self._given: dict[str, IO[bytes]] = {}
        theirs: list[int] = []
        for name in _STREAMS:
            if name in streams:
                theirs.append(os.dup(streams[name]))
                continue
            reading, writing = os.pipe()
            self._given[name] = os.fdopen(writing, "wb") if name == "stdin" else os.fdopen(reading, "rb")
            theirs.append(reading if name == "stdin" else writing)
        self._end, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with told, _ASKING:
            socket.send_fds(_server(), [json.dumps(request).encode()], [*theirs, told.fileno()])
        for stream in theirs:
            os.close(stream)
        self.pid = int(self._end.recv(16))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._given.values():
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.wait()
        self._end.close()

    @property
    def stdin(self) -> IO[bytes]:
        """What it reads."""
        return self._given["stdin"]

    @property
    def stdout(self) -> IO[bytes]:
        """What it says."""
        return self._given["stdout"]

    @property
    def stderr(self) -> IO[bytes]:
        """What it tells."""
        return self._given["stderr"]

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended. Raises subprocess.TimeoutExpired after so many seconds."""
        if self.returncode is None:
            self._end.settimeout(timeout)
            try:
                self.returncode = int(self._end.recv(16))
            except (TimeoutError, BlockingIOError) as error:
                raise subprocess.TimeoutExpired(str(self.args), timeout or 0) from error
        return self.returncode

    def poll(self) -> int | None:
        """The exit status if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by force."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, content: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Give it something to read; what it says and tells until it ends, as with subprocess.Popen."""
        said: dict[str, bytes] = {}

        def read(name: str) -> None:
            said[name] = self._given[name].read()

        readers = [threading.Thread(target=read, args=[name]) for name in self._given if name != "stdin"]
        for reader in readers:
            reader.start()
        if "stdin" in self._given:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(content)
                self.stdin.close()
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            for reader in readers:
                reader.join()
        return said.get("stdout", b""), said.get("stderr", b"")


AnyProcess = Process | subprocess.Popen[bytes]


def start(
    *words: str, cwd: Path, env: Mapping[str, str] | None = None, umask: int = -1, **streams: int
) -> AnyProcess:
    """Start ``python -m MODULE ARGUMENTS…`` or ``python -c CODE ARGUMENTS…``.

    ``env`` is the whole environment, the tests' own where it is None. ``streams``, by their names in
    subprocess.Popen, are file descriptors, and where none is given, pipes.
    """
    environment = dict(os.environ if env is None else env)
    read = [name for name in {*environment, *os.environ} if name.startswith(_READ_AT_START)]
    if any(environment.get(name) != os.environ.get(name) for name in read):
        stdin, stdout, stderr = (streams.get(name, subprocess.PIPE) for name in _STREAMS)
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd,
            env=environment,
            umask=umask,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
    return Process({"words": words, "cwd": str(cwd), "env": environment, "umask": umask}, streams)


def run(
    *words: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """The same to its end, as subprocess.run would: with nothing to read, and what it said."""
    with start(*words, cwd=cwd, env=env, umask=umask) as process:
        out, err = process.communicate(b"", timeout)
        return subprocess.CompletedProcess(words, process.wait(), out, err)


@functools.cache
def _server() -> socket.socket:
    """The server of this process, which ends when this process does: nobody else has the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        code = f"from tests import preloaded; preloaded.serve({theirs.fileno()})"
        command = [sys.executable, "-c", code]
        server = subprocess.Popen(command, cwd=_ROOT, pass_fds=[theirs.fileno()], start_new_session=True)

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def serve(descriptor: int) -> None:
    """Fork for each request until nobody is left to make one."""
    import ipmpki

    sys.path.insert(0, str(_ROOT))
    for module in pkgutil.walk_packages(ipmpki.__path__, "ipmpki."):
        if module.name != "ipmpki.__main__":  # which is run, not imported
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # or a copy's first collection would write to, and so copy, every page
    requests = socket.socket(fileno=descriptor)
    with selectors.DefaultSelector() as watched:
        watched.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in watched.select():
                if key.fileobj is not requests:
                    key.data()
                    continue
                content, descriptors, _, _ = socket.recv_fds(requests, _LONGEST_REQUEST, 4)
                if not content:
                    return
                process = os.fork()
                if not process:
                    _become(json.loads(content), descriptors)
                _watch(watched, process, descriptors)


def _watch(watched: selectors.BaseSelector, process: int, descriptors: list[int]) -> None:
    """Tell whoever asked for a process its number and its end, and kill it should they leave before."""
    *streams, asker = descriptors
    for stream in streams:
        os.close(stream)
    end = os.pidfd_open(process)
    os.write(asker, b"%d" % process)

    def tell() -> None:
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(BrokenPipeError):
            os.write(asker, b"%d" % os.waitstatus_to_exitcode(status))
        for one in (end, asker):
            with contextlib.suppress(KeyError):
                watched.unregister(one)
            os.close(one)

    def kill() -> None:
        watched.unregister(asker)
        os.kill(process, signal.SIGKILL)

    watched.register(end, selectors.EVENT_READ, tell)
    watched.register(asker, selectors.EVENT_READ, kill)


def _become(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the process that was asked for, to its end."""
    for place, stream in enumerate(descriptors[:3]):
        os.dup2(stream, place)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    if request["umask"] != -1:
        os.umask(request["umask"])
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115 -- for as long as the process lives
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    status: object = 0
    try:
        _execute(*request["words"])
    except SystemExit as leaving:
        status = leaving.code or 0
    except BaseException:  # noqa: BLE001 -- as Python does
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    assert isinstance(status, int)
    os._exit(status)  # at once: to take down what was imported costs more than most of the starts


def _execute(how: str, what: str, *arguments: str) -> None:
    sys.argv = [how, *arguments]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 -- a test's own code
