"""`RateLimit`: how often something may be tried."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from fastapi import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RateLimit"]

_KEPT = 10_000


class RateLimit:
    """Lets `most` tries pass in any `seconds` for each key.

    Parameters
    ----------
    clock
        Seconds that never run backwards.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._tries: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Count a try.

        Raises
        ------
        HTTPException
            429 with ``Retry-After`` if there were too many.
        """
        with self._lock:
            now = self._clock()
            tries = [each for each in self._tries.pop(key, []) if each > now - self._seconds]
            late = len(tries) >= self._most
            self._tries[key] = tries if late else [*tries, now]
            while len(self._tries) > _KEPT:
                self._tries.popitem(last=False)
        if late:
            wait = int(tries[0] + self._seconds - now) + 1
            raise HTTPException(429, f"Too many tries; try again in {wait} s.", {"Retry-After": str(wait)})

    def forget(self, key: str) -> None:
        """Count the tries of a key from none again."""
        with self._lock:
            self._tries.pop(key, None)
