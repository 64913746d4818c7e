"""Pictures and plots of a quantification: cells, masks and ring on the image, the ratio, the profiles."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.io.atomic import atomic_write
from cellmetry.io.pictures import write_png, write_thumbnail
from cellmetry.pipeline.places import map_folder, place_of
from cellmetry.quantify.dualcellquant.step import DualCellQuant
from cellmetry.report.figures import figure_bytes
from cellmetry.report.index import thumbnail_path
from cellmetry.report.masks import MaskOptions, draw_masks
from cellmetry.report.overlay import draw_overlay
from cellmetry.report.profile_grid import draw_profile_grid
from cellmetry.report.profiles import ProfileFigureOptions, draw_population_profile, draw_profile
from cellmetry.report.ratio import RatioOptions, draw_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.core.sample import Sample
    from cellmetry.pipeline.work import Job

__all__ = ["write_quantification"]

_FORMS: tuple[Literal["png", "pdf"], ...] = ("png", "pdf")
_CELLS = "cells"
_RADIAL = "radial_mask"
_MOST_SINGLE, _MOST_PAGES, _MOST_PLANES = 24, 4, 8
_PROFILES = "radial_profile"
_RATIO_COLUMN = re.compile(r"ratio_.*|mean_ratio_T_over_R")
_CELL_RATIO = re.compile(r"and_mask_ratio_of_(smoothed_)?means_.*|ratio_of_means_on_mask")
_PEAK_COLUMN = re.compile(r"(?:peak|max)_(?P<channel>.+?)(?:_center)?_(?P<unit>pct|px|um)")


def write_quantification(job: Job, sample: Sample) -> dict[str, str]:
    """Return what was drawn of a sample, relative to the run's folder, by what it is.

    Pictures show the middle plane of a stack. Plots are of every plane of up to eight, else of the middle one; of
    single cells where a plane has at most 24, and pages of all cells up to 96.
    """
    if not job.layout.overlays:
        return {}
    return _write_overlays(job, sample) | _write_ratio(job, sample) | _write_plots(job, sample)


def _middle(sample: Sample) -> dict[str, int]:
    labels = sample.labels[_CELLS]
    return {axis.lower(): sample.image.sizes[axis] // 2 if axis in labels.axes else 0 for axis in "TZ"}


def _write_overlays(job: Job, sample: Sample) -> dict[str, str]:
    if _CELLS not in sample.labels:
        return {}
    options, place, cells = job.recipe.overlay, _middle(sample), sample.labels[_CELLS]
    pictures = {"cells": draw_overlay(sample.unprocessed, cells, options, **place)}
    looks = MaskOptions(**options.model_dump(exclude={"outline_colour", "channels", "colours", "limits"}))
    radial = {name: mask for name, mask in sample.masks.items() if name == _RADIAL}
    for name, mask in sample.masks.items():
        channel = name.removesuffix("_mask")
        shown = (channel,) if channel in sample.image.channel_names else ()
        look = looks.model_copy(update={"channels": shown})
        pictures[name] = draw_masks(sample.unprocessed, cells, {name: mask, **radial}, look, **place)
    written = {}
    for name, picture in pictures.items():
        relative = place_of(job, "overlays", f"{name}.png")
        _write_picture(job, picture, relative)
        written[f"overlay {name}"] = str(relative)
    return written


def _write_picture(job: Job, picture: NDArray[np.uint8], relative: PurePosixPath) -> None:
    write_png(picture, job.out / relative)
    write_thumbnail(picture, job.out / thumbnail_path(relative))


def _write_ratio(job: Job, sample: Sample) -> dict[str, str]:
    if "ratio" not in sample.maps:
        return {}
    relative = place_of(job, map_folder(job, "ratio"), "ratio.png")
    place = _middle(sample)
    looks = RatioOptions(limits=_ratio_limits(sample.tables.get(_CELLS)))
    title = "target / reference, 0 to twice the largest ratio of a cell" if looks.limits else "target / reference"
    ratio = sample.maps["ratio"]
    picture = draw_ratio(ratio, sample.labels[_CELLS], title, looks, t=place["t"], z=place["z"])
    write_png(picture, job.out / relative)
    return {"picture ratio": str(relative)}


def _ratio_limits(cells: pd.DataFrame | None) -> tuple[float, float] | None:
    """Return limits of colours from the cells' ratios, since single pixels' are huge where the reference is near 0."""
    names = [name for name in map(str, cells.columns) if _CELL_RATIO.fullmatch(name)] if cells is not None else []
    if cells is None or not names:
        return None
    values = cells[names].to_numpy(float)
    values = values[np.isfinite(values)]
    return (0.0, 2 * float(values.max())) if values.size and values.max() > 0 else None


class _Plane(NamedTuple):
    """The profiles of one plane, what its files are called, and its place in a stack, counted from 0."""

    name: str
    place: dict[str, int]
    cells: pd.DataFrame
    smoothed: pd.DataFrame | None
    pooled: pd.DataFrame
    peaks: dict[int, dict[str, float]]


def _write_plots(job: Job, sample: Sample) -> dict[str, str]:
    if f"{_PROFILES}_cells" not in sample.tables:
        return {}
    written = {}
    for name, figure in _figures(job, sample):
        for suffix in _FORMS:
            relative = place_of(job, "plots", f"{name}.{suffix}")
            with atomic_write(job.out / relative) as temporary:
                temporary.write_bytes(figure_bytes(figure, suffix))
            written[f"plot {name} {suffix}"] = str(relative)
    return written


def _figures(job: Job, sample: Sample) -> Iterator[tuple[str, Figure]]:
    """Yield the name and the figure of each plot."""
    common = _options(sample.tables[f"{_PROFILES}_cells"], sample.image.channel_names).model_copy(
        update=_values(job, sample)
    )
    for plane in _planes(sample.tables):
        if plane.cells.empty:
            continue
        options = common.model_copy(update={"title": _title(sample, plane)})
        population = options.model_copy(update={"error_bands": plane.cells["label"].nunique() > 1})
        yield f"profile_pooled{plane.name}", draw_population_profile(plane.cells, population, pooled=plane.pooled)
        pages = draw_profile_grid(plane.cells, options, smoothed=plane.smoothed, peaks=plane.peaks)
        for number, page in enumerate(islice(pages, _MOST_PAGES), start=1):
            yield f"profile_grid{plane.name}_{number}", page
        labels = list(plane.cells["label"].unique())
        for label in labels if len(labels) <= _MOST_SINGLE else ():
            peaks = plane.peaks.get(int(label), {})
            figure = draw_profile(plane.cells, int(label), options, smoothed=plane.smoothed, peaks=peaks)
            yield f"profile{plane.name}_cell_{label}", figure


def _title(sample: Sample, plane: _Plane) -> str:
    """Return the image's name and the plane, counted from 1 as on its pictures."""
    sizes = sample.image.sizes
    places = [f"{axis.upper()} {index + 1} of {sizes[axis.upper()]}" for axis, index in plane.place.items()]
    return ", ".join([sample.image.name, *places])


