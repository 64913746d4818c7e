"""Dose response by independent replicates: a curve for each, and log EC50 summarised and compared among replicates.

The curve of each replicate gives one EC50 (of a Langmuir curve, Kd), whose logarithm is one value. Means of logarithms
with intervals by Student's t give the EC50 of a group (drug, cell line) and the ratio of two; the scatter of wells
about a curve does not enter, since wells of a replicate are no repeats of the experiment.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.stats.dose_response import CURVES
from cellmetry.stats.dosing import describe_fits, fit_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.stats.dose_response import DoseFit
    from cellmetry.stats.dosing import DoseAnalysis, DoseResult

    Floats = NDArray[np.float64]

__all__ = ["HALF_COLUMNS", "HALF_CONTRAST_COLUMNS", "ReplicateDoses", "describe_replicates", "fit_replicates"]

_OURS = "Cellmetry"
_PAIRS = 3
"""Replicates that are fitted in both of two groups are pairs from this number, though either has others."""
_SAME = 1e-10
"""Logarithms are the same that differ by less."""

HALF_COLUMNS = (
    Column("group", "", "Drug, cell line, …; each has a curve in each replicate.", _OURS),
    Column("n_replicates", "1", "Replicates with units of the group.", _OURS),
    Column("n_fitted", "1", "Those of them whose curve gives an EC50 (Kd); only these count.", _OURS),
    Column("estimate", "as dose", "Geometric mean of the replicates' EC50 (Kd).", _OURS),
    Column("ci_low", "as dose", "Lower end of its interval: Student's t of the logarithms.", "Student"),
    Column("ci_high", "as dose", "Upper end of that interval.", "Student"),
    Column("sd_log10", "1", "Standard deviation of log10 EC50 (Kd) among replicates (n - 1).", _OURS),
    Column("confidence", "1", "Coverage of the interval.", _OURS),
)

HALF_CONTRAST_COLUMNS = (
    Column("group", "", "Group that is compared …", _OURS),
    Column("reference", "", "… with this one.", _OURS),
    Column("ratio", "1", "EC50 (Kd) of the group over that of the reference, of geometric means.", _OURS),
    Column("ci_low", "1", "Lower end of its interval, by the same test as the p-value.", "Student"),
    Column("ci_high", "1", "Upper end of that interval.", "Student"),
    Column("p_value", "1", "Two-sided p-value at the level of replicates.", "SciPy"),
    Column("p_adjusted", "1", "The same, corrected for the number of contrasts (Holm).", "statsmodels"),
    Column("method", "", "Test in words.", _OURS),
    Column("n_replicates", "1", "Pairs of replicates, or where unpaired those of both groups together.", _OURS),
    Column("reason", "", "Why there is no p-value; empty if there is one.", _OURS),
)


@dataclass(frozen=True)
class ReplicateDoses:
    """Curves of replicates and what they say together.

    Parameters
    ----------
    fits
        A row for each replicate of each group: ``group``, ``replicate``, then the columns of a fit.
    halves
        A row for each group with the columns of `HALF_COLUMNS`.
    contrasts
        A row for each two groups with the columns of `HALF_CONTRAST_COLUMNS`.
    curves
        The curve of each (group, replicate).
    notes
        What a reader must know, in sentences.
    """

    fits: pd.DataFrame
    halves: pd.DataFrame
    contrasts: pd.DataFrame
    curves: dict[tuple[str, str], DoseFit]
    notes: tuple[str, ...] = ()

    def of(self, group: str) -> Iterator[tuple[str, DoseFit]]:
        """Yield replicate and curve of a group."""
        for (name, replicate), curve in self.curves.items():
            if name == group:
                yield replicate, curve


def fit_replicates(result: DoseResult) -> ReplicateDoses:
    """Return the curve of each replicate in each group, the EC50 (Kd) of each group, and their ratios.

    Two groups are compared by the replicates that are fitted: in pairs (t of the differences of logarithms) if these
    are the same, or at least three are in both, whose pairs alone then count; else by Welch's t.

    Raises
    ------
    ParameterError
        If the analysis names no column of replicates, or no unit has one.
    """
    column = result.analysis.replicate
    if column is None:
        raise ParameterError("Name the column of replicates, so that each has a curve of its own.")
    curves = {}
    for group, points, _ in result.groups():
        for replicate, part in points.groupby(points[column].astype("string"), sort=True):
            curve = fit_units(part, result.analysis)
            if curve is not None:
                curves[group, str(replicate)] = curve
    if not curves:
        raise ParameterError(f"No unit with a dose has a value in the column {column!r}, so there is no replicate.")
    fits = pd.DataFrame(
        [{"group": group, "replicate": replicate, **curve.row()} for (group, replicate), curve in curves.items()]
    )
    fits.attrs["columns"] = describe_replicates(result.analysis)
    logs = np.log(fits.set_index(["group", "replicate"])[result.analysis.half_name])
    halves, contrasts = _halves(logs, result.analysis), _contrasts(logs, result.analysis)
    return ReplicateDoses(fits, halves, contrasts, curves, (*_notes(result, halves), *_pair_notes(logs)))


def describe_replicates(analysis: DoseAnalysis) -> tuple[Column, ...]:
    """Return what the columns of the replicates' fits mean."""
    replicate = Column("replicate", "", f"Value of {analysis.replicate}.", _OURS)
    group, *others = describe_fits(analysis)
    other = CURVES["langmuir" if analysis.fit.model == "hill" else "hill"]
    kept = [column for column in others if column.name.split("_")[0] not in other.names]
    return (group, replicate, *kept)


