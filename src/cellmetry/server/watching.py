"""`StillAllowed`: whether who watches a study may still see it, asked again while an answer goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from starlette.requests import Request

    from cellmetry.study.store.store import Store

__all__ = ["StillAllowed"]

_ASK_AGAIN_S = 2.0


class StillAllowed:
    """Asks the gate again every few seconds: an account may be removed, a session ended, a role taken away."""

    def __init__(self, request: Request, store: Store) -> None:
        self._request, self._store = request, store
        self._asked = time.monotonic()

    async def __call__(self) -> bool:
        """Return whether the answer may go on."""
        if time.monotonic() - self._asked < _ASK_AGAIN_S:
            return True
        self._asked = time.monotonic()
        return await run_in_threadpool(self._ask)

    def _ask(self) -> bool:
        gate = self._request.app.state.gate
        visitor = gate.visitor(self._request)
        return visitor is not None and gate.role(visitor, self._store) is not None
