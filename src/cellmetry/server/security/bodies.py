"""`BoundedBodies`: bodies have a largest size and a slowest rate, whatever their headers say."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from fastapi import HTTPException
from starlette.datastructures import Headers

from cellmetry.server.paths import pattern_of, route_path
from cellmetry.server.security.refusal import refusal
from cellmetry.server.security.visitor import VISITOR

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cellmetry.server.settings import Limits, ServerSettings

__all__ = ["BoundedBodies"]

_FULL = "The disk of this server is nearly full; it takes no files until some of it is free again."


class BoundedBodies:
    """Counts what comes, and stops it above the limit or when it comes too slowly.

    Parameters
    ----------
    file_paths
        Paths whose forms are written to the disk as they come, and may be large; every other body is read into memory.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, file_paths: tuple[str, ...]) -> None:
        self._app, self._limits, self._home = app, settings.limits, settings.home
        self._file_paths = tuple(map(pattern_of, file_paths))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on whose body is watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" not in headers and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        files = self._brings_files(scope, headers)
        limit = self._limit_of(scope, files=files)
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            await refusal(400, "WrongBody", "Content-Length is not a number.")(scope, receive, send)
        elif int(length) > limit:
            await refusal(413, "LimitExceeded", _too_large(limit), connection="close")(scope, receive, send)
        elif files and self._limits.free_bytes and shutil.disk_usage(self._home).free < self._limits.free_bytes:
            await refusal(507, "OutputError", _FULL, connection="close")(scope, receive, send)
        else:
            await self._app(scope, _Watch(receive, limit, self._limits, files=files), send)

    def _brings_files(self, scope: Scope, headers: Headers) -> bool:
        form = headers.get("content-type", "").strip().lower().startswith("multipart/")
        return form and any(each.fullmatch(route_path(scope)) for each in self._file_paths)

    def _limit_of(self, scope: Scope, *, files: bool) -> int:
        if scope.get(VISITOR) is None:
            return self._limits.stranger_bytes
        return self._limits.upload_bytes if files else self._limits.json_bytes


class _Watch:
    """Receives a body while counting its bytes, the values of JSON, and the time that was waited for them."""

    def __init__(self, receive: Receive, limit: int, limits: Limits, *, files: bool) -> None:
        self._receive, self._limit, self._limits = receive, limit, limits
        self._values_left = None if files else limits.json_values
        self._bytes, self._waited, self._ended = 0, 0.0, False

    async def __call__(self) -> Message:
        if self._ended:  # what comes now is that the client went
            return await self._receive()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            message = await asyncio.wait_for(self._receive(), self._limits.idle_s)
        except TimeoutError as error:
            raise HTTPException(408, "The body of the request stopped coming.", {"Connection": "close"}) from error
        self._waited += clock() - began
        self._bytes += len(message.get("body", b""))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        if self._bytes > self._limit:
            raise HTTPException(413, _too_large(self._limit), {"Connection": "close"})
        if self._values_left is not None:
            self._values_left -= message.get("body", b"").count(b",")
            if self._values_left < 0:
                raise HTTPException(413, _too_many(self._limits.json_values), {"Connection": "close"})
        slow = self._waited - self._limits.idle_s > self._bytes / self._limits.bytes_per_s
        if slow and not self._ended:
            raise HTTPException(408, "The body of the request comes too slowly.", {"Connection": "close"})
        return message


def _too_many(values: int) -> str:
    return f"The body of the request has more than {values} values, the most that this server takes at once."


def _too_large(limit: int) -> str:
    return f"The body of the request is larger than {limit} bytes, the most that this server takes at once."
