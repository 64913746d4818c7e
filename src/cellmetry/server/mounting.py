"""`mount_in`: Cellmetry below a path of another application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cellmetry.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.applications import Starlette

    from cellmetry.server.settings import ServerSettings

__all__ = ["mount_in"]


def mount_in(outer: Starlette, path: str, settings: ServerSettings) -> FastAPI:
    """Return the Cellmetry that was mounted below a path of another FastAPI or Starlette application.

    It starts and ends with the other one; where that is never told to start, with the first request and the process.
    The names by which the other one is called go into ``settings.names``.
    """
    inner = create_app(replace(settings, root_path=""))
    outer.mount(f"/{path.strip('/')}", inner)
    before = outer.router.lifespan_context

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with before(app) as state, inner.state.service.running():
            yield state

    outer.router.lifespan_context = both
    return inner
