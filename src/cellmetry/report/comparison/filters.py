"""Filters of a comparison for readers: the table of what each removed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["FILTERS_CAPTION", "IMAGES_KEPT", "filter_table"]

IMAGES_KEPT = "not excluded"
"""The filter by which a study leaves out the images that its design excludes."""

FILTERS_CAPTION = (
    "What was left out before anything was compared, by filter. Removed: what no filter above had removed, so that "
    "these numbers add up."
)

_HEADS = {
    "filter": "Filter",
    "n_tested": "Tested",
    "n_failed": "Do not meet it",
    "n_missing": "of these for missing values",
    "n_removed_first": "Removed",
}


def filter_table(counts: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the counts of `filter_rows` with headings in words; a column of groups before them is ``Condition``.

    Columns that are none of a filter's counts keep their names.
    """
    groups = [name for name in counts.columns if name not in _HEADS]
    heads = {**{name: "Condition" for name in groups if len(groups) == 1 and "filter" in counts.columns}, **_HEADS}
    known = [name for name in (*groups, *_HEADS) if name in counts.columns]
    shown = counts[known].rename(columns=heads)
    if "Filter" in shown.columns:
        shown["Filter"] = shown["Filter"].replace({IMAGES_KEPT: "images left out"})
    for name in groups:
        head = heads.get(name, name)
        shown[head] = [labels.get(str(entry), entry) for entry in shown[head]]
    return shown
