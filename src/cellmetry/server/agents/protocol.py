"""The Model Context Protocol: the one place that knows the library `mcp`."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import CellmetryError, UnknownName
from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.registry import AGENT_TOOLS

if TYPE_CHECKING:
    from mcp_types import CallToolRequestParams
    from starlette.types import Receive, Scope, Send

__all__ = ["answer_agent"]

_ABOUT = """Cellmetry takes microscope images to numbers: find cells, measure, compare conditions. Work goes into jobs:
register images (or take those of a study), `segment`, `measure`, say conditions and replicates of the images
(`say_of_images`), `compare`. A job is answered at once; `wait_for_job` waits for its end and tells the ids of what it
made. Whatever you change is an act of the study's history, marked as done by an agent; `undo_act` takes any of them
back."""
_VERSION = version("cellmetry")


async def answer_agent(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of an agent, which needs nothing of an earlier one."""
    async with AgentApi(scope) as api:
        manager = StreamableHTTPSessionManager(_server(api), json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def _server(api: AgentApi) -> Server[Any]:
    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        return ListToolsResult(tools=_tools())

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        try:
            found = await _call(api, params)
        except CellmetryError as error:
            said = {"error": {"kind": type(error).__name__, "message": str(error)}}
            return _result(said, failed=True)
        return _result(found if isinstance(found, dict) else {"items": found})

    return Server("cellmetry", version=_VERSION, instructions=_ABOUT, on_list_tools=list_tools, on_call_tool=call_tool)


async def _call(api: AgentApi, params: CallToolRequestParams) -> Any:
    if params.name not in AGENT_TOOLS:
        raise UnknownName("tool", params.name, AGENT_TOOLS)
    tool = parse_parameters(AGENT_TOOLS[params.name], params.arguments or {}, where=params.name)
    return await tool.call(api)


def _result(said: dict[str, Any], *, failed: bool = False) -> CallToolResult:
    text = json.dumps(said, ensure_ascii=False)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=said, is_error=failed)


def _tools() -> list[Tool]:
    return [
        Tool(
            name=name,
            description=" ".join((tool.__doc__ or "").split()),
            input_schema=tool.model_json_schema(),
            annotations=ToolAnnotations(read_only_hint=not tool.changes, destructive_hint=False, open_world_hint=False),
        )
        for name, tool in AGENT_TOOLS.items()
    ]
