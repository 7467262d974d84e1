"""The same certificates as curl's mk-ca-bundle.pl, on the real files of several years.

``.ci/mozilla-sources FOLDER`` fetches both; IPMPKI_MOZILLA_SOURCES names the folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools import require, unavailable
from tests.x509.mozilla.writing import EXCERPT

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.exhaustive

VARIABLE = "IPMPKI_MOZILLA_SOURCES"
VENDOR = "SERVER_AUTH,CLIENT_AUTH,CRL_SIGN:TRUSTED_DELEGATOR"
SKIPPED = {
    "is not valid anymore": "expired",
    "is not trusted anymore": "dropped",
    "lacks acceptable trust level": "not trusted for these purposes",
}


def sources(pattern: str) -> list[Path]:
    """Files that were fetched, oldest first."""
    folder = os.environ.get(VARIABLE)
    found = sorted(Path(folder).glob(pattern)) if folder else []
    if len(found) < 2:
        unavailable(f"a folder with two of {pattern} or more, named by {VARIABLE},")
    return found


def drops(script: Path) -> bool:
    """Whether a script drops roots with a distrust-after date: only such a one reads it."""
    return "CKA_NSS_SERVER_DISTRUST_AFTER" in script.read_text(encoding="utf-8")


def digests(pem: Path) -> list[str]:
    """The SHA-256 of each certificate, sorted; a certificate that stands twice counts twice."""
    blocks = re.findall(
        r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----",
        pem.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    return sorted(hashlib.sha256(base64.b64decode(one)).hexdigest() for one in blocks)


def curls(script: Path, certdata: Path, folder: Path, wanted: str, *options: str) -> tuple[list[str], str]:
    """What the script makes of a file, and what it says."""
    folder.mkdir()
    (folder / "certdata.txt").write_bytes(certdata.read_bytes())
    completed = subprocess.run(
        [require("perl"), script, "-n", "-v", *options, "-p", wanted, "bundle.pem"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return digests(folder / "bundle.pem"), completed.stderr


def ours(certdata: Path, folder: Path, wanted: str, distrust_after: str) -> tuple[list[str], str]:
    """What ipmpki makes of the file, and what it says."""
    folder.mkdir(exist_ok=True)
    purposes, _, levels = wanted.partition(":")
    arguments: Sequence[str | Path] = [
        *(certdata, "-o", folder / "ca-cert.pem", "--left-out", "--distrust-after", distrust_after),
        *("--purposes", purposes, "--levels", levels),
    ]
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "ipmpki", "bundle", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in completed.stderr
    return digests(folder / "ca-cert.pem"), completed.stdout


@pytest.mark.parametrize(
    "wanted",
    [
        VENDOR,
        "SERVER_AUTH:TRUSTED_DELEGATOR",
        "EMAIL_PROTECTION:TRUSTED_DELEGATOR",
        "ALL:TRUSTED_DELEGATOR,TRUSTED",
        "CODE_SIGNING:MUST_VERIFY_TRUST",
        "ALL:ALL",
    ],
)
@pytest.mark.parametrize("how", ["keep", "drop"])
def test_the_certificates_are_those_of_the_script(tmp_path: Path, how: str, wanted: str) -> None:
    scripts = [script for script in sources("mk-ca-bundle-*.pl") if drops(script) == (how == "drop")]
    if not scripts:
        unavailable(f"a script of curl's that would {how} roots with a date")
    for certdata in [*sources("certdata-*.txt"), EXCERPT]:
        mine, _ = ours(certdata, tmp_path / f"{certdata.stem}-ours", wanted, how)
        for script in scripts:
            theirs, _ = curls(script, certdata, tmp_path / f"{certdata.stem}-{script.stem}", wanted)
            assert len(theirs) > 1
            assert mine == theirs, f"{certdata.name} with {script.name}"


def test_the_reasons_are_those_of_the_script(tmp_path: Path) -> None:
    for script in sources("mk-ca-bundle-*.pl"):
        how = "drop" if drops(script) else "keep"
        for certdata in sources("certdata-*.txt"):
            name = f"{certdata.stem}-{script.stem}"
            _, said = curls(script, certdata, tmp_path / name, VENDOR)
            theirs = {
                (label, SKIPPED[why])
                for label, why in re.findall(rf"^Skipping: (.*) ({'|'.join(SKIPPED)})$", said, re.MULTILINE)
            }
            _, account = ours(certdata, tmp_path / f"{name}-ours", VENDOR, how)
            mine = {
                (label, why)
                for label, why in re.findall(
                    rf"^  (.*?): ({'|'.join(SKIPPED.values())})\b", account, re.MULTILINE
                )
            }
            assert mine == theirs, name
            assert theirs


def test_two_scripts_disagree_on_dates_and_on_nothing_else(tmp_path: Path) -> None:
    """Why there is an option at all."""
    for certdata in sources("certdata-*.txt"):
        kept, account = ours(certdata, tmp_path / f"{certdata.stem}-keep", VENDOR, "keep")
        dropped, _ = ours(certdata, tmp_path / f"{certdata.stem}-drop", VENDOR, "drop")
        dates = re.findall(r"^  (\d{4}-\d\d-\d\d)  SERVER_AUTH  ", account, re.MULTILINE)
        passed = [one for one in dates if date.fromisoformat(one) < datetime.now(UTC).date()]
        assert set(dropped) < set(kept)
        assert len(kept) - len(dropped) == len(passed)


def test_the_vendors_whole_command_makes_a_bundle_with_the_same_certificates(tmp_path: Path) -> None:
    require("openssl")
    script = sources("mk-ca-bundle-*.pl")[-1]
    certdata = sources("certdata-*.txt")[-1]
    theirs, _ = curls(script, certdata, tmp_path / "theirs", VENDOR, "-s", "SHA256", "-t")
    assert ours(certdata, tmp_path / "ours", VENDOR, "drop" if drops(script) else "keep")[0] == theirs
