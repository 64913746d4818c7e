"""`passport`: the table of what speaks for and against the numbers of each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.measure.blocks import blocks_of, empty_block, find_objects, rows_of_block
from cellmetry.measure.fields import Field, fields_of
from cellmetry.measure.names import safe_names
from cellmetry.measure.passport.columns import passport_columns
from cellmetry.measure.passport.flags import FLAGS, add_flags
from cellmetry.measure.passport.options import PassportOptions
from cellmetry.measure.passport.values import Judged, block_values
from cellmetry.ops.saturation import detector_maximum, parse_saturation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["passport", "passport_notes"]

_DEFAULT = PassportOptions()
_FEWEST_ROWS = 64
_COPIES = 4
"""How much more a block of the passport holds than one of `measure`: labels with rings, smoothed pixels."""


def passport(
    sample: Sample,
    labels: Labels,
    options: PassportOptions = _DEFAULT,
    *,
    rows: int | None = None,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Return one row for each object with its values and flags; ``attrs["columns"]`` describes them.

    Parameters
    ----------
    sample
        Its image as read and as corrected, and the map of probabilities, if a step kept it.
    labels
        Of the same T, Y and X as the image, and of the same Z or none.
    rows
        Rows of the image that are read at a time; the numbers do not depend on it.

    Raises
    ------
    LabelsError, AxesError
        If labels and image do not fit each other.
    UnknownName
        If a channel of the options does not exist.
    """
    judged = _judged(sample, labels, options)
    height = rows or max(_FEWEST_ROWS, rows_of_block(judged[0].pixels) // _COPIES)
    progress.start("passport", 2 * len(judged) * -(-sample.image.sizes["Y"] // height))
    parts = [_field_values(each, options, height, progress) for each in judged]
    values = pd.concat(parts, ignore_index=True)
    table = add_flags(values, list(judged[0].limits), options)
    table.attrs["columns"] = passport_columns(table)
    return table


def _judged(sample: Sample, labels: Labels, options: PassportOptions) -> list[Judged]:
    """Return what is judged of each plane or volume."""
    original = sample.unprocessed
    image = original if options.pixels == "original" else sample.image
    how = options.as_measured()
    pixels = fields_of(image, labels, how)
    strict = how.model_copy(update={"project": "max"}) if how.project else how
    stored = pixels if image is original and strict == how else fields_of(original, labels, strict)
    seen = sample.maps.get(options.confidence_map)
    maps: Sequence[Field | None] = fields_of(seen, labels, how) if seen is not None else [None] * len(pixels)
    limits = _limits(original, options)
    return [Judged(*fields, limits) for fields in zip(pixels, stored, maps, strict=True)]


def _limits(original: Image, options: PassportOptions) -> dict[str, tuple[int, float]]:
    """Return index and stored limit of saturation of each channel, by its name in columns."""
    names = safe_names(original.channel_names)
    every = options.channels is None
    chosen = range(len(names)) if every else [original.channel_index(each) for each in options.channels or ()]
    said = {original.channel_index(name): text for name, text in options.saturations.items()}
    limits = {index: parse_saturation(said.get(index, options.saturation)) for index in chosen}
    return {names[index]: (index, limits[index].native(detector_maximum(original, index))) for index in chosen}


def _field_values(judged: Judged, options: PassportOptions, rows: int, progress: Progress) -> pd.DataFrame:
    """Return the values of the objects of one plane or volume, in the order of their ids, with its t and z."""
    field = judged.pixels
    bands = -(-field.image.sizes["Y"] // rows)
    objects = find_objects(field, rows, progress)
    parts: list[dict[str, NDArray[Any]]] = []
    for block in blocks_of(field, objects, rows):
        parts.append(block_values(block, judged, options))
    progress.advance(bands)
    parts = parts or [block_values(empty_block(field), judged, options)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    table = pd.DataFrame(columns).sort_values("label", ignore_index=True)
    if "Z" in field.labels.axes and not field.volume:
        table.insert(1, "z", field.planes.start)
    if "T" in field.labels.axes:
        table.insert(1, "t", field.t)
    return table


def passport_notes(table: pd.DataFrame, options: PassportOptions) -> list[str]:
    """Return a sentence for each flag that more objects carry than `report_share`, and if the usual is unknown."""
    notes = []
    if 0 < len(table) < options.least_cells:
        notes.append(
            f"Only {_cells(len(table))}: what is usual in this image is unknown, so no cell is compared with it "
            f"(least_cells is {options.least_cells})."
        )
    for name in FLAGS:
        if name == "edge" or f"flag_{name}" not in table:
            continue
        raised = int(table[f"flag_{name}"].sum())
        if raised > options.report_share * len(table):
            verb = "is" if raised == 1 else "are"
            notes.append(f"{raised} of {_cells(len(table))} {verb} flagged by flag_{name}.")
    return notes


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"
