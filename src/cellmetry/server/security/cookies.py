"""The cookie of a session and the bearer's token of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from cellmetry.server.settings import ServerSettings

__all__ = ["bearer_of", "cookie_name", "cookie_of", "drop_cookie", "set_cookie"]


def cookie_name(settings: ServerSettings) -> str:
    """Return the name of the cookie; cookies do not tell ports apart, so the name does."""
    return f"cellmetry_{settings.port}"


def cookie_of(connection: HTTPConnection, settings: ServerSettings) -> str:
    """Return what the session's cookie says, empty without one."""
    return connection.cookies.get(cookie_name(settings), "")


def bearer_of(connection: HTTPConnection) -> str:
    """Return the token of ``Authorization: Bearer TOKEN``, empty without one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def set_cookie(
    response: Response, connection: HTTPConnection, settings: ServerSettings, secret: str, seconds: int | None = None
) -> None:
    """Hand a session to the browser: never shown to scripts, never sent from another site."""
    response.set_cookie(
        cookie_name(settings),
        secret,
        max_age=seconds,
        path=_path(connection),
        secure=connection.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def drop_cookie(response: Response, connection: HTTPConnection, settings: ServerSettings) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(cookie_name(settings), path=_path(connection), httponly=True, samesite="strict")


def _path(connection: HTTPConnection) -> str:
    return str(connection.scope.get("root_path", "")).rstrip("/") + "/"
