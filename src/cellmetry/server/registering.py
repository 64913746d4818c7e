"""`Registering`: a few requests look at new files at one time; the others wait without holding up anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Registering"]

Found = TypeVar("Found")

_AT_ONCE = 2
_RETRY_S = 10


class Registering:
    """Lets two requests look at files; each has threads of its own, not those of all other requests.

    Parameters
    ----------
    waiting
        Most requests that may wait.
    """

    def __init__(self, waiting: int = 30) -> None:
        self._limiter = CapacityLimiter(_AT_ONCE)
        self._waiting = waiting

    def check_room(self) -> None:
        """Refuse a request where too many wait, before its files are received.

        Raises
        ------
        HTTPException
            503 with ``Retry-After``.
        """
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            message = f"{self._waiting} requests with new images wait already; send this one again in {_RETRY_S} s."
            raise HTTPException(503, message, {"Retry-After": str(_RETRY_S)})

    async def run(self, look: Callable[[], Found]) -> Found:
        """Return what looking at files found, in its turn.

        Raises
        ------
        HTTPException
            503 with ``Retry-After`` where too many wait.
        """
        self.check_room()
        return await run_sync(look, limiter=self._limiter)
