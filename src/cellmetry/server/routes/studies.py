"""Studies: list, one."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from cellmetry.server.dependencies import ReadStudy, StudiesDep
from cellmetry.study.file import STUDY_SUFFIX
from cellmetry.study.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/studies", tags=["studies"])


class StudyView(BaseModel):
    """A study."""

    id: str
    name: str
    read_only: str
    notices: tuple[str, ...]


@router.get("")
def list_studies(studies: StudiesDep) -> list[StudyView]:
    """Return the studies of the server."""
    return [_view(store) for store in studies.find().values()]


@router.get("/{study}")
def get_study(store: ReadStudy) -> StudyView:
    """Return one study."""
    return _view(store)


def _view(store: Store) -> StudyView:
    name = store.folder.name.removesuffix(STUDY_SUFFIX)
    return StudyView(id=store.id, name=name, read_only=store.read_only, notices=store.notices)
