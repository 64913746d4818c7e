"""Subtracting each cell's own background: that of a ring around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.core.progress import SILENT
from cellmetry.errors import ParameterError
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure
from cellmetry.ops.cell_rings import CellRings
from cellmetry.ops.correct import corrected
from cellmetry.ops.label_checks import check_same_size
from cellmetry.ops.label_planes import labels_in
from cellmetry.ops.regions import Width
from cellmetry.ops.subtract import Negatives, Subtraction, subtracted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = ["LocalSubtraction", "RingStatistic", "SubtractLocal", "local_backgrounds"]

_ROWS = 1024
_KEYS = ("label", "t", "z")


class RingStatistic(NamedTuple):
    """How the pixels of a ring become one number, and how few of them are too few."""

    name: Literal["median", "mean"] = "median"
    least_px: int = 20


def local_backgrounds(
    rings: CellRings,
    statistic: RingStatistic,
    channels: Sequence[str | int] | None = None,
    *,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Return the background of each cell in each plane: one row a cell, in the order of t, z and label.

    Columns: ``label``, ``t`` and ``z`` where the image has such axes, and for each channel ``background_…`` and
    ``ring_px_…``, the finite pixels of the ring. A cell with fewer than the least gets the median of the other cells
    of its plane. Cells and pixels are read in bands.

    Raises
    ------
    ParameterError
        If no cell of a plane has enough pixels around it.
    """
    groups = ("size", "intensity") if statistic.name == "mean" else ("size", "intensity", "distribution")
    chosen = None if channels is None else tuple(channels)
    options = MeasureOptions(features=groups, channels=chosen, percentiles=(), volume=False)
    measured = measure(rings.image, Labels(rings, rings.axes, linked_z=False), options, progress=progress)
    cells = _cells_of_planes(rings)
    keys = [key for key in _KEYS if key in cells]
    found = cells.merge(measured, on=keys, how="left", validate="one_to_one")
    out = cells.copy()
    for name in _names(rings.image, channels).values():
        pixels = (found["area_px"] - found.get(f"nan_px_{name}", 0)).fillna(0).astype("int64")
        own = found[f"{statistic.name}_{name}"].where(pixels >= statistic.least_px)
        out[f"background_{name}"] = own.fillna(_middle(own, cells[keys[1:]]))
        out[f"ring_px_{name}"] = pixels
    _refuse_missing(out, rings, statistic)
    out.attrs["columns"] = _described(out, statistic)
    return out


def _names(image: Image, channels: Sequence[str | int] | None) -> dict[int, str]:
    """Return the name in columns of each channel by its index."""
    names = safe_names(image.channel_names)
    chosen = range(len(names)) if channels is None else map(image.channel_index, channels)
    return {index: names[index] for index in chosen}


def _cells_of_planes(rings: CellRings) -> pd.DataFrame:
    """Return the ids that occur in each plane."""
    sizes = rings.image.sizes
    height, width = sizes["Y"], sizes["X"]
    parts = []
    for t, z in product(range(sizes["T"]), range(sizes["Z"])):
        ids: set[int] = set()
        for y in range(0, height, _ROWS):
            ids.update(np.unique(labels_in(rings.labels, Box(y, min(y + _ROWS, height), 0, width), t=t, z=z)).tolist())
        parts.append(pd.DataFrame({"label": np.array(sorted(ids - {0}), np.int64)}).assign(t=t, z=z))
    table = pd.concat(parts, ignore_index=True)
    return table[[key for key in _KEYS if key == "label" or key.upper() in rings.axes]]


def _middle(own: pd.Series[float], planes: pd.DataFrame) -> pd.Series[float]:
    """Return for each row the median of the values of its plane."""
    if planes.empty:
        return pd.Series(own.median(), own.index)
    return own.groupby([planes[name] for name in planes]).transform("median")


def _refuse_missing(table: pd.DataFrame, rings: CellRings, statistic: RingStatistic) -> None:
    lost = table[table.filter(like="background_").isna().any(axis=1)]
    if len(lost):
        place = ", ".join(f"{key}={lost.iloc[0][key]:.0f}" for key in _KEYS[1:] if key in lost)
        raise ParameterError(
            f"No cell of {rings.image.name}{f' at {place}' if place else ''} has {statistic.least_px} pixels of "
            f"background in the ring around it; make the ring wider, or least_px smaller."
        )


