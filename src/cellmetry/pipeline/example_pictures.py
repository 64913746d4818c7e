"""Example pictures of the conditions of a finished run: for each the field in its middle, all at equal contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.io.pictures import png_bytes
from cellmetry.pipeline.finished_run import open_run
from cellmetry.report.comparison.document import Example
from cellmetry.report.examples import ExampleField, ExampleOptions, describe_example, draw_example, shared_limits
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from cellmetry.pipeline.finished_run import FinishedRun

__all__ = ["choose_examples", "example_pictures"]


def example_pictures(
    run_folder: str | Path, images: pd.DataFrame, options: ExampleOptions | None = None
) -> tuple[Example, ...]:
    """Return a picture of each condition that has a field with a value, in the order in which conditions come.

    Parameters
    ----------
    run_folder
        Of a finished run.
    images
        One row a field, columns ``image``, ``condition`` and ``value``; those without a finite value are not shown.

    Raises
    ------
    ParameterError
        If no field has a value, or the fields have different channels.
    MissingInput, UnknownName
        If the run has no such image or labels, or their files are gone.
    """
    options = options or ExampleOptions()
    run = open_run(run_folder)
    chosen = choose_examples(images)
    fields = [_open(run, row, options) for row in chosen[["image", "condition", "value", "of"]].itertuples(index=False)]
    if len({field.image.channel_names for field in fields}) > 1:
        raise ParameterError("The fields of the conditions have different channels, so no contrast is equal for all.")
    limits = shared_limits(fields, options)
    return tuple(
        Example(
            field.condition,
            png_bytes(draw_example(field, limits, options)),
            describe_example(field, limits, options),
        )
        for field in fields
    )


def choose_examples(images: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each condition: the field whose value is nearest to their median, and ``of`` how many.

    Of two equally near the first is taken.

    Raises
    ------
    ParameterError
        If a column is missing or no field has a finite value.
    """
    need_columns(images, ["image", "condition", "value"])
    there = images[np.isfinite(images["value"].to_numpy(float))]
    if there.empty:
        raise ParameterError("No field has a finite value, so none can stand for its condition.")
    groups = there.groupby("condition", sort=False, observed=True)["value"]
    away = (there["value"] - groups.transform("median")).abs()
    chosen = there.assign(of=groups.transform("size")).loc[away.groupby(there["condition"], observed=True).idxmin()]
    order: pd.DataFrame = chosen.set_index("condition").loc[list(dict.fromkeys(there["condition"]))].reset_index()
    return order


def _open(run: FinishedRun, row: tuple[Any, ...], options: ExampleOptions) -> ExampleField:
    name, condition, value, of = row
    labels = None if options.labels is None else run.open_labels(str(name), options.labels)
    return ExampleField(str(condition), run.open_image(str(name)), labels, float(value), int(of))
