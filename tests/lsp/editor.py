"""An editor that speaks the Language Server Protocol (3.17) over pipes, without any library for it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from ipmpki.lsp.server import serve
from ipmpki.lsp.streams import TerseHandler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE_SECONDS = 30
"""After so long the test fails; a busy machine needs some of it."""

SERVER = (sys.executable, "-m", "ipmpki", "lsp")
SNIPPETS = {"textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}


class Program:
    """A language server in a process of its own, as editors start it."""

    def __init__(self, folder: Path, command: Sequence[str] = SERVER) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self._errors: list[bytes] = []
        self._drain = threading.Thread(target=self._listen, daemon=True)
        self._drain.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    @property
    def errors(self) -> str:
        """What the server wrote to stderr."""
        return b"".join(self._errors).decode()

    def wait(self) -> int:
        """The exit status, once the server has ended."""
        status = self._process.wait(PATIENCE_SECONDS)
        self._drain.join(PATIENCE_SECONDS)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status

    def kill(self) -> None:
        """End it by force."""
        self._process.kill()


class Within:
    """A language server in a thread of the tests' own process, over real pipes: quicker to start."""

    def __init__(self) -> None:
        from_editor, to_server = os.pipe()
        from_server, to_editor = os.pipe()
        self.stdin, self.stdout = os.fdopen(to_server, "wb"), os.fdopen(from_server, "rb")
        self._streams = os.fdopen(from_editor, "rb"), os.fdopen(to_editor, "wb")
        self._log = io.StringIO()
        self._handler = TerseHandler(self._log)
        logging.getLogger().addHandler(self._handler)
        self._status = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._status = serve(*self._streams)
        except SystemExit as left:
            self._status = left.code if isinstance(left.code, int) else -1
        finally:
            for stream in self._streams:
                stream.close()

    @property
    def errors(self) -> str:
        """What the server wrote to its log."""
        return self._log.getvalue()

    def wait(self) -> int:
        """The exit status, once the server has ended."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the server does not end"
        logging.getLogger().removeHandler(self._handler)
        return self._status

    def kill(self) -> None:
        """Hang up, which ends it."""
        self.stdin.close()


class Editor:
    """One session with a language server. Used in a ``with`` block, it leaves as an editor should."""

    def __init__(
        self,
        folder: Path,
        server: Program | Within | None = None,
        capabilities: dict[str, Any] | None = None,
    ) -> None:
        self.server = server if server is not None else Within()
        self._folder = folder
        self._number = 0
        self._versions: dict[str, int] = {}
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: dict[int, dict[str, Any]] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.capabilities = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": SNIPPETS if capabilities is None else capabilities,
            },
        )["capabilities"]
        self.tell("initialized", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        else:
            self.leave()
            assert "Traceback" not in self.errors

    # Messages.

    def write(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.server.stdin.write(content)
        self.server.stdin.flush()

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its result. An error fails the test."""
        answer = self.answer(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def answer(self, method: str, params: Any) -> dict[str, Any]:
        """Send a request and wait for the whole answer."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        self._await(lambda: number in self._answers)
        return self._answers.pop(number)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def _listen(self) -> None:
        stream = self.server.stdout
        while True:
            length = 0
            while (line := stream.readline()).strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not line:
                self._messages.put(None)
                return
            self._messages.put(json.loads(stream.read(length)))

    def _await(self, is_reached: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_reached():
            message = self._messages.get(timeout=max(0.01, deadline - time.monotonic()))
            assert message is not None, f"the server has left: {self.errors}"
            if "method" not in message:
                self._answers[message["id"]] = message
            elif message["method"] == "textDocument/publishDiagnostics":
                self.published[message["params"]["uri"]] = message["params"]
            else:
                self.told.append(message)
                if "id" in message:
                    body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": None}).encode()
                    self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    # Documents.

    def open(self, path: Path | str, text: str) -> str:
        """Open a file with a text; its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "toml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str) -> None:
        """Type until the document has another text."""
        self._versions[uri] += 1
        self.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": self._versions[uri]},
                "contentChanges": [{"text": text}],
            },
        )

    def close(self, uri: str) -> None:
        """Close a document without saving it."""
        del self._versions[uri]
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    def problems(self, uri: str) -> list[dict[str, Any]]:
        """The diagnostics of an open document as it is now."""
        version = self._versions[uri]
        self._await(lambda: self.published.get(uri, {}).get("version") == version)
        found: list[dict[str, Any]] = self.published[uri]["diagnostics"]
        return found

    def problems_when(self, uri: str, is_reached: Any) -> list[dict[str, Any]]:
        """The diagnostics of any file, once they are as they should be."""
        self._await(lambda: uri in self.published and is_reached(self.published[uri]["diagnostics"]))
        found: list[dict[str, Any]] = self.published[uri]["diagnostics"]
        return found

    def at(self, method: str, uri: str, line: int, character: int) -> Any:
        """Ask about a position."""
        position = {"line": line, "character": character}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position})

    def completed(self, uri: str, line: int, character: int) -> dict[str, dict[str, Any]]:
        """What is offered at a position, by label."""
        return {one["label"]: one for one in self.at("completion", uri, line, character) or []}

    # Ends.

    @property
    def errors(self) -> str:
        """What the server told the person who reads its log."""
        return self.server.errors

    def leave(self) -> None:
        """End the session as the specification wants it; the server must end well."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        assert self.end() == 0, self.errors

    def end(self) -> int:
        """Wait until the server has ended; its exit status."""
        status = self.server.wait()
        self._listener.join(PATIENCE_SECONDS)
        for stream in (self.server.stdin, self.server.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return status

    def hang_up(self) -> int:
        """Go away without a word, as an editor that was killed; the server's exit status."""
        self.server.stdin.close()
        return self.end()

    def kill(self) -> None:
        """End the server by force."""
        self.server.kill()
        self.end()
