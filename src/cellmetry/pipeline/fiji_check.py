"""`fiji_check`: a finished run as a folder with which Fiji measures the same objects again and compares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.labels import Labels
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters
from cellmetry.errors import InputError, ParameterError, UnknownName
from cellmetry.export.condition_tables import file_stems
from cellmetry.export.content import make_content
from cellmetry.export.forms.rois import Rois
from cellmetry.export.imagej_macro import MEASURES, MacroImage, imagej_macro
from cellmetry.export.imagej_tiff import check_imagej_type, opens_in_imagej, write_imagej_tiff
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.tables import read_table, write_table
from cellmetry.measure.names import safe_names
from cellmetry.measure.step import Measure
from cellmetry.ops.rolling_ball import RollingBall
from cellmetry.pipeline.finished_run import open_run
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.pipeline.result_folders import open_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.step import Step
    from cellmetry.pipeline.finished_run import FinishedRun

__all__ = ["MACRO", "OURS", "FijiCheck", "FijiOptions", "fiji_check"]

MACRO, OURS, THEIRS = "measure.ijm", "ours.csv", "fiji.csv"
"""Files of the folder: the macro, Cellmetry's numbers, and those that the macro writes."""

_OF_CHANNEL = {"Mean": "mean", "Min": "min", "Max": "max", "RawIntDen": "sum"}
_KEEP_PIXELS = {
    *("segment", "count", "maps", "relate", "cytoplasm", "ring", "split_parts", "keep_ids", "keep_image"),
    *("measure", "measure_imagej", "measure_nested", "passport", "filter_cells", "spots", "translocation"),
    *("colocalise", "mask", "combine_masks", "quantify", "radial", "profile", "peaks"),
}
"""Steps after which the image has the same pixels as before."""
_COLUMNS = (
    Column("image", "", "Name of the image, as in images.csv.", "Cellmetry"),
    Column("label", "", "Id of the object in the label image; name of its outline.", "Cellmetry"),
    Column("unit", "", "Unit of lengths in this row: um, or pixel where the pixel size is not known.", "Cellmetry"),
    Column("Area", "unit²", "Area of the object.", "Cellmetry, in ImageJ's words"),
    Column("Mean", "intensity", "Mean of its pixels.", "Cellmetry, in ImageJ's words"),
    Column("Min", "intensity", "Smallest pixel.", "Cellmetry, in ImageJ's words"),
    Column("Max", "intensity", "Largest pixel.", "Cellmetry, in ImageJ's words"),
    Column("IntDen", "intensity × unit²", "Area times Mean.", "Cellmetry, in ImageJ's words"),
    Column("RawIntDen", "intensity", "Sum of its pixels.", "Cellmetry, in ImageJ's words"),
)


class FijiOptions(Parameters):
    """What Fiji is to check."""

    table: str = "cells"
    """Table of the run whose numbers are checked."""
    channel: str | int | None = None
    """Channel that is measured, by name or index; the only one of the table if left out."""
    images: tuple[str, ...] = ()
    """Names of the images to check; all if left out."""
    originals: bool = False
    """Let Fiji open the image files where they are, instead of copies of the measured channel in the folder."""


class FijiCheck(NamedTuple):
    """What was written: the folder, how many images and objects it holds, and what a user should know."""

    folder: Path
    images: int
    objects: int
    notes: tuple[str, ...] = ()


class _Plan(NamedTuple):
    """What is checked: the table's rows, the step that measured them, and the steps before it."""

    table: pd.DataFrame
    measure: Measure
    before: tuple[Step, ...]
    options: FijiOptions


class _Field(NamedTuple):
    """One image: its pixels, the index of the measured channel, outlines as labels, and its rows in ImageJ's words."""

    name: str
    image: Image
    channel: int
    labels: Labels
    rows: pd.DataFrame


