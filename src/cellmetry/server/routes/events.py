"""What happens in a study, as it happens: two browsers see each other's edits."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from cellmetry.errors import CellmetryError
from cellmetry.server.dependencies import ReadStudy
from cellmetry.server.job_events import EVENT_STREAM
from cellmetry.server.watching import StillAllowed
from cellmetry.study.store.changes import acts_after, changes_of, newest_act
from cellmetry.study.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["history"])
_STREAM: dict[int | str, dict[str, Any]] = {200: {"description": "A stream of events.", "content": EVENT_STREAM}}
_PAUSE_S = 0.2
_HEARTBEAT_S = 15.0
_AT_ONCE = 100


@router.get("/events", responses=_STREAM, response_class=StreamingResponse)
async def follow(
    request: Request,
    store: ReadStudy,
    after: Annotated[int | None, Query(ge=0, le=2**62, description="Last act that is known; the newest now.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=20, pattern="^[0-9]{1,18}$")] = None,
) -> StreamingResponse:
    """Return acts as Server-Sent Events ``act``, from now on or after one that is known; `id` is the act's number.

    ``data`` is the act as JSON, for edits with ``edit``: the labels, their version, the objects and boxes that changed.
    """
    known = int(last_event_id) if last_event_id is not None else after
    if known is None:
        known = await run_in_threadpool(newest_act, store)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, store, known), media_type="text/event-stream", headers=headers)


async def _events(request: Request, store: Store, known: int) -> AsyncIterator[bytes]:
    silent, allowed = 0.0, StillAllowed(request, store)
    yield b": following\n\n"
    while not request.app.state.service.stopping.is_set() and await allowed():
        try:
            found = await run_in_threadpool(_since, store, known)
        except CellmetryError as error:
            yield b"event: error\ndata: " + json.dumps({"message": str(error)}).encode() + b"\n\n"
            return
        for each in found:
            known = each["seq"]
            yield f"id: {known}\nevent: act\ndata: {json.dumps(each)}\n\n".encode()
        if not found:
            await asyncio.sleep(_PAUSE_S)
            silent += _PAUSE_S
        if found or silent >= _HEARTBEAT_S:
            silent = 0.0
            yield b": still here\n\n"


def _since(store: Store, known: int) -> list[dict[str, Any]]:
    """Return the next acts after one, with what they did to labels."""
    return [{**vars(each), "edit": changes_of(store, each.seq)} for each in acts_after(store, known, limit=_AT_ONCE)]
