"""`run_demo`: the main job on pictures that come with scikit-image and on a generated plate whose truth is known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.errors import MissingInput
from cellmetry.io.images import write_image
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.tables import read_table, write_table
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import FieldOptions, PlateOptions, field_image, field_labels, make_plate
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.report.index import write_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.ops.synthetic import PlateField
    from cellmetry.pipeline.batch import RunResult

__all__ = ["PICTURES", "DemoResult", "PlateScore", "run_demo"]

PIXEL_SIZE_UM = 0.5
PICTURES = {"tissue": "ihc.png", "cell": "cell.png", "coins": "coins.png"}
"""Folder of the demonstration → file of scikit-image's wheel."""
RECIPES = {
    "tissue": (
        "stained-tissue",
        ("segment.diameter_px=18", "segment.cleanup.min_area_px=60", "segment.cleanup.smooth_px=2"),
    ),
    "cell": ("any", ("segment.diameter_px=80", "segment.cleanup.min_area_px=400")),
    "coins": ("any", ("segment.diameter_px=40",)),
    "plate": ("nuclei", ("segment.channel=signal",)),
}
"""Folder → shipped recipe, and what is changed in it."""
PLATE = PlateOptions(fields=1, look=FieldOptions(touching=0.5))
"""The generated plate: three conditions in two wells each, half of the cells touching."""


class PlateScore(NamedTuple):
    """How near the results on the generated plate come to its truth.

    Parameters
    ----------
    true_cells, found_cells
        On the whole plate.
    f1
        2·TP / (2·TP + FP + FN) at IoU 0.5 over all cells.
    intensity_error
        Median over matched cells of the relative deviation of the mean signal.
    true_effect, found_effect
        Mean signal of the last condition's cells divided by the first's.
    conditions
        Names of these two conditions.
    """

    true_cells: int
    found_cells: int
    f1: float
    intensity_error: float
    true_effect: float
    found_effect: float
    conditions: tuple[str, str]


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration made.

    Parameters
    ----------
    index
        The page to open.
    runs
        Folder → its run.
    score
        The plate's results against its truth.
    """

    index: Path
    runs: dict[str, RunResult]
    score: PlateScore


def run_demo(out: str | Path, *, plate: PlateOptions | None = None, progress: Progress = SILENT) -> DemoResult:
    """Return what came of the demonstration, after writing inputs, truth, results and an index page into `out`.

    Raises
    ------
    MissingInput
        If scikit-image is installed without its pictures.
    OutputError
        If results cannot be written.
    """
    out = Path(out)
    fields = make_plate(plate or PLATE, seed=1)
    _copy_pictures(out / "input")
    _write_plate(fields, out)
    runs = {
        folder: run(load_recipe(name, changes), [out / "input" / folder], out / folder, progress=progress)
        for folder, (name, changes) in RECIPES.items()
    }
    index = write_index(
        out, "Cellmetry demonstration", pd.concat([_index_rows(folder, each) for folder, each in runs.items()]), _NOTES
    )
    return DemoResult(index, runs, _score_plate(fields, runs["plate"]))


_NOTES = (
    "tissue, cell and coins: immunohistochemistry, cell and coins, from scikit-image's gallery.",
    "plate: generated fields of two channels (DNA, signal); the true cells are in the folder truth.",
)


def _copy_pictures(target: Path) -> None:
    """Copy the pictures out of scikit-image's wheel."""
    for folder, name in PICTURES.items():
        (target / folder).mkdir(parents=True, exist_ok=True)
        with as_file(files("skimage") / "data" / name) as source:
            if not source.is_file():
                raise MissingInput(
                    f"scikit-image is installed without its picture {name}; install its wheel anew with: "
                    f"pip install --force-reinstall scikit-image"
                )
            shutil.copyfile(source, target / folder / name)


def _stem(field: PlateField) -> str:
    return f"{field.well}_f{field.number}"


def _write_plate(fields: Sequence[PlateField], out: Path) -> None:
    """Write the plate's images, its true cells and their true values."""
    for folder in (out / "input" / "plate", out / "truth"):
        folder.mkdir(parents=True, exist_ok=True)
    for each in fields:
        image = field_image(each.field, pixel_size_um=PIXEL_SIZE_UM, name=_stem(each))
        write_image(image, out / "input" / "plate" / f"{_stem(each)}.ome.tif")
        labels = field_labels(each.field, pixel_size_um=PIXEL_SIZE_UM)
        write_labels(labels, out / "truth" / f"{_stem(each)}_labels.tif")
    write_table(pd.concat([_truth_rows(each) for each in fields]), out / "truth" / "cells.csv")


def _truth_rows(field: PlateField) -> pd.DataFrame:
    truth = field.field.truth
    return pd.DataFrame(
        {
            "image": _stem(field),
            "condition": field.condition,
            "label": truth.ids,
            "area_px": truth.area_px,
            "mean_DNA": truth.mean_dna,
            "mean_signal": truth.mean_signal,
        }
    )


def _index_rows(folder: str, result: RunResult) -> pd.DataFrame:
    rows = [
        {
            "image": f"{folder}/{each.image}",
            "status": each.status,
            "reason": each.reason,
            "n_cells": each.n_objects.get("cells"),
            "seconds": each.seconds,
            "warnings": "\n".join(each.warnings),
            "overlay": f"{folder}/{each.outputs['overlay cells']}" if "overlay cells" in each.outputs else "",
        }
        for each in result.outcomes
    ]
    return pd.DataFrame(rows).astype({"n_cells": "Int64"})


def _score_plate(fields: Sequence[PlateField], result: RunResult) -> PlateScore:
    """Return how near the found cells and their signal come to the truth."""
    table = read_table(result.out / "tables" / "cells.csv")
    pairs = pd.concat([_match(each, result, table) for each in fields])
    truth = pd.concat([_truth_rows(each) for each in fields])
    f1 = 2 * len(pairs) / (len(truth) + len(table))
    condition_of = {_stem(each): each.condition for each in fields}
    first, last = fields[0].condition, fields[-1].condition
    found = table.groupby(table["image"].map(condition_of))["mean_signal"].mean()
    true = truth.groupby("condition")["mean_signal"].mean()
    return PlateScore(
        true_cells=len(truth),
        found_cells=len(table),
        f1=f1,
        intensity_error=float(((pairs["found"] - pairs["true"]) / pairs["true"]).abs().median()),
        true_effect=float(true[last] / true[first]),
        found_effect=float(found[last] / found[first]),
        conditions=(first, last),
    )


def _match(field: PlateField, result: RunResult, table: pd.DataFrame) -> pd.DataFrame:
    """Return the true and the found mean signal of each cell of a field that was found (IoU of 0.5 or more)."""
    outcome = next(each for each in result.outcomes if each.image == _stem(field))
    labels = read_labels(result.out / outcome.outputs["labels cells"])
    pairs = match_labels(field.field.labels, labels.read()).pairs
    measured = table[table["image"] == outcome.image].set_index("label")["mean_signal"]
    true = field.field.truth.mean_signal[np.searchsorted(field.field.truth.ids, pairs[:, 0])]
    return pd.DataFrame({"true": true, "found": measured.reindex(pairs[:, 1]).to_numpy()})
