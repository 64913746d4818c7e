"""`do_file`: what becomes of one file of a one-shot request, in a process that works for many."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import CellmetryError, LabelsError, LimitExceeded, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.discover import InputFile
from cellmetry.io.labels import read_labels
from cellmetry.io.pictures import write_grey_png
from cellmetry.io.scenes import find_scenes
from cellmetry.io.tables import read_columns, read_table
from cellmetry.pipeline.exchanging import export_labels
from cellmetry.pipeline.inputs import ImageRef
from cellmetry.pipeline.oneshot.request import CountRequest, PredictRequest
from cellmetry.pipeline.oneshot.task import FileTask, ImageAnswer, Verb, failed
from cellmetry.pipeline.work import Job, Layout, do_job
from cellmetry.settings import current_settings
from cellmetry.study.tables.query import TablePage

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.pipeline.oneshot.request import OneShotRequest
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.pipeline.work import Outcome

__all__ = ["do_file", "refused"]

_LARGEST_PNG = np.iinfo(np.uint16).max


def refused(task: FileTask, error: CellmetryError, image: str = "") -> ImageAnswer:
    """Return the answer for an image that cannot be used, its sentence free of this computer's paths."""
    # A file that came with the request is not "not found": what is missing lies inside it.
    status = 422 if error.http_status == 404 else error.http_status
    return failed(task, _plain(task, str(error)), type(error).__name__, status, image=image)


def do_file(task: FileTask) -> list[ImageAnswer]:
    """Return what became of each image of a file; a failure is an answer, not an exception."""
    try:
        request = parse_parameters(_kind(task.verb), task.request, where=task.verb)
        recipe = request.ready()
        refs = _images(task, request)
    except CellmetryError as error:
        return [refused(task, error)]
    return [_do_image(task, request, recipe, ref) for ref in refs]


def _kind(verb: Verb) -> type[OneShotRequest]:
    return PredictRequest if verb == "predict" else CountRequest


def _images(task: FileTask, request: OneShotRequest) -> list[ImageRef]:
    reading, path = request.reading, Path(task.path)
    found = find_scenes([InputFile(path, PurePosixPath(path.name))], reading.scenes)
    return [ImageRef(each.path, each.stem, reading, each.scene, others=each.others) for each in found]


def _do_image(task: FileTask, request: OneShotRequest, recipe: Recipe, ref: ImageRef) -> ImageAnswer:
    name = ref.stem.as_posix()
    try:
        _refuse_large(ref)
        outcome = do_job(Job(ref, recipe, Path(task.out), _layout(request)))
        if outcome.status == "failed":
            return _unworked(task, outcome)
        answer = _answer(task, name, outcome)
        if isinstance(request, PredictRequest):
            return replace(answer, output=str(_written(task, request, answer, outcome)))
        return replace(answer, counts=tuple(_records(read_table(Path(task.out) / outcome.outputs["table counts"]))))
    except CellmetryError as error:
        return refused(task, error, name)


def _refuse_large(ref: ImageRef) -> None:
    """Refuse what cannot be opened, and images whose labels would not fit into memory."""
    sizes = ref.open().sizes
    pixels = math.prod(sizes[axis] for axis in "TZYX")
    limit = current_settings().max_labels_in_memory
    if pixels > limit:
        raise LimitExceeded(
            f"{ref.name} has {pixels:,} pixels a channel; a one-shot request takes up to {limit:,}. Register it in a "
            f"study, where it is worked in parts."
        )


def _layout(request: OneShotRequest) -> Layout:
    output = request.output if isinstance(request, PredictRequest) else "json"
    return Layout(labels="", overlays=output == "overlay", tables=output == "json")


def _unworked(task: FileTask, outcome: Outcome) -> ImageAnswer:
    """Return the answer for an image that failed while it was worked."""
    reason = _plain(task, outcome.reason)
    if "MemoryError" in outcome.reason and outcome.traceback:
        return failed(task, f"{reason}; it needs more memory.", "LimitExceeded", 413, image=outcome.image)
    kind, status = ("Unforeseen", 500) if outcome.traceback else ("InputError", 422)
    return failed(task, reason, kind, status, image=outcome.image)


def _answer(task: FileTask, name: str, outcome: Outcome) -> ImageAnswer:
    return ImageAnswer(
        task.name,
        name,
        warnings=tuple(_plain(task, each) for each in outcome.warnings),
        axes=outcome.axes,
        channels=outcome.channels,
        shape=outcome.shape,
        pixel_size_um=outcome.pixel_size_um,
        n_objects=outcome.n_objects,
        labels_sha256=outcome.labels_sha256,
    )


def _written(task: FileTask, request: PredictRequest, answer: ImageAnswer, outcome: Outcome) -> Path:
    """Return the file that is given back for an image."""
    out = Path(task.out)
    if request.output == "json":
        return _write_tables(out, answer, outcome)
    if not outcome.n_objects:
        raise ParameterError(f"{answer.image}: the recipe makes no labels; ask for output=json.")
    chosen = request.choose(list(outcome.n_objects))
    if request.output == "overlay":
        return out / outcome.outputs[f"overlay {chosen}"]
    labels = out / outcome.outputs[f"labels {chosen}"]
    if request.output == "png":
        return _write_png(labels, answer.image)
    if request.output == "rois":
        return export_labels(labels, labels.with_name(f"{PurePosixPath(answer.image).name}_rois.zip"), "rois").path
    return labels


def _write_png(labels: Path, name: str) -> Path:
    ids = read_labels(labels).read()
    if math.prod(ids.shape[:-2]) > 1:
        raise LabelsError(f"{name} has several planes, which a PNG cannot hold; ask for output=tiff.")
    if ids.max(initial=0) > _LARGEST_PNG:
        raise LabelsError(
            f"{name} has ids up to {ids.max():,}, more than a 16-bit PNG holds ({_LARGEST_PNG:,}); ask for output=tiff."
        )
    path = labels.with_suffix(".png")
    write_grey_png(ids.reshape(ids.shape[-2:]).astype(np.uint16), path)
    return path


def _write_tables(out: Path, answer: ImageAnswer, outcome: Outcome) -> Path:
    tables = {}
    for key, place in outcome.outputs.items():
        if key.startswith("table "):
            path = out / place
            tables[key.removeprefix("table ")] = {
                "columns": [column._asdict() for column in read_columns(path)],
                "rows": _records(read_table(path)),
            }
    path = out / f"{answer.image}.json"
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({**answer.row(), "tables": tables}, allow_nan=False), encoding="utf-8")
    return path


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON values; what is missing or not finite is None."""
    return TablePage((), table, len(table)).records()


def _plain(task: FileTask, sentence: str) -> str:
    """Return a sentence without the folders of this computer, the file called as its sender does."""
    for folder in (Path(task.path).parent, Path(task.out)):
        sentence = sentence.replace(f"{folder}/", "").replace(f"{folder}\\", "").replace(str(folder), "")
    return sentence.replace(Path(task.path).name, task.name)