def fiji_check(
    run_folder: str | Path, out: str | Path, options: FijiOptions | None = None, *, progress: Progress = SILENT
) -> FijiCheck:
    """Return what was written into `out`: a ROI zip of each image, copies of images, ``measure.ijm``, ``ours.csv``.

    Parameters
    ----------
    run_folder
        Of a run, or of a study that holds one.

    Raises
    ------
    MissingInput, UnknownName
        If there is no run, table, image or channel of this name, or files of it are gone.
    ParameterError
        If the recipe does to the pixels what ImageJ cannot repeat, or the table lacks the numbers.
    InputError
        If an image is a stack, has pixels that ImageJ has not, or labels are not those that were measured.
    """
    options = options or FijiOptions()
    run = open_run(open_results(run_folder).run_folder)
    plan = _plan(run, options)
    names = _chosen(run, options)
    macros, rows, notes, backgrounds = [], [], [], []
    progress.start("images", len(names))
    with atomic_folder(out, marker=MACRO) as folder:
        stems = file_stems(name.encode("ascii", "replace").decode("ascii") for name in names)
        for name, stem in zip(names, stems, strict=True):
            field = _field(run, plan, name)
            progress.advance()
            notes += _left_out(run, plan, field)
            if not len(field.rows):
                continue
            backgrounds.append(_background(plan, field))
            macros.append(
                _write_field(field, folder, stem, _original(run, name, Path(out)) if options.originals else "")
            )
            rows.append(field.rows)
        _write_numbers(macros, rows, _same(backgrounds), folder)
    return FijiCheck(Path(out), len(macros), sum(map(len, rows)), tuple(notes))


def _plan(run: FinishedRun, options: FijiOptions) -> _Plan:
    """Return what is checked, from the recipe of the run and its table."""
    steps = load_recipe(run.folder / "recipe.toml").steps
    made = {place: step for place, step in enumerate(steps) if isinstance(step, Measure)}
    places = [place for place, step in made.items() if step.table == options.table]
    if not places:
        raise UnknownName("table of a step measure called", options.table, [step.table for step in made.values()])
    table = read_table(run.folder / "tables" / f"{options.table}.parquet")
    return _Plan(table, made[places[-1]], steps[: places[-1]], options)


def _chosen(run: FinishedRun, options: FijiOptions) -> list[str]:
    for name in options.images:
        if name not in run.images:
            raise UnknownName(f"image worked in {run.folder}", name, run.images)
    return list(dict.fromkeys(options.images)) or list(run.images)


def _field(run: FinishedRun, plan: _Plan, name: str) -> _Field:
    """Return one image with its objects; those that the table leaves out have no outline."""
    image, labels = run.open_image(name), run.open_labels(name, plan.measure.labels)
    if image.sizes.get("T", 1) * image.sizes.get("Z", 1) > 1:
        raise InputError(f"{name} is a stack ({image.axes}); numbers are checked in single planes only.")
    channel = _channel(image, plan)
    check_imagej_type(image.dtype, name)
    rows = plan.table[plan.table["image"] == name].sort_values("label")
    ids = labels.read().reshape(labels.shape[-2:])
    _check_areas(ids, rows, name)
    kept = np.where(np.isin(ids, rows["label"].to_numpy()), ids, np.uint32(0))
    plane = Labels(kept, pixel_size=image.pixel_size)
    return _Field(name, image, channel, plane, _words(rows, image, channel))


def _channel(image: Image, plan: _Plan) -> int:
    """Return the index of the channel that is checked."""
    if plan.options.channel is not None:
        return image.channel_index(plan.options.channel)
    there = [k for k, name in enumerate(safe_names(image.channel_names)) if f"mean_{name}" in plan.table]
    if len(there) == 1:
        return there[0]
    names = ", ".join(image.channel_names[k] for k in there) or "none"
    raise ParameterError(
        f"The table {plan.options.table} has means of these channels: {names}; name one with --channel."
    )


def _check_areas(ids: NDArray[np.uint32], rows: pd.DataFrame, name: str) -> None:
    """Refuse labels of other sizes than those that were measured."""
    found, counts = np.unique(ids, return_counts=True)
    sizes = pd.Series(counts, index=found.astype(np.int64)).reindex(rows["label"].to_numpy(), fill_value=0)
    wrong = np.flatnonzero(sizes.to_numpy() != rows["area_px"].to_numpy())
    if len(wrong):
        raise InputError(
            f"{name}: object {rows['label'].iloc[wrong[0]]} has {sizes.iloc[wrong[0]]} pixels in the label image and "
            f"{rows['area_px'].iloc[wrong[0]]:.0f} in the table; the labels were changed after they were measured."
        )


