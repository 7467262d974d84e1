"""Whose files these are: keys are written only where root and who runs this decide."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault
from ipmpki.source.ownership import custody_of, require_own, way_to
from tests.shop import Shop, client

if TYPE_CHECKING:
    from pathlib import Path

MALLORY = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")


@as_root
def test_a_store_that_somebody_else_put_there_gets_no_key(built_shop: Shop) -> None:
    os.chown(built_shop.store, MALLORY, MALLORY)
    held = built_shop.store.read_bytes()
    built_shop.write(built_shop.text + client("desk3"))
    assert [one.problem.rule for one in built_shop.load().problems] == ["belongs-to-somebody-else"]
    with pytest.raises(Fault, match=r"to whom the file '.*pki\.db' belongs") as fault:
        built_shop.build()
    assert "chown" in str(fault.value.remedy)
    assert built_shop.store.read_bytes() == held


@as_root
@pytest.mark.parametrize("where", [".", "dist"])
def test_a_folder_of_somebody_else_gets_no_key(built_shop: Shop, where: str) -> None:
    store, dist = built_shop.store.read_bytes(), built_shop.bytes_on_disk()
    os.chown(built_shop.folder / where, MALLORY, MALLORY)
    built_shop.edit("10.1.2.3", "10.1.2.4")
    with pytest.raises(Fault, match=f"'uid {MALLORY}', to whom the folder"):
        built_shop.build()
    assert (built_shop.store.read_bytes(), built_shop.bytes_on_disk()) == (store, dist)


def test_a_folder_that_everybody_may_write_gets_no_key(shop: Shop) -> None:
    shop.folder.chmod(0o777)
    with pytest.raises(Fault, match="everybody on this computer may write the folder") as fault:
        shop.build()
    assert fault.value.remedy == f"run: chmod o-w {shop.folder}"
    assert not shop.store.exists()
    shop.folder.chmod(0o1777)
    with pytest.raises(Fault, match="everybody on this computer may put files into the folder"):
        shop.build()
    assert [one.problem.rule for one in shop.load().problems] == ["writable-by-everyone"]


def test_a_folder_above_that_everybody_may_write_may_be_sticky(shop: Shop) -> None:
    shop.folder.chmod(0o1777)
    (shop.folder / "own").mkdir(mode=0o700)
    require_own(shop.folder / "own" / "pki.db", what="the store")


def test_a_link_to_a_folder_that_everybody_may_write_does_not_hide_it(shop: Shop, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (shop.folder / "keys").symlink_to(open_to_all)
    assert open_to_all in set(way_to(shop.folder / "keys" / "pki.db"))
    with pytest.raises(Fault, match="everybody"):
        require_own(shop.folder / "keys" / "pki.db", what="the store")


def test_every_link_on_the_way_is_passed(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "pki.db").symlink_to("../two/pki.db")
    (tmp_path / "two" / "pki.db").symlink_to(tmp_path / "three" / "pki.db")
    passed = set(way_to(tmp_path / "one" / "pki.db"))
    assert {tmp_path / name / "pki.db" for name in ("one", "two", "three")} <= passed
    (tmp_path / "loop").symlink_to("loop")
    assert tmp_path in set(way_to(tmp_path / "loop" / "x"))


@as_root
@pytest.mark.parametrize("name", ["dist", "pki.db", "pki.db.lock"])
def test_a_link_of_somebody_else_is_not_followed(shop: Shop, name: str) -> None:
    target = shop.folder / "target"
    target.mkdir()
    (shop.folder / name).symlink_to(target / "x" if name != "dist" else target)
    os.chown(shop.folder / name, MALLORY, MALLORY, follow_symlinks=False)
    with pytest.raises(Fault, match=f"where 'uid {MALLORY}' wants, to whom the link '.*{name}' belongs"):
        shop.build()
    assert list(target.iterdir()) == []
    expected = [] if name == "pki.db.lock" else ["belongs-to-somebody-else"]
    assert [one.problem.rule for one in shop.load().problems] == expected


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_no_lock(shop: Shop, *, is_there: bool) -> None:
    precious = shop.folder / "precious"
    if is_there:
        precious.write_text("precious")
    (shop.folder / "pki.db.lock").symlink_to(precious)
    with pytest.raises(Fault, match="is a link, not the store's lock"):
        shop.build()
    assert (precious.read_text() if precious.exists() else None) == ("precious" if is_there else None)


@as_root
@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_nothing_of_somebody_else_is_played_back_into_a_store(built_shop: Shop, suffix: str) -> None:
    planted = built_shop.folder / f"pki.db{suffix}"
    planted.write_bytes(b"x" * 4096)
    os.chown(planted, MALLORY, MALLORY)
    held = built_shop.store.read_bytes()
    for act in (built_shop.load, built_shop.build):
        with pytest.raises(Fault, match=f"plays back into pki.db, belongs to 'uid {MALLORY}'") as fault:
            act()
        assert f"rm {planted}" in str(fault.value.remedy)
    assert (built_shop.store.read_bytes(), planted.exists()) == (held, True)


@as_root
def test_who_became_root_by_sudo_keeps_what_is_theirs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(shop.folder, MALLORY, MALLORY)
    monkeypatch.setenv("SUDO_UID", str(MALLORY))
    require_own(shop.store, what="the store")
    monkeypatch.setenv("SUDO_UID", "1")
    with pytest.raises(Fault, match="belongs"):
        require_own(shop.store, what="the store")


def test_a_group_that_is_not_the_owners_own_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o664)
    found = custody_of(file)
    assert found is not None
    assert found.group is None
    if os.geteuid() == 0:
        os.chown(file, 0, MALLORY)
        found = custody_of(file)
        assert found is not None
        assert found.group == f"gid {MALLORY}"
