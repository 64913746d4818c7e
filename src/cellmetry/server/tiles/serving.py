"""`TileServing`: answers the requests for tiles before the routes are asked.

Routing and dependencies of an ordinary route cost more than reading a tile. The tiles' routes (`routes/tiles.py`)
describe the same addresses in the API's document, and answer what is no address of a tile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from cellmetry.errors import CellmetryError
from cellmetry.server.errors import error_response, told_plainly
from cellmetry.server.paths import route_path
from cellmetry.server.tiles.encoding import BodyCache, encode_body, encoding_for
from cellmetry.server.tiles.finding import find_at_once, find_tile, parse_path
from cellmetry.server.tiles.rights import study_to_read
from cellmetry.study.store.places import on_network

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cellmetry.server.tiles.encoding import Encoding
    from cellmetry.server.tiles.finding import FoundTile, TileRequest
    from cellmetry.study.store.store import Store

__all__ = ["TileServing"]

_FOR_EVER = b"private, max-age=31536000, immutable"
_ASK_AGAIN = b"private, no-cache"


class TileServing:
    """ASGI middleware that answers ``GET`` of tiles and passes on all else. Put it inside of all others."""

    def __init__(self, app: ASGIApp, bodies: BodyCache | None = None) -> None:
        self._app = app
        self._bodies = BodyCache() if bodies is None else bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or "/tiles/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        try:
            asked = parse_path(route_path(scope), scope["query_string"])
            if asked is None:
                await self._app(scope, receive, send)
                return
            await self._answer(asked, scope, receive, send)
        except CellmetryError as error:
            await error_response(error)(scope, receive, send)

    async def _answer(self, asked: TileRequest, scope: Scope, receive: Receive, send: Send) -> None:
        store = await study_to_read(scope, asked.study)
        try:
            await self._send_tile(store, asked, scope, send)
        except CellmetryError as error:
            await error_response(error, await run_sync(told_plainly, store, str(error)))(scope, receive, send)

    async def _send_tile(self, store: Store, asked: TileRequest, scope: Scope, send: Send) -> None:
        found = None if _is_slow(store.folder) else find_at_once(store, asked)
        if found is None:
            found = await run_sync(find_tile, store, asked)
        said = dict(scope["headers"])
        encoding = encoding_for(said.get(b"accept-encoding", b""), near=_is_near(scope))
        tag = f'"{found.tag}.{encoding}"'.encode()
        headers = [
            (b"etag", tag),
            (b"cache-control", _FOR_EVER if found.for_ever else _ASK_AGAIN),
            (b"vary", b"Accept-Encoding"),
        ]
        if found.version is not None and not found.for_ever:  # every header costs as much as looking the tile up
            headers.append((b"x-cellmetry-version", str(found.version).encode()))
        if tag in said.get(b"if-none-match", b""):
            await _send(send, 304, headers, b"")
        elif found.frame is None:
            await _send(send, 204, headers, b"")
        else:
            body = await self._body(found.frame, found, encoding, asked)
            headers += [
                (b"content-type", b"application/octet-stream"),
                (b"content-length", str(len(body)).encode()),
            ]
            if encoding != "identity":
                headers.append((b"content-encoding", encoding.encode()))
            await _send(send, 200, headers, body)

    async def _body(self, frame: bytes, found: FoundTile, encoding: Encoding, asked: TileRequest) -> bytes:
        if encoding == "zstd":
            return frame
        key = (found.tag, asked.place, encoding)
        body = self._bodies.get(key)
        if body is None:
            name = f"tile {'/'.join(map(str, asked.place))} of {asked.id}"
            body = await run_sync(encode_body, frame, encoding, found.shape, found.dtype, name)
            self._bodies.put(key, body)
        return body


def _is_near(scope: Scope) -> bool:
    """Return whether who asks is on this computer."""
    client = scope.get("client")
    return client is not None and (client[0].startswith("127.") or client[0] == "::1")


@lru_cache(maxsize=256)
def _is_slow(folder: Path) -> bool:
    """Return whether reading a tile may take long: other requests must not wait for it."""
    return on_network(folder)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
