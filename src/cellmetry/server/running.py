"""`run_server`: a server in a process of its own, from an address that is free to a clean end."""

from __future__ import annotations

import errno
import ipaddress
import json
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import uvicorn

from cellmetry.errors import OutputError, ParameterError
from cellmetry.server.app import create_app
from cellmetry.server.protocol import bounded_protocol
from cellmetry.server.security.accounts import Accounts
from cellmetry.server.security.laptop import LaptopGate
from cellmetry.study.home import ADDRESS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import FrameType

    from cellmetry.server.service import Service
    from cellmetry.server.settings import ServerSettings

__all__ = ["run_server"]

_KEEP_ALIVE_S = 30
_ASK_S = 2.0
_END_S = 10
"""Seconds that answers have to end when the server does; jobs have their own time after that."""


class _Server(uvicorn.Server):
    """uvicorn's server; a signal ends it in order, and the process with code 0."""

    service: Service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.service.stopping.set()
        self.should_exit = True


def run_server(settings: ServerSettings, ready: Callable[[str], None], *, proxies: Sequence[str] = ()) -> None:
    """Serve until the process is told to end by SIGTERM or Ctrl+C.

    Running answers and images are finished; jobs that are not done are interrupted and can be resumed.

    Parameters
    ----------
    ready
        Is told the address when connections are taken; in mode ``laptop`` with a code that lets one browser in.
    proxies
        Addresses of proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed.

    Raises
    ------
    ParameterError
        If the mode may not listen at this address.
    InputError
        If a study that was named cannot be opened.
    OutputError
        If the port is taken or not permitted.
    """
    _make_home(settings.home)
    _must_be_safe(settings)
    _must_be_alone(settings)
    with _listening(settings) as listener:
        settings = settings.at_port(listener.getsockname()[1])
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            http=bounded_protocol(settings.limits.header_s, settings.limits.connections),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=settings.limits.header_bytes,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_END_S,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
        )
        server = _Server(config)
        server.service = app.state.service
        gate = app.state.gate
        try:
            server.service.start()
            server.service.studies.must_have(settings.studies)
            address = f"{settings.address}/"
            if isinstance(gate, LaptopGate):
                gate.write_address()
                address += f"?token={gate.new_code()}"
            ready(address)
            server.run(sockets=[listener])
        finally:
            server.service.stop()
            gate.close()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{home} cannot be made ({error.strerror}); give another folder with --home.") from error


def _must_be_alone(settings: ServerSettings) -> None:
    """Refuse a second server of one person and one home folder: its studies could only be read."""
    try:
        told = json.loads((settings.home / ADDRESS_FILE).read_text(encoding="utf-8"))["url"]
        answers = httpx.get(f"{told}/api/v1/health", timeout=_ASK_S, trust_env=False).status_code == HTTPStatus.OK
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError, httpx.InvalidURL):
        return
    if answers:
        raise OutputError(f"A server of {settings.home} runs already, at {told}; use it, or give another --home.")


def _must_be_safe(settings: ServerSettings) -> None:
    """Refuse to be seen from other computers without accounts."""
    if settings.mode == "demo" or _is_loopback(settings.host):
        return
    if settings.mode == "laptop":
        raise ParameterError(
            f"A server that {settings.host} shows to other computers needs accounts: make one with "
            f"`cellmetry user add NAME --admin`, then serve with --mode server; or leave --host out."
        )
    accounts = Accounts(settings.home)
    try:
        if not accounts.all():
            raise ParameterError("There are no accounts yet: make one with `cellmetry user add NAME --admin`.")
    finally:
        accounts.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens."""
    host = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only where a socket says that it is of TCP
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # pragma: no cover  Windows only
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, settings.port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        raise OutputError(_why_not(settings, error)) from error
    listener.setblocking(False)
    return listener


def _why_not(settings: ServerSettings, error: OSError | OverflowError) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return (
            f"Port {settings.port} is taken by another program, maybe by a Cellmetry that serves already; give another "
            f"one with --port, or --port 0 for any that is free."
        )
    if code == errno.EACCES:
        return f"Port {settings.port} is not permitted; give one above 1023 with --port."
    return f"{settings.host} port {settings.port} cannot be listened at: {error}."
