"""`AgentTool`: something that an agent may ask for; its fields are the arguments."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from cellmetry.server.bodies import Body

if TYPE_CHECKING:
    from cellmetry.server.agents.api import AgentApi

__all__ = ["AgentTool", "AnyId", "JobId", "LabelsId", "Names", "OfStudy", "ShortWord"]

AnyId = Annotated[str, Field(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]
"""An id, as lists tell it."""
LabelsId = Annotated[str, Field(max_length=64, pattern=r"^lbl_[0-9a-f]{16}$")]
JobId = Annotated[str, Field(max_length=64, pattern=r"^job_[0-9a-f]{16}$")]
ShortWord = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=300)], ...], Field(max_length=200)]


class AgentTool(Body):
    """One tool. The docstring is what agents read of it; the fields, with their descriptions, are its arguments."""

    name: ClassVar[str]
    changes: ClassVar[bool] = False
    """Whether it changes something. What it changes in a study is an act of the history, and can be undone."""

    @abstractmethod
    async def call(self, api: AgentApi) -> Any:
        """Return the answer, as JSON has it."""


class OfStudy(AgentTool):
    """A tool that works on a study."""

    study: AnyId
    """Id of the study."""

    def below(self, path: str = "") -> str:
        """Return the path of something of the study."""
        return f"/studies/{self.study}{path}"
