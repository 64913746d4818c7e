"""The superplot for the screen shows a fair part of the cells, their pictures, and the replicates' numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.report.comparison.interactive_superplot import superplot_json
from cellmetry.report.style import FigureStyle

from .made_comparison import CONDITIONS, make_cells, make_comparison

CELLS = make_cells(3, 200)
COMPARISON = make_comparison(CELLS)
STYLE = FigureStyle(labels={"mean_EdU": "EdU (a.u.)", "control": "DMSO <1 %>"})


def clouds(block) -> list[dict]:
    return [trace for trace in block.plot["data"] if "customdata" in trace]


def test_all_cells_replicates_and_means_where_they_are_few() -> None:
    block = superplot_json(CELLS, COMPARISON, STYLE)
    json.dumps(block.plot, allow_nan=False)
    shown = sorted(y for trace in clouds(block) for y in trace["y"])
    assert shown == pytest.approx(sorted(CELLS["value"]))
    assert "all 1,800 of them" in block.legend
    *_, day1, day2, day3, mean = block.plot["data"]
    assert [trace["marker"]["color"] for trace in (day1, day2, day3)] == list(STYLE.palette[:3])
    expected = COMPARISON.replicates[COMPARISON.replicates["replicate"] == "day 2"]
    assert day2["y"] == pytest.approx(expected["value"].tolist())
    assert day2["x"] == [0, 1, 2]
    assert mean["y"] == pytest.approx(COMPARISON.groups["mean"].tolist())
    assert mean["error_y"]["array"] == pytest.approx(
        (COMPARISON.groups["ci_high"] - COMPARISON.groups["mean"]).tolist()
    )
    ticks = block.plot["layout"]["xaxis"]["ticktext"]
    assert ticks[0] == "DMSO &lt;1 %&gt;"
    assert block.plot["layout"]["yaxis"]["title"]["text"] == "EdU (a.u.)"


def test_points_stand_at_their_condition_in_the_colour_of_their_replicate() -> None:
    block = superplot_json(CELLS, COMPARISON, STYLE)
    for trace in clouds(block):
        for x, (key, line) in zip(trace["x"], trace["customdata"], strict=True):
            image, _, label = key.rpartition("|")
            condition, replicate = image.rsplit("/", 1)
            assert abs(x - CONDITIONS.index(condition)) <= 0.36 + 1e-4
            assert trace["marker"]["color"] == STYLE.palette[int(replicate)]
            assert line.endswith(f"label {label}")


@settings(max_examples=25)
@given(st.integers(1, 1500), st.integers(0, 3))
def test_a_part_is_as_large_in_each_replicate(most, seed) -> None:
    block = superplot_json(CELLS, COMPARISON, FigureStyle(seed=seed), most=most)
    images = pd.Series([key.rpartition("|")[0] for trace in clouds(block) for key, _ in trace["customdata"]])
    assert len(images) == min(most, len(CELLS))
    counts = images.value_counts().reindex(CELLS["image"].unique(), fill_value=0)
    assert counts.max() - counts.min() <= 1
    assert f"{len(images):,} of 1,800" in block.legend


def test_cells_with_a_picture_are_taken_first_and_only_their_pictures() -> None:
    pictures = {f"control/0|{label}": b"png" for label in (5, 50, 150)} | {"elsewhere|1": b"png"}
    block = superplot_json(CELLS, COMPARISON, STYLE, pictures=pictures, most=90)
    assert sorted(block.pictures) == ["control/0|150", "control/0|5", "control/0|50"]
    outlined = [key for trace in clouds(block) if trace["marker"]["line"]["width"] for key, _ in trace["customdata"]]
    assert sorted(outlined) == sorted(block.pictures)
    assert "Outlined points (3) have a picture." in block.legend


def test_the_same_again_and_another_seed_another_part() -> None:
    first, again = (superplot_json(CELLS, COMPARISON, STYLE, most=50) for _ in range(2))
    other = superplot_json(CELLS, COMPARISON, STYLE.model_copy(update={"seed": 1}), most=50)
    assert first == again
    assert clouds(first)[0]["customdata"] != clouds(other)[0]["customdata"]


def test_cells_without_a_value_are_not_shown() -> None:
    cells = CELLS.assign(value=CELLS["value"].where(CELLS["label"] > 1))
    assert "all 1,791 of them" in superplot_json(cells, COMPARISON, STYLE).legend


def test_one_replicate_has_no_interval_and_says_so() -> None:
    cells = make_cells(1, 50).drop(columns=["image", "label"])
    block = superplot_json(cells, make_comparison(make_cells(1, 50)), STYLE)
    mean = block.plot["data"][-1]
    assert mean["name"] == "mean"
    assert not any(mean["error_y"]["array"])
    assert "No test was made" in block.legend
    assert not clouds(block)
    assert sum(len(trace["y"]) for trace in block.plot["data"] if not trace.get("showlegend", True)) == 150


def test_a_fraction_shows_replicates_only() -> None:
    design = replace(COMPARISON.design, kind="fraction")
    block = superplot_json(CELLS, replace(COMPARISON, design=design), FigureStyle())
    assert not clouds(block)
    assert "cells are not drawn" in block.legend
    assert block.plot["layout"]["yaxis"]["title"]["text"] == "fraction of mean_EdU"


def test_the_scale_is_logarithmic_only_where_no_cell_would_be_lost() -> None:
    logarithmic = make_comparison(CELLS, scale="log")
    assert superplot_json(CELLS, logarithmic, STYLE).plot["layout"]["yaxis"]["type"] == "log"
    below = CELLS.assign(value=CELLS["value"].mask(CELLS["label"] == 1, -1.0))
    assert superplot_json(below, logarithmic, STYLE).plot["layout"]["yaxis"]["type"] == "linear"


def test_a_large_table_shows_no_more_points() -> None:
    cells = make_cells(3, 20_000)
    block = superplot_json(cells, make_comparison(cells), STYLE, pictures={"control/0|7": b"png"})
    assert sum(len(trace["y"]) for trace in clouds(block)) == 2000
    assert list(block.pictures) == ["control/0|7"]
    assert np.isfinite([x for trace in clouds(block) for x in trace["x"]]).all()
