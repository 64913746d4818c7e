"""`do_quick`: a quick task in a process that works for many; its answer is a file of JSON and files of pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.segment import Segment
from cellmetry.errors import CellmetryError, UnknownName
from cellmetry.io.tile_store import encode_tile
from cellmetry.pipeline.oneshot.task import FileTask, ImageAnswer, failed
from cellmetry.pipeline.quick.counting import CountPreviewRequest, preview_count
from cellmetry.pipeline.quick.masking import MaskRequest, preview_masks
from cellmetry.pipeline.quick.preview import PreviewRequest, preview
from cellmetry.pipeline.quick.proposing import NothingThere, ProposalRequest, propose
from cellmetry.pipeline.stored.recipes import wanted_recipe
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.pipeline.quick.preview import Preview
    from cellmetry.study.store.store import Store

__all__ = ["ANSWER", "QUICK", "do_quick"]

ANSWER = "answer.json"
"""File of the answer, in the folder of the task."""


def do_quick(task: FileTask) -> list[ImageAnswer]:
    """Return what became of a task; `path` of the task is the folder of a study that its server has open."""
    store = join_store(task.path)
    try:
        told = QUICK[task.verb](store, task)
    except CellmetryError as error:
        status = 404 if isinstance(error, UnknownName) else error.http_status
        return [failed(task, str(error), type(error).__name__, status)]
    finally:
        store.database.close()
    place = Path(task.out) / ANSWER
    place.write_text(json.dumps(told, allow_nan=False), encoding="utf-8")
    return [replace(ImageAnswer(task.name, task.name), output=str(place))]


def _preview(store: Store, task: FileTask) -> dict[str, Any]:
    return _told(preview(store, parse_parameters(PreviewRequest, task.request, where="preview")), Path(task.out))


def _masks(store: Store, task: FileTask) -> dict[str, Any]:
    found = preview_masks(store, parse_parameters(MaskRequest, task.request, where="preview"))
    return {**_told(found.shown, Path(task.out)), "profile": found.profile}


def _told(found: Preview, out: Path) -> dict[str, Any]:
    """Return what is said of a preview after writing its pixels."""
    shown = []
    for number, each in enumerate(found.seen):
        (out / f"{number}.zst").write_bytes(encode_tile(each.ids))
        shown.append({"name": each.name, "kind": each.kind, "n": each.n, "median_diameter_px": each.median_diameter_px})
    return {
        "box": [int(edge) for edge in found.box],
        "whole": found.whole,
        "seen": shown,
        "warnings": list(found.warnings),
        "seconds": found.seconds,
    }


def _preview_count(store: Store, task: FileTask) -> dict[str, Any]:
    found = preview_count(store, parse_parameters(CountPreviewRequest, task.request, where="count"))
    shown = []
    for number, each in enumerate(found.layers):
        (Path(task.out) / f"{number}.zst").write_bytes(encode_tile(each.values))
        shown.append({"kind": each.kind, "shape": each.values.shape, "block": each.block, "limits": each.limits})
    return {
        "box": [int(edge) for edge in found.box],
        "whole": found.whole,
        "counts": found.counts,
        "layers": shown,
        "warnings": list(found.warnings),
        "seconds": found.seconds,
    }


def _propose(store: Store, task: FileTask) -> dict[str, Any]:
    request = dict(task.request)
    labels = request.pop("labels")
    try:
        found = propose(store, labels, parse_parameters(ProposalRequest, request, where="propose"))
    except NothingThere as nothing:  # an answer like any other: most of an image is ground
        return {"reason": str(nothing)}
    return {
        "outline": found.outline.tolist(),
        "box": [int(edge) for edge in found.box],
        "area_px": found.area_px,
        "score": found.score,
    }


def _warm(store: Store, _: FileTask) -> dict[str, Any]:
    """Load what the first preview and proposal of a study need."""
    for step in wanted_recipe(store, "any").steps:
        if isinstance(step, Segment):
            step.load_engine()
    return {}


QUICK: dict[str, Callable[[Store, FileTask], dict[str, Any]]] = {
    "preview": _preview,
    "preview count": _preview_count,
    "masks": _masks,
    "propose": _propose,
    "warm": _warm,
}
"""What is done for each verb."""
