"""Measurements of nested regions joined into one row a cell: nucleus, cell, cytoplasm and ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.step import missing_pixels
from cellmetry.measure.table import measure
from cellmetry.ops.regions import relate_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["MeasureNested", "join_regions"]


def join_regions(
    cells: pd.DataFrame,
    nuclei: pd.DataFrame,
    relations: pd.DataFrame,
    others: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return one row for each cell with the columns of its regions, each under its prefix.

    Columns ``label`` (and ``t``) are the cell's; ``children`` is its number of nuclei; ``cell_…`` its own
    measurements; ``nucleus_…`` those of its largest nucleus (the lower id of equal ones), missing where there is
    none, with ``nucleus_label``; ``cytoplasm_…``, ``ring_…`` those of the region with the cell's id.

    Parameters
    ----------
    relations
        From `relate_labels`, nuclei in cells.
    others
        Tables of regions that have the id of their cell, by prefix.

    Raises
    ------
    ParameterError
        If the tables have no area to choose the largest nucleus by.
    """
    keys = [name for name in ("label", "t") if name in cells]
    size = next((name for name in ("area_px", "volume_px") if name in nuclei), None)
    if size is None:
        raise ParameterError("Joining nuclei to cells needs their area: add the group 'size' to the features.")
    of_nuclei = nuclei.merge(relations, on=keys, how="left", validate="one_to_one")
    inside = of_nuclei[of_nuclei["parent_label"] > 0]
    parents = ["parent_label", *keys[1:]]
    counts = inside.groupby(parents).size().rename("children").reset_index()
    largest = inside.sort_values([size, "label"], ascending=[False, True], kind="stable").drop_duplicates(parents)
    out = cells[keys].merge(counts.rename(columns={"parent_label": "label"}), on=keys, how="left")
    out["children"] = out["children"].fillna(0).astype("int64")
    out = _attach(out, cells, "cell", keys)
    out = _attach_nuclei(out, largest, keys)
    for prefix, table in others.items():
        out = _attach(out, table, prefix, keys)
    return out


def _attach(out: pd.DataFrame, table: pd.DataFrame, prefix: str, keys: list[str]) -> pd.DataFrame:
    values = {name: f"{prefix}_{name}" for name in table.columns if name not in keys}
    return out.merge(table.rename(columns=values), on=keys, how="left", validate="one_to_one")


def _attach_nuclei(out: pd.DataFrame, nuclei: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    values = {name: f"nucleus_{name}" for name in nuclei.columns if name not in ("t", "parent_label")}
    renamed = nuclei.rename(columns={**values, "parent_label": "label"})
    return out.merge(renamed, on=keys, how="left", validate="one_to_one")


class MeasureNested(MeasureOptions, Step):
    """Measure cells, their nuclei and other regions of them, and join all into one row a cell."""

    name: ClassVar[str] = "measure_nested"

    cells: str = "cells"
    """Name of the labels of whole cells."""
    nuclei: str = "nuclei"
    """Name of the labels of nuclei."""
    regions: tuple[str, ...] = ("cytoplasm",)
    """Names of labels that have the id of their cell, as the steps cytoplasm and ring make them."""
    table: str = "cells"
    """Name of the table that is made."""
    least_overlap: float = Field(default=0.5, ge=0, le=1)
    """Smallest share of a nucleus that its cell must hold."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        names = (self.cells, self.nuclei, *self.regions)
        labels = {name: sample.need_labels(name) for name in names}
        if any("Z" in each.axes and each.linked_z is False for each in labels.values()):
            raise ParameterError(
                f"The labels of {sample.image.name} are not linked through Z, so nuclei cannot be told to cells; "
                f"segment with stack=volume, or with stack=max or mean."
            )
        tables = {name: measure(sample.image, labels[name], self, progress=progress) for name in names}
        relations = relate_labels(labels[self.nuclei], labels[self.cells], least_overlap=self.least_overlap)
        others = {name: tables[name] for name in self.regions}
        joined = join_regions(tables[self.cells], tables[self.nuclei], relations, others)
        notes = dict.fromkeys(note for table in tables.values() for note in missing_pixels(table))
        return sample.with_table(self.table, joined).with_warnings(*notes)
