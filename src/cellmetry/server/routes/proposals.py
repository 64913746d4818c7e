"""Proposals: the cell that the study's network sees at a point."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from cellmetry.pipeline.oneshot.pool import PoolBusy
from cellmetry.pipeline.quick.proposing import ProposalRequest
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import EditStudy, Id
from cellmetry.server.quick import busy_response, quick_answer, refusal
from cellmetry.study.store.labels import label_set

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/labels/{labels}", tags=["edits"])


class ProposalView(View):
    """A cell that is proposed; nothing changes until it is drawn. Where there is none, only `reason` is said."""

    outline: tuple[tuple[int, int], ...] | None = Field(
        None, description="Corners (y, x): the `points` of the operation `draw`."
    )
    box: tuple[int, int, int, int] | None = None
    area_px: int = 0
    score: float = Field(0.0, description="From 0 to 1: how sure the network is.")
    reason: str = Field("", description="Why no cell is proposed; empty if one is.")


@router.post("/propose", response_model=ProposalView)
async def propose_at(
    request: Request, body: ProposalRequest, store: EditStudy, labels: Id
) -> ProposalView | JSONResponse:
    """Return the outline of the cell at a point; none, and why, where none is seen or there is a label already."""
    label_set(store, labels)
    try:
        wanted = {**body.model_dump(mode="json", exclude_none=True), "labels": labels}
        answer = await quick_answer(request, store, "propose", wanted)
    except PoolBusy as busy:
        return busy_response(request, busy)
    return refusal(answer) if answer.kind else ProposalView(**answer.told)