def _words(rows: pd.DataFrame, image: Image, channel: int) -> pd.DataFrame:
    """Return the rows of an image in ImageJ's words, in µm where the pixel size is known."""
    name = safe_names(image.channel_names)[channel]
    columns = {word: f"{ours}_{name}" for word, ours in _OF_CHANNEL.items()}
    missing = [column for column in ("area_px", *columns.values()) if column not in rows]
    if missing:
        raise ParameterError(
            f"The table has no column {missing[0]}; measure the features size and intensity of the channel {name}."
        )
    known = image.pixel_size.known
    area = rows["area_px"].to_numpy(float) * (image.pixel_size.area_um2 if known else 1.0)
    made = {word: rows[column].to_numpy() for word, column in columns.items()}
    made |= {"Area": area, "IntDen": area * made["Mean"]}
    first = {"image": rows["image"].array, "label": rows["label"].array, "unit": "um" if known else "pixel"}
    return pd.DataFrame({**first, **{word: made[word] for word in MEASURES}}).reset_index(drop=True)


def _left_out(run: FinishedRun, plan: _Plan, field: _Field) -> list[str]:
    """Return a sentence about objects without a row in the table."""
    if not len(field.rows):
        return [f"{field.name} has no objects in the table and is left out."]
    found = run.images[field.name]["n_objects"][plan.measure.labels]
    left = found - len(field.rows)
    return [f"{field.name}: {left} of {found} objects are not in the table and have no outline."] if left else []


def _background(plan: _Plan, field: _Field) -> RollingBall | None:
    """Return the step that took off the background of the measured channel before it was measured.

    Raises
    ------
    ParameterError
        If another step changed its pixels, or two did.
    """
    found = [step for step in plan.before if isinstance(step, RollingBall) and _concerns(step, field)]
    others = [step.name for step in plan.before if not isinstance(step, RollingBall) and step.name not in _KEEP_PIXELS]
    if others or len(found) > 1:
        what = others[0] if others else "rolling_ball, twice"
        raise ParameterError(
            f"Before it measured, the recipe changed the pixels by {what}, which ImageJ cannot repeat; only images as "
            f"read, or with one rolling ball, can be checked."
        )
    return found[0] if found else None


def _concerns(step: RollingBall, field: _Field) -> bool:
    return step.channels is None or field.channel in map(field.image.channel_index, step.channels)


def _same(backgrounds: Sequence[RollingBall | None]) -> RollingBall | None:
    """Return the background step of all images; it can differ only where channels have other names."""
    if len({repr(each) for each in backgrounds}) > 1:
        raise ParameterError("The background of some of these images was taken off and of others not; name images.")
    return backgrounds[0] if backgrounds else None


def _original(run: FinishedRun, name: str, out: Path) -> str:
    """Return the file of an image relative to `out`, if ImageJ opens it as it is."""
    said = run.images[name]
    path = Path(said["path"])
    if run.reading.pattern is not None or said["scene"] is not None or not opens_in_imagej(path):
        raise ParameterError(
            f"ImageJ may not read the values of {path} as they are stored; leave out --originals to get copies."
        )
    try:
        return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    except ValueError as error:
        raise ParameterError(f"{path} and {out} are on different drives; leave out originals to get copies.") from error


def _write_field(field: _Field, folder: Path, stem: str, original: str) -> MacroImage:
    """Return what the macro measures after writing outlines, and a copy of the measured channel if it is wanted."""
    Rois().write(make_content(field.labels, stem), folder / f"{stem}.zip")
    size, shape = field.image.pixel_size, (field.image.sizes["Y"], field.image.sizes["X"])
    name, count = field.name, len(field.rows)
    if not original:
        write_imagej_tiff(field.image.plane(c=field.channel), folder / f"{stem}.tif", size, name)
        return MacroImage(name, f"{stem}.tif", f"{stem}.zip", shape, count, pixel_size=size)
    channels = len(field.image.channels)
    return MacroImage(name, original, f"{stem}.zip", shape, count, field.channel + 1, channels, size)


def _write_numbers(
    macros: Sequence[MacroImage], rows: Sequence[pd.DataFrame], background: RollingBall | None, folder: Path
) -> None:
    if not macros:
        raise ParameterError("None of the images has objects in the table; there is nothing to check.")
    write_table(pd.concat(rows, ignore_index=True), folder / OURS, _COLUMNS)
    text = imagej_macro(macros, background, out=THEIRS, ours=OURS)
    (folder / MACRO).write_text(text, encoding="ascii", newline="\n")