def _described(table: pd.DataFrame, statistic: RingStatistic) -> tuple[Column, ...]:
    fixed = {
        "label": Column("label", "1", "Id of the cell.", "Cellmetry"),
        "t": Column("t", "1", "Frame, from 0.", "Cellmetry"),
        "z": Column("z", "1", "Z plane, from 0.", "Cellmetry"),
    }
    words = {
        "background": f"Background subtracted: the {statistic.name} of the finite pixels of the ring around the cell; "
        f"with fewer than {statistic.least_px} of them, the median of the backgrounds of the other cells of the plane.",
        "ring_px": "Finite pixels of the ring around the cell.",
    }
    out = []
    for name in map(str, table.columns):
        kind = "ring_px" if name.startswith("ring_px_") else "background"
        unit = "px" if kind == "ring_px" else "intensity"
        text = f"{words[kind]} Channel {name.removeprefix(kind + '_')}."
        out.append(fixed.get(name, Column(name, unit, text, "Cellmetry")))
    return tuple(out)


@dataclass(frozen=True)
class LocalSubtraction:
    """Takes from each cell, and from the pixels nearest to it up to its ring's end, the cell's own background.

    Pixels farther from any cell lose the median of the cells' backgrounds; a plane without cells stays as it is.

    Parameters
    ----------
    rings
        Which pixels count to which cell.
    backgrounds
        The table of `local_backgrounds`.
    names
        Of the channels in columns, by their index.
    negatives
        What becomes of values below the background.
    """

    rings: CellRings
    backgrounds: pd.DataFrame
    names: dict[int, str]
    negatives: Negatives = "keep"

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the plane less the background of each cell."""
        place = {"t": plane.t, "z": plane.z}
        rows = self.backgrounds
        for key in (key for key in place if key in rows):
            rows = rows[rows[key] == place[key]]
        if rows.empty:
            return plane.values
        values = rows[f"background_{self.names[plane.c]}"].to_numpy(np.float64)
        ids = np.concatenate([[0], rows["label"].to_numpy(np.int64)]).astype(np.uint32)
        levels = np.concatenate([[np.median(values)], values]).astype(np.float32)

        def part(box: Box) -> NDArray[np.float32]:
            owners = self.rings.owners(box, plane.t, plane.z)
            return subtracted(plane.values(box), levels[np.searchsorted(ids, owners)], self.negatives)

        return part


class SubtractLocal(Subtraction):
    """Subtract from each cell, and from the ring around it, the background of that ring."""

    name: ClassVar[str] = "subtract_local"

    labels: str = "cells"
    """Name of the labels of the cells; a ring pixel lies in none of them."""
    width_px: float | None = Field(default=None, gt=0)
    """Width of the ring in pixels."""
    width_um: float | None = Field(default=None, gt=0)
    """Width of the ring in µm."""
    gap_px: float = Field(default=0.0, ge=0)
    """Pixels left out between cell and ring; with width_px."""
    gap_um: float = Field(default=0.0, ge=0)
    """µm left out between cell and ring; with width_um."""
    statistic: Literal["median", "mean"] = "median"
    """How the pixels of the ring become one number."""
    least_px: int = Field(default=20, ge=1)
    """Cells with fewer pixels in their ring get the median background of the other cells of the plane."""
    table: str = "local_background"
    """Name of the table of backgrounds that is made."""

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        um = self.width_um is not None
        if um == (self.width_px is not None) or (self.gap_px if um else self.gap_um):
            raise ValueError("the ring needs its width either in px (width_px, gap_px) or in µm (width_um, gap_um)")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the corrected image, the table of backgrounds, and what is doubtful about them."""
        image, labels = sample.image, sample.need_labels(self.labels)
        check_same_size(labels, image)
        rings = CellRings(image, labels, self._width())
        table = local_backgrounds(rings, RingStatistic(self.statistic, self.least_px), self.channels, progress=progress)
        correction = LocalSubtraction(rings, table, _names(image, self.channels), self.negatives)
        sample = sample.with_image(corrected(image, correction, self.channels)).with_table(self.table, table)
        return sample.with_warnings(*self._doubts(image, table))

    def _width(self) -> Width:
        if self.width_um is not None:
            return Width(self.width_um, self.gap_um, um=True)
        return Width(self.width_px or 0.0, self.gap_px)

    def _doubts(self, image: Image, table: pd.DataFrame) -> list[str]:
        few = int((table.filter(like="ring_px_") < self.least_px).any(axis=1).sum())
        planes = image.sizes["T"] * image.sizes["Z"]
        keys = [key for key in _KEYS[1:] if key in table]
        bare = planes - (len(table[keys].drop_duplicates()) if keys else min(1, len(table)))
        found = []
        if few:
            found.append(
                f"{few} of {len(table)} cells of {image.name} have fewer than {self.least_px} pixels of background in "
                f"the ring around them; they lost the median background of the other cells."
            )
        if bare:
            found.append(f"{bare} of {planes} planes of {image.name} have no cells and keep their background.")
        return found
