"""Translocation between nucleus and cytoplasm: means, ratio, share, difference and correlation with the nuclear stain.

Nuclei and cytoplasm are two label images with the same ids. A pixel that both claim is the nucleus's, so labels of
whole cells serve as cytoplasm as well as rings do. Each cell is seen whole, in blocks of the field, as in `measure`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numba import njit
from pydantic import Field as Parameter

from cellmetry.core.columns import Column
from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import LabelsError
from cellmetry.measure.blocks import blocks_of, empty_block, find_objects, rows_of_block
from cellmetry.measure.fields import Field, fields_of
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import MeasureOptions
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import LabelArray, Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.measure.blocks import Block

__all__ = ["Translocation", "TranslocationChannels", "measure_translocation"]

_SOURCE = "Cellmetry"


class TranslocationChannels(NamedTuple):
    """Which channels move and which stains nuclei, and what is taken off as background.

    `background_percentile` is the percentile of all pixels of a plane that is taken off each signal; None takes off
    nothing.
    """

    signals: Sequence[str | int] | None = None
    stain: str | int | None = None
    background_percentile: float | None = None


@dataclass(frozen=True)
class _Joined:
    """Labels of nuclei and cytoplasm as one array, read part by part; where both are, the nucleus's."""

    nuclei: LabelArray
    cytoplasm: LabelArray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.nuclei.shape

    @property
    def dtype(self) -> Any:
        return np.dtype(np.uint32)

    def __getitem__(self, index: Any, /) -> Any:
        inner = np.asarray(self.nuclei[index], np.uint32)
        return np.where(inner > 0, inner, np.asarray(self.cytoplasm[index], np.uint32))


@njit(cache=True, nogil=True)
def _sums(pixels: Any, nuclei: Any, ids: Any, runs: Any) -> Any:
    """Return per object: finite pixels and their sum in the nucleus, then in the cytoplasm."""
    start, z, y, x0, x1 = runs
    out = np.zeros((ids.size, 4), np.float64)
    for k in range(ids.size):
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                value = np.float64(pixels[z[i], y[i], x])
                if np.isfinite(value):
                    part = 0 if nuclei[z[i], y[i], x] == ids[k] else 2
                    out[k, part] += 1
                    out[k, part + 1] += value
    return out


@njit(cache=True, nogil=True)
def _products(signal: Any, stain: Any, runs: Any) -> Any:
    """Return per object the sums of squares and products of the deviations from both means; pixels finite in both."""
    start, z, y, x0, x1 = runs
    out = np.zeros((start.size - 1, 3), np.float64)
    for k in range(out.shape[0]):
        n = 0
        first = second = 0.0
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                a, b = np.float64(signal[z[i], y[i], x]), np.float64(stain[z[i], y[i], x])
                if np.isfinite(a) and np.isfinite(b):
                    n += 1
                    first += a
                    second += b
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                a, b = np.float64(signal[z[i], y[i], x]), np.float64(stain[z[i], y[i], x])
                if np.isfinite(a) and np.isfinite(b):
                    out[k, 0] += (a - first / n) ** 2
                    out[k, 1] += (b - second / n) ** 2
                    out[k, 2] += (a - first / n) * (b - second / n)
    return out


