"""The language server's edge: pygls calls in, and what the other modules found goes out."""

from __future__ import annotations

import asyncio
import functools
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from ipmpki.lsp import answers
from ipmpki.lsp.check import Judge, Judged, Opened, is_declaration
from ipmpki.lsp.completion import complete
from ipmpki.lsp.streams import BoundedReader
from ipmpki.lsp.symbols import outline
from ipmpki.lsp.text import Text
from ipmpki.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SETTLING_SECONDS = 0.2
"""How long nobody must type before a check."""

_log = logging.getLogger(__name__)


class Server(LanguageServer):
    """A session with one editor. What breaks down in it becomes a line of the log, and it goes on.

    Documents are sent whole after each change: pygls takes more characters for line ends than LSP does, so
    that parts would be put in the wrong place of a text that holds, say, U+2028.
    """

    def __init__(self) -> None:
        super().__init__("ipmpki", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.is_shut_down = False
        self._judged: dict[str, Judged] = {}
        self._published: set[str] = set()
        self._changed = asyncio.Event()
        self._delay = 0.0
        self._checking: asyncio.Task[None] | None = None

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Tell the log, not the person who is writing."""
        del source
        _log.error("a message could not be handled: %s", type(error).__name__)

    # Documents.

    def text_of(self, uri: str) -> Text | None:
        """The text of an open document as it is now; None where it is not open."""
        document = self.workspace.text_documents.get(_known_as(uri))
        return Text(document.source, self.units) if document is not None else None

    def units(self, text: str) -> int:
        """How many units of a column a text has, in the encoding that the editor chose."""
        return int(self.workspace.position_codec.client_num_units(text))

    def judged(self, uri: str) -> Judged | None:
        """What was found in a document, if it was judged as it is now."""
        judged, text = self._judged.get(uri), self.text_of(uri)
        return judged if judged is not None and text is not None and judged.text == text.text else None

    def is_site(self, uri: str) -> bool | None:
        """Whether a document is an included file; None where it is no part of a declaration."""
        judged = self._judged.get(uri)
        if judged is not None:
            return judged.is_site
        # Opened a moment ago, or no file yet.
        document = next((one for one in self._opened() if one.uri == uri), None)
        if document is None:
            return None
        if document.path is None:
            return False if is_declaration(document.text) else None
        declaration = self._judge().declaration_of(document)
        return declaration != document.path if declaration is not None else None

    # Checks.

    def check_soon(self, delay: float = 0.0) -> None:
        """Check all open documents when nothing has changed for so many seconds."""
        self._delay = delay
        self._changed.set()
        if self._checking is None:
            self._checking = asyncio.get_running_loop().create_task(self._check_for_ever())

    async def _check_for_ever(self) -> None:
        while True:
            await self._changed.wait()
            while self._changed.is_set():
                self._changed.clear()
                await asyncio.sleep(self._delay)
            try:
                judged = await asyncio.to_thread(self._judge().judge)
                if not self._changed.is_set():  # else the texts are others already
                    self._publish(judged)
            except BrokenPipeError:  # the editor is gone, and with it the reader's end
                return
            except Exception as fault:  # noqa: BLE001 -- whatever it is, the next change is checked again
                _log.error("a check broke down: %s", _spot(fault))

    def _judge(self) -> Judge:
        return Judge(self._opened(), self.units, datetime.now(UTC).replace(microsecond=0))

    def _opened(self) -> list[Opened]:
        return [Opened.of(one.uri, one.version, one.source) for one in self.workspace.text_documents.values()]

    def _publish(self, judged: dict[str, Judged]) -> None:
        self._judged = judged
        for uri in self._published - judged.keys():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        for one in judged.values():
            found = [found.diagnostic for found in one.found]
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(one.uri, found, version=one.version)
            )
        self._published = set(judged)


def _known_as(uri: str) -> str:
    from urllib.parse import unquote

    return unquote(uri)  # how pygls keeps documents


def _spot(fault: BaseException) -> str:
    """Where a mistake of ours is, without any of the values it was made with."""
    where = fault.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    spot = f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where is not None else ""
    return f"{type(fault).__name__}{spot}"


def _guarded(handler: Callable[[Server, Any], T]) -> Callable[[Server, Any], T | None]:
    """A handler that answers nothing where it breaks down; pygls would send a traceback to the editor."""

    @functools.wraps(handler)
    def guarded(server: Server, params: Any) -> T | None:
        try:
            return handler(server, params)
        except BrokenPipeError:
            raise
        except Exception as fault:  # noqa: BLE001 -- whatever it is, the session goes on
            _log.error("%s broke down: %s", handler.__name__, _spot(fault))
            return None

    # pygls calls what is annotated to take a server with one, and looks at the names of the parameters.
    return guarded


def _opened(server: Server, _params: types.DidOpenTextDocumentParams) -> None:
    server.check_soon()


def _changed(server: Server, _params: types.DidChangeTextDocumentParams) -> None:
    server.check_soon(SETTLING_SECONDS)


def _completion(server: Server, params: types.CompletionParams) -> list[types.CompletionItem] | None:
    uri = params.text_document.uri
    text, is_site = server.text_of(uri), server.is_site(uri)
    if text is None or is_site is None:
        return None
    return complete(text, params.position, is_site=is_site, takes_snippets=_takes_snippets(server))


def _takes_snippets(server: Server) -> bool:
    document = server.client_capabilities.text_document
    item = document.completion.completion_item if document and document.completion else None
    return bool(item and item.snippet_support)


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    text = server.text_of(uri)
    if text is None or server.is_site(uri) is None:
        return None
    judged = server.judged(uri)
    return answers.hover(text, params.position, judged.found if judged is not None else ())


def _symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
    uri = params.text_document.uri
    text = server.text_of(uri)
    return outline(text) if text is not None and server.is_site(uri) is not None else None


def _actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    judged = server.judged(params.text_document.uri)
    only = params.context.only
    if judged is None or (only and not any(_is_of(types.CodeActionKind.QuickFix, kind) for kind in only)):
        return None
    return answers.quick_fixes(judged, params.range, server.units)


def _is_of(kind: str, wanted: str) -> bool:
    """Whether a kind of action is a wanted one or a part of it, such as quickfix of the empty kind."""
    return wanted in {"", kind} or kind.startswith(f"{wanted}.")


def _shut_down(server: Server, _params: None) -> None:
    server.is_shut_down = True


def make_server() -> Server:
    """A server that knows all it can do; it runs with ``start_io``."""
    server = Server()
    options: dict[str, Any] = {
        types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(trigger_characters=['"', "'", "[", "="]),
        types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions([types.CodeActionKind.QuickFix]),
    }
    features: dict[str, Callable[[Server, Any], Any]] = {
        types.TEXT_DOCUMENT_DID_OPEN: _opened,
        types.TEXT_DOCUMENT_DID_CHANGE: _changed,
        types.TEXT_DOCUMENT_DID_SAVE: _opened,
        types.TEXT_DOCUMENT_DID_CLOSE: _opened,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES: _opened,
        types.TEXT_DOCUMENT_COMPLETION: _completion,
        types.TEXT_DOCUMENT_HOVER: _hover,
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: _symbols,
        types.TEXT_DOCUMENT_CODE_ACTION: _actions,
        types.SHUTDOWN: _shut_down,
    }
    for name, handler in features.items():
        server.feature(name, options.get(name))(functools.partial(_guarded(handler), server))
    return server


def serve(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Talk to one editor until it leaves: 0 after an orderly ``shutdown``, else 1 (LSP 3.17, "Exit").

    Raises SystemExit with the same number where the editor asks for the end.
    """
    server = make_server()
    server.start_io(cast("BinaryIO", BoundedReader(stdin)), stdout)
    return 0 if server.is_shut_down else 1
