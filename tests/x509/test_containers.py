"""Files as sellers of certificates send them."""

from __future__ import annotations

import io
import zipfile

from ipmpki.x509.containers import read_received


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in range(6):
            archive.writestr(f"{one}.pem", bytes(4 * 1024 * 1024))
    (found,) = read_received("bought.zip", packed.getvalue(), lambda _: None)
    assert [one.message for one in found.flaws] == ["the zip file unpacks to more than 16 MiB"]
