"""Tools of studies and images: what there is, new ones, what is said of them, the history and going back in it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from cellmetry.server.agents.api import AgentApi
from cellmetry.server.agents.tool import AgentTool, AnyId, OfStudy, ShortWord

__all__ = ["STUDY_TOOLS"]

Act = Annotated[int, Field(ge=1, le=2**62)]
Page = Annotated[int, Field(ge=1, le=200)]
_IMAGE_KEPT = ("id", "name", "state", "reason", "header", "warnings", "said", "labels")


class ListStudies(AgentTool):
    """List the studies that you may see, page by page: id, name, notes, how many images and labels."""

    name: ClassVar[str] = "list_studies"

    after: AnyId | None = None
    """Id of the last study of the page before."""
    limit: Page = 100

    async def call(self, api: AgentApi) -> Any:
        """Return a page of them."""
        return await api.get("/studies", after=self.after, limit=self.limit)


class CreateStudy(AgentTool):
    """Make a new, empty study."""

    name: ClassVar[str] = "create_study"
    changes: ClassVar[bool] = True

    title: ShortWord
    """What people call it."""

    async def call(self, api: AgentApi) -> Any:
        """Return it."""
        return await api.send("/studies", {"name": self.title})


class RegisterImages(OfStudy):
    """Add image files or folders of the server's computer to a study, by reference; they are read by a job then.

    Only folders that the server was told to open may be named.
    """

    name: ClassVar[str] = "register_images"
    changes: ClassVar[bool] = True

    paths: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=4096)], ...], Field(min_length=1, max_length=1000)
    ]
    """Files and folders."""
    pattern: Annotated[str, Field(max_length=200)] | None = None
    """Makes one image of several files by their names, as ``{well}_w{channel}.tif``."""

    async def call(self, api: AgentApi) -> Any:
        """Return the new images."""
        reading = {} if self.pattern is None else {"pattern": self.pattern}
        body = {"paths": list(self.paths), "reading": reading}
        return _brief(await api.send(self.below("/images/register"), body))


class ListImages(OfStudy):
    """List the images of a study: id, name, state (new, ready, failed), header, what was said, labels."""

    name: ClassVar[str] = "list_images"

    state: Annotated[str, Field(pattern="^(new|ready|failed)$")] | None = None
    """Only those in this state."""
    name_has: Annotated[str, Field(max_length=300)] | None = None
    """Only those whose name has this text."""
    after: AnyId | None = None
    """Id of the last image of the page before."""
    limit: Page = 50

    async def call(self, api: AgentApi) -> Any:
        """Return a page of them."""
        query = {"state": self.state, "name": self.name_has, "after": self.after, "limit": self.limit}
        return _brief(await api.get(self.below("/images"), **query))


class SayOfImages(OfStudy):
    """Say what images are: condition, replicate, treatment, pixel size, names of channels. null takes a word back."""

    name: ClassVar[str] = "say_of_images"
    changes: ClassVar[bool] = True

    images: Annotated[tuple[AnyId, ...], Field(min_length=1, max_length=10_000)]
    """Ids of the images."""
    values: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=200)] | float | int | bool | None],
        Field(max_length=100),
    ] = Field(default_factory=dict)
    """Columns of the tables: ``{"condition": "control", "replicate": 1}``."""
    pixel_size_um: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Side of a pixel in µm, where the file does not say it."""
    channel_names: Annotated[tuple[ShortWord, ...], Field(max_length=1000)] | None = None
    """Names of the channels."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act."""
        body = self.model_dump(exclude={"study"}, exclude_none=True, mode="json")
        return await api.send(self.below("/images"), {**body, "values": dict(self.values)}, method="PATCH")


class RemoveImages(OfStudy):
    """Hide images of a study; undoing the act brings them back. Files are never deleted."""

    name: ClassVar[str] = "remove_images"
    changes: ClassVar[bool] = True

    images: Annotated[tuple[AnyId, ...], Field(min_length=1, max_length=10_000)]
    """Ids of the images."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act."""
        return await api.send(self.below("/images/remove"), {"images": list(self.images)})


class History(OfStudy):
    """List what was done in a study, by whom and by which way, the newest first; every act can be undone."""

    name: ClassVar[str] = "history"

    before: Act | None = None
    """Number of the last act of the page before."""
    limit: Page = 50

    async def call(self, api: AgentApi) -> Any:
        """Return a page of the history."""
        return await api.get(self.below("/acts"), before=self.before, limit=self.limit)


class UndoAct(OfStudy):
    """Take back any act of a study by its number: an edit, a job's result, images that were added, …."""

    name: ClassVar[str] = "undo_act"
    changes: ClassVar[bool] = True

    act: Act
    """Number of the act (``seq`` in the history)."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act that took it back."""
        return await api.send(self.below(f"/acts/{self.act}/undo"))


class RedoAct(OfStudy):
    """Do an act again that was taken back."""

    name: ClassVar[str] = "redo_act"
    changes: ClassVar[bool] = True

    act: Act
    """Number of the act that was undone."""

    async def call(self, api: AgentApi) -> Any:
        """Return the act that did it again."""
        return await api.send(self.below(f"/acts/{self.act}/redo"))


STUDY_TOOLS: tuple[type[AgentTool], ...] = (
    *(ListStudies, CreateStudy, RegisterImages, ListImages, SayOfImages, RemoveImages),
    *(History, UndoAct, RedoAct),
)


def _brief(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: image[name] for name in _IMAGE_KEPT} for image in images]
