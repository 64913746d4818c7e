"""Label images of a study: list, one, its objects, what is under a point; restoring a version, removing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.errors import UnknownName
from cellmetry.pipeline.stored.empty_labels import add_empty_labels
from cellmetry.pipeline.teaching import Standing, standings
from cellmetry.server.bodies import ActDone, Body, IdText, Limit, Number, ShortText, View
from cellmetry.server.dependencies import ActorDep, EditStudy, GrowStudy, Id, ReadStudy
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import LabelSet, label_set, label_sets, remove_labels
from cellmetry.study.store.objects import StoredObject, count_bodies, count_stored, find_object, objects_page
from cellmetry.study.store.right import say_right
from cellmetry.study.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["labels"])
Edge = Annotated[int, Query(ge=0, le=2**31)]
Plane = Annotated[int, Query(ge=0, le=2**31)]
Place = Annotated[float, Query(ge=0, le=2**31, allow_inf_nan=False)]


class LabelsView(View):
    """A label image."""

    id: str
    image: str
    name: str
    axes: str
    shape: tuple[int, ...]
    levels: int
    version: int = Field(description="Number of the last edit; 0 is what a job or a file gave.")
    next_id: int = Field(description="Smallest id that was never used.")
    sha256: str = Field(description="Hash of the ids of version 0.")
    origin: dict[str, Any] = Field(description="What made version 0.")
    outlines: int = Field(description="Objects, each counted once in every plane where it is.")
    objects: int = Field(description="Objects, each counted once, but once a plane where planes are not linked.")
    linked_z: bool | None = Field(description="Whether an id means one body through all planes; null: nobody said.")
    removed: bool
    right: bool = Field(description="Whether somebody said that all cells are right.")
    reviewed: float = Field(description="Part of the fields of 512 × 512 pixels that was looked through, 0 to 1.")
    teaches: bool = Field(description="Whether a training takes them if no images are named.")


class NewLabels(Body):
    """Labels to be drawn by hand."""

    image: IdText
    name: ShortText = Field("cells", min_length=1)
    """Name of the labels; the image has none of this name."""


class RightSaid(Body):
    """What somebody says of labels that they looked at."""

    right: bool
    """Whether all cells are right; false takes that back."""


class LabelsMade(ActDone):
    """Labels that were made."""

    labels: str
    """Their id."""


class ObjectView(View):
    """One object in one plane. The box's end is outside: rows y0 to y1 - 1."""

    id: int
    t: int
    z: int
    y0: int
    y1: int
    x0: int
    x1: int
    area_px: int


class UnderPoint(View):
    """What is at a point."""

    id: int = Field(description="Object there, 0 for background.")
    object: ObjectView | None
    version: int


@router.get("/labels")
def list_labels(
    store: ReadStudy,
    image: Annotated[IdText | None, Query(description="Only those of this image.")] = None,
    after: Annotated[IdText | None, Query(description="Id of the last of the page before.")] = None,
    limit: Limit = 100,
) -> list[LabelsView]:
    """Return the label images, the oldest first."""
    if after is not None:
        label_set(store, after)  # an unknown one is an error, not the end of the list
    found = label_sets(store, image, after=after)[:limit]
    known = standings(store, found)
    return [_view(store, each, known[each.id], removed=False) for each in found]


@router.post("/labels", status_code=201)
def draw_labels(body: NewLabels, store: GrowStudy, actor: ActorDep) -> LabelsMade:
    """Give an image labels without an object, to be drawn by hand; undoing the act takes them away."""
    made = add_empty_labels(store, actor, body.image, body.name)
    return LabelsMade(act=made.act, labels=made.id)


@router.get("/labels/{labels}")
def get_labels(store: ReadStudy, labels: Id) -> LabelsView:
    """Return one label image, also a removed one."""
    found = label_set(store, labels)
    alive = any(each.id == labels for each in label_sets(store, found.image_id))
    return _view(store, found, standings(store, [found])[found.id], removed=not alive)


@router.delete("/labels/{labels}")
def remove(store: EditStudy, actor: ActorDep, labels: Id) -> ActDone:
    """Hide a label image; undoing the act brings it back."""
    found = label_set(store, labels)
    with store.database.write():
        summary = f"Remove {found.name} of {image_of(store, found.image_id).name}"
        seq = act(store, actor, "remove labels", summary, labels=labels, image=found.image_id)
        remove_labels(store, seq, labels)
    return ActDone(act=seq)


@router.put("/labels/{labels}/right")
def put_right(body: RightSaid, store: EditStudy, actor: ActorDep, labels: Id) -> ActDone:
    """Say that all cells of labels are right, or that this is not known; newer labels in their place are others."""
    return ActDone(act=say_right(store, actor, label_set(store, labels), right=body.right))


@router.get("/labels/{labels}/objects")
def list_objects(  # noqa: PLR0913, PLR0917  a window of a plane
    store: ReadStudy,
    labels: Id,
    t: Plane = 0,
    z: Plane = 0,
    y0: Edge = 0,
    y1: Edge = 2**31,
    x0: Edge = 0,
    x1: Edge = 2**31,
    after: Number = 0,
    limit: Limit = 1000,
) -> list[ObjectView]:
    """Return the objects whose boxes meet a window, by id; for the next page ask with `after` = the last id."""
    found = label_set(store, labels)
    found.check_plane(t, z)
    return [_object(each) for each in objects_page(store, found, t, z, Box(y0, y1, x0, x1), after=after, limit=limit)]


@router.get("/labels/{labels}/objects/{object_id}")
def get_object(store: ReadStudy, labels: Id, object_id: int, t: Plane = 0, z: Plane = 0) -> ObjectView:
    """Return where an object is in a plane."""
    known = 0 < object_id < 2**32
    found = find_object(store, label_set(store, labels), object_id, t, z) if known else None
    if found is None:
        raise UnknownName(f"object in plane t={t}, z={z} with the id", str(object_id)[:20])
    return _object(found)


@router.get("/labels/{labels}/at")
def get_at(store: ReadStudy, labels: Id, y: Place, x: Place, t: Plane = 0, z: Plane = 0) -> UnderPoint:
    """Return the object under a point; pixel (0, 0) covers [0, 1) × [0, 1)."""
    found = label_set(store, labels)
    row, column = int(y), int(x)
    label = int(read_window(store, found, t, z, Box(row, row + 1, column, column + 1))[0, 0])
    there = find_object(store, found, label, t, z) if label else None
    return UnderPoint(id=label, object=None if there is None else _object(there), version=found.version)


def _view(store: Store, found: LabelSet, known: Standing, *, removed: bool) -> LabelsView:
    same = ("id", "name", "axes", "shape", "levels", "version", "next_id", "sha256", "origin")
    said = {**{name: getattr(found, name) for name in same}, **known._asdict()}
    counts = {"outlines": count_stored(store, found), "objects": count_bodies(store, found)}
    return LabelsView(**said, **counts, image=found.image_id, linked_z=found.details["linked_z"], removed=removed)


def _object(found: StoredObject) -> ObjectView:
    y0, y1, x0, x1 = (int(edge) for edge in found.box)
    return ObjectView(id=found.id, t=found.t, z=found.z, y0=y0, y1=y1, x0=x0, x1=x1, area_px=found.area_px)
