"""Histograms by group: shares on common bins, the gate, and the fraction beyond it in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import StepPatch

from cellmetry.errors import ParameterError
from cellmetry.report.figures import figure_png
from cellmetry.report.histogram import Gate, draw_histogram


def _steps(axes) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(patch.get_data().values, patch.get_data().edges) for patch in axes.patches if isinstance(patch, StepPatch)]


def _titles(figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_each_group_has_a_row_with_its_words() -> None:
    values = {"control": [1.0, 2, 3, 4], "drug": [1.0, 5, np.nan, 6, np.inf]}
    figure = draw_histogram(values, "mean EdU (counts)", gate=Gate(3.0))
    assert _titles(figure) == [
        "control: 1 of 4 cells above (25.0%)",
        "drug: 2 of 3 cells above (66.7%), 2 without a value",
    ]
    assert figure.axes[-1].get_xlabel() == "mean EdU (counts)\n(dashed: threshold 3)"
    for axes in figure.axes:
        assert [float(line.get_xdata()[0]) for line in axes.lines] == [3.0]


def test_below_and_the_name_of_the_gate() -> None:
    figure = draw_histogram({"a": [1.0, 2, 3]}, "x", gate=Gate(2.0, "below", "cutoff"))
    assert _titles(figure) == ["a: 1 of 3 cells below (33.3%)"]
    assert "cutoff 2" in figure.axes[0].get_xlabel()


def test_rows_share_bins_and_show_shares_of_their_own_cells() -> None:
    rng = np.random.default_rng(0)
    figure = draw_histogram({"many": rng.normal(0, 1, 900), "few": rng.normal(3, 1, 30)}, "x", bins=20)
    (many, edges), (few, others) = (_steps(axes)[0] for axes in figure.axes)
    np.testing.assert_array_equal(edges, others)
    assert len(many) == 20
    assert many.sum() == pytest.approx(100)
    assert few.sum() == pytest.approx(100)


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50),
    st.floats(-1e6, 1e6, width=32),
    st.sampled_from(["above", "below"]),
)
def test_no_cell_is_lost_and_full_colour_is_the_stated_fraction(values, value, side) -> None:
    gate = Gate(value, side)
    figure = draw_histogram({"a": values}, "x", gate=gate)
    (all_cells, edges), (beyond, _), _ = _steps(figure.axes[0])
    expected = np.mean([v > value if side == "above" else v < value for v in values])
    assert all_cells.sum() == pytest.approx(100)
    assert beyond.sum() == pytest.approx(100 * expected)
    if edges[0] < value < edges[-1]:
        assert np.abs(edges - value).min() <= 1e-9 * max(1, abs(value))


def test_an_outlier_does_not_make_endless_bins_and_many_equal_values_still_have_some() -> None:
    values = np.append(np.random.default_rng(0).normal(0, 1, 1000), 1e12)
    assert len(_steps(draw_histogram({"a": values}, "x").axes[0])[0][0]) == 60
    spots = np.append(np.zeros(90), np.arange(10.0))
    assert len(_steps(draw_histogram({"a": spots}, "x").axes[0])[0][0]) == 10


def test_groups_without_a_value_and_constant_values_are_drawn() -> None:
    figure = draw_histogram({"none": [], "nan": [np.nan], "one": [4.0]}, "x", gate=Gate(3.0))
    assert _titles(figure) == ["none: 0 cells", "nan: 0 cells, 1 without a value", "one: 1 of 1 cell above (100.0%)"]
    assert figure_png(figure, dpi=40)
    assert figure_png(draw_histogram({"none": []}, "x"), dpi=40)
    assert figure_png(draw_histogram({"flat": np.full(9, 3.0)}, "x", gate=Gate(3.0)), dpi=40)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one group"):
        draw_histogram({}, "x")
    with pytest.raises(ParameterError, match="finite number, not nan"):
        draw_histogram({"a": [1.0]}, "x", gate=Gate(np.nan))
