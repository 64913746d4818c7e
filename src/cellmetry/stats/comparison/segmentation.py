"""The uncertainty of segmentation carried into an effect's interval: by another segmentation, or by corrected fields.

*Another segmentation* of the same images: the effect is compared again, and the interval reaches over both intervals.
It holds the effect if either segmentation is right, or the truth lies between them; not if both err alike.

*Corrected fields*: some fields were corrected by hand. Prediction-powered inference (Angelopoulos et al. 2023, Science
382:669) with replicates as units: the automatic values of all replicates, plus the mean of what correcting changed
(corrected less automatic, in the same fields). With R replicates, r of them with corrected fields, y automatic values
plus change and d the changes, the variance is s²(y) / R + s²(d) · (1/r - 1/R), that of the difference estimator of
double sampling (Cochran 1977, chapter 12), with r - 1 degrees of freedom. Paired replicates enter as differences.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.cells import FIELD, label_codes, read_part
from cellmetry.stats.comparison.replicates import named_values
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.result import Comparison

    Floats = NDArray[np.float64]

__all__ = ["with_corrected_fields", "with_second_segmentation"]

_KEYS = ["condition", "replicate"]


class _Part(NamedTuple):
    """An estimate with its variance and degrees of freedom; `why` is empty, or says why there is none."""

    value: float
    variance: float
    df: float
    why: str = ""


class _Fields(NamedTuple):
    """What replicates are automatically, what correcting changes in them, and what it changes in each field."""

    automatic: pd.Series
    change: pd.Series
    field_change: pd.Series


def with_second_segmentation(comparison: Comparison, second: Comparison) -> Comparison:
    """Return the comparison with intervals that reach over its own and those of another segmentation.

    Parameters
    ----------
    second
        The same comparison of the same images, segmented by another engine, model or settings.

    Raises
    ------
    ParameterError
        If the two differ in their options, contrasts or replicates.
    """
    _refuse_other(comparison, second)
    ours, theirs = comparison.contrasts, second.contrasts.set_index(comparison.contrasts.index)
    ends = ["ci_low", "ci_high"]
    known = (ours[ends].notna() & theirs[ends].notna()).all(axis=1)
    low = ours["ci_low"].clip(upper=theirs["ci_low"]).where(known)
    high = ours["ci_high"].clip(lower=theirs["ci_high"]).where(known)
    notes = [
        "Segmentation: the interval reaches over those of two segmentations of the same images. It holds the effect if "
        "either is right or the truth lies between them, not if both err alike; p-values are of the first alone."
    ]
    for (_, row), other, start, end in zip(ours.iterrows(), theirs["estimate"], low, high, strict=True):
        own, width = _width(row["ci_low"], row["ci_high"], comparison.options), _width(start, end, comparison.options)
        moved = f"the effect is {row['estimate']:.4g}, by the other segmentation {other:.4g}"
        notes.append(f"{_named(row)}: {moved}{_share(own, width)}.")
    return _filled(comparison, low, high, notes)


def with_corrected_fields(comparison: Comparison, table: pd.DataFrame, corrected: pd.DataFrame) -> Comparison:
    """Return the comparison with intervals of the effect as corrected fields say it is.

    The interval is by Student's t of this contrast's replicates, whatever the method of the comparison. Where corrected
    fields of a condition are all of one replicate, their scatter among fields takes the place of that among replicates,
    and a note says that this is not known. Fields in which either table has no cell with a value do not count.

    Parameters
    ----------
    table
        Cells of all fields by the automatic segmentation, as they were compared.
    corrected
        Cells of some of these fields after correction, with the same columns; both name the field in ``image``.

    Raises
    ------
    UnknownName
        If a column is missing.
    ParameterError
        If a corrected field is not in the table, or values were normalised.
    """
    if comparison.options.normalise is not None:
        raise ParameterError(
            "Corrected fields are not combined with normalisation; compare without it, on paired replicates or with "
            "scale log."
        )
    fields = _fields(table, corrected, comparison.options)
    count, of = len(fields.field_change), table[FIELD].nunique()
    notes = [
        f"Segmentation: {count} of {of} fields were corrected, and the interval is of the effect moved by what that "
        f"changed (prediction-powered inference); p-values are of the automatic segmentation alone."
    ]
    ends = []
    for _, row in comparison.contrasts.iterrows():
        plain, found = _effects(fields, row["condition"], row["reference"], paired=comparison.design.paired)
        interval = _interval(found, comparison.options)
        ends.append(interval)
        notes.append(f"{_named(row)}: {_told(row, plain, found, comparison.options)}.")
    notes += _single_replicates(fields, comparison)
    low, high = (pd.Series(side, index=comparison.contrasts.index, dtype=float) for side in zip(*ends, strict=True))
    return _filled(comparison, low, high, notes)


def _refuse_other(comparison: Comparison, second: Comparison) -> None:
    if comparison.options != second.options:
        raise ParameterError("The two segmentations were compared with different options; use the same for both.")
    for name, keys in (("contrasts", ["condition", "reference"]), ("replicates", _KEYS)):
        ours, theirs = (
            list(map(tuple, getattr(one, name)[keys].astype(str).to_numpy())) for one in (comparison, second)
        )
        lacking = sorted({*ours} ^ {*theirs})
        if lacking or ours != theirs:
            which = " of ".join(reversed(lacking[0])) if lacking else "their order"
            raise ParameterError(
                f"The two segmentations differ in their {name} ({which}); give tables of the same images."
            )


def _fields(table: pd.DataFrame, corrected: pd.DataFrame, options: CompareOptions) -> _Fields:
    columns = [options.by, options.replicate, FIELD]
    for each, what in ((table, "table"), (corrected, "table of corrected fields")):
        need_columns(each, [options.value, *columns], what)
    _refuse_unknown(_places(corrected, columns), _places(table, columns), columns)
    before, after = read_part(table, options), read_part(corrected, options)
    both = _fields_of(before).intersection(_fields_of(after)).dropna()
    same, after = _only(before, both), _only(after, both)
    change = named_values(after, options) - named_values(same, options)
    by_field = named_values(after, options, FIELD) - named_values(same, options, FIELD)
    return _Fields(named_values(before, options), change, by_field)


def _refuse_unknown(wanted: pd.MultiIndex, known: pd.MultiIndex, columns: list[str]) -> None:
    unknown = wanted.dropna().difference(known)
    if len(unknown):
        raise ParameterError(
            f"The table has no field {' / '.join(map(str, unknown[0]))} ({', '.join(columns)}), which is corrected; "
            f"give the table of all fields with the same names."
        )


def _places(table: pd.DataFrame, columns: list[str]) -> pd.MultiIndex:
    """Return the different fields that the rows of a table name, whether their cells have values or not."""
    codes, names = zip(*(label_codes(table[name]) for name in columns), strict=True)
    return pd.MultiIndex(names, codes).unique()


def _fields_of(cells: Cells) -> pd.MultiIndex:
    """Return condition, replicate and field of each cell that counts."""
    rows = cells.rows
    codes: list[Any] = [rows["condition"], rows["replicate"], rows[f"level_{FIELD}"]]
    return pd.MultiIndex([cells.conditions, cells.replicates, cells.levels[FIELD]], codes)


def _only(cells: Cells, fields: pd.MultiIndex) -> Cells:
    return replace(cells, rows=cells.rows[_fields_of(cells).isin(fields)])


def _effects(fields: _Fields, condition: str, reference: str, *, paired: bool) -> tuple[_Part, _Part]:
    """Return the effect by the automatic values alone, and as corrected fields say; on the scale of the test."""
    sides = (str(condition), str(reference))
    values = [_of(fields.automatic, side) for side in sides]
    changes = [_of(fields.change, side) for side in sides]
    if paired:
        value, change = (values[0] - values[1]).dropna(), (changes[0] - changes[1]).dropna()
        plain = _mean(value)
        if len(change) > 1:
            return plain, _powered(value, change)
        return plain, _joined(plain, *_differences([_change(fields, side) for side in sides]))
    plain = _joined(*_differences([_mean(value) for value in values]))
    parts = [
        _powered(value, change) if len(change) > 1 else _joined(_mean(value), _change(fields, side))
        for value, change, side in zip(values, changes, sides, strict=True)
    ]
    return plain, _joined(*_differences(parts))


def _of(series: pd.Series, condition: str) -> pd.Series:
    """Return the replicates of a condition."""
    chosen = series[series.index.get_level_values(0) == condition]
    return chosen.droplevel(0)


def _mean(values: pd.Series) -> _Part:
    count = len(values)
    if count < 2:
        return _Part(values.mean() if count else np.nan, np.nan, np.nan, "it takes two replicates")
    return _Part(float(values.mean()), float(values.var()) / count, count - 1.0)


def _powered(value: pd.Series, change: pd.Series) -> _Part:
    """Return the mean of values moved by changes that are known of some of them (at least two)."""
    if len(value) < 2:
        return _mean(value)
    known = (value + change).dropna()
    total, some = len(value), len(known)
    variance = known.var() / total + change[known.index].var() * (1 / some - 1 / total)
    return _Part(float(value.mean() + change[known.index].mean()), float(variance), some - 1.0)


def _change(fields: _Fields, condition: str) -> _Part:
    """Return what correcting changes in a condition: by its replicates, or by the fields of its only one."""
    by_replicate = _of(fields.change, condition)
    if len(by_replicate) > 1:
        return _mean(by_replicate)
    by_field = _of(fields.field_change, condition)
    if len(by_field) < 2:
        return _Part(np.nan, np.nan, np.nan, f"of {condition} fewer than two fields are corrected")
    return _Part(float(by_replicate.iloc[0]), float(by_field.var()) / len(by_field), len(by_field) - 1.0)


def _differences(parts: list[_Part]) -> list[_Part]:
    return [parts[0], parts[1]._replace(value=-parts[1].value)]


def _joined(*parts: _Part) -> _Part:
    """Return the sum of independent parts, with the degrees of freedom of Satterthwaite (1946)."""
    why = next((part.why for part in parts if part.why), "")
    variance = sum(part.variance for part in parts)
    weights = sum(part.variance**2 / part.df for part in parts)
    df = variance**2 / weights if weights > 0 else np.nan
    return _Part(sum(part.value for part in parts), variance, df, why)


def _interval(part: _Part, options: CompareOptions) -> tuple[float, float]:
    if part.why or not part.variance > 0:
        return np.nan, np.nan
    half = float(stats.t.ppf((1 + options.confidence) / 2, part.df)) * np.sqrt(part.variance)
    return _back(part.value - half, options), _back(part.value + half, options)


def _told(row: pd.Series, plain: _Part, found: _Part, options: CompareOptions) -> str:
    low, high = _interval(found, options)
    if not np.isfinite(low):
        return f"no interval with segmentation, since {found.why or 'replicates do not differ'}"
    without = _width(*_interval(plain, options), options)
    return (
        f"corrected fields move the effect from {row['estimate']:.4g} to {_back(found.value, options):.4g} "
        f"({options.confidence:.0%} interval {low:.4g} to {high:.4g}, Student's t with {found.df:.3g} degrees of "
        f"freedom){_share(without, _width(low, high, options))}"
    )


def _single_replicates(fields: _Fields, comparison: Comparison) -> list[str]:
    counts = fields.change.groupby(level=0).size()
    compared = {*comparison.contrasts["condition"].astype(str), *comparison.contrasts["reference"].astype(str)}
    return [
        f"Corrected fields of {name} are all of one replicate: how much segmentation errs differently in others is not "
        f"known, and the interval leaves it out."
        for name in counts.index[counts == 1]
        if name in compared
    ]


def _share(without: float, width: float) -> str:
    if not (np.isfinite(without) and width > 0):
        return ""
    return f"; {max(0.0, 1 - without / width):.0%} of the interval's width is due to segmentation"


def _width(low: float, high: float, options: CompareOptions) -> float:
    return float(np.log(high / low)) if options.scale == "log" else float(high - low)


def _back(value: float, options: CompareOptions) -> float:
    return float(np.exp(value)) if options.scale == "log" else float(value)


def _named(row: pd.Series) -> str:
    return f"{row['condition']} against {row['reference']}"


def _filled(comparison: Comparison, low: pd.Series, high: pd.Series, notes: list[str]) -> Comparison:
    if comparison.design.kind == "fraction" and comparison.options.scale == "linear":
        low, high = low.clip(-1, 1), high.clip(-1, 1)
    contrasts = comparison.contrasts.assign(segmentation_low=low, segmentation_high=high)
    contrasts.attrs = dict(comparison.contrasts.attrs)
    return replace(comparison, contrasts=contrasts, notes=(*comparison.notes, *notes))
