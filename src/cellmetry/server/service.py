"""`Service`: what lives as long as the server does: open studies, the runner of jobs, housekeeping."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from cellmetry.errors import CellmetryError
from cellmetry.pipeline.jobs.limits import JobLimits
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.pipeline.oneshot.pool import OneShotPool
from cellmetry.server.housekeeping import keep_house
from cellmetry.server.registering import Registering
from cellmetry.server.scratch import Scratch
from cellmetry.server.settings import DEMO_ONESHOT, QUICK_LIMITS
from cellmetry.server.studies import OpenStudies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cellmetry.server.security.visitor import Gate
    from cellmetry.server.settings import ServerSettings

__all__ = ["Awake", "Service"]

log = logging.getLogger(__name__)
_HOUSEKEEPING_S = 60.0
_DEMO_JOBS = JobLimits(workers=1, image_s=120.0, job_s=600.0, free_bytes=1 << 30)


class Service:
    """Starts once and stops once, whoever asks for it."""

    def __init__(self, settings: ServerSettings, gate: Gate) -> None:
        self.settings, self.gate = settings, gate
        self.stopping = threading.Event()
        """Set when the server ends: answers that never end by themselves look at it."""
        self.awake = False
        self.studies = OpenStudies(
            (settings.home,) if gate.place is None else (settings.home, gate.place),
            "the Cellmetry server",
            address=settings.address,
            runner=JobRunner(_DEMO_JOBS if settings.mode == "demo" else None),
            more=settings.studies,
        )
        self.oneshot = OneShotPool(DEMO_ONESHOT if settings.mode == "demo" else settings.oneshot)
        self.registering = Registering()
        self.scratch = Scratch(settings.home)
        self.quick = OneShotPool(QUICK_LIMITS, finish=True)
        self._lock = threading.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run from the server's start to its end."""
        await run_in_threadpool(self.start)
        house = asyncio.create_task(self._keep_house())
        try:
            yield
        finally:
            self.stopping.set()
            house.cancel()
            with suppress(asyncio.CancelledError):
                await house
            await run_in_threadpool(self.stop)

    def start(self) -> None:
        """Open the studies and begin with their jobs."""
        with self._lock:
            if not self.awake:
                self.settings.home.mkdir(parents=True, exist_ok=True)
                with suppress(OSError):  # a home folder that can only be read
                    self.scratch.clear()
                self.studies.runner.start()
                self.studies.find()
                atexit.register(self.stop)
                self.awake = True

    def stop(self) -> None:
        """Stop the jobs after their present image, and close all studies."""
        self.stopping.set()
        self.oneshot.stop()
        self.quick.stop()
        self.scratch.close()
        with self._lock:
            if self.awake:
                atexit.unregister(self.stop)
                self.studies.close()
                self.gate.close()
                self.awake = False

    async def _keep_house(self) -> None:
        while True:
            try:
                await run_in_threadpool(keep_house, self.settings, self.gate, self.studies)
            except (CellmetryError, OSError) as error:
                log.warning("Housekeeping: %s", error)
            await asyncio.sleep(_HOUSEKEEPING_S)


class Awake:
    """Starts the service at the first request where nothing started it before."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on when the service is up."""
        if scope["type"] == "http" and not self._service.awake:
            await run_in_threadpool(self._service.start)
        await self._app(scope, receive, send)
