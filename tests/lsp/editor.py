"""An editor that speaks the Language Server Protocol (3.17) over pipes, without any library for it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE_SECONDS = 30
"""After so long the test fails; a busy machine needs some of it."""

SERVER = (sys.executable, "-m", "ipmpki", "lsp")
SNIPPETS = {"textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}


class Editor:
    """One session with a language server. Used in a ``with`` block, it leaves as an editor should."""

    def __init__(
        self, folder: Path, command: Sequence[str] = SERVER, capabilities: dict[str, Any] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._folder = folder
        self._number = 0
        self._versions: dict[str, int] = {}
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: dict[int, dict[str, Any]] = {}
        self._errors: list[bytes] = []
        self.published: dict[str, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._drain)]
        for one in self._threads:
            one.start()
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
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

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
        stream = self.process.stdout
        assert stream is not None
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

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self._errors.extend(self.process.stderr)

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
        """What the server wrote to stderr."""
        return b"".join(self._errors).decode()

    def leave(self) -> None:
        """End the session as the specification wants it; the server must end well."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        assert self.end() == 0, self.errors

    def end(self) -> int:
        """Wait until the server has ended; its exit status."""
        status = self.process.wait(PATIENCE_SECONDS)
        for one in self._threads:
            one.join(PATIENCE_SECONDS)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        return status

    def hang_up(self) -> int:
        """Go away without a word, as an editor that was killed; the server's exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.end()

    def kill(self) -> None:
        """End the server by force."""
        self.process.kill()
        self.end()
