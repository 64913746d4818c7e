"""Errors as JSON: ``{"error": {"kind": ..., "message": ...}}`` with the status of `cellmetry.errors`."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from cellmetry.errors import CellmetryError, EditConflict, NotSignedIn, UnknownName
from cellmetry.server.app_words import app_words
from cellmetry.server.paths import methods_at, route_path
from cellmetry.study.store.plain_words import plain_words

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from cellmetry.study.store.store import Store

__all__ = ["error_body", "error_response", "install_error_handlers", "told_plainly"]

_WRONG_METHOD = 405
log = logging.getLogger(__name__)


def install_error_handlers(app: FastAPI) -> None:
    """Make every failure of a request JSON in one form."""
    app.add_exception_handler(CellmetryError, _explained)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unforeseen)


def error_body(kind: str, message: str, **more: Any) -> dict[str, Any]:
    """Return the one form of an error; what is no text in the words of a request is shown as ``?``."""
    return {"error": {"kind": kind, "message": app_words(message).encode(errors="replace").decode(), **more}}


def error_response(error: CellmetryError, message: str | None = None) -> JSONResponse:
    """Return the answer to a request that failed for a reason that we know.

    Parameters
    ----------
    message
        The sentence, where it is not to be that of the error.
    """
    more = {"version": error.version, "act": error.act} if isinstance(error, EditConflict) else {}
    status = 404 if isinstance(error, UnknownName) else error.http_status
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else None
    return JSONResponse(error_body(type(error).__name__, message or str(error), **more), status, headers=headers)


async def _explained(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, CellmetryError):
        return await _unforeseen(request, error)
    store: Store | None = getattr(request.state, "store", None)
    message = None if store is None else await run_in_threadpool(told_plainly, store, str(error))
    return error_response(error, message)


def told_plainly(store: Store, message: str) -> str:
    """Return a sentence without the folders of the server, also where its database cannot be asked."""
    try:
        return plain_words(store, message)
    except (CellmetryError, sqlite3.Error):
        return message.replace(str(store.folder), store.folder.name)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return JSONResponse(error_body("ParameterError", f"{where or 'The request'}: {first.get('msg', error)}."), 422)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 400
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    if detail == "Not Found":
        detail = "There is nothing at this address; /api/v1/docs lists what there is."
    headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
    allowed = methods_at(route_path(request.scope), request.app.openapi()) if status == _WRONG_METHOD else ""
    if allowed:
        headers["Allow"] = allowed
    return JSONResponse(error_body("Refused", str(detail)), status, headers=headers)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = f"Cellmetry failed with an unforeseen {type(error).__name__}; the server's log has the details."
    return JSONResponse(error_body("Unforeseen", message), 500)
