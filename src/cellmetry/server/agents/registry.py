"""All tools of agents by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.server.agents.labels import LABEL_TOOLS
from cellmetry.server.agents.results import RESULT_TOOLS
from cellmetry.server.agents.studies import STUDY_TOOLS
from cellmetry.server.agents.work import WORK_TOOLS

if TYPE_CHECKING:
    from cellmetry.server.agents.tool import AgentTool

__all__ = ["AGENT_TOOLS"]

AGENT_TOOLS: dict[str, type[AgentTool]] = {
    each.name: each for each in (*STUDY_TOOLS, *WORK_TOOLS, *LABEL_TOOLS, *RESULT_TOOLS)
}
"""Name of a tool: its class."""
