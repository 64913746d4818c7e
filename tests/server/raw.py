"""Requests as no HTTP library would send them."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def send_raw(url: str, *parts: bytes, end: bool = False) -> bytes:
    """Return all that a server answers to bytes; `end` says that no more will come."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def request_line(url: str, target: str, *headers: str, method: str = "GET") -> bytes:
    """Return the head of a request that closes its connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(url).netloc}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
