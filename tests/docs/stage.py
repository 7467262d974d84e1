"""What pages begin with: the shop of the first hour, one that is a year older, an old PKI, the examples."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509

import ipmpki
from tests.docs.pages import ROOT, begins_with, blocks
from tests.operations.adopt.old import print_shop
from tests.operations.import_bought.seller import Seller, pem

FIRST_HOUR = "docs/first-hour.md"
AGES = {"the first hour": 0, "the first hour, a year ago": 375}
"""A shop as the first hour leaves it, by how many days ago that was: certificates are for 397."""


def set_up(page: str, folder: Path) -> None:
    """Put what a page begins with into a folder."""
    state = begins_with(page)
    if state in AGES:
        shutil.copytree(_built(AGES[state]).name, folder, dirs_exist_ok=True)
    elif state == "the examples":
        unbuilt = shutil.ignore_patterns("dist", "pki.db*")
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=unbuilt)
    elif state == "an old PKI":
        old = print_shop(folder / "demoCA")
        old.openssl(
            "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "private/old.key"
        )
    elif state == "a seller":
        (folder / "root.pem").write_bytes(pem(_seller().root))
        now = _seller().now.timestamp()
        os.utime(folder / "root.pem", (now, now))  # where faketime sets the clock, the disk's is another
    elif state == "Mozilla's list":
        shutil.copy(ROOT / "tests/x509/mozilla/excerpt.txt", folder / "certdata.txt")
    elif state:
        raise LookupError(state)


@cache
def _built(age: int) -> tempfile.TemporaryDirectory[str]:
    """The shop of the first hour, built once in this process: every page gets a copy."""
    folder = tempfile.TemporaryDirectory(prefix="ipmpki-docs-")
    declaration = Path(folder.name) / "pki.toml"
    declaration.write_text(next(one.text for one in blocks(FIRST_HOUR) if one.remark == "file"), "utf-8")
    then = datetime.now(UTC) - timedelta(days=age)
    ipmpki.build(ipmpki.load(declaration, now=then))
    return folder


@cache
def _seller() -> Seller:
    return Seller(now=datetime.now(UTC))


def _sell() -> None:
    """The authority that sells certificates answers each request of the present folder."""
    for request in Path("dist/hosts").glob("*/server.csr"):
        seller = _seller()
        sold = seller.sell(
            x509.load_pem_x509_csr(request.read_bytes()), begins=seller.now - timedelta(hours=1)
        )
        Path(f"{request.parent.name.partition('.')[0]}.crt").write_bytes(pem(sold))
    Path("chain.pem").write_bytes(pem(_seller().intermediate))


MEANWHILE = {"the certificates come": _sell}
"""What others do while a page is run, by the words of its remark."""
