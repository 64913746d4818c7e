"""Looking at new files: a few requests at a time, and nobody else waits for them."""

from __future__ import annotations

import threading

import anyio
import pytest
from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool

from cellmetry.server.registering import Registering

THREADS = 40
"""Those that all requests share."""


def test_requests_with_files_wait_without_holding_up_others_and_too_many_are_refused() -> None:
    registering, go_on, seen = Registering(waiting=THREADS + 5), threading.Event(), []

    def look() -> None:
        seen.append(1)
        assert go_on.wait(60)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(THREADS + 7):
                tasks.start_soon(registering.run, look)
            while len(seen) < 2:
                await anyio.sleep(0.01)
            await anyio.sleep(0.05)
            assert await run_in_threadpool(lambda: "another request") == "another request"
            with pytest.raises(HTTPException, match="wait already") as refused:
                registering.check_room()
            assert refused.value.status_code == 503
            assert int(refused.value.headers["Retry-After"]) > 0
            assert len(seen) == 2
            go_on.set()
        assert len(seen) == THREADS + 7
        registering.check_room()

    anyio.run(all_at_once)
