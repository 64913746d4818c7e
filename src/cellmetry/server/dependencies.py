"""What routes ask for: the study, who asks."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from cellmetry.server.settings import ServerSettings
from cellmetry.server.studies import OpenStudies
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.store import Store

__all__ = ["ActorDep", "SettingsDep", "StudiesDep", "StudyDep"]

Id = Annotated[str, Path(max_length=64, pattern=r"^[a-z]+_[0-9a-f]{16}$")]


def _settings(request: Request) -> ServerSettings:
    return cast("ServerSettings", request.app.state.settings)


def _studies(request: Request) -> OpenStudies:
    return cast("OpenStudies", request.app.state.studies)


SettingsDep = Annotated[ServerSettings, Depends(_settings)]
StudiesDep = Annotated[OpenStudies, Depends(_studies)]


def _study(study: Id, studies: StudiesDep) -> Store:
    return studies.get(study)


def _actor() -> Actor:
    return Actor("you", "rest")


StudyDep = Annotated[Store, Depends(_study)]
"""The study that the path names."""
ActorDep = Annotated[Actor, Depends(_actor)]
"""Who asks."""
