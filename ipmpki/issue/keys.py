"""Make many keys: RSA on every core, as its generation frees the interpreter; EC meanwhile."""

from __future__ import annotations

import contextlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ipmpki.issue.workers import usable_cores
from ipmpki.x509 import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.declaration.key_types import KeyType
    from ipmpki.x509.keys import PrivateKey

Owner = TypeVar("Owner")
_Waiting: TypeAlias = "deque[tuple[Owner, KeyType]]"
_Running: TypeAlias = "deque[tuple[Owner, Future[PrivateKey]]]"


@contextlib.contextmanager
def making_keys(wanted: Sequence[tuple[Owner, KeyType]]) -> Iterator[Iterator[tuple[Owner, PrivateKey]]]:
    """Each owner with its key, as they are done: those with an EC key first.

    All cores are at the RSA keys from the beginning of the block, whatever else it does first.
    """
    elliptic = [one for one in wanted if one[1].is_elliptic]
    waiting = deque(one for one in wanted if not one[1].is_elliptic)
    if not waiting:
        yield _made_here(elliptic)
        return
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        try:
            running = _started(pool, waiting, count=cores * 8)
            yield chain(_made_here(elliptic), _made_there(pool, running, waiting))
        finally:
            pool.shutdown(cancel_futures=True)


def _made_there(
    pool: ThreadPoolExecutor, running: _Running[Owner], waiting: _Waiting[Owner]
) -> Iterator[tuple[Owner, PrivateKey]]:
    while running:
        owner, key = running.popleft()
        made = key.result()
        running += _started(pool, waiting, count=1)
        yield owner, made


def _made_here(wanted: Sequence[tuple[Owner, KeyType]]) -> Iterator[tuple[Owner, PrivateKey]]:
    for owner, kind in wanted:
        yield owner, keys.generate(kind)


def _started(pool: ThreadPoolExecutor, waiting: _Waiting[Owner], count: int) -> _Running[Owner]:
    """The next few keys on their way; not all at once, so that an interrupt leaves little behind."""
    taken = (waiting.popleft() for _ in range(min(count, len(waiting))))
    return deque((owner, pool.submit(keys.generate, kind)) for owner, kind in taken)
