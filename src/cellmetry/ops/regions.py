"""Nested regions: which nucleus lies in which cell, the cytoplasm between them, and the ring around an object."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.distance import nearest_labels, sides_of
from cellmetry.ops.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Cytoplasm", "Relate", "Ring", "Width", "cytoplasm_labels", "relate_labels", "ring_labels"]

_BAND = 1024


def relate_labels(inner: Labels, outer: Labels, *, least_overlap: float = 0.5) -> pd.DataFrame:
    """Return, for each object of `inner`, the object of `outer` that holds the largest part of it.

    Columns: ``label``, ``t`` where there are frames, ``parent_label`` (0 where none holds at least `least_overlap`
    of the object), ``parent_overlap`` (the share of the object's pixels in that parent; the lower id of two equal).

    Raises
    ------
    LabelsError
        If the two differ in axes or size.
    """
    _check_alike(inner, outer)
    frames = range(inner.shape[0]) if "T" in inner.axes else range(1)
    tables = [_relate_frame(inner, outer, t, least_overlap) for t in frames]
    if "T" in inner.axes:
        for t, table in zip(frames, tables, strict=True):
            table.insert(1, "t", t)
    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]


def cytoplasm_labels(cells: Labels, nuclei: Labels) -> Labels:
    """Return the cells without any pixel of a nucleus; each cytoplasm has the id of its cell."""
    _check_alike(nuclei, cells)
    return replace(cells, array=np.where(nuclei.read() > 0, np.uint32(0), cells.read()))


class Width(NamedTuple):
    """A ring: from `gap` beyond the object to `gap` + `width` beyond it, in px, or in µm where `um` is set."""

    width: float
    gap: float = 0.0
    um: bool = False


def ring_labels(labels: Labels, width: Width) -> Labels:
    """Return a ring of background round each object, with the object's id.

    A pixel belongs to the object nearest to it (the lower id of two at the same distance), so rings never overlap
    one another or an object. Distances are between pixel centres, in each Z plane and frame by itself.

    Raises
    ------
    PixelSizeNeeded
        If the width is in µm and the labels have no pixel size.
    """
    sides = sides_of(labels.pixel_size, um=width.um, what="The width of the ring")
    array = labels.read()
    planes = array.reshape(-1, *array.shape[-2:])
    rings = np.stack([nearest_labels(plane, width.gap, width.gap + width.width, sides=sides) for plane in planes])
    return replace(labels, array=rings.reshape(array.shape))


def _check_alike(inner: Labels, outer: Labels) -> None:
    if inner.axes != outer.axes or inner.shape != outer.shape:
        raise LabelsError(
            f"Two label images can be related only if they are of one size: one is {inner.axes} {inner.shape}, "
            f"the other {outer.axes} {outer.shape}."
        )


def _bands(inner: Labels, outer: Labels, t: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
    lead = (t,) if "T" in inner.axes else ()
    lead = (*lead, slice(None)) if "Z" in inner.axes else lead
    for y0 in range(0, inner.shape[-2], _BAND):
        index = (*lead, slice(y0, y0 + _BAND), slice(None))
        yield np.asarray(inner.array[index], np.uint32), np.asarray(outer.array[index], np.uint32)


def _relate_frame(inner: Labels, outer: Labels, t: int, least_overlap: float) -> pd.DataFrame:
    areas, pairs = [], []
    for first, second in _bands(inner, outer, t):
        found = count_overlaps(first, second)
        areas.append(pd.DataFrame({"label": found.first_ids, "area": found.first_areas}))
        labels, parents = found.first_ids[found.rows], found.second_ids[found.columns]
        pairs.append(pd.DataFrame({"label": labels, "parent": parents, "pixels": found.pixels}))
    area = pd.concat(areas).groupby("label")["area"].sum()
    shared = pd.concat(pairs).groupby(["label", "parent"])[["pixels"]].sum().reset_index()
    best = shared.sort_values(["label", "pixels", "parent"], ascending=[True, False, True]).drop_duplicates("label")
    best = best.set_index("label").reindex(area.index)
    share = (best["pixels"] / area).fillna(0.0)
    held = share >= least_overlap
    return pd.DataFrame(
        {
            "label": area.index.to_numpy().astype(np.int64),
            "parent_label": best["parent"].where(held, 0).fillna(0).to_numpy().astype(np.int64),
            "parent_overlap": share.where(held, 0.0).to_numpy(),
        }
    )


class Relate(Step):
    """Find for each inner object (nucleus) the outer one (cell) that holds most of it, as a table."""

    name: ClassVar[str] = "relate"

    inner: str = "nuclei"
    """Name of the inner labels."""
    outer: str = "cells"
    """Name of the outer labels."""
    table: str = "relations"
    """Name of the table that is made."""
    least_overlap: float = Field(default=0.5, ge=0, le=1)
    """Smallest share of an inner object that its outer one must hold."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        inner, outer = sample.need_labels(self.inner), sample.need_labels(self.outer)
        return sample.with_table(self.table, relate_labels(inner, outer, least_overlap=self.least_overlap))


class Cytoplasm(Step):
    """Take the nuclei out of the cells; what is left keeps the cell's id."""

    name: ClassVar[str] = "cytoplasm"

    cells: str = "cells"
    """Name of the labels of whole cells."""
    nuclei: str = "nuclei"
    """Name of the labels of nuclei."""
    made: str = "cytoplasm"
    """Name of the labels that are made."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the cytoplasm added."""
        made = cytoplasm_labels(sample.need_labels(self.cells), sample.need_labels(self.nuclei))
        return sample.with_labels(self.made, made)


class Ring(Step):
    """Make a ring of background round each object, each pixel given to its nearest object."""

    name: ClassVar[str] = "ring"

    labels: str = "cells"
    """Name of the labels to surround."""
    made: str = "ring"
    """Name of the labels that are made."""
    width_px: float | None = Field(default=None, gt=0)
    """Width of the ring in pixels."""
    width_um: float | None = Field(default=None, gt=0)
    """Width of the ring in µm."""
    gap_px: float = Field(default=0.0, ge=0)
    """Pixels left out between object and ring; with width_px."""
    gap_um: float = Field(default=0.0, ge=0)
    """µm left out between object and ring; with width_um."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the rings added."""
        labels = sample.need_labels(self.labels)
        if not labels.pixel_size.known:
            labels = replace(labels, pixel_size=sample.image.pixel_size)
        return sample.with_labels(self.made, ring_labels(labels, self._width()))

    def _width(self) -> Width:
        if self.width_um is not None and self.width_px is None and self.gap_px == 0:
            return Width(self.width_um, self.gap_um, um=True)
        if self.width_px is not None and self.width_um is None and self.gap_um == 0:
            return Width(self.width_px, self.gap_px)
        raise ParameterError("A ring needs its width either in px (width_px, gap_px) or in µm (width_um, gap_um).")
