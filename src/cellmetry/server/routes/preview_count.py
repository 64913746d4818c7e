"""How many cells the field that is looked at shows, with its density map. Nothing is kept in the study."""

from __future__ import annotations

import secrets
from io import BytesIO
from typing import Annotated, Any, Literal

import numpy as np
import tifffile
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.io.tile_store import decode_tile
from cellmetry.pipeline.oneshot.pool import PoolBusy
from cellmetry.pipeline.quick.counting import CountPreviewRequest
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import EditStudy, Id, ReadStudy
from cellmetry.server.downloading import download_headers, file_answer
from cellmetry.server.quick import busy_response, quick_answer, refusal
from cellmetry.server.routes.preview import KeptPixels, Number, Values, keep_pixels, kept_pixels

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}/preview", tags=["preview"])
_TIFF = "image/tiff"
_FLOAT32 = np.dtype("<f4")
_UM_IN_CM = 1e4


class CountLayerView(View):
    """What is seen of a count; its values lie side by side from the upper left corner of the field."""

    kind: Literal["cells", "density", "disagreement"] = Field(
        description="Ids of objects (uint32); cells per pixel, or by how much the counters differ (float32)."
    )
    shape: tuple[int, int]
    block: int = Field(description="Side of a value, in pixels of the image.")
    limits: tuple[float, float] = Field(description="Shown darkest, and brightest.")
    pixels: str = Field(description="Where its values are, below the study: row by row, for some minutes.")


class CountPreviewView(View):
    """How many cells a field shows."""

    id: str
    box: tuple[int, int, int, int] = Field(description="Rows y0 to y1 - 1, columns x0 to x1 - 1.")
    whole: bool = Field(
        description="Whether it is the whole plane: of an image of one plane a job `count` counts the very same then."
    )
    counts: tuple[dict[str, Any], ...] = Field(description="Rows of the table of counts: the field, then its regions.")
    layers: tuple[CountLayerView, ...]
    warnings: tuple[Told, ...]
    seconds: float


@router.post("/count", response_model=CountPreviewView)
async def count_field(request: Request, body: CountPreviewRequest, store: EditStudy) -> CountPreviewView | JSONResponse:
    """Return how many cells a field of an image shows, and where, within seconds; a job `count` counts them all."""
    try:
        answer = await quick_answer(request, store, "preview count", body.model_dump(mode="json", exclude_none=True))
    except PoolBusy as busy:
        return busy_response(request, busy)
    if answer.kind:
        return refusal(answer)
    name, layers = f"prv_{secrets.token_hex(8)}", []
    for number, each in enumerate(answer.told.pop("layers")):
        values: Values = "ids" if each["kind"] == "cells" else "numbers"
        pixels = KeptPixels(tuple(each["shape"]), values, answer.files[f"{number}.zst"])
        keep_pixels((store.id, name, number), pixels)
        layers.append(CountLayerView(**each, pixels=f"preview/{name}/{number}"))
    return CountPreviewView(id=name, layers=tuple(layers), **answer.told)


@router.get(
    "/{preview}/{number}/tiff",
    responses=file_answer("32-bit float, one plane; the sum of a density over a region is its count.", _TIFF),
    response_class=Response,
)
def map_as_tiff(
    store: ReadStudy,
    preview: Id,
    number: Number,
    name: Annotated[str, Query(min_length=1, max_length=200, description="What the file is called.")] = "density.tif",
    pixel_um: Annotated[float | None, Query(ge=1e-4, le=1e6, description="Side of a value in µm.")] = None,
) -> Response:
    """Return the values of a map of a count as a TIFF file."""
    kept = kept_pixels((store.id, preview, number))
    if kept.values != "numbers":
        raise ParameterError("These are ids of objects, not a map; only maps are saved so.")
    values = decode_tile(kept.frame, kept.shape, _FLOAT32, f"preview {preview}")
    resolution = None if pixel_um is None else (_UM_IN_CM / pixel_um, _UM_IN_CM / pixel_um)
    file = BytesIO()
    tifffile.imwrite(
        file, values, photometric="minisblack", compression="zlib", resolution=resolution, resolutionunit="CENTIMETER"
    )
    return Response(file.getvalue(), media_type=_TIFF, headers=download_headers(name))
