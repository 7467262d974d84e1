"""What a build works from, whatever it is that it carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.x509.trust_bundle import TrustBundle


class Progress(Protocol):
    """Told how far the work is: what is done, how many are, of how many."""

    def __call__(self, work: str, done: int, total: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class AuthorityFiles:
    """An existing authority as it lies on disk: its certificates and its key, maybe encrypted, both PEM."""

    certificates_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What a build works from: the fleet, what the edge reads for it, time, randomness, a watcher."""

    fleet: Fleet
    passphrase: Callable[[], bytes | None]
    authority_files: Callable[[], AuthorityFiles]
    trust_bundle: Callable[[], TrustBundle]
    random_bytes: Callable[[int], bytes]
    now: datetime
    progress: Progress
