"""A table of cells to dose–response curves and the quality of the screen, one unit of analysis (well) a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.stats.dose_response import DoseFit, FitOptions, fit_dose_response
from cellmetry.stats.screens import SCREEN_COLUMNS, ScreenOptions, screen_quality
from cellmetry.stats.units import SUMMARY, matches, need_columns, summarise_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cellmetry.stats.comparison.per_replicate import ReplicateDoses

__all__ = [
    "CAUTION",
    "DoseAnalysis",
    "DoseResult",
    "analyse_doses",
    "describe_fits",
    "describe_points",
    "describe_screen",
    "fit_units",
]

CAUTION = (
    "Units of one plate (wells) are technical repeats, not independent replicates: estimates and intervals describe "
    "this plate, and no test is made and no p-value given."
)
"""What every result without replicates says."""

ALL = "all"
"""Name of the only group where none are asked for."""
UNITS = ("well", "image")
"""Columns that name a unit where none is given; the first that the table has."""
_OWN = ("unit", *SUMMARY, "n_missing", "dose", "group", "role", "response")
_ROLES = ("positive", "negative")


class DoseAnalysis(Parameters):
    """Which columns of a table are dose and response, what a unit of analysis is, and which units are controls."""

    value: str
    """Column of the response of a cell."""
    dose: str
    """Column of the dose: an amount from 0, not a logarithm."""
    by: str | None = None
    """Column whose values get a curve each (drug)."""
    unit: tuple[str, ...] | None = None
    """Columns that name a unit of analysis; if left out, well, else image, where the table has such a column, else
    each row of the table is a unit."""
    replicate: str | None = None
    """Column of independent repeats of the experiment, each of which gets a curve of its own; a well of one repeat is
    another unit than the same well of the next."""
    summary: Literal["median", "mean"] = "median"
    """How the cells of a unit become one number."""
    weights: str | None = None
    """Column with the standard deviation of each unit, by which points are weighted with 1 / SD²."""
    positive: tuple[str, str] | None = None
    """Column and value of the positive control's units; they are not points of the curve."""
    negative: tuple[str, str] | None = None
    """Column and value of the negative control's units; they are points of the curve at their dose."""
    fit: FitOptions = Field(default_factory=FitOptions)
    """How curves are fitted."""
    screen: ScreenOptions = Field(default_factory=ScreenOptions)
    """How intervals of the screen's quality are made."""

    @property
    def half_name(self) -> Literal["ec50", "kd"]:
        """The parameter that is the dose of half the effect."""
        return "ec50" if self.fit.model == "hill" else "kd"


@dataclass(frozen=True)
class DoseResult:
    """What an analysis found: tables of units, fits and screen quality, and the curve of each group by its name.

    `replicates` is there where they were asked for.
    """

    analysis: DoseAnalysis
    points: pd.DataFrame
    fits: pd.DataFrame
    screen: pd.DataFrame | None
    curves: dict[str, DoseFit]
    replicates: ReplicateDoses | None = None

    @property
    def caution(self) -> str:
        """What a reader of these numbers must know."""
        return CAUTION if self.replicates is None else " ".join(self.replicates.notes)

    @property
    def without_dose(self) -> int:
        """Number of units without a dose that are in no curve and no positive control."""
        return int(((self.points["role"] != "positive") & self.points["dose"].isna()).sum())

    def groups(self) -> Iterator[tuple[str, pd.DataFrame, DoseFit]]:
        """Yield name, points and curve of each group."""
        names = self.points["group"]
        for name, curve in self.curves.items():
            yield name, self.points[names == name], curve


def analyse_doses(table: pd.DataFrame, analysis: DoseAnalysis) -> DoseResult:
    """Return units, curves and screen quality of a table of cells.

    Units of the positive control are left out of the curves, since a control is often another compound; those of the
    negative control count at the dose that the table gives them, which should be 0.

    Raises
    ------
    ParameterError
        If columns are missing, a dose is no number, no unit is a control that was named, or nothing is left to fit.
    """
    points = _points(table, analysis)
    points["response"] = points[f"{analysis.summary}_of_cells"]
    _refuse_nothing(points, analysis)
    curves = {
        str(name): curve
        for name, part in points.groupby("group", sort=False)
        if (curve := fit_units(part, analysis)) is not None
    }
    fits = pd.DataFrame([{"group": name, **curve.row()} for name, curve in curves.items()])
    return DoseResult(analysis, points, fits, _screen(points, analysis), curves)


