"""A data set whose labels come from another channel: segment one, judge the objects, teach the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.labels import labels_from_array
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters
from cellmetry.engines.segment import Segment, segment_with
from cellmetry.errors import CellmetryError, InputError, ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.labels import write_labels
from cellmetry.io.pictures import write_png
from cellmetry.io.tables import write_table
from cellmetry.learn.dataset import (
    CARD_FILE,
    DataSet,
    DataSetCard,
    Item,
    pixel_size_span,
    read_data_set,
    refuse_contents,
    write_data_set,
)
from cellmetry.learn.importers.naming import unique_names
from cellmetry.learn.transfer import OBJECT_COLUMNS, Judged, TransferQuality, judge_objects, not_annotated
from cellmetry.models.licences import NonCommercial, stated_by_licence
from cellmetry.ops.shift import Shift, measure_shift
from cellmetry.pipeline.inputs import ImageRef, find_images
from cellmetry.pipeline.transfer_images import TargetImage
from cellmetry.report.transfer import draw_transfer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.engines.base import Engine
    from cellmetry.pipeline.reading import Reading

__all__ = ["FIELD_COLUMNS", "TransferPlan", "TransferResult", "transfer_labels"]

FIELD_COLUMNS = (
    Column("image", "", "Name of the field.", "Cellmetry"),
    Column("found", "1", "Objects found in the channel that was segmented.", "Cellmetry"),
    Column("accepted", "1", "Objects that became labels.", "Cellmetry"),
    Column("annotated", "1", "Part of the field that is annotated.", "Cellmetry"),
    Column("shift_y_px", "px", "Rows by which the target must be moved to lie on the source.", "Cellmetry"),
    Column("shift_x_px", "px", "Columns by which the target must be moved to lie on the source.", "Cellmetry"),
    Column("shift_sharpness", "1", "Height of the correlation's peak in standard deviations.", "Cellmetry"),
    Column("problem", "", "Why the field teaches nothing; empty if it does.", "Cellmetry"),
)
"""Columns of the table of fields."""

T = TypeVar("T", bound=np.generic)

_FIELDS = [column.name for column in FIELD_COLUMNS]
_OBJECTS = ["image", *(column.name for column in OBJECT_COLUMNS)]


class TransferPlan(Parameters):
    """Which channel teaches which, and how."""

    source: str = Field(coerce_numbers_to_str=True)
    """Channel to segment, by name or index: the stained one."""
    target: str = Field(coerce_numbers_to_str=True)
    """Channel that the labels are for, by name or index: brightfield, phase contrast."""
    segment: Segment = Segment()
    """How objects are found in the source; its channel is `source`."""
    quality: TransferQuality = TransferQuality()
    """Which objects are good enough."""
    name: str = Field(default="transferred", min_length=1, max_length=200)
    """Name of the data set."""
    licence: str = Field(default="unknown", min_length=1, max_length=200)
    """Licence of the images."""
    non_commercial: NonCommercial = Field(default_factory=stated_by_licence)
    """Whether commercial use of the images is forbidden; left out, as `licence` says."""
    modality: str = ""
    """Kind of microscopy of the target."""


class TransferResult(NamedTuple):
    """The data set that was written, and the tables of its fields and of all objects that were found."""

    data_set: DataSet
    fields: pd.DataFrame
    objects: pd.DataFrame


@dataclass(frozen=True)
class _Pair:
    """Both channels of a field, float32 (Y, X)."""

    source: NDArray[np.float32]
    target: NDArray[np.float32]
    image: Image


class _Field(NamedTuple):
    """What became of a field: its row, its objects, and, if it teaches something, its item and pixel size."""

    row: dict[str, object]
    objects: pd.DataFrame
    item: Item | None = None
    pixel_size_um: float | None = None


def transfer_labels(
    plan: TransferPlan, inputs: Iterable[str | Path], out: str | Path, *, reading: Reading, progress: Progress = SILENT
) -> TransferResult:
    """Return the data set written into the new folder `out`: target images with labels found in the source channel.

    Beside ``dataset.toml`` and ``items.csv``: ``labels/``, ``annotated/`` where something was left open, ``images/``
    where `reading` says what the files do not, ``review/`` with a picture of each field, ``fields.csv`` and
    ``objects.csv``. A field that cannot be read is noted in ``fields.csv`` and left out, as is one that teaches
    nothing. The folder is there as a whole or not at all; where no field taught anything, it holds tables and pictures.

    Raises
    ------
    ParameterError
        If source and target are one channel, or `plan` names another channel to segment.
    InputError
        If no field taught anything; the first reason is given.
    OutputError
        If `out` has contents, or cannot be written.
    """
    _check_channels(plan)
    folder = Path(out).absolute()
    refuse_contents(folder)
    forbidding = _forbidding_model(plan.segment.load_engine())
    refs = find_images(inputs, reading, folder).images
    names = unique_names([ref.name.replace("/", "_") for ref in refs])
    progress.start("transfer", len(refs))
    with atomic_folder(folder, marker=CARD_FILE) as temporary:
        done = []
        for name, ref in zip(names, refs, strict=True):
            done.append(_transfer_field(plan, ref, name, temporary))
            progress.advance()
        fields, objects = _write_tables(done, temporary)
        items = tuple(field.item for field in done if field.item is not None)
        if items:
            card = _card(plan, forbidding, [field.pixel_size_um for field in done if field.item is not None])
            write_data_set(DataSet(card, temporary, items))
    if not items:
        raise InputError(
            f"None of the {len(refs)} fields taught anything; the first: {fields['problem'].iloc[0]} "
            f"All reasons are in {folder / 'fields.csv'}."
        )
    return TransferResult(read_data_set(folder), fields, objects)


def _check_channels(plan: TransferPlan) -> None:
    if plan.source == plan.target:
        raise ParameterError(f"Source and target are both the channel {plan.source!r}; name two channels.")
    if plan.segment.channel not in (None, plan.source):
        raise ParameterError(
            f"The channel to segment is the source, {plan.source!r}; leave out segment.channel={plan.segment.channel}."
        )


def _forbidding_model(engine: Engine) -> str:
    """Return name and version of the engine's model if it forbids commercial use, and of what it makes; else empty."""
    model = engine.describe().get("model")
    if not isinstance(model, dict) or not model.get("non_commercial"):
        return ""
    return " ".join(str(model[key]) for key in ("name", "version") if key in model)


