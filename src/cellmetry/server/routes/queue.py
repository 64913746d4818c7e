"""What to correct next: the queue of cells and fields, and the fields that were looked through."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.pipeline.correcting import CorrectionItem, CorrectionQueue, FieldItem, correction_queue
from cellmetry.server.bodies import ActDone, Body, IdText, Limit, View
from cellmetry.server.dependencies import ActorDep, EditStudy, ReadStudy
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.labels import labels_of_image
from cellmetry.study.store.reviewed import PlaneBox, reviewed_fields, say_reviewed

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["queue"])
LabelsName = Annotated[str, Query(min_length=1, max_length=200, description="Name of the labels.")]
Edge = Annotated[int, Field(ge=0, le=2**31)]


class BoxView(View):
    """A box of a plane."""

    image: str
    labels: str = Field(description="Id of the label image.")
    t: int
    z: int
    box: tuple[int, int, int, int] = Field(description="Rows y0 to y1 - 1, columns x0 to x1 - 1.")


class PlaceView(BoxView):
    """A box that is worth correcting."""

    effect: float = Field(description="By which part of itself the result is expected to change.")


class ItemView(PlaceView):
    """A cell most worth correcting."""

    ids: tuple[int, ...] = Field(description="The object; none where a cell may be missed.")
    kind: str
    reason: str = Field(description="Why it is doubtful, as a sentence.")


class FieldView(PlaceView):
    """A field with several of them."""

    items: int


class QueueView(View):
    """What to correct, and whether it is still worth it."""

    labels: str
    result: str
    evidence: str = Field(description="`network` after a job `review`, else `sizes`; `none` without labels.")
    stale: bool = Field(description="Whether some labels are newer than the review; submit it again.")
    items: tuple[ItemView, ...]
    fields: tuple[FieldView, ...]
    left: int = Field(description="Doubtful places that are left.")
    value: float = Field(description="The result as it is expected once all is corrected.")
    low: float
    high: float
    moves: float = Field(description="Half of the interval as a part of the result.")
    stop: bool = Field(description="Whether it moves by no more than `share`.")
    advice: str = Field(description="Whether to go on, as a sentence.")
    reviewed: int = Field(description="Fields of 512 × 512 pixels that were looked through.")
    total: int = Field(description="All fields.")
    open: tuple[BoxView, ...] = Field(description="The first fields that were not looked through.")


class ReviewedView(View):
    """A field that somebody has looked through."""

    image: str
    labels: str
    t: int
    z: int
    box: tuple[int, int, int, int]
    who: str
    at: str


class Reviewed(Body):
    """A field that was looked through, or is no longer."""

    image: IdText
    labels: str = Field("cells", min_length=1, max_length=200)
    """Name of the labels."""
    labels_id: IdText | None = None
    """The labels that were looked through; those that the image has now of this name, if left out."""
    t: Edge = 0
    z: Edge = 0
    box: tuple[Edge, Edge, Edge, Edge]
    """First row, row after the last, first column, column after the last."""
    done: bool = True


@router.get("/queue")
def get_queue(
    store: ReadStudy,
    labels: LabelsName = "cells",
    result: Annotated[
        str, Query(min_length=1, max_length=200, description="`count`, `area_px`, or a column of a measured table.")
    ] = "count",
    limit: Limit = 50,
    share: Annotated[float, Query(gt=0, le=1, description="By which part the result may move at the end.")] = 0.02,
) -> QueueView:
    """Return cells and fields most worth correcting, ranked by their effect on a result, and whether to go on."""
    found = correction_queue(store, labels, result=result, limit=limit, share=share)
    same = ("evidence", "stale", "left", "value", "low", "high", "moves", "stop")
    return QueueView(
        labels=labels,
        result=result,
        items=tuple(map(_item, found.items)),
        fields=tuple(map(_field, found.fields)),
        reviewed=found.fields_reviewed,
        total=found.fields_total,
        open=tuple(BoxView(**{**each._asdict(), "box": tuple(each.box)}) for each in found.fields_open),
        advice=_text(found, result, share),
        **{name: getattr(found, name) for name in same},
    )


@router.get("/reviewed")
def list_reviewed(store: ReadStudy, image: IdText | None = None) -> list[ReviewedView]:
    """Return the fields of the labels that an image has now, or all images, that were looked through, and by whom."""
    fields = reviewed_fields(store, None if image is None else image_of(store, image).id)
    same = ("labels", "t", "z", "who", "at")
    return [
        ReviewedView(image=each.image_id, box=tuple(each.box), **{name: getattr(each, name) for name in same})
        for each in fields
    ]


@router.put("/reviewed")
def put_reviewed(body: Reviewed, store: EditStudy, actor: ActorDep) -> ActDone:
    """Note that a field was looked through, so that the queue leaves it out; undoing the act takes that back."""
    name = image_of(store, body.image).name
    labels = labels_of_image(store, body.image, body.labels)
    if labels is None:
        raise ParameterError(f"{name} has no labels named {body.labels!r}; segment it, or import labels, first.")
    if body.labels_id not in {None, labels.id}:
        raise ParameterError(f"{name} has other {body.labels} now than those that were looked through; look again.")
    field = PlaneBox(body.t, body.z, Box(*body.box))
    return ActDone(act=say_reviewed(store, actor, labels, field, done=body.done))


def _item(found: CorrectionItem) -> ItemView:
    return ItemView(ids=(found.label,) if found.label else (), kind=found.kind, reason=found.reason, **_place(found))


def _field(found: FieldItem) -> FieldView:
    return FieldView(items=found.items, **_place(found))


def _place(found: CorrectionItem | FieldItem) -> dict[str, object]:
    same = {name: getattr(found, name) for name in ("image", "labels", "t", "z", "effect")}
    return {**same, "box": tuple(int(edge) for edge in found.box)}


def _text(found: CorrectionQueue, result: str, share: float) -> str:
    what = "count" if result == "count" else f"mean {result}"
    if found.evidence == "none":
        return "No image has these labels yet: segment images, import labels, or draw cells first."
    if found.stop:
        return f"You may stop: what is still doubtful moves the {what} by ±{found.moves:.1%}, no more than {share:.1%}."
    if found.stale:
        return "Labels are newer than this ranking: let the network look again to know whether you may stop."
    if found.evidence == "sizes":
        return "Cells are ranked by their sizes only: let the network look for doubtful ones to know when to stop."
    return f"What is still doubtful moves the {what} by ±{found.moves:.1%}; correct on until that is {share:.1%}."
