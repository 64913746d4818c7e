"""`BoundedProtocol`: HTTP/1.1 with a time for headers and a number of connections, whose refusals are JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

import h11
from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from cellmetry.server.errors import error_body
from cellmetry.server.security.headers import SecurityHeaders

if TYPE_CHECKING:
    import asyncio

__all__ = ["BoundedProtocol", "bounded_protocol"]

_BUSY = error_body("Refused", "This server has as many connections as it takes; ask again in a moment.")
_busy = SecurityHeaders(JSONResponse(_BUSY, 503, headers={"Connection": "close", "Retry-After": "5"}))


class BoundedProtocol(H11Protocol):
    """Closes a connection that sends its headers too slowly, so that slow clients cannot take all connections.

    A connection above the limit is answered 503 and closed.
    """

    header_s: ClassVar[float] = 15.0
    most: ClassVar[int] = 512
    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.app = _busy
        self._set_clock()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request has begun; start it when only a part of the headers came."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            if self._headers_due is None:
                self._set_clock()
        else:
            self._stop_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        body = json.dumps(error_body("WrongRequest", msg)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _set_clock(self) -> None:
        self._headers_due = self.loop.call_later(self.header_s, self._give_up)

    def _stop_clock(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _give_up(self) -> None:
        self._headers_due = None
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()


def bounded_protocol(header_s: float, most: int) -> type[BoundedProtocol]:
    """Return the protocol with a time for headers and a largest number of connections."""
    return type("Protocol", (BoundedProtocol,), {"header_s": header_s, "most": most})
