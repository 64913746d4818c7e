"""Wells and cells of a generated EdU study as numbers, drawn so that what is true of each condition is known exactly.

The mean over replicates of a fraction is the condition's own: fractions are beta distributed, and days shift all
conditions together through a normal copula (Nelsen 2006). Intensities and numbers are log-normal with the stated mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr

from cellmetry.core.columns import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.learn.generate.edu_options import EduOptions

__all__ = [
    "CELL_COLUMNS",
    "CONDITION_COLUMNS",
    "NEGATIVE",
    "EduCells",
    "EduTables",
    "EduWell",
    "cell_table",
    "condition_truth",
    "draw_cells",
    "draw_wells",
    "generate_edu_tables",
]

NEGATIVE = 15.0
"""Mean signal in the EdU channel of nuclei that have taken up none (unbound dye), in counts."""

_OURS = "Cellmetry (generated)"
_HIDDEN_SHARE = 0.4
"""How often cells that phase contrast does not show take up EdU, as a part of how often all cells do."""

CELL_COLUMNS = (
    Column("condition", "", "Condition.", _OURS),
    Column("replicate", "", "Day: an independent repeat.", _OURS),
    Column("well", "", "Well as row and column.", _OURS),
    Column("image", "", "Name of the field.", _OURS),
    Column("label", "1", "Id of the cell; in the study with images that of the cell and of its nucleus.", _OURS),
    Column("edu", "intensity", "EdU of its nucleus above the background.", _OURS),
    Column("positive", "", "Whether the cell has taken up EdU.", _OURS),
    Column("seen", "", "Whether phase contrast shows the cell.", _OURS),
)

CONDITION_COLUMNS = (
    Column("condition", "", "Condition.", _OURS),
    Column("fraction", "1", "True part of all cells that take up EdU.", _OURS),
    Column("intensity", "intensity", "True mean EdU of positive nuclei.", _OURS),
    Column("edu", "intensity", "True mean EdU of all nuclei.", _OURS),
    Column("number", "1", "True number of cells as a part of the usual one.", _OURS),
)


class EduWell(NamedTuple):
    """A well: where it lies, and what was drawn for it."""

    name: str
    condition: str
    replicate: str
    fraction: float
    intensity: float
    cells: float


class EduCells(NamedTuple):
    """Cells of a field, one entry each: EdU in counts, whether they took it up, whether phase contrast shows them."""

    edu: NDArray[np.float64]
    positive: NDArray[np.bool_]
    seen: NDArray[np.bool_]


class EduTables(NamedTuple):
    """A study without images: its cells (`CELL_COLUMNS`), and what is true (`CONDITION_COLUMNS`)."""

    cells: pd.DataFrame
    conditions: pd.DataFrame


def draw_wells(options: EduOptions, rng: np.random.Generator) -> list[EduWell]:
    """Return the wells row by row: rows are days, columns conditions."""
    shape = (options.replicates, len(options.conditions), 3)
    day, own = rng.standard_normal((shape[0], 1, 3)), rng.standard_normal(shape)
    drawn = np.sqrt(options.day_share) * day + np.sqrt(1 - options.day_share) * own
    return [_well(options, row, column, drawn[row, column]) for row in range(shape[0]) for column in range(shape[1])]


def _well(options: EduOptions, row: int, column: int, drawn: NDArray[np.float64]) -> EduWell:
    condition = options.conditions[column]
    number = options.cells * condition.number
    return EduWell(
        name=f"{'ABCDEFGH'[row]}{column + 1:02d}",
        condition=condition.name,
        replicate=f"day {row + 1}",
        fraction=_beta(condition.fraction, options.fraction_sd, drawn[0]),
        intensity=condition.intensity * _log_normal(options.intensity_sd, drawn[1]),
        cells=number * _log_normal(options.number_sd, drawn[2]),
    )


def _beta(mean: float, sd_at_half: float, normal: float) -> float:
    """Return a beta distributed fraction of this mean at the quantile of a normal number."""
    size = 0.25 / sd_at_half**2 - 1
    return float(betaincinv(mean * size, (1 - mean) * size, ndtr(normal)))


def _log_normal(sd: float, normal: float) -> float:
    return float(np.exp(sd * normal - sd**2 / 2))


def draw_cells(options: EduOptions, well: EduWell, count: int, rng: np.random.Generator) -> EduCells:
    """Return `count` cells of a well; of all of them the well's fraction is positive in the mean."""
    seen = rng.random(count) >= options.hidden
    often = np.where(seen, _seen_fraction(options, well.fraction), _HIDDEN_SHARE * well.fraction)
    positive = rng.random(count) < often
    spread = np.exp(options.cell_sd * rng.standard_normal(count) - options.cell_sd**2 / 2)
    return EduCells(np.where(positive, well.intensity, NEGATIVE) * spread, positive, seen)


def _seen_fraction(options: EduOptions, fraction: float) -> float:
    """Return how often cells that are seen take up EdU, so that with the hidden ones the fraction is right."""
    return float(min(1.0, fraction * (1 - _HIDDEN_SHARE * options.hidden) / (1 - options.hidden)))


def condition_truth(options: EduOptions) -> pd.DataFrame:
    """Return what is true of each condition, with columns `CONDITION_COLUMNS`."""
    table = pd.DataFrame([condition.model_dump() for condition in options.conditions])
    table = table.rename(columns={"name": "condition"})
    table["edu"] = table["fraction"] * table["intensity"] + (1 - table["fraction"]) * NEGATIVE
    return _described(table, CONDITION_COLUMNS)


def generate_edu_tables(options: EduOptions) -> EduTables:
    """Return the cells of a study as they are drawn, without images: for simulations over many seeds."""
    rng = np.random.default_rng([options.seed, 0])
    parts = []
    for well in draw_wells(options, rng):
        for field in range(options.fields):
            cells = draw_cells(options, well, max(1, int(rng.poisson(well.cells))), rng)
            parts.append(cell_table(well, f"{well.name}_{field}", cells))
    return EduTables(_described(pd.concat(parts, ignore_index=True), CELL_COLUMNS), condition_truth(options))


def cell_table(well: EduWell, image: str, cells: EduCells) -> pd.DataFrame:
    """Return the cells of a field as rows, labels from 1."""
    about = {"condition": well.condition, "replicate": well.replicate, "well": well.name, "image": image}
    label = np.arange(1, len(cells.edu) + 1)
    return pd.DataFrame({**about, "label": label, **cells._asdict()}, index=label)


def _described(table: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    table = table[[column.name for column in columns]].reset_index(drop=True)
    table.attrs["columns"] = columns
    return table