def _points(table: pd.DataFrame, analysis: DoseAnalysis) -> pd.DataFrame:
    named = [getattr(analysis, role)[0] for role in _ROLES if getattr(analysis, role)]
    wanted = [name for name in (analysis.by, analysis.weights, analysis.replicate) if name is not None]
    need_columns(table, [analysis.dose, *wanted, *named])
    unit = _unit(table, analysis)
    _refuse_own_names(analysis, (*unit, *wanted, *named))
    points = summarise_units(table, analysis.value, unit, (*wanted, analysis.dose, *named))
    points["dose"] = _numbers(points[analysis.dose])
    points["group"] = ALL if analysis.by is None else points[analysis.by].astype("string")
    points["role"] = "dose"
    for role in _ROLES:
        chosen = getattr(analysis, role)
        if chosen is not None:
            points.loc[_controls(points, chosen, role), "role"] = role
    return points


def _refuse_nothing(points: pd.DataFrame, analysis: DoseAnalysis) -> None:
    """Refuse a table of which no unit can be a point of a curve; says what is missing."""
    if points.empty:
        raise ParameterError("The table has no rows, so there is nothing to fit.")
    if points["group"].isna().all():
        raise ParameterError(f"No unit has a value in the column {analysis.by!r}, so there is no group to fit.")
    left = points[points["group"].notna() & _on_curve(points)]
    if left.empty:
        raise ParameterError(f"No unit has a dose in the column {analysis.dose!r}.")
    if left["response"].isna().all():
        raise ParameterError(f"No unit with a dose has a value in the column {analysis.value!r}.")


def _unit(table: pd.DataFrame, analysis: DoseAnalysis) -> tuple[str, ...]:
    unit = analysis.unit
    if unit is None:
        unit = next(((name,) for name in UNITS if name in table.columns), ())
    if analysis.replicate is None or not unit:
        return unit
    return tuple(dict.fromkeys((analysis.replicate, *unit)))


def _refuse_own_names(analysis: DoseAnalysis, names: Sequence[str]) -> None:
    """Refuse columns whose names the points have for something else."""
    meant = {"dose": analysis.dose, "group": analysis.by}
    taken = [name for name in names if name in _OWN and meant.get(name) != name]
    if taken:
        raise ParameterError(f"Results have a column {taken[0]!r} of their own; rename the one of the table.")


def _controls(points: pd.DataFrame, chosen: tuple[str, str], role: str) -> pd.Series:
    column, value = chosen
    found = matches(points[column], value)
    if not found.any():
        raise ParameterError(f"No unit has {column} = {value}, so there is no {role} control.")
    return found


def _on_curve(points: pd.DataFrame) -> pd.Series:
    return (points["role"] != "positive") & points["dose"].notna()


def fit_units(points: pd.DataFrame, analysis: DoseAnalysis) -> DoseFit | None:
    """Return the curve of units, those of the positive control left out; None if none of them has a dose."""
    used = points[_on_curve(points)]
    if used.empty:
        return None
    sd = None if analysis.weights is None else _numbers(used[analysis.weights])
    options = analysis.fit if sd is None else analysis.fit.model_copy(update={"weighted": True})
    return fit_dose_response(used["dose"], used["response"], options, sd=sd)


