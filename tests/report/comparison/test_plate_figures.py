"""Plates: each well in its place, on one scale, hatched without data, crossed out where excluded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import QuadMesh

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.report.comparison.figures.plate_effects import (
    batch_values,
    batches_legend,
    draw_batches,
    draw_edges,
    edges_legend,
)
from cellmetry.report.comparison.figures.plates import draw_layout, draw_plate, layout_legend, plate_legend
from cellmetry.report.comparison.figures.wells import plates_of, row_name, row_number, well_values
from cellmetry.report.figures import figure_bytes
from cellmetry.report.style import FigureStyle

from .comparison_examples import example_plates
from .draw_guide_pictures import draw_all

STYLE = FigureStyle()


def meshes(figure) -> list[QuadMesh]:
    return [each for axes in figure.axes for each in axes.collections if isinstance(each, QuadMesh)]


@given(st.integers(0, 700))
def test_rows_of_plates_are_named_and_read(place: int) -> None:
    assert row_number(row_name(place)) == place


@pytest.mark.parametrize(("name", "place"), [("A", 0), ("h", 7), ("AA", 26), ("AF", 31), ("2", 1), (3.0, 2)])
def test_rows_may_be_letters_or_numbers(name: str, place: int) -> None:
    assert row_number(name) == place


@pytest.mark.parametrize("name", ["", "0", "Å", "A1", "ABC"])
def test_what_is_no_row_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="is no row of a plate"):
        row_number(name)


@pytest.mark.parametrize(("rows", "columns", "size"), [(2, 3, (8, 12)), (9, 2, (16, 24)), (20, 30, (20, 30))])
def test_plates_are_as_large_as_their_wells_ask(rows: int, columns: int, size: tuple[int, int]) -> None:
    wells = pd.DataFrame({"row": ["A", row_name(rows - 1)], "column": [1, columns], "value": 1.0})
    (plate,) = plates_of(wells, ["value"])
    assert (plate.rows, plate.columns) == size


def test_a_plate_of_another_format_is_asked_for() -> None:
    wells = pd.DataFrame({"row": ["A", "D"], "column": [1, 6], "value": 1.0})
    assert plates_of(wells, ["value"], 24)[0].rows == 4
    with pytest.raises(ParameterError, match="A plate of 6 wells has no well D6"):
        plates_of(wells, ["value"], 6)
    with pytest.raises(ParameterError, match="no plate of 7 wells"):
        plates_of(wells, ["value"], 7)


def test_fields_of_a_well_are_averaged_without_the_excluded() -> None:
    table = pd.DataFrame(
        {
            "row": ["A", "A", "A", "B"],
            "column": [1, 1, 1, 2],
            "value": [1.0, 3.0, 50.0, 9.0],
            "condition": ["x", "y", "z", "w"],
            "excluded": [False, None, True, True],
        }
    )
    (plate,) = plates_of(table, ["value", "condition"])
    assert plate.wells["value"].tolist() == [2, 9]
    assert plate.wells["condition"].tolist() == ["x, y", "w"]
    assert plate.wells["excluded"].tolist() == [False, True]
    assert np.isfinite(plate.grid("value")).sum() == 1


def test_the_heat_map_has_each_well_in_its_place_on_one_scale() -> None:
    table = example_plates(2)
    figure = draw_plate(table, "value", STYLE)
    first, second = meshes(figure)[:2]
    assert first.norm is second.norm
    grid = first.get_array().filled(np.nan)
    row = table[(table["plate"] == "plate 1") & (table["row"] == "C") & (table["column"] == 9)]
    assert grid[2, 8] == row["value"].item()
    kept = table[~table["excluded"]]["value"]
    assert (first.norm.vmin, first.norm.vmax) == (kept.min(), kept.max())
    assert np.isnan(grid[0, 0])
    assert "crossed out: excluded (2)" in plate_legend(table, "value", STYLE)


def test_wells_hold_numbers_or_words_where_there_is_room() -> None:
    table = example_plates()
    numbers = [text.get_text() for text in draw_plate(table, "value", STYLE).axes[0].texts]
    assert len(numbers) == 91
    assert len({len(text.partition(".")[2]) for text in numbers}) == 1, "numbers of one plate have the same decimals"
    words = draw_plate(table, "value", FigureStyle(width_mm=174), text="condition").axes[0].texts
    assert {text.get_text() for text in words} >= {"control", "drug A"}
    assert len(draw_plate(table, "value", STYLE, text="").axes[0].texts) == 0
    assert len(draw_plate(example_plates(1, 16, 24), "value", STYLE).axes[0].texts) == 0
    for text in words:
        box = text.get_window_extent()
        assert box.width < text.axes.bbox.width / 12


def test_the_layout_names_conditions_and_numbers_them_where_colours_run_out() -> None:
    table = example_plates()
    figure = draw_layout(table, STYLE)
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["control", "drug A"]
    dosed = draw_layout(table.assign(dose=0.5), STYLE)
    assert {text.get_text() for text in dosed.axes[0].texts} == {"0.5"}
    assert "Numbers in wells are doses" in layout_legend(table.assign(dose=0.5), STYLE)
    many = table.assign(condition=[f"c{column}" for column in table["column"]])
    crowded = draw_layout(many, STYLE)
    assert crowded.legends[0].get_texts()[0].get_text() == "1 c1"
    assert {text.get_text() for text in crowded.axes[0].texts} == {str(place) for place in range(1, 13)}
    assert "Numbers in wells stand for conditions" in layout_legend(many, STYLE)


def test_the_layout_has_the_order_of_the_study() -> None:
    table = example_plates()
    figure = draw_layout(table, STYLE, order=("drug C", "not there", "control"))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["drug C", "control", "drug A", "drug B", "drug D", "drug E"]
    assert draw_layout(table, STYLE).legends[0].get_texts()[0].get_text() == "control"


def test_the_edge_shows_in_distances_and_medians() -> None:
    table = example_plates()
    wells = well_values(plates_of(table, ["value"]), "value")
    assert wells["distance"].max() == 3
    assert len(wells) == 91
    assert wells.loc[wells["distance"] == 0, "value"].mean() < wells.loc[wells["distance"] > 0, "value"].mean() - 15
    figure = draw_edges(table, "value", STYLE)
    _, rows, _ = figure.axes
    (line,) = rows.lines
    medians = wells.groupby("row")["value"].median()
    assert line.get_ydata().tolist() == pytest.approx(medians.tolist())
    figure_bytes(figure, "png")
    assert "91 wells of one plate" in edges_legend(table, "value", STYLE)


def test_batches_show_the_control_only() -> None:
    table = example_plates(3)
    shown = batch_values(table, "value", control="control")
    assert set(shown["batch"]) == {"day 1", "day 2", "day 3"}
    kept = table[(table["condition"] == "control") & ~table["excluded"]]
    assert shown["value"].tolist() == kept["value"].tolist()
    (axes,) = draw_batches(table, "value", STYLE, control="control").axes
    bars = [path.vertices[0, 1] for each in axes.collections for path in each.get_paths()]
    assert bars == pytest.approx(kept.groupby("batch")["value"].mean().tolist())
    assert f"in 3 batches (batch), {len(kept)} values" in batches_legend(table, "value", STYLE, control="control")


def test_few_points_of_a_batch_are_large_and_lie_over_the_bar() -> None:
    table = example_plates(3)
    few = draw_batches(table.groupby("batch").head(4), "value", STYLE).axes[0].lines[0]
    many = draw_batches(table, "value", STYLE).axes[0].lines[0]
    assert few.get_markersize() == 7
    assert many.get_markersize() == 4
    assert few.get_zorder() > few.axes.collections[0].get_zorder()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"column": 0}, "'0' is no column of a plate"),
        ({"value": "high"}, "does not hold numbers"),
        ({"value": np.nan}, "nothing to draw"),
        ({"excluded": True}, "nothing to draw"),
    ],
)
def test_tables_that_cannot_be_drawn_are_refused(change: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        draw_plate(example_plates().assign(**change), "value", STYLE)


def test_missing_columns_are_named() -> None:
    with pytest.raises(UnknownName, match="valeu"):
        draw_plate(example_plates(), "valeu", STYLE)
    with pytest.raises(UnknownName, match="'day'"):
        draw_batches(example_plates(), "value", STYLE, batch="day")
    with pytest.raises(ParameterError, match="No row of 'drug Z'"):
        draw_batches(example_plates(), "value", STYLE, control="drug Z")
    with pytest.raises(ParameterError, match="no wells"):
        draw_plate(example_plates().iloc[:0], "value", STYLE)


def test_the_pictures_of_the_guide_are_drawn(tmp_path: Path) -> None:
    made = draw_all(tmp_path)
    guide = Path(__file__).resolve().parents[3] / "docs" / "guide" / "pictures"
    assert all((guide / path.name).stat().st_size < 150_000 for path in made)
    assert len(made) == 3
