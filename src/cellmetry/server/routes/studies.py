"""Studies: list, make, one with what is in it, its name and notes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from cellmetry.pipeline.stored.sample import SAMPLE_NAME, add_sample
from cellmetry.server.bodies import Body, View
from cellmetry.server.dependencies import (
    ActorDep,
    CreateStudyDep,
    EditStudy,
    GateDep,
    ReadStudy,
    RoleDep,
    RunnerDep,
    SeenStudies,
    VisitorDep,
)
from cellmetry.server.security.visitor import Role
from cellmetry.server.wording import study_name
from cellmetry.study.store.acts import act
from cellmetry.study.store.changes import counts_of
from cellmetry.study.store.images import said_of, say
from cellmetry.study.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/studies", tags=["studies"])
Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewStudy(Body):
    """A study to be made."""

    name: Name
    """What people call it."""


class StudySaid(Body):
    """What is to be said of a study; what is left out stays."""

    name: Name | None = None
    notes: str | None = Field(None, max_length=20_000)


class StudyView(View):
    """A study."""

    id: str
    name: str
    notes: str
    read_only: str
    """Why nothing can be changed, as a sentence; empty if all can."""
    notices: tuple[str, ...]
    """What was found and mended when the study was opened."""
    images: int
    labels: int
    last_act: int
    """Number of the last act of the study's history."""
    changed: str | None
    """Time of the last act."""
    role: Role
    """What who asks may do: see it (viewer), change it (editor), or also decide who else may (owner)."""


@router.get("")
def list_studies(studies: SeenStudies, visitor: VisitorDep, gate: GateDep) -> list[StudyView]:
    """Return the studies that who asks may see."""
    return [_view(store, gate.role(visitor, store.id)) for store in studies.values()]


@router.post("", status_code=201)
def create_study(body: NewStudy, create: CreateStudyDep) -> StudyView:
    """Make a study that belongs to who asks."""
    return _view(create(body.name), Role.owner)


@router.post("/sample", status_code=201)
def create_sample(create: CreateStudyDep, actor: ActorDep, runner: RunnerDep) -> StudyView:
    """Make a study of generated images to try things: two conditions, three replicates; their reading is queued."""
    store = create(SAMPLE_NAME)
    add_sample(store, actor)
    runner.wake()
    return _view(store, Role.owner)


@router.get("/{study}")
def get_study(store: ReadStudy, role: RoleDep) -> StudyView:
    """Return one study."""
    return _view(store, role)


@router.patch("/{study}")
def say_of_study(body: StudySaid, store: EditStudy, actor: ActorDep, role: RoleDep) -> StudyView:
    """Name a study, or write notes to it. Its folder keeps its name."""
    values: dict[str, Any] = body.model_dump(exclude_none=True)
    if values:
        with store.database.write():
            say(store, act(store, actor, "say", f"Say {', '.join(values)} of the study"), "study", values)
    return _view(store, role)


def _view(store: Store, role: Role | None) -> StudyView:
    return StudyView(
        id=store.id,
        name=study_name(store),
        notes=said_of(store, "study").get("notes", ""),
        read_only=store.read_only,
        role=role or Role.viewer,
        notices=store.notices,
        **counts_of(store),
    )