def measure_translocation(
    image: Image,
    nuclei: Labels,
    cytoplasm: Labels,
    channels: TranslocationChannels | None = None,
    *,
    options: MeasureOptions | None = None,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Return one row for each nucleus, in the order of t, z and label; what columns mean is in ``attrs["columns"]``.

    Pixels that are not finite are left out.

    Parameters
    ----------
    nuclei, cytoplasm
        Of one size, with the same ids. A nucleus without cytoplasm has no ratio, a cytoplasm without nucleus no row.
    channels
        Which channels are signals (all but the stain if None), which one stains nuclei (no correlation if None).
    options
        How stacks are read: project, plane and volume.

    Raises
    ------
    LabelsError
        If the two label images, or labels and image, differ in size.
    UnknownName
        If a channel does not exist.
    """
    channels, options = channels or TranslocationChannels(), options or MeasureOptions()
    if nuclei.axes != cytoplasm.axes or nuclei.shape != cytoplasm.shape:
        raise LabelsError(
            f"Nuclei ({nuclei.axes} {nuclei.shape}) and cytoplasm ({cytoplasm.axes} {cytoplasm.shape}) of "
            f"{image.name} must be of one size; make the ring from these nuclei."
        )
    stain = None if channels.stain is None else image.channel_index(channels.stain)
    signals = _signals(image, channels, stain)
    fields = fields_of(image, replace(nuclei, array=_Joined(nuclei.array, cytoplasm.array)), options)
    inner = fields_of(image, nuclei, options)
    progress.start("translocation", len(fields))
    parts = []
    for field, of_nuclei in zip(fields, inner, strict=True):
        plane = _Plane(field, of_nuclei, signals, stain, channels.background_percentile)
        parts.append(_measure_field(plane))
        progress.advance()
    table = pd.concat(parts, ignore_index=True)
    table.attrs["columns"] = _describe([str(name) for name in table], list(signals), channels)
    return table


def _signals(image: Image, channels: TranslocationChannels, stain: int | None) -> dict[str, int]:
    """Return the name in columns → index of each signal."""
    names = safe_names(image.channel_names)
    if channels.signals is not None:
        return {names[index]: index for index in map(image.channel_index, channels.signals)}
    return {name: index for index, name in enumerate(names) if index != stain}


class _Plane(NamedTuple):
    """One plane or volume with what is measured of it."""

    field: Field
    nuclei: Field
    signals: dict[str, int]
    stain: int | None
    percentile: float | None


def _measure_field(plane: _Plane) -> pd.DataFrame:
    field = plane.field
    rows = rows_of_block(field)
    backgrounds = {index: _background(field, index, plane.percentile, rows) for index in plane.signals.values()}
    blocks = list(blocks_of(field, find_objects(field, rows, SILENT), rows)) or [empty_block(field)]
    parts = [pd.DataFrame(_measure_block(block, plane, backgrounds)) for block in blocks]
    table = pd.concat(parts, ignore_index=True).sort_values("label", kind="stable", ignore_index=True)
    table = table[table["nucleus_area_px"] > 0].reset_index(drop=True)
    if "Z" in field.labels.axes and not field.volume:
        table.insert(1, "z", field.planes.start)
    if "T" in field.labels.axes:
        table.insert(1, "t", field.t)
    return table


def _background(field: Field, channel: int, percentile: float | None, rows: int) -> float:
    """Return the percentile of all finite pixels of a plane; whole numbers of up to 16 bits by their counts."""
    if percentile is None:
        return 0.0
    height, width = field.image.sizes["Y"], field.image.sizes["X"]
    boxes = [Box(y0, min(y0 + rows, height), 0, width) for y0 in range(0, height, rows)]
    bands = (field.read_channel(channel, box).ravel() for box in boxes)
    if field.image.dtype.kind == "u" and field.image.dtype.itemsize <= 2 and field.project != "mean":
        counts = np.zeros(1 << 16, np.int64)
        for band in bands:
            counts += np.bincount(band, minlength=1 << 16)
        return _percentile_of_counts(counts, percentile)
    pixels = np.concatenate([band[np.isfinite(band)] for band in bands])
    return float(np.percentile(pixels, percentile)) if pixels.size else np.nan


def _percentile_of_counts(counts: NDArray[np.int64], percentile: float) -> float:
    """Return the percentile, interpolated as NumPy does, of values given by how often each whole number occurs."""
    cumulated = np.cumsum(counts)
    place = percentile / 100 * (cumulated[-1] - 1)
    below, above = (int(np.searchsorted(cumulated, rank, side="right")) for rank in (np.floor(place), np.ceil(place)))
    return float(below + (above - below) * (place - np.floor(place)))


def _measure_block(block: Block, plane: _Plane, backgrounds: dict[int, float]) -> dict[str, NDArray[Any]]:
    nuclei = plane.nuclei.read_labels(block.box)
    ids = block.objects.ids
    areas = _sums(np.ones(nuclei.shape, np.uint8), nuclei, ids, block.runs)
    out: dict[str, NDArray[Any]] = {
        "label": ids.astype(np.int64),
        "nucleus_area_px": areas[:, 0].astype(np.int64),
        "cytoplasm_area_px": areas[:, 2].astype(np.int64),
    }
    stain = None if plane.stain is None else block.read_channel(plane.stain)
    for name, index in plane.signals.items():
        pixels = block.read_channel(index)
        found = _compared(_sums(pixels, nuclei, ids, block.runs), backgrounds[index])
        out.update({f"{feature}_{name}": values for feature, values in found.items()})
        if stain is not None:
            out[f"correlation_{name}"] = _correlation(_products(pixels, stain, block.runs))
        if plane.percentile is not None:
            out[f"background_{name}"] = np.full(len(ids), backgrounds[index])
    return out


def _compared(sums: NDArray[np.float64], background: float) -> dict[str, NDArray[np.float64]]:
    """Return means of nucleus and cytoplasm above the background and what compares them; NaN where undefined."""
    nucleus, cytoplasm = quotient(sums[:, 1], sums[:, 0]) - background, quotient(sums[:, 3], sums[:, 2]) - background
    known = np.where((nucleus >= 0) & (cytoplasm >= 0), nucleus + cytoplasm, 0.0)
    return {
        "nucleus_mean": nucleus,
        "cytoplasm_mean": cytoplasm,
        "ratio": quotient(nucleus, cytoplasm),
        "nuclear_share": quotient(nucleus, known),
        "difference": nucleus - cytoplasm,
    }


def _correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation; NaN where either is constant."""
    return np.clip(quotient(sums[:, 2], np.sqrt(sums[:, 0] * sums[:, 1])), -1, 1)


def _describe(columns: Sequence[str], signals: Sequence[str], channels: TranslocationChannels) -> tuple[Column, ...]:
    """Return what each column means."""
    level = f"Percentile {channels.background_percentile or 0:g} of the plane"
    taken = "" if channels.background_percentile is None else ", above the background"
    words = {
        "nucleus_mean": ("intensity", f"Mean of the pixels of the nucleus{taken}."),
        "cytoplasm_mean": ("intensity", f"Mean of the pixels of the cytoplasm or ring{taken}."),
        "ratio": ("1", "nucleus_mean / cytoplasm_mean; missing where the lower one is not above 0."),
        "nuclear_share": ("1", "nucleus_mean / (nucleus_mean + cytoplasm_mean), 0 to 1; missing where one is below 0."),
        "difference": ("intensity", "nucleus_mean - cytoplasm_mean."),
        "correlation": ("1", f"Pearson's correlation with channel {channels.stain} over nucleus and cytoplasm."),
        "background": (
            "intensity",
            f"{level}, taken off the means.",
        ),
    }
    described = [
        Column("label", "1", "Id of the nucleus in its label image.", _SOURCE),
        Column("t", "1", "Frame, from 0.", _SOURCE),
        Column("z", "1", "Z plane, from 0, of cells measured plane by plane.", _SOURCE),
        Column("nucleus_area_px", "px", "Number of pixels of the nucleus.", _SOURCE),
        Column("cytoplasm_area_px", "px", "Number of pixels of the cytoplasm or ring outside the nucleus.", _SOURCE),
        *(
            Column(f"{feature}_{name}", unit, f"{definition} Channel {name}.", _SOURCE)
            for name in signals
            for feature, (unit, definition) in words.items()
        ),
    ]
    return tuple(column for column in described if column.name in columns)


class Translocation(Step):
    """Compare each channel in the nucleus with the cytoplasm or ring of the same cell, as a table."""

    name: ClassVar[str] = "translocation"

    nuclei: str = "nuclei"
    """Name of the labels of nuclei."""
    cytoplasm: str = "ring"
    """Name of the labels with the ids of the nuclei, as the steps ring and cytoplasm make them."""
    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to compare; all but the stain if left out."""
    stain: str | int | None = None
    """Channel of the nuclear stain, with which signals are correlated; no correlation if left out."""
    background_percentile: float | None = Parameter(default=None, ge=0, le=100)
    """Percentile of all pixels of a plane that is taken off a channel's means as background; nothing if left out."""
    project: Literal["max", "mean"] | None = None
    """For labels without Z on a Z stack: use its maximum or mean projection."""
    plane: int | None = Parameter(default=None, ge=0)
    """For labels without Z on a Z stack: use this plane."""
    table: str = "cells"
    """Name of the table that is made."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        made = measure_translocation(
            sample.image,
            sample.need_labels(self.nuclei),
            sample.need_labels(self.cytoplasm),
            TranslocationChannels(self.channels, self.stain, self.background_percentile),
            options=MeasureOptions(project=self.project, plane=self.plane),
            progress=progress,
        )
        return sample.with_table(self.table, made)
