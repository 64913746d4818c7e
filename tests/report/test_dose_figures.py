"""The figure of a dose response shows each unit, a place for dose 0, and why there is no curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellmetry.report.dose_figures import draw_dose_response
from cellmetry.report.figures import PAPER, figure_bytes
from cellmetry.report.positive_figure import draw_threshold
from cellmetry.stats.comparison.per_replicate import fit_replicates
from cellmetry.stats.dosing import DoseAnalysis, analyse_doses
from cellmetry.stats.positive import fixed_threshold, population_threshold


def wells(doses, drugs=("x",)) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = [(drug, dose, control) for drug in drugs for dose in doses for control in (0, 0, 0)]
    table = pd.DataFrame(rows, columns=["drug", "dose", "c"])
    table["v"] = 1 + 3 * table["dose"] / (table["dose"] + 2) + random.normal(0, 0.05, len(table))
    positive = pd.DataFrame({"drug": drugs[0], "dose": 999, "c": 1, "v": [4.0, 4.2]})
    return pd.concat([table, positive], ignore_index=True)


def drawn(doses, drugs=("x",)):
    analysis = DoseAnalysis(value="v", dose="dose", by="drug", positive=("c", "1"))
    return draw_dose_response(analyse_doses(wells(doses, drugs), analysis), PAPER)


def ticks(axes) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def test_doses_that_span_decades_are_logarithmic_with_a_place_for_none() -> None:
    figure = drawn([0, 0.1, 1, 10, 100])
    (axes,) = figure.axes
    figure_bytes(figure, "png")
    assert ticks(axes) == ["0", "0.1", "1", "10", "100", "positive\ncontrol"]
    assert np.diff(axes.get_xticks())[1:4] == pytest.approx([1, 1, 1])
    assert [text.get_text() for text in axes.texts].count("//") == 2
    assert any("EC50" in text.get_text() for text in axes.texts)


def test_near_doses_are_linear_without_a_break() -> None:
    figure = drawn([0, 1, 2, 4, 8])
    figure_bytes(figure, "png")
    axes = figure.axes[0]
    assert axes.get_xticks()[:5] == pytest.approx([0, 1, 2, 4, 8])
    assert "//" not in [text.get_text() for text in axes.texts]


def test_a_panel_a_drug_and_a_reason_without_a_curve() -> None:
    table = wells([0, 0.1, 1, 10, 100], ("x", "y", "z", "w"))
    table.loc[table["drug"] == "y", "v"] = 1.0
    analysis = DoseAnalysis(value="v", dose="dose", by="drug", positive=("c", "1"))
    figure = draw_dose_response(analyse_doses(table, analysis), PAPER)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["x", "y", "z", "w"]
    said = [text.get_text() for text in shown[1].texts]
    assert any(text.startswith("no curve: the response is the same") for text in said)


def test_replicates_are_thin_curves_with_their_half_doses() -> None:
    table = pd.concat([wells([0, 0.1, 1, 10, 100]).assign(day=day, well=range(17)) for day in "abc"])
    table["v"] += table["day"].map({"a": 0.0, "b": 0.05, "c": -0.1})
    analysis = DoseAnalysis(value="v", dose="dose", by="drug", positive=("c", "1"), replicate="day")
    result = analyse_doses(table, analysis)
    one = draw_dose_response(result, PAPER)
    figure = draw_dose_response(replace(result, replicates=fit_replicates(result)), PAPER)
    axes = figure.axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) > 100]
    assert len(curves) == 3
    assert len([line for line in one.axes[0].lines if len(line.get_xdata()) > 100]) == 1
    assert len(axes.collections) == 0  # Neither the band of one curve nor bars of means of all units.
    assert any("of 3 replicates" in text.get_text() for text in axes.texts)
    figure_bytes(figure, "png")


def test_the_threshold_is_drawn_over_the_histogram() -> None:
    random = np.random.default_rng(0)
    cells = np.append(np.concatenate([random.normal(0, 1, 500), random.normal(9, 1, 300)]), np.nan)
    figure = draw_threshold(cells, fixed_threshold(4), PAPER, name="gfp", control=cells[:500])
    (axes,) = figure.axes
    assert any(np.allclose(line.get_xdata(), 4) for line in axes.lines)
    assert sum(patch.get_height() for patch in axes.containers[0]) == 800
    mixed = draw_threshold(cells, population_threshold(cells), PAPER, name="gfp")
    assert len(mixed.axes[0].lines) == 3


def test_cells_that_are_all_alike_still_have_a_histogram() -> None:
    figure = draw_threshold(np.full(9, 2.0), fixed_threshold(2), PAPER, name="gfp")
    assert figure_bytes(figure, "pdf").startswith(b"%PDF")
