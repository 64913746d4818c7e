"""A real `cellmetry serve` in a process of its own, and clients of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADERS = {"X-Cellmetry": "1"}
API = "/api/v1"
_CODE = """
import sys
import typer
from cellmetry.cli.serve import serve
from cellmetry.errors import CellmetryError
try:
    typer.run(serve)
except CellmetryError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""
SERVE = (sys.executable, "-c", _CODE)
"""`cellmetry serve` without importing the other commands, which takes seconds."""


@dataclass
class RealServer:
    """A server that runs: where it is, its process, its token (mode laptop), its home folder."""

    url: str
    process: subprocess.Popen[bytes]
    token: str
    home: Path
    printed: str
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, *, token: str | None = None, **headers: str) -> httpx.Client:
        """Return a client below ``/api/v1/`` that is let in (mode laptop), or has another token."""
        bearer = self.token if token is None else token
        known = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        client = httpx.Client(base_url=f"{self.url}{API}/", headers={**HEADERS, **known, **headers}, timeout=60.0)
        self.clients.append(client)
        return client

    def stranger(self) -> httpx.Client:
        """Return a client without token, at the root of the server."""
        client = httpx.Client(base_url=self.url, timeout=60.0)
        self.clients.append(client)
        return client

    def end(self) -> int:
        """End the server as a user does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def kill(self) -> None:
        """End the server as a power cut does."""
        self.process.kill()
        self.process.wait(60)


@contextmanager
def real_server(home: Path, *options: str, **environment: str) -> Iterator[RealServer]:
    """Yield a server of a home folder on a free port; `options` are those of `cellmetry serve`."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "server.json").unlink(missing_ok=True)
    command = [*SERVE, "--home", str(home), "--port", "0", "--no-browser", *options]
    log = home / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        )
    assert process.stdout is not None
    server = None
    try:
        printed = process.stdout.readline().decode()
        assert "serves at " in printed, log.read_text()
        url = printed.split("serves at ")[1].split()[0].partition("/?")[0].rstrip("/")
        token = json.loads((home / "server.json").read_text())["token"] if (home / "server.json").is_file() else ""
        server = RealServer(url, process, token, home, printed)
        _wait(url, log)
        yield server
    finally:
        for client in server.clients if server else ():
            client.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)
        process.stdout.close()


def _wait(url: str, log: Path) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}{API}/health", timeout=5.0).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"The server does not answer: {log.read_text()}")
