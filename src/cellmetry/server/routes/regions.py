"""Regions drawn on images, by name: jobs count and measure by them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from cellmetry.core.parameters import parse_parameters
from cellmetry.ops.shapes import Shape
from cellmetry.server.bodies import ActDone, Body, IdText, ShortText, View
from cellmetry.server.dependencies import ActorDep, EditStudy, ReadStudy
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.images import images
from cellmetry.study.store.regions import put_regions, regions_of

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/regions", tags=["regions"])
Place = Annotated[float, Field(ge=-(2**31), le=2**31, allow_inf_nan=False)]
Corner = tuple[Place, Place]


class Region(Body):
    """A drawn region: a rectangle or a polygon."""

    name: ShortText = Field(min_length=1)
    rectangle: tuple[Place, Place, Place, Place] | None = None
    """Upper, left, lower and right side."""
    polygon: tuple[Corner, ...] = Field(default=(), max_length=20_000)
    """Corners (y, x) in their order."""


class Regions(Body):
    """All regions of an image."""

    image: IdText
    regions: tuple[Region, ...] = Field(max_length=1000)


class RegionView(View):
    """A region of an image."""

    image: str
    name: str
    rectangle: tuple[float, float, float, float] | None
    polygon: tuple[tuple[float, float], ...]


@router.get("")
def list_regions(store: ReadStudy, image: IdText | None = None) -> list[RegionView]:
    """Return the regions drawn on an image, or on all."""
    wanted = [each.id for each in images(store)] if image is None else [image_of(store, image).id]
    return [
        RegionView(image=image_id, name=each.name, rectangle=each.rectangle, polygon=each.polygon)
        for image_id in wanted
        for each in regions_of(store, image_id)
    ]


@router.put("")
def put_regions_of(body: Regions, store: EditStudy, actor: ActorDep) -> ActDone:
    """Give an image these regions and no others; undoing the act brings back those of before."""
    shapes = [parse_parameters(Shape, each.model_dump(), where=f"region {each.name}") for each in body.regions]
    return ActDone(act=put_regions(store, actor, body.image, shapes))