def _numbers(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    text = column.notna() & numbers.isna()
    if text.any():
        raise ParameterError(f"The {column.name} {column[text].iloc[0]!r} is not a number.")
    return numbers.astype(float)


def _screen(points: pd.DataFrame, analysis: DoseAnalysis) -> pd.DataFrame | None:
    """Return the screen's quality in each group; None where controls are not named."""
    if analysis.positive is None or analysis.negative is None:
        return None
    parts = []
    for name, part in points.groupby("group", sort=False):
        positive, negative = (part.loc[part["role"] == role, "response"] for role in _ROLES)
        quality = screen_quality(positive, negative, analysis.screen)
        quality.attrs = {}
        quality.insert(0, "group", str(name))
        parts.append(quality)
    return pd.concat(parts, ignore_index=True)


def describe_points(analysis: DoseAnalysis) -> tuple[Column, ...]:
    """Return what the columns of the points mean; those of the table itself keep their own words."""
    value = analysis.value
    return (
        Column("unit", "1", "Row of the table, from 1, where each row is a unit.", "Cellmetry"),
        Column("n_cells", "1", f"Cells of the unit with a {value}.", "Cellmetry"),
        Column("n_missing", "1", f"Cells of the unit without a finite {value}, left out.", "Cellmetry"),
        Column("mean_of_cells", f"as {value}", f"Mean {value} of the cells of the unit.", "Cellmetry"),
        Column("median_of_cells", f"as {value}", f"Median {value} of the cells of the unit.", "Cellmetry"),
        Column("sd_of_cells", f"as {value}", "Standard deviation among the cells of the unit (n - 1).", "Cellmetry"),
        Column("dose", f"as {analysis.dose}", f"The {analysis.dose} of the unit.", "Cellmetry"),
        Column("group", "", f"Value of {analysis.by or 'no column'}; each group has a curve.", "Cellmetry"),
        Column("role", "", "positive or negative control, or dose; positive ones are not fitted.", "Cellmetry"),
        Column("response", f"as {value}", f"The {analysis.summary}, which the curve is fitted to.", "Cellmetry"),
    )


def describe_fits(analysis: DoseAnalysis) -> tuple[Column, ...]:
    """Return what the columns of the fits mean."""
    dose, value = f"as {analysis.dose}", f"as {analysis.value}"
    parameters = {
        "imax": (value, "Langmuir: rise from no dose to an endless one."),
        "kd": (dose, "Langmuir: dose of half the rise."),
        "b": (value, "Langmuir: response without dose."),
        "bottom": (value, "Hill: response without dose."),
        "top": (value, "Hill: response to an endless dose."),
        "ec50": (dose, "Hill: dose of half the change from bottom to top."),
        "slope": ("1", "Hill slope."),
    }
    described = [
        Column("group", "", f"Value of {analysis.by or 'no column'}.", "Cellmetry"),
        Column("model", "", "langmuir: y = imax L / (kd + L) + b; hill: the four-parameter curve.", "Cellmetry"),
        Column("n_points", "1", "Units that the curve was fitted to.", "Cellmetry"),
        Column(
            "n_without_sd", "1", "Units left out since weights were asked for and their SD is unknown.", "Cellmetry"
        ),
    ]
    for name, (unit, words) in parameters.items():
        described += [
            Column(name, unit, words, "Cellmetry"),
            Column(f"{name}_se", unit, f"Standard error of {name}, from the scatter about the curve.", "SciPy"),
            Column(f"{name}_low", unit, f"Lower end of the interval of {name}.", "Cellmetry"),
            Column(f"{name}_high", unit, f"Upper end of the interval of {name}.", "Cellmetry"),
        ]
    return (
        *described,
        Column("r2", "1", "1 - residual over total sum of squares.", "Cellmetry"),
        Column("r2_weighted", "1", "The same with the weights of the fit; r2 where it has none.", "Cellmetry"),
        Column("chi2", "1", "Sum of (residual / SD)²; missing without SDs.", "Cellmetry"),
        Column("chi2_reduced", "1", "chi2 over the number of points less that of parameters.", "Cellmetry"),
        Column("rms_standardised", "1", "Root mean square of residual / SD.", "Cellmetry"),
        Column("max_standardised", "1", "Largest size of residual / SD.", "Cellmetry"),
        Column("confidence", "1", "Coverage of the intervals.", "Cellmetry"),
        Column("reason", "", "Why there is no curve; empty if there is one.", "Cellmetry"),
    )


def describe_screen() -> tuple[Column, ...]:
    """Return what the columns of the screen's quality mean."""
    return (Column("group", "", "Group of units, as in the fits.", "Cellmetry"), *SCREEN_COLUMNS)
