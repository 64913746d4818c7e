"""The pages' routes; opening the front page with a one-time code starts the session of this browser."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from cellmetry.errors import NotSignedIn
from cellmetry.server.dependencies import GateDep, SettingsDep
from cellmetry.server.pages.html import api_page, sign_in_page
from cellmetry.server.pages.web_app import WEB
from cellmetry.server.security.cookies import set_cookie
from cellmetry.server.security.demo import DemoGate
from cellmetry.server.security.laptop import LaptopGate
from cellmetry.server.security.visitor import VISITOR

__all__ = ["api_router", "router"]

router = APIRouter(include_in_schema=False)
api_router = APIRouter(include_in_schema=False)
_HERE = Path(__file__).parent
_CODE_CHARACTERS = 128


@router.get("/")
def front(request: Request, gate: GateDep, settings: SettingsDep) -> Response:
    """Return the web app, or the way in; a code in the address becomes a session and leaves the address."""
    code = request.query_params.get("token", "")
    if code and isinstance(gate, LaptopGate):
        return _let_in(request, gate, settings, code[:_CODE_CHARACTERS])
    visitor = request.scope[VISITOR]
    if visitor is None:
        return HTMLResponse(sign_in_page(with_password=settings.mode == "server"), 401)
    page = FileResponse(WEB / "index.html", media_type="text/html")
    if isinstance(gate, DemoGate) and not visitor.session:
        set_cookie(page, request, settings, gate.new_session(), gate.seconds)
    return page


@router.get("/pages/page.css")
def style() -> FileResponse:
    """Return how pages look."""
    return FileResponse(_HERE / "page.css", media_type="text/css")


@router.get("/pages/sign-in.js")
def script() -> FileResponse:
    """Return what the form of signing in does."""
    return FileResponse(_HERE / "sign-in.js", media_type="text/javascript")


@api_router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Return the list of the API."""
    return HTMLResponse(api_page(request.app.openapi()))


def _let_in(request: Request, gate: LaptopGate, settings: SettingsDep, code: str) -> Response:
    try:
        session = gate.open_session(code)
    except NotSignedIn as error:
        return HTMLResponse(sign_in_page(with_password=False, wrong=str(error)), 401)
    answer = RedirectResponse(str(request.scope.get("root_path", "")).rstrip("/") + "/", 303)
    set_cookie(answer, request, settings, session)
    return answer
