"""`quick_answer`: hands a task about a field of a study to the processes that stay warm, and waits for its answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from cellmetry.pipeline.oneshot.pool import OneShotPool, PoolBusy
from cellmetry.pipeline.oneshot.task import FileTask, Verb
from cellmetry.server.errors import error_body
from cellmetry.study.store.plain_words import plain_words

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

__all__ = ["QuickAnswer", "busy_response", "pool_of", "quick_answer", "refusal", "warm_up"]

_LOOK_S = 0.25
_LEFT = 499


class QuickAnswer(NamedTuple):
    """What came of a task.

    Parameters
    ----------
    told
        The answer; empty if it failed.
    files
        Content of the files beside it, by name.
    kind, reason, status
        Why it failed.
    """

    told: dict[str, Any]
    files: dict[str, bytes]
    kind: str = ""
    reason: str = ""
    status: int = 200


def pool_of(request: Request) -> OneShotPool:
    """Return the warm processes for what is answered while somebody looks."""
    return cast("OneShotPool", request.app.state.service.quick)


async def quick_answer(request: Request, store: Store, verb: Verb, wanted: dict[str, Any]) -> QuickAnswer:
    """Return what came of a task about a study.

    Raises
    ------
    PoolBusy
        If too many wait.
    """
    folder = TemporaryDirectory(prefix="cellmetry-quick-", ignore_cleanup_errors=True)
    try:
        batch = pool_of(request).submit([FileTask(verb, wanted, str(store.folder), verb, folder.name)])
        answers = asyncio.wrap_future(batch.answers)
        while not answers.done():
            await asyncio.wait({answers}, timeout=_LOOK_S)
            if not answers.done() and batch.waiting and await request.is_disconnected():
                batch.cancel()
                return QuickAnswer({}, {}, "Cancelled", "Nobody waits for the answer any more.", _LEFT)
        [[answer]] = answers.result()
        if answer.status == "failed":
            reason = await run_in_threadpool(plain_words, store, answer.reason)
            return QuickAnswer({}, {}, answer.kind, reason, answer.http_status)
        return await run_in_threadpool(_read, Path(answer.output))
    finally:
        await run_in_threadpool(folder.cleanup)


def warm_up(pool: OneShotPool, store: Store) -> None:
    """Have a process load what the first answers about a study need, unless something waits to be worked already."""
    folder = TemporaryDirectory(prefix="cellmetry-quick-", ignore_cleanup_errors=True)
    batch = pool.offer([FileTask("warm", {}, str(store.folder), "warm", folder.name)])
    if batch is None:
        folder.cleanup()
    else:
        batch.answers.add_done_callback(lambda _: folder.cleanup())


def refusal(answer: QuickAnswer) -> JSONResponse:
    """Return the answer to a request whose task failed."""
    return JSONResponse(error_body(answer.kind, answer.reason), answer.status)


def busy_response(request: Request, busy: PoolBusy) -> JSONResponse:
    """Return the answer to a request for which there is no room now."""
    retry = {"Retry-After": str(pool_of(request).limits.retry_after_s)}
    return JSONResponse(error_body("PoolBusy", str(busy)), busy.http_status, headers=retry)


def _read(place: Path) -> QuickAnswer:
    told = json.loads(place.read_text(encoding="utf-8"))
    return QuickAnswer(told, {each.name: each.read_bytes() for each in place.parent.iterdir() if each != place})
