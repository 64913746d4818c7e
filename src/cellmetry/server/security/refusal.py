"""Answers of the middleware, which stands before the handlers of errors."""

from __future__ import annotations

from starlette.responses import JSONResponse

from cellmetry.server.errors import error_body

__all__ = ["UNSAFE", "refusal"]

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""


def refusal(status: int, kind: str, message: str, **headers: str) -> JSONResponse:
    """Return an error as all errors look."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(error_body(kind, message), status, headers=named)
