"""Results of two analyses: objects by their outlines, columns by their medians, contrasts by what they conclude."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.study.difference.changes import CELL_CHANGES, CONTRAST_CHANGES, RESULT_CHANGES
from cellmetry.study.difference.results import (
    compare_contrasts,
    compare_objects,
    compare_tables,
    differing_columns,
)

labels = arrays(np.uint32, (6, 7), elements=st.integers(0, 4))


def test_objects_kept_changed_new_and_lost() -> None:
    before, after = np.zeros((2, 20, 20), np.uint32)
    before[0:4, 0:4], after[0:4, 0:4] = 1, 9
    before[6:10, 0:4], after[6:10, 0:5] = 2, 3
    before[12:16, 0:4] = 4_000_000_000
    after[0:4, 10:14] = 5
    kept, rows = compare_objects(before, after, 0.5)
    assert kept == 1
    found = rows.set_index("change")
    assert found.loc["changed", ["label_before", "label_after", "area_before_px", "area_after_px"]].tolist() == [
        *(2, 3, 16, 20)
    ]
    assert found.loc["changed", "iou"] == 0.8
    assert found.loc["lost", "label_before"] == 4_000_000_000
    assert found.loc["lost", "area_before_px"] == 16
    assert found.loc["new", "label_after"] == 5
    assert found.loc["new", ["label_before", "area_before_px", "iou"]].isna().all()
    assert list(rows) == [column.name for column in CELL_CHANGES if column.name in rows]
    assert compare_objects(before, after, 0.9)[1]["change"].tolist() == ["lost", "lost", "new", "new"]


@given(labels, labels, st.sampled_from([0.3, 0.5, 0.9]))
def test_every_object_is_told_once(before: np.ndarray, after: np.ndarray, iou: float) -> None:
    kept, rows = compare_objects(before, after, iou)
    counts = rows["change"].value_counts()
    paired = kept + counts.get("changed", 0)
    assert paired + counts.get("lost", 0) == np.unique(before[before > 0]).size
    assert paired + counts.get("new", 0) == np.unique(after[after > 0]).size
    assert compare_objects(before, before, iou)[1].empty


def test_medians_of_each_image() -> None:
    before = pd.DataFrame(
        {
            "image": ["a", "a", "a", "b"],
            "label": [1, 2, 3, 1],
            "area_px": [1.0, 2.0, 30.0, 5.0],
            "count": pd.array([0, None, 0, 4], "Int64"),
            "edge": [True, False, False, False],
            "centroid_x_px": [1.0, 2.0, 3.0, 4.0],
            "angle_deg": [1.0, 2.0, 3.0, 4.0],
            "note": ["x", "y", "z", "w"],
        }
    )
    after = before.assign(
        area_px=[1.0, 3.0, 30.0, 5.0],
        count=pd.array([2, None, 2, 4], "Int64"),
        edge=[True, True, False, False],
        centroid_x_px=0.0,
        angle_deg=0.0,
        label=7,
    )
    rows = compare_tables(before, after, "cells")
    assert list(rows) == [column.name for column in RESULT_CHANGES]
    told = rows.set_index("column")
    assert set(told.index) == {"area_px", "count", "edge"}
    assert set(rows["image"]) == {"a"}
    assert told.loc["area_px", ["before", "after", "change", "relative"]].tolist() == [2, 3, 1, 0.5]
    assert np.isnan(told.loc["count", "relative"])
    assert told.loc["edge", "change"] == pytest.approx(1 / 3)
    assert compare_tables(before, before, "cells").empty
    assert compare_tables(before.head(0), after, "cells").empty


def test_values_that_no_median_shows() -> None:
    before = pd.DataFrame({"area": [1.0, 2.0, np.nan], "name": ["a", None, "c"], "only": 1})
    assert differing_columns(before, before.copy()) == []
    after = pd.DataFrame({"area": [0.0, 2.0, np.nan], "name": ["a", "b", "c"]})
    assert differing_columns(before, after) == ["area", "name"]


def test_conclusions_side_by_side() -> None:
    def contrast(condition: str, estimate: float, p: float | None, **more: object) -> dict[str, object]:
        ends = {"ci_low": estimate - 1, "ci_high": estimate + 1}
        return {
            "value": "edu",
            "condition": condition,
            "reference": "c",
            "estimate": estimate,
            "p_value": p,
            **ends,
        } | more

    before = [contrast("x", 2.0, 0.2, p_adjusted=0.01), contrast("y", -1.0, 0.2), contrast("z", 0.5, 0.01, scale="log")]
    after = [contrast("x", 2.0, 0.01, p_adjusted=0.2), contrast("y", -1.0, 0.3), contrast("w", 1.0, None)]
    rows = compare_contrasts(before, after, comparison=".", significance=0.05)
    assert list(rows) == [column.name for column in CONTRAST_CHANGES]
    told = rows.set_index("condition")[["conclusion_before", "conclusion_after", "conclusion_changed"]].T.to_dict(
        "list"
    )
    assert told == {
        "x": ["significantly higher", "not significant", True],
        "y": ["not significant", "not significant", False],
        "z": ["significantly lower", "absent", False],
        "w": ["absent", "no test", False],
    }
    assert rows["p_before"].tolist()[:2] == [0.01, 0.2]
