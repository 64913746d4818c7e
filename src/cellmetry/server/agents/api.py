"""`AgentApi`: the REST API as who called the endpoint of agents may use it, without leaving the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from cellmetry.client.connection import API, raise_for
from cellmetry.server.paths import route_path

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import Scope

__all__ = ["AgentApi"]

_HANDED_ON = ("authorization", "cookie", "host", "origin", "sec-fetch-site")


class AgentApi:
    """Requests to the server's own routes: the same sign-in, rights, checks and limits, noted as done by an agent.

    Parameters
    ----------
    scope
        Of the request that an agent sent: its credentials are handed on.
    """

    def __init__(self, scope: Scope) -> None:
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        headers = {name: sent[name] for name in _HANDED_ON if name in sent}
        self._service = scope["app"].state.service
        host, port = scope.get("client") or ("127.0.0.1", 0)
        transport = httpx.ASGITransport(
            scope["app"], raise_app_exceptions=False, root_path=scope.get("root_path", ""), client=(host, port)
        )
        place = str(scope["path"]).removesuffix(route_path(scope))
        self._http = httpx.AsyncClient(
            base_url=f"{scope.get('scheme', 'http')}://{sent.get('host', '127.0.0.1')}{place}{API}",
            headers={**headers, "X-Cellmetry": "1", "X-Cellmetry-Via": "mcp"},
            transport=transport,
            timeout=None,  # noqa: S113  nothing goes over a network
        )

    @property
    def stopping(self) -> bool:
        """Whether the server ends: nothing is to be waited for any more."""
        return bool(self._service.stopping.is_set())

    async def __aenter__(self) -> AgentApi:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a resource below ``/api/v1``."""
        stated = {name: value for name, value in query.items() if value is not None}
        return _json(await self._http.get(path, params=stated))

    async def send(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """Return the JSON that a change answers."""
        return _json(await self._http.request(method, path, json={} if body is None else body))


def _json(answer: httpx.Response) -> Any:
    raise_for(answer)
    return answer.json() if answer.content else None
