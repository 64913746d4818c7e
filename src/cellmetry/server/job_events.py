"""What is said of a job as Server-Sent Events, from the log that survives a restart."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from cellmetry.server.app_words import app_words
from cellmetry.study.store.jobs import ENDED, FIGURES, events_of, job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from cellmetry.study.store.jobs import JobEvent
    from cellmetry.study.store.store import Store

__all__ = ["EVENT_STREAM", "job_events"]

EVENT_STREAM: dict[str, Any] = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "One event.",
            "properties": {key: {"type": "string"} for key in ("id", "event", "data")},
        }
    }
}
"""What the OpenAPI document says of a stream of events."""
_POLL_S = 0.2
_HEARTBEAT_S = 10.0
_RETRY_MS = 2000


async def job_events(store: Store, job_id: str, seen: int, left: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """Yield the events of a job after `seen` until it has ended or the listener left.

    A comment is sent where nothing was said for a while, so that proxies keep the connection.

    Parameters
    ----------
    seen
        Number of the last event that the listener knows.
    left
        Says whether the listener left or may hear no more, or the server is about to end.
    """
    yield f"retry: {_RETRY_MS}\n\n"
    spoken = time.monotonic()
    while not await left():
        state = (await run_in_threadpool(job, store, job_id)).state
        events = await run_in_threadpool(events_of, store, job_id, after=seen, limit=500)
        for event in events:
            yield _text(event)
        if events:
            seen, spoken = events[-1].seq, time.monotonic()
        elif state in ENDED:
            return
        elif time.monotonic() - spoken > _HEARTBEAT_S:
            yield ": still here\n\n"
            spoken = time.monotonic()
        else:
            await asyncio.sleep(_POLL_S)


def _text(event: JobEvent) -> str:
    """Return an event; its data is one line of JSON."""
    data = json.loads(event.text) if event.kind in FIGURES else {"text": app_words(event.text)}
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {json.dumps({'at': event.at, **data})}\n\n"