def _card(plan: TransferPlan, forbidding: str, sizes_um: Sequence[float | None]) -> DataSetCard:
    why = f" Not for commercial use: the model {forbidding}, which found the labels, forbids it." if forbidding else ""
    return DataSetCard(
        name=plan.name,
        licence=plan.licence,
        non_commercial=plan.non_commercial or bool(forbidding),
        summary=f"Labels of {plan.target} from {plan.source}.{why}",
        pixel_size_um=pixel_size_span(sizes_um),
    )


def _write_tables(done: Sequence[_Field], folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of fields and of objects, both written."""
    fields = pd.DataFrame([field.row for field in done], columns=_FIELDS)
    objects = pd.concat([field.objects for field in done], ignore_index=True)
    write_table(fields, folder / "fields.csv", FIELD_COLUMNS)
    write_table(objects, folder / "objects.csv", (FIELD_COLUMNS[0], *OBJECT_COLUMNS))
    return fields, objects


def _transfer_field(plan: TransferPlan, ref: ImageRef, name: str, folder: Path) -> _Field:
    """Return what became of a field, its files written under `name`."""
    try:
        pair = _read_pair(plan, ref)
        found = segment_with(plan.segment.model_copy(update={"channel": plan.source}), pair.image).labels.read()
    except CellmetryError as error:
        row = {"image": ref.name, "found": 0, "accepted": 0, "annotated": 0.0, "problem": str(error)}
        return _Field(row, pd.DataFrame(columns=_OBJECTS))
    labels = found.astype(np.int32)
    shift = measure_shift(pair.source, pair.target)
    judged = judge_objects(labels, pair.source, plan.quality)
    moved, judged, problem = _place(labels, judged, shift, plan.quality)
    _write_review(plan, folder / "review" / f"{name}.png", (pair, moved, judged))
    row = {
        "image": ref.name,
        "found": len(judged.table),
        "accepted": int(judged.table["accepted"].sum()),
        "annotated": float(judged.annotated.mean()),
        "shift_y_px": shift.y,
        "shift_x_px": shift.x,
        "shift_sharpness": shift.sharpness,
        "problem": problem,
    }
    judged.table.insert(0, "image", ref.name)
    if problem:
        return _Field(row, judged.table)
    item = _write_item(name, judged, TargetImage(ref, pair.image, plan.target), folder)
    return _Field(row, judged.table, replace(item, modality=plan.modality), pair.image.pixel_size.x)


def _read_pair(plan: TransferPlan, ref: ImageRef) -> _Pair:
    image = ref.open()
    if image.sizes["T"] * image.sizes["Z"] > 1:
        raise InputError(f"{ref.text} is a stack or a series; labels are transferred between single planes.")
    source, target = (
        image.plane(c=image.channel_index(name)).astype(np.float32) for name in (plan.source, plan.target)
    )
    return _Pair(source, target, image)


def _place(
    labels: NDArray[np.int32], judged: Judged, shift: Shift, quality: TransferQuality
) -> tuple[NDArray[np.int32], Judged, str]:
    """Return all objects and the judged ones where they lie in the target, and why the field teaches nothing."""
    if shift.sharpness >= quality.min_sharpness and shift.length_px > quality.max_shift_px:
        reason = f"the channels are shifted by {shift.length_px:.1f} px"
        if not quality.align:
            return labels, not_annotated(labels, judged.table, reason), f"{reason[0].upper()}{reason[1:]}."
        by = (-round(shift.y), -round(shift.x))
        moved = Judged(_moved(judged.labels, by), _moved(judged.annotated, by), judged.table)
        return _moved(labels, by), moved, _emptiness(moved)
    return labels, judged, _emptiness(judged)


def _emptiness(judged: Judged) -> str:
    """Return why a field without a shift teaches nothing; empty if it does."""
    if len(judged.table) == 0:
        return "No object was found."
    return "" if judged.labels.any() else "No object was accepted."


def _moved(plane: NDArray[T], by: tuple[int, int]) -> NDArray[T]:
    """Return the plane moved by whole rows and columns; what comes in from outside is 0."""
    out = np.zeros_like(plane)
    (y, x), (height, width) = by, plane.shape
    if abs(y) < height and abs(x) < width:
        out[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = plane[
            max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)
        ]
    return out


def _write_review(plan: TransferPlan, path: Path, field: tuple[_Pair, NDArray[np.int32], Judged]) -> None:
    pair, found, judged = field
    write_png(draw_transfer({plan.source: pair.source, plan.target: pair.target}, found, judged), path)


def _write_item(name: str, judged: Judged, target: TargetImage, folder: Path) -> Item:
    """Return the item of a field, its labels and its annotated region written, and its image where need be."""
    truth, annotated = folder / "labels" / f"{name}.tif", folder / "annotated" / f"{name}.png"
    write_labels(labels_from_array(judged.labels.astype(np.uint32), pixel_size=target.image.pixel_size), truth)
    if not judged.annotated.all():
        write_png(judged.annotated.astype(np.uint8) * np.uint8(255), annotated)
    path, channel = target.place(folder / "images" / f"{name}.tif")
    open_places = None if judged.annotated.all() else annotated
    return Item(name, path, truth, annotated=open_places, channel=channel, group=target.group)
