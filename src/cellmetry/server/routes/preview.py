"""Previews: what a recipe finds in the field that is looked at. Nothing is kept in the study."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal, NamedTuple, get_args

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse
from pydantic import Field

from cellmetry.errors import UnknownName
from cellmetry.pipeline.oneshot.pool import PoolBusy
from cellmetry.pipeline.oneshot.task import Verb
from cellmetry.pipeline.quick.masking import MaskRequest
from cellmetry.pipeline.quick.preview import PreviewRequest
from cellmetry.server.app_words import Told
from cellmetry.server.bodies import View
from cellmetry.server.dependencies import EditStudy, Id, ReadStudy
from cellmetry.server.downloading import BYTES, file_answer
from cellmetry.server.quick import busy_response, pool_of, quick_answer, refusal, warm_up
from cellmetry.server.tiles.encoding import BodyCache, encode_body, encoding_for
from cellmetry.study.store.store import Store

__all__ = ["KeptPixels", "Number", "Values", "keep_pixels", "kept_pixels", "router"]

router = APIRouter(prefix="/studies/{study}/preview", tags=["preview"])
_KEPT = BodyCache(128 << 20)
_UINT32 = np.dtype("<u4")
Number = Annotated[int, InPath(ge=0, le=1000)]
Values = Literal["ids", "numbers"]
_VALUES: tuple[Values, ...] = get_args(Values)


class SeenView(View):
    """Labels, a mask or a map in the field."""

    name: str
    kind: Literal["labels", "mask", "map"]
    n: int = Field(description="Objects that reach into the field.")
    median_diameter_px: float | None = Field(description="Of those inside, as circles of their area.")
    pixels: str = Field(
        description="Where their ids are, below the study, for some minutes: uint32, row by row; of a map float32."
    )


class PreviewView(View):
    """What a recipe finds in a field."""

    id: str
    box: tuple[int, int, int, int] = Field(description="Rows y0 to y1 - 1, columns x0 to x1 - 1.")
    whole: bool = Field(description="Whether the whole plane was worked: a run finds the very same then.")
    seen: tuple[SeenView, ...]
    warnings: tuple[Told, ...]
    seconds: float


class MasksView(PreviewView):
    """Masks in a field."""

    profile: dict[str, list[float | None]] = Field(
        description="Radial profile of the field's cells together, column by column; empty if the plan has none."
    )


@router.post("", response_model=PreviewView)
async def preview(request: Request, body: PreviewRequest, store: EditStudy) -> PreviewView | JSONResponse:
    """Return what a recipe finds in a field of an image, within seconds; a job `segment` applies it to all."""
    told = await _told(request, store, "preview", body.model_dump(mode="json", exclude_none=True))
    return told if isinstance(told, JSONResponse) else PreviewView(**told)


@router.post("/masks", response_model=MasksView)
async def preview_masks(request: Request, body: MaskRequest, store: EditStudy) -> MasksView | JSONResponse:
    """Return the masks of a target and a reference in a field, within seconds; a job `quantify` measures in them."""
    told = await _told(request, store, "masks", body.model_dump(mode="json", exclude_unset=True))
    return told if isinstance(told, JSONResponse) else MasksView(**told)


async def _told(request: Request, store: Store, verb: Verb, wanted: dict[str, Any]) -> dict[str, Any] | JSONResponse:
    """Return the fields of a view after keeping the pixels, or the answer to a request that failed."""
    try:
        answer = await quick_answer(request, store, verb, wanted)
    except PoolBusy as busy:
        return busy_response(request, busy)
    if answer.kind:
        return refusal(answer)
    name, box = f"prv_{secrets.token_hex(8)}", answer.told["box"]
    shape = (box[1] - box[0], box[3] - box[2])
    seen = []
    for number, each in enumerate(answer.told.pop("seen")):
        values: Values = "numbers" if each["kind"] == "map" else "ids"
        keep_pixels((store.id, name, number), KeptPixels(shape, values, answer.files[f"{number}.zst"]))
        seen.append(SeenView(**each, pixels=f"preview/{name}/{number}"))
    return {"id": name, "seen": tuple(seen), **answer.told}


@router.post("/warm", status_code=202)
def warm(request: Request, store: EditStudy) -> None:
    """Load what previews and proposals of the study need, so that the first of them comes as fast as the next."""
    warm_up(pool_of(request), store)


@router.get(
    "/{preview}/{number}",
    responses=file_answer("Little-endian uint32 or float32.", BYTES),
    response_class=Response,
)
def preview_pixels(request: Request, store: ReadStudy, preview: Id, number: Number) -> Response:
    """Return the ids (or the float32 values of a map) of a field that was previewed, sent as tiles are."""
    kept = kept_pixels((store.id, preview, number))
    encoding = encoding_for(request.headers.get("accept-encoding", "").encode())
    body = encode_body(kept.frame, encoding, kept.shape, _UINT32, f"preview {preview}")
    headers = {"Cache-Control": "private, no-store", "Vary": "Accept-Encoding"}
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=BYTES, headers=headers)


class KeptPixels(NamedTuple):
    """Ids of objects (uint32) or numbers (float32) of a field, as a zstd frame."""

    shape: tuple[int, int]
    values: Values
    frame: bytes


def keep_pixels(key: tuple[str, str, int], pixels: KeptPixels) -> None:
    """Keep the values of a field for some minutes; the key is study, preview and number."""
    sides = (side.to_bytes(4, "little") for side in pixels.shape)
    _KEPT.put(key, b"".join([*sides, bytes([_VALUES.index(pixels.values)]), pixels.frame]))


def kept_pixels(key: tuple[str, str, int]) -> KeptPixels:
    """Return the values of a field.

    Raises
    ------
    UnknownName
        If they are kept no longer.
    """
    kept = _KEPT.get(key)
    if kept is None:
        raise UnknownName("preview that is still kept; ask for it again:", key[1], ())
    shape = int.from_bytes(kept[:4], "little"), int.from_bytes(kept[4:8], "little")
    return KeptPixels(shape, _VALUES[kept[8]], kept[9:])
