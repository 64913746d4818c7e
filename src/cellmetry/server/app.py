"""`create_app`: the server as an ASGI application, to be run by itself or mounted in another."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from cellmetry.server.errors import install_error_handlers
from cellmetry.server.routes import predict, studies
from cellmetry.server.studies import OpenStudies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cellmetry.server.settings import ServerSettings

__all__ = ["API", "create_app"]

API = "/api/v1"
_ROUTES = (predict, studies)


def create_app(settings: ServerSettings) -> FastAPI:
    """Return the server of a home folder of studies."""
    app = FastAPI(
        title="Cellmetry",
        version=version("cellmetry"),
        root_path=settings.root_path,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_open_studies,
    )
    app.state.settings = settings
    app.state.studies = OpenStudies(settings.home, f"the Cellmetry server at {settings.host}:{settings.port}")
    install_error_handlers(app)
    api = APIRouter(prefix=API)
    for module in _ROUTES:
        api.include_router(module.router)
    app.include_router(api)
    return app


@asynccontextmanager
async def _open_studies(app: FastAPI) -> AsyncIterator[None]:
    app.state.studies.find()
    yield
    predict.stop_pool(app.state)
    app.state.studies.close()
