"""Studies: list, one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from cellmetry.server.bodies import Body, View
from cellmetry.server.dependencies import CreateStudyDep, ReadStudy, SeenStudies
from cellmetry.server.views import study_name
from cellmetry.study.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/studies", tags=["studies"])


class NewStudy(Body):
    """A study to be made."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """What people call it."""


class StudyView(View):
    """A study."""

    id: str
    name: str
    read_only: str
    notices: tuple[str, ...]


@router.get("")
def list_studies(studies: SeenStudies) -> list[StudyView]:
    """Return the studies that who asks may see."""
    return [_view(store) for store in studies.values()]


@router.post("", status_code=201)
def create_study(body: NewStudy, create: CreateStudyDep) -> StudyView:
    """Make a study that belongs to who asks."""
    return _view(create(body.name))


@router.get("/{study}")
def get_study(store: ReadStudy) -> StudyView:
    """Return one study."""
    return _view(store)


def _view(store: Store) -> StudyView:
    return StudyView(id=store.id, name=study_name(store), read_only=store.read_only, notices=store.notices)