def _values(job: Job, sample: Sample) -> dict[str, str]:
    """Return what the intensities of profiles are: their unit, and whether pixels were corrected before."""
    compat = [step for step in job.recipe.steps if isinstance(step, DualCellQuant)]
    normalised = any(step.name == "normalise" for step in job.recipe.steps)
    normalised |= any(step.normalise != "none" for step in compat)
    corrected = sample.original is not None or any(step.background != "none" for step in compat)
    return {
        "value_unit": "normalised" if normalised else "grey values",
        "subtitle": "pixels corrected, as recipe.toml says" if corrected or normalised else "pixels as in the file",
    }


def _options(profiles: pd.DataFrame, channels: tuple[str, ...]) -> ProfileFigureOptions:
    """Return what the table of profiles has to show."""
    unit = next(unit for unit in ("pct", "um", "px") if f"center_{unit}" in profiles)
    ratio = next((name for name in map(str, profiles.columns) if _RATIO_COLUMN.fullmatch(name)), None)
    shown = tuple(name for name in channels if f"mean_{name}" in profiles)
    return ProfileFigureOptions(channels=shown, ratio=ratio, unit=unit)


def _planes(tables: Mapping[str, pd.DataFrame]) -> Iterator[_Plane]:
    """Yield the profiles of each plane; of the middle one alone where there are many."""
    cells = tables[f"{_PROFILES}_cells"]
    smoothed = next((tables[name] for name in (f"{_PROFILES}_smoothed", f"{_PROFILES}_sg") if name in tables), None)
    pooled, peaks = tables[f"{_PROFILES}_pooled"], tables.get("peaks")
    axes = [axis for axis in ("t", "z") if axis in cells]
    if not axes:
        yield _Plane("", {}, cells, smoothed, pooled, _peaks(peaks))
        return
    places = [tuple(map(int, place)) for place in pooled[axes].drop_duplicates().itertuples(index=False)]
    places = places if len(places) <= _MOST_PLANES else [places[len(places) // 2]]
    for place in places:
        where = dict(zip(axes, place, strict=True))
        name = "".join(f"_{axis}{index}" for axis, index in where.items())
        chosen = (None if table is None else _at(table, where) for table in (smoothed, peaks))
        of_plane, its_peaks = chosen
        yield _Plane(name, where, _at(cells, where), of_plane, _at(pooled, where), _peaks(its_peaks))


def _at(table: pd.DataFrame, place: Mapping[str, int]) -> pd.DataFrame:
    for axis, index in place.items():
        table = table[table[axis] == index]
    return table.drop(columns=list(place))


def _peaks(table: pd.DataFrame | None) -> dict[int, dict[str, float]]:
    """Return id → channel → where its profile peaks, in the unit of the profile."""
    if table is None:
        return {}
    columns: dict[str, str] = {}
    for name in map(str, table.columns):
        found = _PEAK_COLUMN.fullmatch(name)
        if found and not name.startswith("peak_mean"):
            columns.setdefault(found["channel"], name)
    return {
        int(row["label"]): {channel: float(row[column]) for channel, column in columns.items()}
        for row in table.to_dict("records")
    }
