"""What routes ask for: the study with the right to read, edit or own it, who asks, what runs jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from starlette.concurrency import run_in_threadpool

from cellmetry.errors import NotAllowed, NotSignedIn, StudyInUse, UnknownName
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.server.quota import must_have_room
from cellmetry.server.registering import Registering
from cellmetry.server.security.visitor import VISITOR, Gate, Role, Visitor
from cellmetry.server.settings import ServerSettings
from cellmetry.server.studies import OpenStudies
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.store import Store

__all__ = [
    "ActorDep",
    "CreateStudyDep",
    "EditStudy",
    "GateDep",
    "GrowStudy",
    "Id",
    "OwnStudy",
    "ReadStudy",
    "RegisteringDep",
    "RoleDep",
    "RunnerDep",
    "SeenStudies",
    "SettingsDep",
    "StoppingDep",
    "StudiesDep",
    "VisitorDep",
    "allowed_study",
]

Id = Annotated[str, Path(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]
"""An id in a path."""
_VIAS = ("web", "cli", "python", "rest", "mcp")


async def _settings(request: Request) -> ServerSettings:
    return cast("ServerSettings", request.app.state.settings)


async def _studies(request: Request) -> OpenStudies:
    return cast("OpenStudies", request.app.state.studies)


async def _runner(request: Request) -> JobRunner:
    return cast("JobRunner", request.app.state.studies.runner)


async def _stopping(request: Request) -> threading.Event:
    return cast("threading.Event", request.app.state.service.stopping)


async def _registering(request: Request) -> Registering:
    return cast("Registering", request.app.state.service.registering)


async def _gate(request: Request) -> Gate:
    return cast("Gate", request.app.state.gate)


async def _visitor(request: Request) -> Visitor:
    visitor = request.scope.get(VISITOR)
    if visitor is None:
        raise NotSignedIn("Sign in first: this server does not know who asks.")
    return cast("Visitor", visitor)


SettingsDep = Annotated[ServerSettings, Depends(_settings)]
StudiesDep = Annotated[OpenStudies, Depends(_studies)]
"""All studies that are open, whoever may see them: `SeenStudies` are those of the visitor."""
RunnerDep = Annotated[JobRunner, Depends(_runner)]
"""What works on the jobs of all open studies."""
RegisteringDep = Annotated[Registering, Depends(_registering)]
"""What looks at files that are to become images, a few requests at a time."""
StoppingDep = Annotated[threading.Event, Depends(_stopping)]
"""Set when the server ends: an answer that has no end of its own looks at it and ends."""
GateDep = Annotated[Gate, Depends(_gate)]
VisitorDep = Annotated[Visitor, Depends(_visitor)]
"""Who asks, with their session."""


def allowed_study(state: Any, visitor: Visitor, study_id: str, need: Role = Role.viewer) -> Store:
    """Return an open study for a visitor who has the role that is needed; for routes beside FastAPI's.

    Parameters
    ----------
    state
        The `state` of the application.

    Raises
    ------
    UnknownName
        If there is no such study, or the visitor may not know that there is.
    NotAllowed
        If the visitor may only do less.
    StudyInUse
        If it is to be changed and can only be read.
    """
    store: Store = state.studies.get(study_id)
    role = state.gate.role(visitor, store)
    if role is None:
        raise UnknownName("study", study_id)
    if not role.covers(need):
        raise NotAllowed(f"{visitor.who} is {role} of this study; this needs the role {need}.")
    if need is not Role.viewer:
        store.must_be_writable()
    return store


def _with_role(need: Role) -> Callable[..., Any]:
    async def study_of_path(request: Request, study: Id, visitor: VisitorDep) -> Store:
        state = request.app.state
        try:
            if study in state.studies:
                store = allowed_study(state, visitor, study, need)
            else:
                store = await run_in_threadpool(allowed_study, state, visitor, study, need)
        except StudyInUse:
            request.state.store = state.studies.get(study)  # errors are told without the folders of this study
            raise
        request.state.store = store
        return store

    return study_of_path


def _growing(store: Annotated[Store, Depends(_with_role(Role.editor))], settings: SettingsDep) -> Store:
    must_have_room(store, settings.limits)
    return store


def _role(study: Id, visitor: VisitorDep, gate: GateDep, studies: StudiesDep) -> Role:
    role = gate.role(visitor, studies.get(study))
    if role is None:
        raise UnknownName("study", study)
    return role


async def _actor(request: Request, visitor: VisitorDep) -> Actor:
    via = request.headers.get("x-cellmetry-via", "rest")
    return Actor(visitor.who, via if via in _VIAS else "rest")


def _seen(visitor: VisitorDep, studies: StudiesDep, gate: GateDep) -> dict[str, Store]:
    return {name: store for name, store in studies.find().items() if gate.role(visitor, store) is not None}


async def _create(
    visitor: VisitorDep, studies: StudiesDep, gate: GateDep, actor: Annotated[Actor, Depends(_actor)]
) -> Callable[[str], Store]:
    def create(name: str) -> Store:
        gate.must_create(visitor)
        store = studies.create(name, actor.who, actor.via, inside=gate.place)
        gate.own(visitor, store.id)
        return store

    return create


ReadStudy = Annotated[Store, Depends(_with_role(Role.viewer))]
"""The study that the path names, for who may see it."""
EditStudy = Annotated[Store, Depends(_with_role(Role.editor))]
"""The study, for who may change it; refused where it is open for reading only."""
GrowStudy = Annotated[Store, Depends(_growing)]
"""The study, for who may change it, where it may grow by what takes much room: files and what jobs make."""
OwnStudy = Annotated[Store, Depends(_with_role(Role.owner))]
"""The study, for its owners."""
RoleDep = Annotated[Role, Depends(_role)]
"""What who asks may do to the study that the path names."""
ActorDep = Annotated[Actor, Depends(_actor)]
"""Who asks, as the study's history names them."""
SeenStudies = Annotated[dict[str, Store], Depends(_seen)]
"""The studies that who asks may see, by id."""
CreateStudyDep = Annotated[Callable[[str], Store], Depends(_create)]
"""Makes a study of a name that belongs to who asks: `create(name) -> Store`. It writes to the disk."""
