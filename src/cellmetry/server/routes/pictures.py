"""Small pictures of images, for lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cellmetry.errors import ParameterError
from cellmetry.pipeline.stored.thumbnail import thumbnail
from cellmetry.server.bodies import IdText
from cellmetry.server.dependencies import Id, ReadStudy
from cellmetry.server.downloading import file_answer
from cellmetry.server.tiles.encoding import BodyCache
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.labels import LabelSet, label_set
from cellmetry.study.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/studies/{study}", tags=["images"])
_KEPT = BodyCache(64 << 20)
_ANSWERS = {**file_answer("A WebP picture.", "image/webp"), 304: {"description": "It is as `If-None-Match` says."}}
_FOR_EVER = "private, max-age=31536000, immutable"
Side = Annotated[int, Query(ge=16, le=512, description="Longest side in pixels.")]


@router.get("/images/{image}/thumbnail", responses=_ANSWERS, response_class=Response)
def image_thumbnail(
    request: Request,
    store: ReadStudy,
    image: Id,
    side: Side = 192,
    labels: Annotated[IdText | None, Query(description="Labels drawn over it.")] = None,
) -> Response:
    """Return a small picture of an image, channels in their colours with automatic contrast, with labels if asked."""
    drawn = None if labels is None else _labels_of(store, image, labels)
    version = "" if drawn is None else f".{drawn.id}.{drawn.version}"
    tag = f'"{image}.{side}{version}"'
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER if drawn is None else "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    key = (store.id, tag)
    body = _KEPT.get(key)
    if body is None:
        body = thumbnail(store, image_of(store, image), side, drawn)
        _KEPT.put(key, body)
    return Response(body, media_type="image/webp", headers=headers)


def _labels_of(store: Store, image: str, labels: str) -> LabelSet:
    found = label_set(store, labels)
    if found.image_id != image:
        raise ParameterError(f"The labels {labels} are of another image, {found.image_id}.")
    return found
