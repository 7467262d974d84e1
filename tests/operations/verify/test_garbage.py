"""Nothing that a path can name makes ``ipmpki verify`` crash, hang or speak of a mistake of its own."""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipmpki.operations.verify.verify import Question, verify
from ipmpki.x509.contents import MOST_OBJECTS, read_contents
from tests import preloaded
from tests.cli.command import ipmpki
from tests.faults.running import ipmpki as in_a_process_of_its_own
from tests.faults.running import mortal
from tests.operations.verify import mint

if TYPE_CHECKING:
    from pathlib import Path

MOST_PIECES = 9


@functools.cache
def leaf() -> mint.Made:
    """Made when the first test runs, not when tests are collected."""
    return mint.server()


@functools.cache
def pieces() -> tuple[bytes, ...]:
    """Sound objects, and what could be mistaken for their beginnings and ends."""
    return (
        leaf().pem,
        leaf().key_pem(),
        leaf().der,
        mint.authority().pem,
        mint.crl(mint.authority(), leaf()),
        b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----END X509 CRL-----",
        b"\x30\x82\xff\xff",
    )


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Sound objects, cut, joined, and with bytes changed."""
    content = bytearray()
    for number in draw(st.lists(st.integers(0, MOST_PIECES - 1), min_size=1, max_size=3)):
        piece = pieces()[number]
        content += piece[draw(st.integers(0, 40)) : len(piece) - draw(st.sampled_from((0, 0, 1, 30, 300)))]
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, len(content) - 1)) if content else 0 :][:1] = b""
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), damaged()))
def test_whatever_a_file_holds_there_is_an_answer(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(mint.authority().pem)
    for anchors in ([str(trusted)], [str(file)]):
        found = verify(
            Question([str(file)], datetime.now(UTC), anchors, [str(file)], names=["ipm1.example.com"])
        )
        assert "internal-error" not in {one.problem.rule for one in found.problems}
        assert found.failed == 0


def test_a_certificate_cut_off_anywhere_is_said_to_be_unreadable() -> None:
    for length in range(0, len(leaf().der), 97):
        (flaw,) = read_contents("file", leaf().der[:length]).flaws
        assert flaw.kind == "nothing"
    cut = leaf().pem.splitlines(keepends=True)
    half = b"".join(cut[: len(cut) // 2])
    (flaw,) = read_contents("file", half).flaws
    assert flaw.kind == "certificate"


def test_a_file_of_nothing_but_beginnings_is_read_in_one_pass() -> None:
    found = read_contents("file", b"-----BEGIN CERTIFICATE-----\n" * 40_000)
    assert len(found.flaws) == MOST_OBJECTS + 1
    assert "40000 objects" in found.flaws[-1].message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    for name in ("pipe", "pipe2", "pipe3"):
        os.mkfifo(tmp_path / name)
    words = ("-m", "ipmpki", "verify", "pipe", os.devnull, "--ca", "pipe2", "--crl", "pipe3")
    completed = preloaded.run(*words, cwd=tmp_path, timeout=30)
    told = completed.stderr.decode()
    assert completed.returncode == 2
    assert "is not a regular file" in told
    assert told.endswith("  = also in: 3 more places\n    /dev/null\n    pipe2\n    pipe3\n\n4 errors\n")
    assert "Traceback" not in told


def test_paths_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("missing")
    shown = ipmpki("verify", tmp_path / "loop", tmp_path / "nowhere", "no\0such", "x" * 5000, "")
    assert shown.status == 2
    assert shown.err.count("error[file-unreadable]") == 5


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    shown = ipmpki("verify", tmp_path / "large")
    assert shown.status == 2
    assert "is larger than 64 MiB" in shown.err


def test_a_file_nobody_may_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(leaf().pem)
    (tmp_path / "secret").chmod(0)
    shown = in_a_process_of_its_own(tmp_path, "verify", "secret", prefix=mortal())
    assert shown.status == 2
    assert "Permission denied" in shown.err


def test_control_characters_of_a_certificate_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "odd.pem").write_bytes(mint.server(subject="\x1b[31mred\x07", names=("a\x1bb",)).pem)
    shown = ipmpki("verify", tmp_path / "odd.pem", "--name", "ipm1.example.com")
    assert shown.status == 1
    assert "\x1b" not in shown.err
    assert "\x07" not in shown.err
