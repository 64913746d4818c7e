"""Whether the server is up."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from cellmetry.server.bodies import View
from cellmetry.server.dependencies import SettingsDep
from cellmetry.server.settings import Mode

__all__ = ["router"]

router = APIRouter(prefix="/health", tags=["server"])
_VERSION = version("cellmetry")


class HealthView(View):
    """A server that is up."""

    status: str
    version: str
    mode: Mode


@router.get("")
async def health(settings: SettingsDep) -> HealthView:
    """Return that the server answers, its version and its mode."""
    return HealthView(status="ok", version=_VERSION, mode=settings.mode)
