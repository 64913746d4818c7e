"""`measure`: the table of an image's objects, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.core.image import Image
from cellmetry.core.labels import Labels
from cellmetry.core.parameters import check_type
from cellmetry.core.progress import SILENT
from cellmetry.errors import ParameterError
from cellmetry.measure.blocks import Block, blocks_of, empty_block, find_objects, rows_of_block
from cellmetry.measure.features import measure_channel, measure_objects, measure_together
from cellmetry.measure.fields import Field, fields_of
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.size import centroids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress

__all__ = ["concatenate_columns", "measure", "measure_in_blocks", "stack_fields"]

_DEFAULT = MeasureOptions()


def measure(
    image: Image, labels: Labels, options: MeasureOptions = _DEFAULT, *, progress: Progress = SILENT
) -> pd.DataFrame:
    """Return one row for each object, in the order of t, z and label; `describe_columns` says what columns mean.

    Image and labels may lie on disk: they are read in blocks, and the numbers do not depend on the blocks.

    Parameters
    ----------
    image
        Pixels; values that are not finite are left out of statistics and counted in ``nan_px_<channel>``.
    labels
        Of the same T, Y and X as the image, and of the same Z or none.
    options
        Which features of which channels.

    Raises
    ------
    LabelsError
        If labels and image differ in size.
    AxesError
        If the image has T or Z planes that the labels lack and the options do not say which to measure.
    UnknownName
        If a channel of the options does not exist.
    """
    check_type(image, Image, "measure", "cm.open_image or cm.image_from_array")
    check_type(labels, Labels, "measure", "cm.read_labels or cm.labels_from_array")
    return measure_in_blocks(image, labels, options, progress=progress)


def measure_in_blocks(
    image: Image, labels: Labels, options: MeasureOptions, *, rows: int | None = None, progress: Progress = SILENT
) -> pd.DataFrame:
    """Return the same table as `measure`, reading `rows` rows at a time."""
    fields = fields_of(image, labels, options)
    channels = _channels(image, options)
    height = rows or rows_of_block(fields[0])
    progress.start("measure", 2 * len(fields) * -(-image.sizes["Y"] // height))
    parts = [_measure_field(field, options, channels, height, progress) for field in fields]
    return _without_empty_counts(stack_fields(parts, fields), channels)


def _channels(image: Image, options: MeasureOptions) -> dict[str, int]:
    """Return the name in columns → index of each channel to measure."""
    names = safe_names(image.channel_names)
    chosen = range(len(names)) if options.channels is None else map(image.channel_index, options.channels)
    return {names[index]: index for index in chosen}


def _measure_field(
    field: Field, options: MeasureOptions, channels: Mapping[str, int], rows: int, progress: Progress
) -> dict[str, NDArray[Any]]:
    objects = find_objects(field, rows, progress)
    left = -(-field.image.sizes["Y"] // rows)
    parts = []
    for block in blocks_of(field, objects, rows):
        parts.append(_measure_block(block, options, channels))
        progress.advance(min(left, 1))
        left -= min(left, 1)
    progress.advance(left)
    columns = concatenate_columns(parts or [_measure_block(empty_block(field), options, channels)])
    order = np.argsort(columns["label"], kind="stable")
    for name, values in columns.items():
        columns[name] = values[order]
    centres = np.stack([columns.pop(f"_centre_{axis}") for axis in "zyx"], axis=1)
    return {**columns, **measure_together(centres, field, options)}


def _measure_block(block: Block, options: MeasureOptions, channels: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {"label": block.objects.ids.astype(np.int64)}
    out.update(zip(("_centre_z", "_centre_y", "_centre_x"), centroids(block).T, strict=True))
    out.update(measure_objects(block, options))
    for name, index in channels.items():
        for feature, values in measure_channel(block, index, options).items():
            column = f"{feature}_{name}"
            if column in out:
                raise ParameterError(f"Two columns would be named {column!r}; rename the channel {name!r}.")
            out[column] = values
    return out


def concatenate_columns(parts: Sequence[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return each column in one piece, emptying `parts` on the way so that no table is held twice."""
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}


def stack_fields(parts: Sequence[dict[str, NDArray[Any]]], fields: Sequence[Field]) -> pd.DataFrame:
    """Return one table of all fields, with the columns t and z where there are such axes."""
    counts = [len(part["label"]) for part in parts]
    table = pd.DataFrame(concatenate_columns(parts), copy=False)
    axes = fields[0].labels.axes
    if "Z" in axes and not fields[0].volume:
        table.insert(1, "z", np.repeat([field.planes.start for field in fields], counts))
    if "T" in axes:
        table.insert(1, "t", np.repeat([field.t for field in fields], counts))
    return table


def _without_empty_counts(table: pd.DataFrame, channels: Mapping[str, int]) -> pd.DataFrame:
    """Return the table without the counts of missing pixels of channels that have none."""
    counts = [f"nan_px_{name}" for name in channels if f"nan_px_{name}" in table]
    return table.drop(columns=[name for name in counts if not table[name].any()])
