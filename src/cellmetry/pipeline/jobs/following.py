"""Cells that several images of a study show: which of an image is which of the image before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.io.labels import read_labels
from cellmetry.io.tables import read_columns, read_table, write_table
from cellmetry.ops.keep_ids import IdRule, follow_ids
from cellmetry.pipeline.jobs.gathering import part_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.study.store.units import Unit

__all__ = ["follow_cells", "refuse_unlike_planes"]

_COLUMNS = (
    Column("followed_label", "1", "Number that the cell keeps through the images in which it is found.", "Cellmetry"),
    Column("followed_iou", "1", "IoU with its outline in the image before; missing where it is new.", "Cellmetry"),
)


def refuse_unlike_planes(images: Iterable[LabelledImage]) -> None:
    """Refuse images whose cells cannot be followed.

    Raises
    ------
    ParameterError
        If they are stacks or films, or differ in size.
    """
    sizes = set()
    for each in images:
        if each.labels.axes != "YX":
            raise ParameterError(
                f"{each.image.name} has several planes; cells are followed from image to image of one."
            )
        sizes.add(each.labels.plane_shape)
    if len(sizes) > 1:
        raise ParameterError("Cells are followed through images of one size; choose images of the same field.")


def follow_cells(work: JobWork, done: Sequence[Unit], folder: Path, least_iou: float, *, table: str) -> None:
    """Add the numbers that cells keep to the tables of images, in their order.

    Parameters
    ----------
    done
        Units whose result says under ``outlines`` where in the folder their labels are.
    """
    planes = (np.asarray(read_labels(folder / unit.result["outlines"]).read()) for unit in done)
    for unit, found in zip(done, follow_ids(planes, IdRule(least_iou)), strict=True):
        path = part_path(work, unit.name, table)
        rows = read_table(path)
        own = [column for column in read_columns(path) if column not in _COLUMNS]
        for column, values in zip(_COLUMNS, (found.after, found.iou), strict=True):
            rows[column.name] = rows["label"].map(dict(zip(found.before.tolist(), values.tolist(), strict=True)))
        write_table(rows, path, (*own, *_COLUMNS))
