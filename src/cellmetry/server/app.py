"""`create_app`: the server as an ASGI application, to be run by itself or mounted in another."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from cellmetry.server.agents.endpoint import AGENTS_PATH, agents_route
from cellmetry.server.bodies import ErrorBody
from cellmetry.server.errors import install_error_handlers
from cellmetry.server.openapi import openapi_document
from cellmetry.server.pages import routes as pages
from cellmetry.server.pages.web_app import WebApp
from cellmetry.server.routes import (
    acts,
    design,
    edits,
    events,
    examples,
    health,
    images,
    jobs,
    labels,
    maps,
    members,
    models,
    originals,
    pictures,
    predict,
    preview,
    preview_count,
    proposals,
    questions,
    queue,
    recipes,
    regions,
    results,
    session,
    steps,
    studies,
    tables,
    tiles,
    uploads,
)
from cellmetry.server.security.bodies import BoundedBodies
from cellmetry.server.security.gates import make_gate
from cellmetry.server.security.guard import Guard
from cellmetry.server.security.headers import SecurityHeaders
from cellmetry.server.service import Awake, Service
from cellmetry.server.tiles.serving import TileServing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cellmetry.server.settings import ServerSettings

__all__ = ["API", "FILE_PATHS", "OPEN_PATHS", "create_app"]

API = "/api/v1"
OPEN_PATHS = ("/", "/pages/", "/web/", f"{API}/health", f"{API}/session", f"{API}/openapi.json", f"{API}/docs")
"""What anybody may see; everything else needs a visitor whom the gate knows."""
FILE_PATHS = tuple(
    f"{API}{path}" for path in ("/predict", "/count", "/studies/{study}/images", "/studies/{study}/uploads")
)
"""Where files are sent, which are written to the disk as they come; all other bodies are read into memory."""
_ROUTES = (
    health,
    session,
    studies,
    members,
    acts,
    events,
    images,
    originals,
    tiles,
    labels,
    maps,
    edits,
    steps,
    recipes,
    regions,
    jobs,
    design,
    tables,
    results,
    models,
    pictures,
    examples,
    predict,
    preview,
    preview_count,
    proposals,
    questions,
    queue,
    uploads,
)
_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "Refused: the sentence says why, and what to do."},
    "5XX": {"model": ErrorBody, "description": "Not done: the disk, or a fault of the server."},
}


class _App(FastAPI):
    """FastAPI whose answers all have the headers of security, those to unforeseen errors too."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return all middleware around the routes."""
        return SecurityHeaders(super().build_middleware_stack())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; below the root path of the settings if there is one, else of what mounts this."""
        settings: ServerSettings = self.state.settings
        if settings.root_path:
            scope["root_path"] = settings.root_path
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self, self.state.settings, OPEN_PATHS)
        return self.openapi_schema


def create_app(settings: ServerSettings) -> FastAPI:
    """Return the server of a home folder of studies.

    It opens them when it starts; mounted in an application that does not tell it so, at the first request.
    """
    gate = make_gate(settings)
    service = Service(settings, gate)
    app = _App(
        title="Cellmetry",
        version=version("cellmetry"),
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_run_service,
        middleware=[
            Middleware(Guard, settings=settings, gate=gate, open_paths=OPEN_PATHS, program_paths=(AGENTS_PATH,)),
            Middleware(BoundedBodies, settings=settings, file_paths=FILE_PATHS),
            Middleware(Awake, service=service),
            Middleware(TileServing),
        ],
    )
    app.state.settings, app.state.gate, app.state.service = settings, gate, service
    app.state.studies = service.studies
    install_error_handlers(app)
    app.include_router(pages.router)
    app.mount("/web", WebApp())
    api = APIRouter(prefix=API, responses=_ERRORS)
    for module in _ROUTES:
        api.include_router(module.router)
    api.include_router(edits.image_router)
    api.include_router(pages.api_router)
    app.include_router(api)
    app.router.routes.append(agents_route())
    return app


@asynccontextmanager
async def _run_service(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    async with service.running():
        yield
