"""How a session begins, ends, and outlives what should not happen in it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.lsp.editor import SERVER, Editor, Program
from tests.problems import fleet_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shop import Shop

SECRET = "correct horse battery staple"  # noqa: S105 -- made up for these tests


def broken(*_: object, **__: object) -> None:
    """What stands in for a function of the server that breaks down."""
    raise RuntimeError(SECRET)


def framed(body: bytes) -> bytes:
    """A message as it goes over the pipe."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def test_a_session_begins_and_ends_in_order(tmp_path: Path) -> None:
    with Editor(tmp_path, Program(tmp_path)) as editor:
        assert editor.capabilities["hoverProvider"] is True
        assert "documentFormattingProvider" not in editor.capabilities
    assert editor.errors == ""


def test_leaving_without_a_shutdown_is_a_failure(tmp_path: Path) -> None:
    editor = Editor(tmp_path, Program(tmp_path))
    editor.tell("exit", None)
    assert editor.end() == 1


def test_the_server_ends_when_its_editor_was_killed(tmp_path: Path) -> None:
    editor = Editor(tmp_path, Program(tmp_path))
    editor.open(tmp_path / "pki.toml", fleet_with("alias = []"))
    assert editor.hang_up() == 1
    assert "Traceback" not in editor.errors


def test_the_server_ends_when_nobody_reads_its_answers() -> None:
    process = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(
        framed(
            b'{"jsonrpc":"2.0","id":1,"method":"initialize",'
            b'"params":{"processId":null,"rootUri":null,"capabilities":{}}}'
        ),
        timeout=60,
    )
    assert process.returncode == 1
    assert b"Traceback" not in errors


NOISE = {
    "no header": b"hello\r\n\r\n",
    "no JSON": b"Content-Length: 5\r\n\r\nhello",
    "no object": b"Content-Length: 2\r\n\r\n42",
    "a list": b"Content-Length: 2\r\n\r\n[]",
    "no method": b'Content-Length: 17\r\n\r\n{"jsonrpc":"2.0"}',
    "no UTF-8": b"Content-Length: 4\r\n\r\n\xff\xfe\x00{",
    "too deep": b"Content-Length: 100000\r\n\r\n" + b"[" * 100_000,
    "an endless header": b"x" * 100_000 + b"\r\n",
    "a number of thousands of digits": b"Content-Length: " + b"9" * 10_000 + b"\r\n\r\n",
    "an unknown notification": framed(b'{"jsonrpc":"2.0","method":"none","params":{}}'),
    "a document that is not open": framed(
        b'{"jsonrpc":"2.0","method":"textDocument/didChange","params":'
        b'{"textDocument":{"uri":"file:///none","version":1},"contentChanges":[{"text":"%s"}]}}'
        % SECRET.encode()
    ),
}


@pytest.mark.parametrize("noise", NOISE)
def test_noise_on_stdin_does_not_end_the_session(tmp_path: Path, noise: str) -> None:
    with Editor(tmp_path) as editor:
        editor.write(NOISE[noise])
        uri = editor.open(tmp_path / "pki.toml", fleet_with("alias = []"))
        assert [one["code"] for one in editor.problems(uri)] == ["unknown-key"]
        assert "Traceback" not in editor.errors
        assert SECRET not in editor.errors


def test_a_message_of_impossible_length_ends_the_session_in_words(tmp_path: Path) -> None:
    editor = Editor(tmp_path, Program(tmp_path))
    editor.write(b"Content-Length: 99999999999999\r\n\r\n{")
    assert editor.end() == 1
    assert "99999999999999 bytes" in editor.errors


def test_an_unknown_request_is_refused_and_the_session_goes_on(tmp_path: Path) -> None:
    with Editor(tmp_path) as editor:
        assert editor.answer("no/such", {})["error"]["code"] == -32601  # MethodNotFound


def test_a_handler_that_breaks_down_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipmpki.lsp.answers.hover", broken)
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", fleet_with(""))
        assert editor.at("hover", uri, 0, 0) is None
        assert editor.problems(uri) == []
    assert editor.errors.startswith("error: _hover broke down: RuntimeError at broken:")
    assert editor.errors.count("\n") == 1
    assert SECRET not in editor.errors


def test_a_check_that_breaks_down_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipmpki.lsp.server.Judge.judge", broken)
    with Editor(tmp_path) as editor:
        uri = editor.open(tmp_path / "pki.toml", fleet_with(""))
        assert editor.at("hover", uri, 0, 0)["contents"]
    assert "a check broke down: RuntimeError at broken:" in editor.errors
    assert SECRET not in editor.errors


def test_nothing_on_the_disk_is_touched(built_shop: Shop) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        files = (path for path in built_shop.folder.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    path = built_shop.folder / "pki.toml"
    with Editor(built_shop.folder) as editor:
        uri = editor.open(path, path.read_text("utf-8"))
        editor.problems(uri)
        editor.change(uri, path.read_text("utf-8") + "\nmore = 1\n")
        editor.problems(uri)
        editor.at("hover", uri, 0, 0)
        editor.completed(uri, 0, 0)
    assert state() == before


def test_without_pygls_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['pygls'] = None; sys.argv = ['ipmpki', 'lsp']\n"
    code += "from ipmpki.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "pip install 'ipmpki[lsp]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "rules", "--help"])
def test_no_other_command_imports_what_the_server_needs(tmp_path: Path, command: str) -> None:
    (tmp_path / "pki.toml").write_text(fleet_with(""), "utf-8")
    arguments = [command, "pki.toml"] if command == "check" else [command]
    code = "import sys; sys.modules['pygls'] = sys.modules['lsprotocol'] = None\n"
    code += f"sys.argv = ['ipmpki', *{arguments!r}]\n"
    code += "from ipmpki.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
