"""The OpenAPI document: what FastAPI finds, with how one signs in and how errors look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from cellmetry.server.security.cookies import cookie_name
from cellmetry.server.security.refusal import UNSAFE

if TYPE_CHECKING:
    from fastapi import FastAPI

    from cellmetry.server.settings import ServerSettings

__all__ = ["openapi_document"]

_ABOUT = """Microscope images to numbers a reviewer can trust.

Programs send `Authorization: Bearer TOKEN`; browsers have the cookie of a session. What changes something (POST, PUT,
PATCH, DELETE) needs the header `X-Cellmetry: 1` and a body of JSON, or multipart to bring files. Errors are
`{"error": {"kind": ..., "message": ...}}`. Who acts, and by which way (`X-Cellmetry-Via`: web, cli, python, rest or
mcp), stands in the history of the study."""
_HEADER = {
    "name": "X-Cellmetry",
    "in": "header",
    "required": True,
    "description": "No page of another site can send it.",
    "schema": {"type": "string", "const": "1"},
}


def openapi_document(app: FastAPI, settings: ServerSettings, open_paths: tuple[str, ...]) -> dict[str, Any]:
    """Return the document of all routes."""
    document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    document.setdefault("components", {})["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "The token of a program."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(settings),
            "description": "The session of a browser.",
        },
    }
    document["security"] = [{"token": []}, {"session": []}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path in open_paths:
                operation["security"] = []
            if method.upper() in UNSAFE:
                operation.setdefault("parameters", []).append(_HEADER)
    return document
