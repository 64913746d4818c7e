"""Tools of labels: what there is, edits, and questions of a rebase."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.tool import AgentTool, AnyId, LabelsId, OfStudy

__all__ = ["LABEL_TOOLS"]

_SESSION = "mcp"
"""Agents take back what agents did, not what the same person did in a browser."""
Whole = Annotated[int, Field(ge=0, le=2**31)]


class ListLabels(OfStudy):
    """List the label images of a study, or of one image: id, name, shape, version, number of objects."""

    name: ClassVar[str] = "list_labels"

    image: AnyId | None = None
    """Only those of this image."""
    after: LabelsId | None = None
    """Id of the last of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    async def call(self, api: AgentApi) -> Any:
        """Return a page of them."""
        return await api.get(self.below("/labels"), image=self.image, after=self.after, limit=self.limit)


class _OfLabels(OfStudy):
    """A tool that works on a label image."""

    labels: LabelsId
    """Id of the label image."""


class ListObjects(_OfLabels):
    """List where the objects of a plane are: id, box in pixels (end outside), area."""

    name: ClassVar[str] = "list_objects"

    t: Whole = 0
    z: Whole = 0
    after: Annotated[int, Field(ge=0, le=2**32)] = 0
    """Id of the last object of the page before."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 200

    async def call(self, api: AgentApi) -> Any:
        """Return a page of them."""
        query = {"t": self.t, "z": self.z, "after": self.after, "limit": self.limit}
        return await api.get(self.below(f"/labels/{self.labels}/objects"), **query)


class EditLabels(_OfLabels):
    """Edit labels: draw, brush, erase, merge, split, delete, grow, …; `describe` edit-operations tells all."""

    name: ClassVar[str] = "edit_labels"
    changes: ClassVar[bool] = True

    operation: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    """Name of the operation."""
    parameters: dict[Annotated[str, Field(max_length=64)], Any] = Field(default_factory=dict, max_length=50)
    """What it needs, as ``{"ids": [3, 4]}``."""
    base_version: Annotated[int, Field(ge=0, le=2**62)] | None = None
    """Version that you saw: if somebody changed the same place since, nothing is done."""

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        body: dict[str, Any] = {"operation": self.operation, "parameters": self.parameters, "session": _SESSION}
        if self.base_version is not None:
            body["base_version"] = self.base_version
        return await api.send(self.below(f"/labels/{self.labels}/edits"), body)


class UndoEdit(_OfLabels):
    """Take back the last edit of a label image that agents of yours made."""

    name: ClassVar[str] = "undo_edit"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        return await api.send(self.below(f"/labels/{self.labels}/undo"), {"session": _SESSION})


class RedoEdit(_OfLabels):
    """Do again what `undo_edit` took back last."""

    name: ClassVar[str] = "redo_edit"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        return await api.send(self.below(f"/labels/{self.labels}/redo"), {"session": _SESSION})


class ListQuestions(OfStudy):
    """List where corrections by people and a better model disagree, and nobody has decided yet."""

    name: ClassVar[str] = "list_questions"

    labels: LabelsId | None = None
    """Only those of this label image."""

    async def call(self, api: AgentApi) -> Any:
        """Return them."""
        return await api.get(self.below("/questions"), labels=self.labels)


class AnswerQuestion(OfStudy):
    """Decide such a question: mine is what people made, theirs what the new model found."""

    name: ClassVar[str] = "answer_question"
    changes: ClassVar[bool] = True

    question: AnyId
    """Id of the question."""
    answer: Literal["mine", "theirs"]

    async def call(self, api: AgentApi) -> Any:
        """Return the act and the new version of the labels."""
        return await api.send(self.below(f"/questions/{self.question}/answer"), {"answer": self.answer})


LABEL_TOOLS: tuple[type[AgentTool], ...] = (
    *(ListLabels, ListObjects, EditLabels, UndoEdit, RedoEdit, ListQuestions, AnswerQuestion),
)
