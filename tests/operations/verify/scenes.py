"""One scene for each rule about what is shown to ``ipmpki verify``: files with one mistake, and a command.

A scene's name is its rule's, with a variant behind it where there are several.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.operations.verify import mint

if TYPE_CHECKING:
    from collections.abc import Callable

SCENES: dict[str, Callable[[], str]] = {}
GOOD = "--ca ca.pem --crl crl.pem --name ipm1.example.com --role server"


def scene(function: Callable[[], str]) -> Callable[[], str]:
    """Register a scene: it writes files here and returns the command's arguments."""
    SCENES[function.__name__.replace("_", "-")] = function
    return function


def lay(leaf: mint.Made, *chain: mint.Made, name: str = "server.pem") -> None:
    """Write a certificate with its chain, the authority, and an empty CRL of it."""
    Path(name).write_bytes(leaf.pem + b"".join(one.pem for one in chain))
    Path("ca.pem").write_bytes(mint.authority().pem)
    Path("crl.pem").write_bytes(mint.crl(mint.authority()))


def put(name: str, content: bytes, mode: int = 0o600) -> None:
    """Write a file."""
    Path(name).write_bytes(content)
    Path(name).chmod(mode)
