"""A data set whose labels come from another channel: segment one, judge the objects, teach the other."""

from __future__ import annotations

from dataclasses import dataclass
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
from cellmetry.io.labels import write_labels
from cellmetry.io.patterns import Place
from cellmetry.io.pictures import write_png
from cellmetry.io.tables import write_table
from cellmetry.learn.dataset import DataSet, DataSetCard, Item, write_data_set
from cellmetry.learn.transfer import OBJECT_COLUMNS, Judged, TransferQuality, judge_objects, not_annotated
from cellmetry.ops.shift import Shift, measure_shift
from cellmetry.pipeline.inputs import ImageRef, find_images
from cellmetry.report.transfer import draw_transfer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
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
    name: str = "transferred"
    """Name of the data set."""
    licence: str = "unknown"
    """Licence of the images."""
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


def transfer_labels(
    plan: TransferPlan, inputs: Iterable[str | Path], out: str | Path, *, reading: Reading, progress: Progress = SILENT
) -> TransferResult:
    """Return the data set written into the folder `out`: target images with labels found in the source channel.

    Beside ``dataset.toml`` and ``items.csv``: ``labels/``, ``annotated/`` where something was left open, ``review/``
    with a picture of each field, ``fields.csv`` and ``objects.csv``. A field that cannot be read is noted in
    ``fields.csv`` and left out, as is one that teaches nothing.

    Raises
    ------
    ParameterError
        If source and target are one channel.
    InputError
        If no field taught anything; the first reason is given.
    """
    if plan.source == plan.target:
        raise ParameterError(f"Source and target are both the channel {plan.source!r}; name two channels.")
    folder = Path(out).absolute()
    refs = find_images(inputs, reading, folder).images
    progress.start("transfer", len(refs))
    items, rows, tables = [], [], []
    for ref in refs:
        row, table, item = _transfer_field(plan, ref, folder)
        rows.append(row)
        tables.append(table)
        items += [item] if item is not None else []
        progress.advance()
    fields, objects = pd.DataFrame(rows, columns=_FIELDS), pd.concat(tables, ignore_index=True)
    write_table(fields, folder / "fields.csv", FIELD_COLUMNS)
    write_table(objects, folder / "objects.csv", (FIELD_COLUMNS[0], *OBJECT_COLUMNS))
    if not items:
        raise InputError(f"None of the {len(refs)} fields taught anything; the first: {fields['problem'].iloc[0]}")
    card = DataSetCard(name=plan.name, licence=plan.licence, summary=f"Labels of {plan.target} from {plan.source}.")
    data_set = DataSet(card, folder, tuple(items))
    write_data_set(data_set)
    return TransferResult(data_set, fields, objects)


def _transfer_field(
    plan: TransferPlan, ref: ImageRef, folder: Path
) -> tuple[dict[str, object], pd.DataFrame, Item | None]:
    """Return the field's row, its objects and its item; no item if it teaches nothing."""
    none = pd.DataFrame(columns=["image", *(column.name for column in OBJECT_COLUMNS)])
    try:
        pair = _read_pair(plan, ref)
        found = segment_with(plan.segment.model_copy(update={"channel": plan.source}), pair.image).labels.read()
    except CellmetryError as error:
        return {"image": ref.name, "found": 0, "accepted": 0, "annotated": 0.0, "problem": str(error)}, none, None
    labels = found.astype(np.int32)
    shift = measure_shift(pair.source, pair.target)
    judged = judge_objects(labels, pair.source, plan.quality)
    moved, judged, problem = _place(labels, judged, shift, plan.quality)
    _write_review(plan, ref, folder, (pair, moved, judged))
    row: dict[str, object] = {
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
    return row, judged.table, None if problem else _write_item(plan, ref, folder, judged, pair.image)


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


def _file_name(ref: ImageRef) -> str:
    return ref.name.replace("/", "_")


def _write_review(
    plan: TransferPlan, ref: ImageRef, folder: Path, field: tuple[_Pair, NDArray[np.int32], Judged]
) -> None:
    pair, found, judged = field
    picture = draw_transfer({plan.source: pair.source, plan.target: pair.target}, found, judged)
    write_png(picture, folder / "review" / f"{_file_name(ref)}.png")


def _write_item(plan: TransferPlan, ref: ImageRef, folder: Path, judged: Judged, image: Image) -> Item:
    """Return the item of a field, its labels and its annotated region written."""
    name = _file_name(ref)
    truth, annotated = folder / "labels" / f"{name}.tif", folder / "annotated" / f"{name}.png"
    write_labels(labels_from_array(judged.labels.astype(np.uint32), pixel_size=image.pixel_size), truth)
    if not judged.annotated.all():
        write_png(judged.annotated.astype(np.uint8) * np.uint8(255), annotated)
    path, channel = _target_file(plan, ref, image)
    return Item(
        name, path, truth,
        annotated=None if judged.annotated.all() else annotated,
        channel=channel,
        modality=plan.modality,
    )  # fmt: skip


def _target_file(plan: TransferPlan, ref: ImageRef, image: Image) -> tuple[Path, str | None]:
    """Return the file that holds the target, and which of its channels it is; None if it has no other."""
    index = image.channel_index(plan.target)
    if ref.group is None:
        return Path(ref.text).absolute(), str(index)
    (t, z) = ref.group.times[0], ref.group.depths[0]
    return ref.group.files[Place(t, ref.group.channels[index], z)].absolute(), None
