"""Tiles of images and labels: what there is, and the tiles.

The requests for tiles themselves are answered by `server.tiles.serving` before they get here; the routes say in the
API's document how they are, and answer addresses that are none.
"""

from __future__ import annotations

from typing import Annotated, NoReturn

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import Id, ReadStudy
from cellmetry.server.tiles.finding import EPOCH, pyramid_of
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.labels import TILE, label_set

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["tiles"])
_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "Little-endian values of the whole tile, row by row; at the edge of the plane filled up with 0.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The tile is as `If-None-Match` says."},
}
_LABEL_RESPONSES: dict[int | str, dict[str, object]] = {
    **_RESPONSES,
    204: {"description": "All of the tile is background."},
}


class LevelView(View):
    """One resolution level: 2^level pixels of the image are one of it, along Y and X."""

    shape: tuple[int, int] = Field(description="Height and width in pixels.")
    tile: tuple[int, int] = Field(description="Height and width of every tile, also at the edge.")
    tiles: tuple[int, int] = Field(description="Rows and columns of tiles.")


class TilesView(View):
    """What tiles there are."""

    dtype: str = Field(description="Type of the values, little-endian.")
    axes: str
    t: int
    c: int
    z: int
    version: int | None = Field(None, description="Of labels, now.")
    epoch: str | None = Field(None, description="Of labels: a version is the same pixels as long as this is the same.")
    levels: tuple[LevelView, ...]


@router.get("/images/{image}/tiles")
def describe_image_tiles(store: ReadStudy, image: Id) -> TilesView:
    """Return what tiles an image has; ask for one at ``tiles/{level}/{t}/{c}/{z}/{y}/{x}``."""
    found = pyramid_of(store, image_of(store, image))
    finest = dict(zip(found.axes, found.levels[0].shape, strict=True))
    levels = tuple(
        LevelView(shape=level.shape[-2:], tile=level.tile[-2:], tiles=level.count[-2:]) for level in found.levels
    )
    sizes = {axis.lower(): finest.get(axis, 1) for axis in "TCZ"}
    return TilesView(dtype=found.levels[0].dtype.name, axes=found.axes, levels=levels, **sizes)


@router.get("/labels/{labels}/tiles")
def describe_label_tiles(store: ReadStudy, labels: Id) -> TilesView:
    """Return what tiles a label image has; ask for one at ``tiles/{level}/{t}/{z}/{y}/{x}``."""
    found = label_set(store, labels)
    levels = []
    for level in range(found.levels):
        height, width = (-(-side // (1 << level)) for side in found.plane_shape)
        tile = (min(TILE, height), min(TILE, width))
        levels.append(LevelView(shape=(height, width), tile=tile, tiles=(-(-height // tile[0]), -(-width // tile[1]))))
    return TilesView(
        dtype="uint32",
        axes=found.axes,
        t=found.size("T"),
        c=1,
        z=found.size("Z"),
        version=found.version,
        epoch=store.epoch,
        levels=tuple(levels),
    )


@router.get("/images/{image}/tiles/{level}/{t}/{c}/{z}/{y}/{x}", responses=_RESPONSES, response_class=Response)
def image_tile(  # noqa: PLR0913, PLR0917  a tile of an image of five dimensions
    store: ReadStudy, image: Id, level: int, t: int, c: int, z: int, y: int, x: int
) -> Response:
    """Return the values of a tile: zstd, gzip or plain by ``Accept-Encoding``. They never change."""
    _no_tile()


@router.get("/labels/{labels}/tiles/{level}/{t}/{z}/{y}/{x}", responses=_LABEL_RESPONSES, response_class=Response)
def label_tile(  # noqa: PLR0913, PLR0917  a tile of labels of four dimensions
    store: ReadStudy,
    labels: Id,
    level: int,
    t: int,
    z: int,
    y: int,
    x: int,
    version: Annotated[
        int | None, Query(ge=0, le=2**62, description="Of the labels; the present one if left out.")
    ] = None,
    epoch: Annotated[
        str | None, Query(pattern=f"^{EPOCH}$", description="What the description of the tiles says of it.")
    ] = None,
) -> Response:
    """Return the ids of a tile as uint32: zstd, gzip or plain by ``Accept-Encoding``.

    With `version` and the present `epoch` the answer never changes; else it has an ``ETag``, and the header
    ``X-Cellmetry-Version`` says of which version the labels are.
    """
    _no_tile()


def _no_tile() -> NoReturn:
    raise ParameterError("There is no such tile: level, planes, row and column are whole numbers from 0.")
