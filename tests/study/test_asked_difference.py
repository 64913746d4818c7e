"""What two analyses were asked: every entry, image and contrast that differs is told, alike ones together."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.study.difference.asked import compare_designs, compare_entries, compare_evidence, named_entries
from cellmetry.study.difference.changes import Change
from cellmetry.study.difference.results import compare_contrasts

values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(st.integers(), min_size=1, max_size=3) | st.dictionaries(st.sampled_from(["value", "a", "b"]), inner)
    ),
    max_leaves=8,
)
entries = st.dictionaries(st.sampled_from("xyz"), values)


def test_entries_of_lists_have_names() -> None:
    edu, area = {"value": "edu"}, {"value": "area"}
    assert named_entries([edu, area, edu, {"where": "well"}]) == {
        "edu": edu,
        "area": area,
        "edu (2)": edu,
        "4": {"where": "well"},
    }
    assert len(named_entries([edu, {"value": "edu (2)"}, edu, edu])) == 4


def test_tables_are_compared_entry_by_entry() -> None:
    before = {
        "filters": {"keep": ["area > 5"], "table": "cells"},
        "compare": [{"value": "edu", "scale": "linear"}, {"value": "area", "scale": "linear"}],
        "positive": [],
        "second": None,
    }
    after = {
        "filters": {"keep": [], "table": "cells"},
        "compare": [{"value": "area", "scale": "log"}, {"value": "shape"}],
        "positive": [{"value": "edu", "threshold": 5}],
        "second": {"recipe": "x"},
    }
    assert compare_entries(before, after, "study") == [
        Change("study", "filters.keep", ["area > 5"], []),
        Change("study", "compare[edu]", "an entry", None),
        Change("study", "compare[area].scale", "linear", "log"),
        Change("study", "compare[shape]", None, "an entry"),
        Change("study", "positive[edu]", None, "an entry"),
        Change("study", "second", None, {"recipe": "x"}),
    ]


def test_lists_of_other_things_are_told_whole_and_the_order_of_tables_is_none() -> None:
    one, two = {"value": "a"}, {"value": "b"}
    assert compare_entries({"x": [one]}, {"x": [1]}, "study") == [Change("study", "x", [one], [1])]
    assert compare_entries({"x": [one, two]}, {"x": [two, one]}, "study") == []
    assert compare_entries({"x": []}, {}, "study") == []


@given(entries, entries)
def test_entries_differ_if_and_only_if_a_change_is_told(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert bool(compare_entries(before, after, "study")) == (before != after)


def design(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"image": ["A", "B", "C"], "excluded": ["False"] * 3, **columns})


def test_images_of_the_same_change_are_told_together() -> None:
    before = design(condition=["x", "x", "y"], dose=["1", "2", ""])
    after = design(condition=["z", "z", "y"], batch=["1", "1", "1"], excluded=["False", "False", "True"])
    assert compare_designs(before, after) == [
        Change("design", "dose", "a column", None),
        Change("design", "batch", None, "a column"),
        Change("design", "excluded of C", "False", "True"),
        Change("design", "condition of 2 images (A, …)", "x", "z"),
    ]
    assert compare_designs(before, before.sample(frac=1, random_state=1)) == []
    fewer = before.iloc[1:].assign(dose=["3", "4"])
    assert compare_designs(before, fewer) == [
        Change("design", "dose of B", "2", "3"),
        Change("design", "dose of C", None, "4"),
    ]


def test_what_contrasts_rest_on() -> None:
    def contrast(condition: str, **more: Any) -> dict[str, Any]:
        known = {"value": "edu", "condition": condition, "reference": "c", "estimate": 1.0, "p_value": 0.5}
        return known | {"method": "t", "n_replicates": 3, "n_cells": 90} | more

    before = [contrast("x"), contrast("y"), contrast("gone")]
    after = [contrast("x", method="welch", n_cells=80), contrast("y", method="welch"), contrast("new", n_cells=1)]
    rows = compare_contrasts(before, after, comparison=".", significance=0.05)
    assert compare_evidence(rows) == [
        Change("contrasts", "method of 2 contrasts (edu: x against c, …)", "t", "welch"),
        Change("contrasts", "n_cells of edu: x against c", 90, 80),
    ]
    same = compare_contrasts(before, before, comparison=".", significance=0.05)
    assert compare_evidence(same) == []
