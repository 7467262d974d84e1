"""Make many keys: RSA on every core, as its generation frees the interpreter; EC meanwhile."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ipmpki.authority import keys
from ipmpki.workers import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipmpki.authority.keys import PrivateKey
    from ipmpki.vocabulary import KeyType

Owner = TypeVar("Owner")


def make_keys(wanted: Sequence[tuple[Owner, KeyType]]) -> Iterator[tuple[Owner, PrivateKey]]:
    """Each owner with its key, as they are done: those with an EC key first."""
    elliptic = [one for one in wanted if one[1].is_elliptic]
    waiting = deque(one for one in wanted if not one[1].is_elliptic)
    if not waiting:
        yield from _made_here(elliptic)
        return
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        try:
            running = _started(pool, waiting, count=cores * 8)
            yield from _made_here(elliptic)
            while running:
                owner, key = running.popleft()
                made = key.result()
                running += _started(pool, waiting, count=1)
                yield owner, made
        finally:
            pool.shutdown(cancel_futures=True)


def _made_here(wanted: Sequence[tuple[Owner, KeyType]]) -> Iterator[tuple[Owner, PrivateKey]]:
    for owner, kind in wanted:
        yield owner, keys.generate(kind)


def _started(
    pool: ThreadPoolExecutor, waiting: deque[tuple[Owner, KeyType]], count: int
) -> deque[tuple[Owner, Future[PrivateKey]]]:
    """The next few keys on their way; not all at once, so that an interrupt leaves little behind."""
    taken = (waiting.popleft() for _ in range(min(count, len(waiting))))
    return deque((owner, pool.submit(keys.generate, kind)) for owner, kind in taken)
