"""A file system without locks, as older NFS and CIFS are: nothing there keeps two builds apart."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ipmpki.diagnostics.fault import Fault
from ipmpki.store.sqlite.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_the_remedy_is_a_local_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refused)
    path = tmp_path / "pki.db"
    with pytest.raises(Fault, match="has no locks") as caught, open_store(path, now=NOW):
        pass
    assert "local disk" in (caught.value.remedy or "")
    assert "store = " in (caught.value.remedy or "")
    assert not path.exists()
