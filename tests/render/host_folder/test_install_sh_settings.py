"""install.sh edits ipmssl.cfg by example, and leaves every other line alone (the vendor facts)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ipmpki.declaration.fleet import KeywordNames
from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import CLIENT, CLIENT_SAMPLE, Installation
from tests.render.host_folder.ipmssl_samples import EXAMPLES, FURTHER, REFUSED
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.render.conftest import Prepare

CFG = f"{CLIENT}/ipmssl.cfg"


SAMPLES = EXAMPLES | FURTHER


@pytest.mark.parametrize("what", SAMPLES)
def test_a_keyword_is_set_by_example(prepare: Prepare, what: str) -> None:
    before, after = SAMPLES[what]
    installation = prepare(bundle_of("client"))
    target = installation.write(CFG, before)
    inode = target.stat().st_ino
    said = installation.run()
    assert target.read_bytes() == after
    assert (target.stat().st_ino == inode) is (before == after)
    assert ("2 times; the last one counts" in said) is what.startswith("twice")


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_plain_text_is_refused(prepare: Prepare, what: str) -> None:
    installation = prepare(bundle_of("client"))
    target = installation.write(CFG, REFUSED[what])
    for option in ((), ("--dry-run",)):
        assert "ipmssl.cfg holds NUL bytes" in installation.run(*option, status=1)
    assert target.read_bytes() == REFUSED[what]
    assert not installation.client("ca-cert.pem").exists()


def test_the_sample_is_where_a_new_file_starts(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client"))
    sample = installation.write(CLIENT_SAMPLE, b"; shipped\n;EnableTLS 0\n", 0o600)
    installation.run()
    assert (installation.root / CFG).read_bytes() == b"; shipped\nEnableTLS 1\n"
    assert (installation.root / CFG).stat().st_mode & 0o777 == 0o644
    assert sample.read_bytes() == b"; shipped\n;EnableTLS 0\n"


def test_without_a_sample_a_small_file_says_so(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client"))
    assert "is a guess" in installation.run()
    written = (installation.root / CFG).read_bytes()
    assert written.startswith(b"# Made by ipmpki's install.sh, as there was no sample at /usr/lpp/pd/")
    assert written.endswith(b"\nEnableTLS=1\n")
    assert str(installation.root).encode() not in written


@pytest.mark.parametrize("keyword", [r"A.B", r"A\nB", "A+B(", "[A]", "A$&", "TLS/Verify"])
def test_a_keyword_with_odd_characters_is_taken_literally(prepare: Prepare, keyword: str) -> None:
    names = KeywordNames(mutual_auth=rf"{keyword}=a\tb & 'c' $HOME \1")
    installation = prepare(bundle_of(mutual=True, keywords=names))
    installation.write("var/pddir/default_cell/ssl/ipmssl.cfg", f"AxB=1\n#{keyword} = x\n".encode())
    installation.run()
    lines = installation.server("ipmssl.cfg").read_text().splitlines()
    assert lines[:2] == ["AxB=1", rf"{keyword} = a\tb & 'c' $HOME \1"]


LINE = st.binary(max_size=40).map(
    lambda line: line.replace(b"\n", b"").replace(b"\0", b"").replace(b"EnableTLS", b"")
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    place = tmp_path_factory.mktemp("many")
    return Installation(write_folder(bundle_of("client"), place / "carried"), place)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(LINE, max_size=6),
    after=st.lists(LINE, max_size=6),
    newline=st.sampled_from([b"\n", b"\r\n"]),
    final=st.booleans(),
)
@example(before=[b"\\"], after=[b"%s & \\1 \t"], newline=b"\n", final=False)
def test_every_other_line_survives_byte_for_byte(
    many: Installation, before: list[bytes], after: list[bytes], newline: bytes, final: bool
) -> None:
    end = newline if final else b""
    target = many.write(CFG, newline.join([*before, b"#EnableTLS = 0", *after]) + end)
    many.run()
    assert target.read_bytes() == newline.join([*before, b"EnableTLS = 1", *after]) + end


@pytest.mark.parametrize(
    "awk", mostly_exhaustive(["mawk", "gawk", "busybox", "original-awk"], every_time=["gawk"])
)
def test_every_awk_edits_alike(prepare: Prepare, tmp_path: Path, awk: str) -> None:
    installation = prepare(bundle_of("client"))
    shim = tmp_path / "fakes" / "awk"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {require(awk)} {"awk" if awk == "busybox" else ""} "$@"\n')
    shim.chmod(0o755)
    installation.env = {"PATH": f"{shim.parent}:/usr/bin:/bin"}
    for what, (before, after) in SAMPLES.items():
        installation.write(CFG, before)
        installation.run()
        assert (installation.root / CFG).read_bytes() == after, what


def test_a_keyword_that_the_declaration_spells_otherwise_stays_in_force(prepare: Prepare) -> None:
    installation = prepare(bundle_of(keywords=KeywordNames(ca_file="CaFile")))
    installation.write("var/pddir/default_cell/ssl/ipmssl.cfg", b"#CAFILE=x\n")
    installation.run()
    write_folder(bundle_of(keywords=KeywordNames(ca_file="CAFile")), installation.folder)
    installation.run()
    assert installation.server("ipmssl.cfg").read_bytes().startswith(b"CAFILE=ca-cert.pem\n")


def test_a_megabyte_is_read_in_one_pass(prepare: Prepare) -> None:
    installation = prepare(bundle_of("client"))
    target = installation.write(CFG, b"# a line that says nothing of TLS\n" * 30_000 + b"#EnableTLS=0\n")
    began = time.monotonic()
    installation.run()
    assert target.read_bytes().endswith(b"\nEnableTLS=1\n")
    assert time.monotonic() - began < 15, "2 s on an idle machine"
