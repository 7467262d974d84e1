"""A file that costs more than its size shows is given up on, and nothing goes on behind anybody's back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from ipmpki.x509 import confined_reader
from ipmpki.x509.confined_reader import (
    read_contents_confined,
    read_found_confined,
    read_received_confined,
)
from ipmpki.x509.contents import read_contents
from ipmpki.x509.foreign_pki import Passphrases, read_found
from ipmpki.x509.presented_certificates import FlawKind
from tests.operations.verify import mint
from tests.x509.hostile import (
    PASSPHRASE,
    endless_pbmac1,
    endless_pkcs12,
    revocation_list,
    sound_pkcs12,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = pytest.mark.parametrize("endless", [endless_pkcs12, endless_pbmac1])
PADDING = b"# remarks\n" * 2000


def nobody(_: str) -> None:
    return None


def children() -> set[int]:
    """All processes that this one started and that are there still, dead ones that nobody waited for too."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    return set(map(int, listed))


@ENDLESS
def test_pkcs12_of_endless_rounds_is_given_up_on_when_its_time_is_over(
    endless: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = children()
    read_received_confined("warm.p12", sound_pkcs12(), nobody)
    monkeypatch.setattr(confined_reader, "SECONDS", 0.5)
    began = time.monotonic()
    (found,) = read_received_confined("bought.p12", endless(), nobody)
    assert time.monotonic() - began < 5
    (flaw,) = found.flaws
    assert (flaw.place.file, flaw.message) == (
        "bought.p12",
        "it takes more than 0.5 seconds to read, and was given up on",
    )
    assert children() <= before, "what read it is gone, and was waited for"


def test_ctrl_c_ends_the_rounds_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = children()
    read_received_confined("warm.p12", sound_pkcs12(), nobody)
    monkeypatch.setattr(confined_reader, "SECONDS", 60.0)
    former = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            read_received_confined("bought.p12", endless_pkcs12(), nobody)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert time.monotonic() - began < 5
    assert children() <= before


def test_the_time_that_a_person_takes_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(_: str) -> bytes:
        time.sleep(1.2)
        return PASSPHRASE

    read_received_confined("warm.p12", sound_pkcs12(), nobody)
    monkeypatch.setattr(confined_reader, "SECONDS", 1.0)
    (found,) = read_received_confined("bought.p12", sound_pkcs12(), slowly)
    assert [one.title for one in found.certificates] == ["ipm1.example.com"]


def test_what_takes_more_memory_than_there_is_for_it_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    confined_reader._shared.stop()  # noqa: SLF001 -- the limit is given to it when it begins
    monkeypatch.setattr(confined_reader, "MEBIBYTES", 150)
    found = read_contents_confined("large.pem", revocation_list(10) + bytes(120 * 1024**2))
    confined_reader._shared.stop()  # noqa: SLF001
    (flaw,) = found.flaws
    assert flaw.message == "it takes more than 150 MiB of memory to read, or brings down what reads it"


def test_a_list_that_is_given_up_on_may_revoke_something() -> None:
    """So that an adoption does not go on without it."""
    named = confined_reader._given_up("crl.der", revocation_list(2), confined_reader.TooCostly(""))  # noqa: SLF001
    assert [one.kind for one in named.flaws] == [FlawKind.REVOCATION_LIST]


def test_what_is_small_and_plain_needs_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    confined_reader._shared.stop()  # noqa: SLF001 -- so that one would have to begin
    assert read_contents_confined("server.pem", mint.server().pem).certificates
    assert read_found_confined("server.pem", mint.server().pem, Passphrases((), nobody)).contents.certificates


def test_what_another_process_read_is_what_is_read_here() -> None:
    for content in (PADDING + mint.server().pem, PADDING + mint.crl(mint.authority()), PADDING):
        assert read_contents_confined("file", content) == read_contents("file", content)
    here, there = Passphrases((), lambda _: PASSPHRASE), Passphrases((), lambda _: PASSPHRASE)
    assert read_found_confined("file", sound_pkcs12(), there) == read_found("file", sound_pkcs12(), here)
    assert there.known == here.known == (PASSPHRASE,)


def test_a_process_that_was_taken_over_can_answer_with_values_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickle runs what it is told; here it is told of nothing that could be run."""
    spoilt = tmp_path / "spoilt"
    hostile = f"import os, pickle, sys; sys.stdout.buffer.write(b'cos\\nsystem\\n(Vtouch {spoilt}\\ntR.')"
    confined_reader._shared.stop()  # noqa: SLF001 -- the next one is another
    monkeypatch.setattr(confined_reader, "_START", hostile)
    (found,) = read_received_confined("bought.p12", sound_pkcs12(), nobody)
    confined_reader._shared.stop()  # noqa: SLF001
    assert "brings down what reads it" in found.flaws[0].message
    assert not spoilt.exists()


def test_nothing_is_imported_from_the_folder_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ipmpki").mkdir()
    (tmp_path / "ipmpki" / "__init__.py").write_text("import os; os._exit(9)")
    (tmp_path / "pickle.py").write_text("import os; os._exit(9)")
    confined_reader._shared.stop()  # noqa: SLF001 -- so that one begins here
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = read_received_confined("bought.p12", sound_pkcs12(), lambda _: PASSPHRASE)
    assert found.certificates


def test_it_ends_with_whoever_started_it() -> None:
    program = (
        "from ipmpki.x509 import confined_reader as r;"
        "from tests.x509.hostile import sound_pkcs12;"
        "r.read_received_confined('a.p12', sound_pkcs12(), lambda _: None);"
        "print(r._shared._process.pid)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert not Path(f"/proc/{int(done.stdout)}").exists()
