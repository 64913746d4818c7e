"""`Guard`: refuses requests by what their headers say, and notes who asks, before any route sees them."""

from __future__ import annotations

import ipaddress
import platform
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from cellmetry.server.paths import route_path
from cellmetry.server.security.cookies import bearer_of
from cellmetry.server.security.refusal import UNSAFE, refusal
from cellmetry.server.security.visitor import VISITOR

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.responses import JSONResponse
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cellmetry.server.security.visitor import Gate
    from cellmetry.server.settings import ServerSettings

__all__ = ["Guard"]

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_UNKNOWN = "Sign in first: this server does not know who asks."
_BODIES = ("application/json", "multipart/form-data")


class Guard:
    """Checks host, origin and the kind of body, then asks the gate who it is.

    Parameters
    ----------
    open_paths
        Paths, and beginnings of paths that end in ``/``, that anybody may see.
    program_paths
        Paths for programs that others wrote: there a token, which no page of another site can send, stands for the
        header ``X-Cellmetry``.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        gate: Gate,
        open_paths: tuple[str, ...],
        program_paths: tuple[str, ...] = (),
    ) -> None:
        self._app, self._settings, self._gate = app, settings, gate
        self._programs = frozenset(program_paths)
        self._open = frozenset(each for each in open_paths if not each.endswith("/") or each == "/")
        self._open_below = tuple(each for each in open_paths if each.endswith("/") and each != "/")
        self._given = {each.lower() for each in settings.names}
        self._names = _LOCAL | self._given
        if settings.mode != "laptop":
            self._names.add(platform.node().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or hand it on with its visitor."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a WebSocket, of which there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        connection = HTTPConnection(scope)
        headers = connection.headers
        answer = self._wrong_host(headers)
        if answer is None and scope["method"] in UNSAFE:
            by_token = route_path(scope) in self._programs and bool(bearer_of(connection))
            answer = self._wrong_origin(headers, by_token=by_token) or _wrong_body(headers)
        if answer is None:
            visitor = scope[VISITOR] = self._gate.visitor(connection)
            if visitor is None and not self._is_open(route_path(scope)):
                answer = refusal(401, "NotSignedIn", _UNKNOWN, www_authenticate="Bearer")
        await (answer or self._app)(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or not path or path.startswith(self._open_below)

    def _wrong_host(self, headers: Headers) -> JSONResponse | None:
        """Refuse a name that is not ours: a foreign page whose name was pointed at this address."""
        hosts = headers.getlist("host")
        name = _name_of(hosts[0]) if len(hosts) == 1 else ""
        if name in self._names or (self._settings.mode != "laptop" and _is_address(name)):
            return None
        return refusal(
            421,
            "WrongHost",
            "This server does not go by that name; start it with --name to have it called by another one.",
        )

    def _wrong_origin(self, headers: Headers, *, by_token: bool) -> JSONResponse | None:
        """Refuse what a page of another site sends."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") or not (origin is None or self._is_own(origin, headers["host"])):
            return refusal(403, "WrongOrigin", "Requests that change something are not taken from other sites.")
        if headers.get("x-cellmetry") != "1" and not by_token:
            return refusal(
                403,
                "WrongOrigin",
                "Requests that change something need the header X-Cellmetry: 1; no form sends it.",
            )
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        """Return whether an origin is this server: as the request calls it, or by a name that a proxy shows."""
        found = _host_of(origin)
        return found == host.lower() or (bool(found) and _name_of(found) in self._given)


def _wrong_body(headers: Headers) -> JSONResponse | None:
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _BODIES or (empty and not kind):
        return None
    return refusal(
        415, "WrongBody", "Send application/json, or multipart/form-data to bring files, and say so in Content-Type."
    )


def _name_of(host: str) -> str:
    """Return the name of ``name:port`` in small letters, empty if it is none."""
    try:
        parts = urlsplit(f"//{host}")
        plain = parts.netloc == host and parts.username is None and (parts.port or 0) >= 0
    except ValueError:
        return ""
    return (parts.hostname or "") if plain else ""


def _host_of(origin: str) -> str:
    """Return ``name:port`` of an origin in small letters, empty if it is none."""
    scheme, _, host = origin.lower().partition("://")
    return host if scheme in ("http", "https") else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
