"""Reading the files that a declaration names: none outside its folder, and never waiting for one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault, UnreadableFile
from ipmpki.source.files import matching, read_file
from tests.cli.command import ipmpki

if TYPE_CHECKING:
    from tests.shop import Shop

SECRET = "root:$6$secret:20000:0:99999:7:::"  # noqa: S105 -- nobody's


@pytest.fixture
def outside(shop: Shop) -> Path:
    """A file beside the shop's folder that nobody meant to show."""
    place = shop.folder / "shop"
    place.mkdir()
    file = shop.folder / "shadow"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("how", ["above", "absolute", "link", "link to a folder"])
def test_an_include_never_leads_out_of_the_folder(shop: Shop, outside: Path, how: str) -> None:
    folder = shop.folder / "shop"
    pattern = {"above": "../shadow", "absolute": str(outside), "link": "*.toml", "link to a folder": "in/*"}[
        how
    ]
    if how == "link":
        (folder / "sites.toml").symlink_to(outside)
    if how == "link to a folder":
        (folder / "in").symlink_to(shop.folder)
    declaration = folder / "pki.toml"
    declaration.write_text(f'include = ["{pattern}"]\n{shop.text}')
    for options in ((), ("--fix",), ("--format", "json")):
        done = ipmpki("check", declaration, *options)
        assert done.status == 1
        assert "secret" not in done.out + done.err
        assert how == "absolute" or "leads out of the folder of pki.toml" in done.out + done.err
    assert outside.read_text() == SECRET


def test_a_link_within_the_folder_is_followed(shop: Shop) -> None:
    (shop.folder / "real").mkdir()
    (shop.folder / "real" / "one.toml").write_text("# none yet\n")
    (shop.folder / "sites").symlink_to("real")
    shop.write(f'include = ["sites/*.toml"]\n{shop.text}')
    assert shop.load().problems == ()


@pytest.mark.parametrize(
    ("table", "line"),
    [("[ca]\n", 'certificate = "pipe"\nkey_file = "pipe"'), ("[[hosts]]\n", 'csr = "pipe"')],
)
def test_a_pipe_that_is_named_is_an_error_at_once(shop: Shop, table: str, line: str) -> None:
    os.mkfifo(shop.folder / "pipe")
    text = (
        shop.text.replace('common_name = "Acme Print CA"\nkey = "ec-p256"\n', "")
        if table == "[ca]\n"
        else shop.text
    )
    shop.write(text.replace(table, f"{table}{line}\n", 1))
    with pytest.raises(Fault, match=r"keep|pipe") as fault:
        shop.build()
    problems = getattr(fault.value, "project", None)
    assert re.search(
        "pipe or a device|there is no file 'pipe'", f"{fault.value} {problems and problems.problems}"
    )


def test_a_pipe_is_no_store(shop: Shop) -> None:
    os.mkfifo(shop.store)
    with pytest.raises(Fault, match=r"pki\.db is a pipe, a socket or a device"):
        shop.load()


def test_a_pipe_is_read_only_where_a_person_named_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="is a pipe or a device"):
        read_file(tmp_path / "pipe", what="the request")
    with pytest.raises(UnreadableFile, match="is a pipe or a device"):
        read_file(Path("/dev/zero"), what="the request")
    reader, writer = os.pipe()
    os.write(writer, b"text")
    os.close(writer)
    assert read_file(Path(f"/dev/fd/{reader}"), what="the declaration", may_be_pipe=True) == b"text"
    os.close(reader)


MAIN = 'schema = 1\ninclude = ["{}"]\n[ca]\ncommon_name = "Acme Print CA"\n'
HOST = '[[hosts]]\nname = "ipm1.example.com"\nrole = "server"\n'


def test_a_star_takes_no_file_whose_name_begins_with_a_dot(tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text(MAIN.format("sites/*.toml"))
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "b.toml").write_text(HOST)
    (tmp_path / "sites" / ".b.toml").write_text(HOST)
    (tmp_path / "sites" / "._b.toml").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    shown = ipmpki("check", tmp_path / "pki.toml")
    assert (shown.status, "duplicate-host" in shown.err) == (0, False)


def test_a_hidden_file_that_is_named_is_read(tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text(MAIN.format(".hosts.toml"))
    (tmp_path / ".hosts.toml").write_text(HOST)
    assert "ipm1.example.com" in ipmpki("host", "list", tmp_path / "pki.toml").out


@pytest.mark.parametrize("pattern", ["**/*.toml", f"{'*/' * 30}*.toml"], ids=["any depth", "thirty folders"])
def test_links_that_lead_back_to_where_they_are_keep_nobody_waiting(tmp_path: Path, pattern: str) -> None:
    """Two of them make 2^40 ways, which glob would all go; git keeps links, so a repository may hold them."""
    (tmp_path / "pki.toml").write_text(MAIN.format(pattern) + HOST)
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(".")
    shown = ipmpki("check", tmp_path / "pki.toml")
    assert "matches no file but this one" in shown.err or "leads past more than 100,000 files" in shown.err


def test_two_stars_stand_for_folders_of_any_depth_that_are_no_links(tmp_path: Path) -> None:
    (tmp_path / "pki.toml").write_text(MAIN.format("sites/**/*.toml"))
    for number, place in enumerate(("sites", "sites/one/two", "sites/.hidden", "elsewhere")):
        (tmp_path / place).mkdir(parents=True)
        host = HOST.replace("ipm1", f"ipm{number}")
        (tmp_path / place / "hosts.toml").write_text(host)
    (tmp_path / "sites" / "link").symlink_to("../elsewhere")
    shown = ipmpki("host", "list", tmp_path / "pki.toml").out
    assert [number for number in range(4) if f"ipm{number}." in shown] == [0, 1]


@pytest.mark.parametrize("pattern", ["a/" * 4000 + "*.toml", "*/" * 100 + "*.toml"], ids=["named", "any"])
def test_a_pattern_is_not_followed_without_end(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ValueError, match="more than"):
        matching(tmp_path, pattern)