def _halves(logs: pd.Series, analysis: DoseAnalysis) -> pd.DataFrame:
    rows = []
    for group, part in logs.groupby(level="group", sort=False):
        values = part.dropna().to_numpy()
        n = len(values)
        mean, sd = (values.mean() if n else np.nan), (values.std(ddof=1) if n > 1 else np.nan)
        half = _student(analysis, n - 1) * sd / np.sqrt(n) if n > 1 else np.nan
        ends = np.exp(np.array([mean, mean - half, mean + half]))
        rows.append((group, len(part), n, *ends, sd / np.log(10), analysis.fit.confidence))
    return _table(rows, HALF_COLUMNS)


def _contrasts(logs: pd.Series, analysis: DoseAnalysis) -> pd.DataFrame:
    groups = list(logs.index.unique("group"))
    rows = [
        (group, reference, *_ratio(logs[group], logs[reference], analysis))
        for reference, group in combinations(groups, 2)
    ]
    table = _table(rows, HALF_CONTRAST_COLUMNS)
    tested = table["p_value"].notna()
    if tested.any():
        table.loc[tested, "p_adjusted"] = multipletests(table.loc[tested, "p_value"], method="holm")[1]
    return table


def _ratio(one: pd.Series, other: pd.Series, analysis: DoseAnalysis) -> tuple[float | str, ...]:
    """Return the ratio of two groups from their logarithms by replicate: the columns from ``ratio`` on."""
    one, other = one.dropna(), other.dropna()
    paired = _are_pairs(one, other)
    if paired:
        difference = (one - other).dropna().to_numpy()
        n, value, error, df = len(difference), *_paired(difference)
        method = "paired t test of log EC50 by replicate"
    else:
        sides = one.to_numpy(), other.to_numpy()
        n, value, error, df = sum(map(len, sides)), *_welch(*sides)
        method = "Welch's t test of log EC50 by replicate"
    method = method.replace("EC50", analysis.half_name.replace("ec50", "EC50").replace("kd", "Kd"))
    if not error > _SAME:
        few = "replicates do not differ among themselves" if error >= 0 else "each group needs two fitted replicates"
        few = few if error >= 0 or not paired else "it takes two replicates that are fitted in both groups"
        return float(np.exp(value)), np.nan, np.nan, np.nan, np.nan, "estimate only", n, few
    half = _student(analysis, df) * error
    p_value = 2 * float(stats.t.sf(abs(value) / error, df))
    ends = np.exp(np.array([value, value - half, value + half]))
    return *map(float, ends), p_value, np.nan, method, n, ""


def _are_pairs(one: pd.Series, other: pd.Series) -> bool:
    """Return whether the replicates that are fitted in two groups are pairs: all the same, or three and more."""
    shared = one.index.intersection(other.index)
    return len(shared) >= _PAIRS or len(shared) == len(one) == len(other)


def _pair_notes(logs: pd.Series) -> list[str]:
    """Return which groups share only some of the replicates that are fitted, and what is made of them."""
    fitted = logs.dropna()
    notes = []
    for reference, group in combinations(logs.index.unique("group"), 2):
        one, other = (
            fitted[fitted.index.get_level_values("group") == name].droplevel(0) for name in (group, reference)
        )
        shared, every = one.index.intersection(other.index), one.index.union(other.index)
        if 0 < len(shared) < len(every):
            pairs = _are_pairs(one, other)
            use = "only these pairs are compared" if pairs else "too few for pairs: all are taken as independent"
            notes.append(
                f"{group} against {reference}: {len(shared)} of {len(every)} fitted replicates are in both; {use}."
            )
    return notes


def _paired(difference: Floats) -> tuple[float, float, float]:
    """Return mean, standard error and degrees of freedom of differences; NaN where there are too few."""
    n = len(difference)
    if n < 2:
        return float(difference.mean()) if n else np.nan, np.nan, np.nan
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n)), n - 1.0


def _welch(one: Floats, other: Floats) -> tuple[float, float, float]:
    """Return difference of means, its standard error and degrees of freedom (Welch 1947)."""
    value = float(one.mean() - other.mean()) if len(one) and len(other) else np.nan
    if min(len(one), len(other)) < 2:
        return value, np.nan, np.nan
    parts = np.array([side.var(ddof=1) / len(side) for side in (one, other)])
    freedom = np.array([len(side) - 1 for side in (one, other)])
    total = parts.sum()
    df = total**2 / (parts**2 / freedom).sum() if total > 0 else np.nan
    return value, float(np.sqrt(total)), float(df)


def _notes(result: DoseResult, halves: pd.DataFrame) -> tuple[str, ...]:
    name = {"ec50": "EC50", "kd": "Kd"}[result.analysis.half_name]
    notes = [
        f"{name} of a group is the geometric mean of its replicates' ({result.analysis.replicate}), with intervals and "
        f"p-values among replicates; replicates must be repeats of the experiment, not wells or plates of one."
    ]
    for row in halves[halves["n_fitted"] < halves["n_replicates"]].to_dict(orient="records"):
        group, count, fitted = row["group"], int(row["n_replicates"]), int(row["n_fitted"])
        if fitted == 0:
            notes.append(f"{group}: no replicate gives {name}.")
            continue
        notes.append(
            f"{group}: {count - fitted} of {count} replicates give no {name} and are left out; if they lack an "
            f"effect or a plateau, the mean of the others misleads."
        )
    lost = int(result.points[result.analysis.replicate].isna().sum())
    if lost:
        notes.append(f"{lost} units have no {result.analysis.replicate} and are in no replicate's curve.")
    return tuple(notes)


def _student(analysis: DoseAnalysis, df: float) -> float:
    return float(stats.t.ppf((1 + analysis.fit.confidence) / 2, df))


def _table(rows: list[tuple[object, ...]], columns: tuple[Column, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[column.name for column in columns])
    table.attrs["columns"] = columns
    return table
