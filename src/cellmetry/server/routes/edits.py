"""Edits of labels: make one, undo, redo; the log, what one edit changed, older versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import Field

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.server.bodies import Body, Key, Limit, Number, SessionName, View
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy
from cellmetry.server.downloading import BYTES, file_answer
from cellmetry.server.routes.acts import ActView, Seq, act_view
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.store.edits import (
    Edit,
    EditResult,
    apply_edit,
    find_edit,
    history,
    image_history,
    patches_of,
    places_of,
    redo,
    reverse_edit,
    undo,
)
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.restoring import restore_version
from cellmetry.study.store.store import Store

__all__ = ["image_router", "router"]

router = APIRouter(prefix="/studies/{study}/labels/{labels}", tags=["edits"])
image_router = APIRouter(prefix="/studies/{study}/images/{image}", tags=["edits"])
_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"description": "Somebody else changed the same place since, or newer labels took the place; it is logged."}
}
_PIXELS = file_answer("Little-endian uint32, row by row.", BYTES)
Version = Annotated[int, InPath(ge=0, le=2**62)]


class EditBody(Body):
    """One edit."""

    operation: Key = Field(description="Its name, as draw or merge.")
    parameters: dict[Key, Any] = Field(default_factory=dict, max_length=50)
    base_version: int | None = Field(None, ge=0, le=2**62)
    """Version that who edits saw; the present one if left out."""
    session: SessionName = ""
    """Name of the window or program: what this person did there since `base_version` is known to them."""
    key: SessionName = ""
    """By which the edit is found again in the log, if the answer is lost."""


class RestoreBody(Body):
    """What is known of the labels that are to be as before."""

    base_version: int | None = Field(None, ge=0, le=2**62)
    """Version that who restores saw; the present one if left out."""
    session: SessionName = ""
    """Name of the window or program: what this person did there since `base_version` is known to them."""


class UndoBody(Body):
    """Whose edits are meant."""

    session: SessionName = ""
    """Only edits of this window or program; of who asks if left out."""
    key: SessionName = ""
    """By which it is found again in the log, if the answer is lost."""


class OneBody(UndoBody):
    """Which edit is meant."""

    act: int | None = Field(None, ge=1, le=2**62)
    """This edit of these labels, instead of the last one; it counts as undone by `session`."""


class PlaneBox(View):
    """A box of a plane; its end is outside."""

    t: int
    z: int
    y0: int
    y1: int
    x0: int
    x1: int


class EditAnswer(View):
    """What an edit changed. It is on the disk."""

    act: int | None = Field(description="Its number in the study's history; none if it changed nothing.")
    version: int
    boxes: tuple[PlaneBox, ...]
    ids: tuple[int, ...] = Field(description="Objects that changed, came or went.")
    tiles: tuple[tuple[int, int, int, int, int], ...] = Field(
        description="Tiles to be read again: level, t, z, row, column."
    )


class EditView(View):
    """One line of the log of a label image."""

    act: ActView
    version: int | None = Field(description="The version that it made; none if it was refused.")
    base_version: int
    session: str
    operation: str
    parameters: dict[str, Any]
    ids: tuple[int, ...]


class EditOfImage(EditView):
    """One line of the log of an image."""

    labels: str = Field(description="The label image that was edited.")


class EditDetails(EditView):
    """One edit with the places that it changed; their pixels are at ``pixels/{part}``."""

    boxes: tuple[PlaneBox, ...]


@router.post("/edits", responses=_REFUSED)
def edit(body: EditBody, store: EditStudy, labels: Id, actor: ActorDep) -> EditAnswer:
    """Do one edit; the answer comes when it is on the disk."""
    operation = parse_operation(body.operation, body.parameters)
    keyed = replace(actor, key=body.key)
    result = apply_edit(store, keyed, labels, operation, base_version=body.base_version, session=body.session)
    return _answer(result)


@router.post("/undo", responses=_REFUSED)
def undo_last(body: OneBody, store: EditStudy, labels: Id, actor: ActorDep) -> EditAnswer:
    """Take back the last edit that holds, of one window or of who asks; or one edit."""
    label_set(store, labels)
    keyed = replace(actor, key=body.key)
    if body.act is not None:
        return _answer(reverse_edit(store, keyed, _edit(store, labels, body.act).act.seq, session=body.session))
    return _answer(undo(store, keyed, labels, who=actor.who, session=body.session or None))


@router.post("/redo", responses=_REFUSED)
def redo_last(body: UndoBody, store: EditStudy, labels: Id, actor: ActorDep) -> EditAnswer:
    """Do again what was undone last, if no edit was made since."""
    label_set(store, labels)
    return _answer(redo(store, replace(actor, key=body.key), labels, who=actor.who, session=body.session or None))


@router.get("/edits")
def list_edits(
    store: ReadStudy,
    labels: Id,
    before: Number | None = None,
    limit: Limit = 100,
    key: Annotated[str | None, Query(min_length=1, max_length=64, description="Only what was sent with it.")] = None,
) -> list[EditView]:
    """Return the log, newest first, with undone and refused edits; next page: `before` = the last act's `seq`."""
    label_set(store, labels)
    return [EditView(**_said(each)) for each in history(store, labels, before=before, limit=limit, key=key)]


