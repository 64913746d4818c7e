"""The design of a study as it is said of its images: looked at before anything is compared."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from cellmetry.pipeline.stored.design import check_said_design
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import ReadStudy

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/design", tags=["results"])


class FindingView(View):
    """Something about a design that a reader must know."""

    severity: Literal["error", "warning", "note"]
    kind: str = Field(description="One word for programs: unbalanced, missing, confounded, ….")
    text: Told


@router.get("/check")
def check(
    store: ReadStudy,
    control: Annotated[
        str | None, Query(max_length=200, description="Condition with which others are to be compared.")
    ] = None,
) -> list[FindingView]:
    """Return what is wrong or doubtful with conditions, replicates, wells and files; nothing is kept."""
    return [FindingView(**finding._asdict()) for finding in check_said_design(store, control)]
