"""What routes ask for: the study with the right to read, edit or own it, who asks, what runs jobs."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from cellmetry.server.settings import ServerSettings
from cellmetry.server.studies import OpenStudies
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.store import Store

__all__ = ["ActorDep", "EditStudy", "Id", "OwnStudy", "ReadStudy", "SettingsDep", "StudiesDep"]

Id = Annotated[str, Path(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]
"""An id in a path."""


def _settings(request: Request) -> ServerSettings:
    return cast("ServerSettings", request.app.state.settings)


def _studies(request: Request) -> OpenStudies:
    return cast("OpenStudies", request.app.state.studies)


SettingsDep = Annotated[ServerSettings, Depends(_settings)]
StudiesDep = Annotated[OpenStudies, Depends(_studies)]


def _read(study: Id, studies: StudiesDep) -> Store:
    return studies.get(study)


def _edit(study: Id, studies: StudiesDep) -> Store:
    store = studies.get(study)
    store.must_be_writable()
    return store


def _own(study: Id, studies: StudiesDep) -> Store:
    return _edit(study, studies)


def _actor() -> Actor:
    return Actor("you", "rest")


ReadStudy = Annotated[Store, Depends(_read)]
"""The study that the path names, for who may see it."""
EditStudy = Annotated[Store, Depends(_edit)]
"""The study, for who may change it; refused where it is open for reading only."""
OwnStudy = Annotated[Store, Depends(_own)]
"""The study, for its owners."""
ActorDep = Annotated[Actor, Depends(_actor)]
"""Who asks."""
