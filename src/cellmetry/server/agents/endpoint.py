"""`/mcp`: where agents ask; without the optional library it says what to install."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.routing import Route

from cellmetry.errors import MissingExtra

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["AGENTS_PATH", "agents_route"]

AGENTS_PATH = "/mcp"


class AgentEndpoint:
    """Hands requests to the protocol, which is loaded with the first of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises
        ------
        MissingExtra
            If the library of the protocol is not installed.
        """
        try:
            protocol = import_module("cellmetry.server.agents.protocol")
        except ModuleNotFoundError as error:
            if not re.match(r"mcp(_types)?(\.|$)", error.name or ""):
                raise
            raise MissingExtra("mcp", "The endpoint for agents, /mcp,") from error
        await protocol.answer_agent(scope, receive, send)


def agents_route() -> Route:
    """Return the route of agents: requests only, no streams that stay open."""
    return Route(AGENTS_PATH, AgentEndpoint(), methods=["POST"], include_in_schema=False)
