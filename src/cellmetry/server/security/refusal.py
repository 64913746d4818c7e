"""Answers of the middleware, which stands before the handlers of errors, and the path that routes will see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from cellmetry.server.errors import error_body

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["UNSAFE", "refusal", "route_path"]

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""


def refusal(status: int, kind: str, message: str, **headers: str) -> JSONResponse:
    """Return an error as all errors look."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(error_body(kind, message), status, headers=named)


def route_path(scope: Scope) -> str:
    """Return the path of a request below the root path of a proxy or of the application that mounts this one."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path