@image_router.get("/edits")
def list_edits_of_image(
    store: ReadStudy, image: Id, before: Number | None = None, limit: Limit = 100
) -> list[EditOfImage]:
    """Return the log of all label images of an image, also of those that newer ones took the place of, newest first."""
    image_of(store, image)
    return [
        EditOfImage(**_said(each), labels=each.labels_id)
        for each in image_history(store, image, before=before, limit=limit)
    ]


@router.get("/edits/{seq}")
def get_edit(store: ReadStudy, labels: Id, seq: Seq) -> EditDetails:
    """Return one edit with the places that it changed."""
    found = _edit(store, labels, seq)
    boxes = tuple(_box(*place) for place in places_of(store, seq))
    return EditDetails(**_said(found), boxes=boxes)


@router.get("/edits/{seq}/pixels/{part}", responses=_PIXELS, response_class=Response)
def get_pixels(
    store: ReadStudy,
    labels: Id,
    seq: Seq,
    part: Annotated[int, InPath(ge=0, le=10**6)],
    side: Annotated[Literal["before", "after"], Query()] = "before",
) -> Response:
    """Return the ids in a box that an edit changed, before or after it: little-endian uint32, row by row."""
    _edit(store, labels, seq)
    found = patches_of(store, seq, part)
    if not found:
        raise ParameterError(f"Edit {seq} has no part {part}; they are counted from 0.")
    ids = found[0].before if side == "before" else found[0].after
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=31536000, immutable"}
    return Response(ids.astype("<u4").tobytes(), media_type=BYTES, headers=headers)


@router.post("/versions/{version}/restore", responses=_REFUSED)
def restore(
    store: EditStudy, labels: Id, version: Version, actor: ActorDep, body: RestoreBody | None = None
) -> EditAnswer:
    """Bring back an older version as a new edit, which can be undone. Tiles of any version: ``tiles/…?version=``."""
    known = {} if body is None else dict(body)
    return _answer(restore_version(store, actor, labels, version, **known))


def _answer(result: EditResult) -> EditAnswer:
    boxes = tuple(_box(*each) for each in result.boxes)
    return EditAnswer(act=result.act, version=result.version, boxes=boxes, ids=result.ids, tiles=result.tiles)


def _box(t: int, z: int, box: tuple[float, ...]) -> PlaneBox:
    y0, y1, x0, x1 = (int(edge) for edge in box)
    return PlaneBox(t=t, z=z, y0=y0, y1=y1, x0=x0, x1=x1)


def _edit(store: Store, labels_id: str, seq: int) -> Edit:
    found = find_edit(store, seq)
    if found.labels_id != labels_id:
        raise UnknownName(f"edit of {labels_id} with the number", str(seq))
    return found


def _said(found: Edit) -> dict[str, Any]:
    same = ("version", "base_version", "session", "operation", "parameters", "ids")
    return {"act": act_view(found.act), **{name: getattr(found, name) for name in same}}
