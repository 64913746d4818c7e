"""Maps that a review of labels made: density and disagreement, in blocks, for viewers."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath
from pydantic import Field

from cellmetry.errors import UnknownName
from cellmetry.pipeline.jobs.block_maps import MapKind, map_path
from cellmetry.pipeline.jobs.kinds.reviewing import REVIEW
from cellmetry.server.bodies import IdText, View
from cellmetry.server.dependencies import Id, ReadStudy
from cellmetry.server.downloading import BYTES, file_answer
from cellmetry.study.store.results import results

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/maps", tags=["maps"])
Plane = Annotated[int, InPath(ge=0, le=2**31)]


class MapView(View):
    """A map of one plane; its blocks lie side by side from the upper left corner."""

    image: str
    labels: str = Field(description="Name of the labels that were reviewed.")
    kind: Literal["density", "disagreement"] = Field(
        description="Cells that the network sees in a block; or how much more than are labelled, in standard units."
    )
    t: int
    z: int
    block: int = Field(description="Side of a block, in pixels of the image.")
    shape: tuple[int, int] = Field(description="Rows and columns of blocks.")
    low: float = Field(description="Shown darkest.")
    high: float
    pixels: str = Field(description="Where its values are, below the study: float32, row by row.")


@router.get("")
def list_maps(
    store: ReadStudy,
    image: Annotated[IdText | None, Query(description="Only those of this image.")] = None,
    labels: Annotated[str, Query(min_length=1, max_length=200, description="Name of the labels.")] = "cells",
) -> list[MapView]:
    """Return the maps of the newest review of labels; none before a job `review`."""
    newest = next((each for each in results(store, "table")[::-1] if each.name == f"{REVIEW} {labels}"), None)
    if newest is None:
        return []
    told = newest.details["images"]
    wanted = [each for each in told if image in (None, each)]
    return [
        MapView(
            image=each,
            labels=labels,
            pixels=f"maps/{newest.job_id}/{each}/{one['kind']}/{one['t']}/{one['z']}",
            **one,
        )
        for each in wanted
        for one in told[each].get("maps", ())
    ]


@router.get(
    "/{job_id}/{image}/{kind}/{t}/{z}",
    responses=file_answer("Little-endian float32, row by row.", BYTES),
    response_class=Response,
)
def map_pixels(store: ReadStudy, job_id: Id, image: Id, kind: MapKind, t: Plane, z: Plane) -> Response:
    """Return the values of a map; they never change."""
    path = map_path(store.folder / "jobs" / job_id, image, kind, t, z)
    if not path.is_file():
        raise UnknownName("map of a review", f"{kind} of {image}", ())
    values = np.load(path, allow_pickle=False).astype("<f4")
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(values.tobytes(), media_type=BYTES, headers=headers)
