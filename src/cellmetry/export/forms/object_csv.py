"""Labels → a table of objects with CellProfiler's names, one row an object and plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import OutputError, UnsupportedFormat
from cellmetry.export.formats import LabelFormat
from cellmetry.io.tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.export.content import Content, Plane
    from cellmetry.export.frame import Frame
    from cellmetry.export.gathering import Gathered

__all__ = ["OBJECT_COLUMNS", "ObjectCsv", "object_table"]

_SOURCE = "CellProfiler, MeasureObjectSizeShape"
OBJECT_COLUMNS = (
    Column("ImageNumber", "1", "Number of the plane, from 1; frames one after the other, in each the Z planes.",
           "CellProfiler"),
    Column("ObjectNumber", "1", "Id of the object in the labels.", "CellProfiler"),
    Column("Location_Center_X", "px", "Mean column of its pixels; the first column is 0.", "CellProfiler"),
    Column("Location_Center_Y", "px", "Mean row of its pixels; the first row is 0.", "CellProfiler"),
    Column("AreaShape_Area", "px", "Number of its pixels.", _SOURCE),
    Column("AreaShape_EquivalentDiameter", "px", "Diameter of the disc of the same area.", _SOURCE),
    Column("AreaShape_BoundingBoxMinimum_X", "px", "First column.", _SOURCE),
    Column("AreaShape_BoundingBoxMaximum_X", "px", "Column after the last.", _SOURCE),
    Column("AreaShape_BoundingBoxMinimum_Y", "px", "First row.", _SOURCE),
    Column("AreaShape_BoundingBoxMaximum_Y", "px", "Row after the last.", _SOURCE),
    Column("AreaShape_BoundingBoxArea", "px", "Pixels of the box around it.", _SOURCE),
    Column("AreaShape_Extent", "1", "Its area over that of the box.", _SOURCE),
    Column("Metadata_T", "1", "Frame, from 0.", "Cellmetry"),
    Column("Metadata_Z", "1", "Z plane, from 0.", "Cellmetry"),
    Column("Classify_Class", "1", "Class of the object; empty for none.", "Cellmetry"),
)  # fmt: skip
"""What the columns mean that are worked out here; those of the table given with the labels are added as they are."""


class ObjectCsv(LabelFormat):
    """A table of objects with CellProfiler's column names; it holds no outlines and cannot be read back."""

    title: ClassVar[str] = "object table as of CellProfiler"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write a row an object and plane, with the numbers of the table given with the labels."""
        table = object_table(content)
        write_table(table, path, table.attrs["columns"])
        return ()

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Refuse: numbers of objects are not their pixels."""
        raise UnsupportedFormat(
            f"{path} is a table: it says where objects are and how large, not which pixels they have, so no labels can "
            f"be made of it. Export outlines or label images from the other program (CellProfiler: SaveImages with "
            f"16-bit object labels); points become a data set with `cellmetry dataset import points`."
        )


def object_table(content: Content) -> pd.DataFrame:
    """Return the table that `ObjectCsv` writes; `OBJECT_COLUMNS` describes it."""
    extra = list(dict.fromkeys(name for fact in content.facts.values() for name in fact.values))
    taken = next((name for name in extra if name in {column.name for column in OBJECT_COLUMNS}), None)
    if taken:
        raise OutputError(f"The table already has the column {taken!r}, which the export makes; rename it.")
    parts = [_plane_table(plane, number) for number, plane in enumerate(content.planes(), start=1)]
    for part, plane in zip(parts, content.frame.leads(), strict=True):
        for axis, place in content.frame.place(plane).items():
            part[f"Metadata_{axis.upper()}"] = place
    table = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    places = [f"Metadata_{axis}" for axis in content.frame.axes[:-2]]
    found = [
        content.facts.get(place)
        for place in table[["ObjectNumber", *places]].itertuples(index=False, name=None)
    ]  # fmt: skip
    if content.classes:
        table["Classify_Class"] = [fact.label_class if fact else "" for fact in found]
    more = {name: [fact.values.get(name, np.nan) if fact else np.nan for fact in found] for name in extra}
    table = pd.concat([table, pd.DataFrame(more, index=table.index)], axis="columns")
    known = {column.name: column for column in OBJECT_COLUMNS}
    given = [Column(name, "unknown", "As in the table given with the labels.", "that table") for name in extra]
    table.attrs["columns"] = (*(known[name] for name in table.columns if name in known), *given)
    return table


def _plane_table(plane: Plane, number: int) -> pd.DataFrame:
    rows, columns = np.nonzero(plane.array)
    ids, index = np.unique(plane.array[rows, columns], return_inverse=True)
    count = ids.size
    areas = np.bincount(index, minlength=count)
    box = [np.full(count, size) for size in plane.array.shape for _ in (0, 1)]
    box[1][:] = box[3][:] = 0
    np.minimum.at(box[0], index, rows)
    np.maximum.at(box[1], index, rows + 1)
    np.minimum.at(box[2], index, columns)
    np.maximum.at(box[3], index, columns + 1)
    spread = (box[1] - box[0]) * (box[3] - box[2])
    return pd.DataFrame(
        {
            "ImageNumber": np.full(count, number),
            "ObjectNumber": ids.astype(np.int64),
            "Location_Center_X": np.bincount(index, columns, minlength=count) / areas,
            "Location_Center_Y": np.bincount(index, rows, minlength=count) / areas,
            "AreaShape_Area": areas,
            "AreaShape_EquivalentDiameter": np.sqrt(4 * areas / np.pi),
            "AreaShape_BoundingBoxMinimum_X": box[2],
            "AreaShape_BoundingBoxMaximum_X": box[3],
            "AreaShape_BoundingBoxMinimum_Y": box[0],
            "AreaShape_BoundingBoxMaximum_Y": box[1],
            "AreaShape_BoundingBoxArea": spread,
            "AreaShape_Extent": areas / spread,
        }
    )
