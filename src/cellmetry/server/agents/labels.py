"""Tools of labels: what there is, edits, and questions of a rebase."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.tool import AgentTool, AnyId, LabelsId, OfStudy

__all__ = ["LABEL_TOOLS"]

AgentName = Annotated[str, Field(max_length=50, pattern=r"^[A-Za-z0-9 ._-]*$")]
Version = Annotated[int, Field(ge=0, le=2**62)]
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


class _Editing(OfStudy):
    """A tool that edits. The protocol names no connection, so agents name themselves.

    Agents take back what agents did, not what the same person did in a browser.
    """

    agent: AgentName = ""
    """Name of your own choice if other agents of the same person may edit these labels: what they did is not yours."""

    @property
    def session(self) -> str:
        """Return the name of the session of the agent's edits."""
        return f"mcp {self.agent}".strip()


class EditLabels(_OfLabels, _Editing):
    """Edit labels: draw, brush, erase, merge, split, delete, grow, …; `describe` edit-operations tells all."""

    name: ClassVar[str] = "edit_labels"
    changes: ClassVar[bool] = True

    operation: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    """Name of the operation."""
    parameters: dict[Annotated[str, Field(max_length=64)], Any] = Field(default_factory=dict, max_length=50)
    """What it needs, as ``{"ids": [3, 4]}``."""
    base_version: Version | None = None
    """Version that you saw: if anybody but you changed the same place since, nothing is done."""

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        body: dict[str, Any] = {"operation": self.operation, "parameters": self.parameters, "session": self.session}
        body["base_version"] = self.base_version
        return await api.send(self.below(f"/labels/{self.labels}/edits"), body)


class UndoEdit(_OfLabels, _Editing):
    """Take back the last edit of a label image that you made, as an agent of this name."""

    name: ClassVar[str] = "undo_edit"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        return await api.send(self.below(f"/labels/{self.labels}/undo"), {"session": self.session})


class RedoEdit(_OfLabels, _Editing):
    """Do again what `undo_edit` took back last."""

    name: ClassVar[str] = "redo_edit"
    changes: ClassVar[bool] = True

    async def call(self, api: AgentApi) -> Any:
        """Return what changed."""
        return await api.send(self.below(f"/labels/{self.labels}/redo"), {"session": self.session})


class ListQuestions(OfStudy):
    """List where corrections by people and a better model disagree, and nobody has decided yet."""

    name: ClassVar[str] = "list_questions"

    labels: LabelsId | None = None
    """Only those of this label image."""

    async def call(self, api: AgentApi) -> Any:
        """Return them."""
        return await api.get(self.below("/questions"), labels=self.labels)


class AnswerQuestion(_Editing):
    """Decide such a question: mine is what people made, theirs what the new model found."""

    name: ClassVar[str] = "answer_question"
    changes: ClassVar[bool] = True

    question: AnyId
    """Id of the question."""
    answer: Literal["mine", "theirs"]
    base_version: Version | None = None
    """Version of the labels that you saw: if anybody but you changed the place since, nothing is done."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act and the new version of the labels."""
        body = {"answer": self.answer, "base_version": self.base_version, "session": self.session}
        return await api.send(self.below(f"/questions/{self.question}/answer"), body)


LABEL_TOOLS: tuple[type[AgentTool], ...] = (
    *(ListLabels, ListObjects, EditLabels, UndoEdit, RedoEdit, ListQuestions, AnswerQuestion),
)
