"""What differs between the results of two analyses: outlines of cells, columns of tables, contrasts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.ops.matching import match_overlaps
from cellmetry.ops.overlaps import count_overlaps
from cellmetry.study.difference.changes import CELL_CHANGES, CONTRAST_CHANGES, RESULT_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.columns import Column

__all__ = ["compare_contrasts", "compare_objects", "compare_tables", "described", "differing_columns"]

_NO_RESULT = re.compile(r"(label|parent_label|t|z)|(.*_)?(centroid|bbox|weighted)_[xyz].*|.*_deg")
"""Columns that name an object or say where it lies and whither it points: no results whose medians tell anything."""
_SHOWN = ("estimate", "ci_low", "ci_high", "n_replicates", "n_cells")


def described(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Return rows with these columns, in their order, and the descriptions with them."""
    table = rows.reindex(columns=[column.name for column in columns])
    table.attrs["columns"] = tuple(columns)
    return table


def compare_objects(before: NDArray[Any], after: NDArray[Any], iou: float) -> tuple[int, pd.DataFrame]:
    """Return how many objects of two label images have the same pixels, and a row for each other one.

    Parameters
    ----------
    before, after
        Labels of equal shape.
    iou
        Intersection over union from which on two objects are one whose outline changed; each has one partner at most.
    """
    overlaps = count_overlaps(before, after)
    matching = match_overlaps(overlaps, iou)
    areas = (
        pd.Series(overlaps.first_areas, overlaps.first_ids.astype(np.float64)),
        pd.Series(overlaps.second_areas, overlaps.second_ids.astype(np.float64)),
    )
    pairs = pd.DataFrame(matching.pairs.astype(np.int64), columns=["label_before", "label_after"])
    pairs["iou"], pairs["change"] = matching.pair_ious, "changed"
    alone = [
        pd.DataFrame({name: np.setdiff1d(ids, pairs[name]).astype(np.int64), "change": change})
        for name, ids, change in (
            ("label_before", overlaps.first_ids, "lost"),
            ("label_after", overlaps.second_ids, "new"),
        )
    ]
    rows = pd.concat([pairs[pairs["iou"] < 1], *alone], ignore_index=True)
    for side, area in zip(("before", "after"), areas, strict=True):
        ids = rows[f"label_{side}"].astype(np.float64)
        rows[f"label_{side}"], rows[f"area_{side}_px"] = ids.astype("Int64"), ids.map(area).astype("Int64")
    kept = int((pairs["iou"] == 1).sum())
    return kept, described(rows, [column for column in CELL_CHANGES if column.name in rows])


def compare_tables(before: pd.DataFrame, after: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a row for each column of numbers and each image whose medians differ in two tables of one name.

    Ids, places (centroid, bounding box) and directions of objects are left out. Truth values count as 0 and 1: their
    mean is compared, not their median.
    """
    sides = [_medians(table, _common(before, after)) for table in (before, after)]
    both = sides[0].index.intersection(sides[1].index, sort=False)
    old, new = (side.loc[both].to_numpy(np.float64) for side in sides)
    rows, columns = np.nonzero(~np.isclose(old, new, rtol=0, atol=0, equal_nan=True))
    first, second = old[rows, columns], new[rows, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(first == 0, np.nan, (second - first) / np.abs(first))
    found = {"table": name, "column": sides[0].columns.to_numpy()[columns], "image": both.to_numpy()[rows]}
    numbers = {"before": first, "after": second, "change": second - first, "relative": relative}
    return described(pd.DataFrame({**found, **numbers}), RESULT_CHANGES)


def differing_columns(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return the columns of two tables of equal length of which any value is another, text included."""
    both = [name for name in before if name in after]
    return [str(name) for name in both if not _same(before[name], after[name])]


def compare_contrasts(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], *, comparison: str, significance: float
) -> pd.DataFrame:
    """Return the contrasts of two comparisons side by side, and whether the conclusion is another."""
    first, second = (
        {(str(one.get("value", "")), str(one["condition"]), str(one["reference"])): one for one in side}
        for side in (before, after)
    )
    rows = []
    for key in [*first, *(key for key in second if key not in first)]:
        row: dict[str, Any] = {
            "comparison": comparison,
            **dict(zip(("value", "condition", "reference"), key, strict=True)),
        }
        for when, side in (("before", first), ("after", second)):
            one = side.get(key)
            row |= {f"{name}_{when}": _number((one or {}).get(name)) for name in _SHOWN}
            row[f"p_{when}"], row[f"method_{when}"] = _p_value(one or {}), (one or {}).get("method", "")
            row[f"conclusion_{when}"] = "absent" if one is None else _conclusion(one, significance)
        conclusions = {row["conclusion_before"], row["conclusion_after"]}
        row["conclusion_changed"] = len(conclusions) > 1 and "absent" not in conclusions
        rows.append(row)
    return described(pd.DataFrame(rows, columns=[column.name for column in CONTRAST_CHANGES]), CONTRAST_CHANGES)


def _common(before: pd.DataFrame, after: pd.DataFrame) -> list[Any]:
    """Return the columns of numbers that both tables have, without those that name or place an object."""
    both = (name for name in before if name in after and not _NO_RESULT.fullmatch(str(name)))
    return [name for name in both if _is_number(before[name]) and _is_number(after[name])]


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _same(before: pd.Series, after: pd.Series) -> bool:
    if _is_number(before) and _is_number(after):
        first, second = (column.to_numpy(np.float64, na_value=np.nan) for column in (before, after))
        return np.array_equal(first, second, equal_nan=True)
    texts = [column.astype(object).where(column.notna(), None).tolist() for column in (before, after)]
    return texts[0] == texts[1]


def _medians(table: pd.DataFrame, names: Sequence[Any]) -> pd.DataFrame:
    """Return one row for each image: of each column the median, of truth values the mean."""
    image = table["image"].astype(str) if "image" in table else pd.Series("", table.index)
    numbers = pd.DataFrame({name: table[name].to_numpy(np.float64, na_value=np.nan) for name in names}, table.index)
    groups = numbers.groupby(image, sort=False)
    found = groups.median()
    flags = [name for name in names if pd.api.types.is_bool_dtype(table[name])]
    found[flags] = groups[flags].mean() if flags else found[flags]
    return found


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _p_value(contrast: Mapping[str, Any]) -> float:
    corrected = _number(contrast.get("p_adjusted"))
    return _number(contrast.get("p_value")) if np.isnan(corrected) else corrected


def _conclusion(contrast: Mapping[str, Any], significance: float) -> str:
    p = _p_value(contrast)
    if np.isnan(p):
        return "no test"
    if p >= significance:
        return "not significant"
    return "significantly lower" if _lower(contrast) else "significantly higher"


def _lower(contrast: Mapping[str, Any]) -> bool:
    """Return whether the condition is below its reference: a difference below 0, or on log scale a ratio below 1."""
    return _number(contrast.get("estimate")) < (1 if contrast.get("scale") == "log" else 0)
