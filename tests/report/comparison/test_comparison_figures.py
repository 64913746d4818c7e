"""Figures of a comparison hold every cell, show what the tables say, and fit their words at the size of print."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from scipy import stats

from cellmetry.errors import OutputError, ParameterError, UnknownName
from cellmetry.report.comparison.figures.by_condition import box_of
from cellmetry.report.comparison.figures.catalogue import FIGURES, drawable, figure_kind
from cellmetry.report.comparison.figures.categories import p_text
from cellmetry.report.comparison.figures.data import ComparisonData
from cellmetry.report.comparison.figures.distributions import histogram_edges, thinned_ecdf
from cellmetry.report.comparison.figures.files import figure_files
from cellmetry.report.comparison.figures.looks import replicate_looks
from cellmetry.report.comparison.figures.time_curve import replicates_over_time, summary_over_time
from cellmetry.report.comparison.figures.value_axis import number
from cellmetry.report.figures import figure_bytes
from cellmetry.report.style import FigureStyle

from .comparison_examples import Study, example

STYLE = FigureStyle()
LONG = ("untreated control, DMSO 0.1 %", "nocodazole_100ng_per_ml_24h_washout", "siRNA #2 + $rescue$", "a" * 50)
CASES = {
    "two conditions": Study(2, 3),
    "six conditions": Study(6, 3, cells=40),
    "one replicate": Study(3, 1),
    "eight replicates": Study(3, 8, cells=30),
    "ten replicates": Study(2, 10, cells=5),
    "skewed, logarithmic": Study(3, 3, shape="skewed", log=True),
    "all alike": Study(3, 3, shape="equal"),
    "one cell a replicate": Study(3, 3, cells=1),
    "20 cells": Study(2, 2, cells=5),
    "unpaired, all pairs": Study(3, 4, paired=False, control=False),
    "15 contrasts": Study(6, 3, control=False, cells=20),
    "long names": Study(4, 3, names=LONG, cells=20),
}


def texts_of(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def offsets_of(axes) -> np.ndarray:
    return np.concatenate([np.asarray(each.get_offsets()) for each in axes.collections if len(each.get_offsets()) > 1])


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("case", CASES)
def test_every_figure_can_be_drawn_and_no_words_overlap(case: str, kind: str) -> None:
    data = example(replace(CASES[case], times=4) if kind == "time" and CASES[case].shape != "equal" else CASES[case])
    if kind == "time" and "time" not in data.cells:
        return
    figure = FIGURES[kind].draw(data, STYLE)
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
        inside = [box for box in boxes if box.width and box.x1 > axes.bbox.x0 and box.x0 < axes.bbox.x1]
        for left, right in pairwise(inside):
            assert left.x1 < right.x0 + 1, case
    legend = FIGURES[kind].legend(data, STYLE)
    assert f"{data.conditions[0]} {data.comparison.design.replicates[0]} replicate" in legend
    assert "nan" not in legend
    assert legend.endswith(".")


@pytest.mark.parametrize("shape", ["normal", "skewed"])
@pytest.mark.parametrize(("kind", "which"), [("superplot", "y"), ("violin", "y"), ("box", "y"), ("jitter", "y"),
                                             ("ecdf", "x"), ("histogram", "x"), ("scatter", "x")])  # fmt: skip
def test_axes_hold_every_cell_also_those_that_are_not_drawn(kind: str, which: str, shape: str) -> None:
    data = example(Study(3, 3, cells=400, shape=shape))
    data.cells.loc[5, "value"] = 900.0
    figure = FIGURES[kind].draw(data, FigureStyle(most_points=100))
    axes = figure.axes[-1] if kind == "histogram" else figure.axes[0]
    low, high = axes.get_ylim() if which == "y" else axes.get_xlim()
    assert low <= data.shown.values.min()
    assert high >= 900


@pytest.mark.parametrize("kind", ["superplot", "violin", "box", "jitter", "ecdf", "histogram", "scatter"])
def test_limits_say_how_many_cells_they_leave_out(kind: str) -> None:
    data = example(Study(3, 3, cells=100))
    style = FigureStyle(limits=(8, 15))
    left = int(((data.shown.values < 8) | (data.shown.values > 15)).sum())
    assert left > 0
    figure = FIGURES[kind].draw(data, style)
    assert f"outside of the axis: {left} of 900 cells" in figure.get_supxlabel().replace("\n", " ")
    assert f"Outside of the axis: {left} of 900 cells" in FIGURES[kind].legend(data, style)
    axes = figure.axes[-1] if kind == "histogram" else figure.axes[0]
    assert (8, 15) in (axes.get_xlim(), axes.get_ylim())


def test_limits_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="the first must be below the second"):
        FigureStyle(limits=(3, 3))
    with pytest.raises(ParameterError, match="a logarithmic axis starts above 0"):
        FIGURES["violin"].draw(example(Study(2, 2, shape="skewed", log=True)), FigureStyle(limits=(0, 3)))


def test_the_superplot_shows_cells_replicates_and_intervals() -> None:
    data = example(Study(3, 3, cells=50))
    figure = FIGURES["superplot"].draw(data, STYLE)
    (axes,) = figure.axes
    assert sorted(offsets_of(axes)[:, 1].tolist()) == sorted(data.shown.values.tolist())
    drawn = [line.get_ydata()[0] for line in axes.lines if line.get_marker() in "os^" and len(line.get_ydata()) == 1]
    assert sorted(drawn) == pytest.approx(sorted(data.means.ravel()))
    joined = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 3]
    assert np.array(joined) == pytest.approx(data.means)
    means = data.means[:, 0]
    half = stats.t.ppf(0.975, 2) * means.std(ddof=1) / np.sqrt(3)
    ends = [path.vertices[:, 1] for each in axes.collections for path in each.get_paths() if len(path.vertices) == 2]
    assert any(np.allclose(sorted(end), [means.mean() - half, means.mean() + half]) for end in ends)
    assert [text for text in texts_of(figure) if text.startswith("p")] == [
        p_text(each.p_adjusted) for each in data.contrasts
    ]


def test_a_cloud_of_many_cells_is_a_random_part_and_says_so() -> None:
    data = example(Study(3, 4, cells=500))
    style = FigureStyle(most_points=600)
    figure = FIGURES["superplot"].draw(data, style)
    shown = len(offsets_of(figure.axes[0]))
    assert 580 < shown <= 600
    assert figure.get_supxlabel() == f"{shown} of 6,000 cells drawn"
    assert f"{shown} of 6,000 cells drawn, a random part" in FIGURES["superplot"].legend(data, style)
    other = FIGURES["superplot"].draw(data, FigureStyle(most_points=600, seed=1))
    assert set(offsets_of(other.axes[0])[:, 1]) != set(offsets_of(figure.axes[0])[:, 1])


def test_one_replicate_has_no_interval_and_no_p_value() -> None:
    data = example(Study(3, 1))
    figure = FIGURES["superplot"].draw(data, STYLE)
    assert not [text for text in texts_of(figure) if text.startswith("p")]
    legend = FIGURES["superplot"].legend(data, STYLE)
    assert "with one replicate there is no interval" in legend
    assert "no p-value: one replicate, no estimate of how replicates vary" in legend


def test_fractions_are_points_in_per_cent_from_zero() -> None:
    data = example(Study(3, 3, fraction=True))
    assert list(drawable(data)) == ["superplot", "estimation"]
    figure = FIGURES["superplot"].draw(data, STYLE)
    figure_bytes(figure, "png")
    assert not [each for each in figure.axes[0].collections if len(each.get_offsets()) > 1]
    assert all(label.get_text().endswith(" %") for label in figure.axes[0].get_yticklabels())
    assert "percentage points" in FIGURES["estimation"].legend(data, STYLE)
    with pytest.raises(ParameterError, match="needs amounts of single cells"):
        FIGURES["violin"].draw(data, STYLE)


def test_the_measure_behind_a_fraction_has_a_histogram_with_the_gate() -> None:
    study = Study(2, 3)
    data = ComparisonData(
        example(replace(study, fraction=True)).comparison, example(study).cells, threshold=12.0, measure="EdU"
    )
    figure = FIGURES["histogram"].draw(data, STYLE)
    above = [float((data.of(place) > 12).mean()) for place in (0, 1)]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        f"{name}: {100 * share:.3g} % above 12" for name, share in zip(data.conditions, above, strict=True)
    ]
    assert data.comparison.groups["mean"].tolist() == pytest.approx(above)
    edges = histogram_edges(data)
    assert 12.0 in edges
    assert edges[0] <= data.shown.values.min()
    assert edges[-1] >= data.shown.values.max()
    assert figure.axes[-1].get_xlabel() == "EdU"


@pytest.mark.parametrize("threshold", [-400.0, 7.0, 12.0, 1e6])
def test_bins_hold_all_cells_wherever_the_gate_is(threshold: float) -> None:
    data = example(Study(2, 2, cells=200), threshold=threshold)
    counted = np.histogram(data.shown.values, histogram_edges(data))[0].sum()
    assert counted == data.shown.values.size


def test_the_estimation_plot_shows_estimates_and_intervals() -> None:
    data = example(Study(3, 3))
    _, below = FIGURES["estimation"].draw(data, STYLE).axes
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in below.lines if line.get_marker() == "o"]
    assert points == [(each.at, pytest.approx(each.estimate)) for each in data.contrasts]
    ends = [path.vertices[:, 1].tolist() for each in below.collections for path in each.get_paths()]
    for each in data.contrasts:
        assert pytest.approx([each.ci_low, each.ci_high]) in ends
        assert pytest.approx([each.simultaneous_low, each.simultaneous_high]) in ends


def test_an_interval_among_wells_is_dotted_and_named() -> None:
    data = example(Study(2, 1))
    data.comparison.contrasts[["technical_low", "technical_high"]] = [0.5, 3.0]
    data.comparison.contrasts["technical_unit"] = "wells"
    _, below = FIGURES["estimation"].draw(data, STYLE).axes
    assert [each.get_linestyle()[0][1] is not None for each in below.collections] == [True]
    assert "interval among the wells of one replicate" in FIGURES["estimation"].legend(data, STYLE)


def test_the_thinned_line_is_nowhere_off_by_more_than_its_width() -> None:
    values = np.random.default_rng(0).lognormal(0, 2, 50_000)
    x, y = thinned_ecdf(values)
    assert x.size <= 3000
    assert (x[0], x[-1], y[0], y[-1]) == (values.min(), values.max(), 0, 1)
    there = np.searchsorted(np.sort(values), x[1::2], side="right") / values.size
    assert np.abs(there - y[1::2]).max() < 1e-12
    assert np.diff(y[1::2]).max() < 1 / 1400


def test_the_box_is_matplotlibs() -> None:
    values = np.random.default_rng(0).lognormal(0, 1, 999)
    from matplotlib.cbook import boxplot_stats

    (there,) = boxplot_stats(values)
    ours = box_of(values)
    assert ours[:5] == pytest.approx([there[name] for name in ("whislo", "q1", "med", "q3", "whishi")])
    assert sorted(ours.beyond) == sorted(there["fliers"])
    assert box_of(np.empty(0)) is None


def test_many_cells_of_two_measures_are_counted_in_hexagons() -> None:
    data = example(Study(2, 3, cells=300))
    data.cells.loc[:9, "second"] = np.nan
    style = FigureStyle(hexagons_above=500)
    figure = FIGURES["scatter"].draw(data, style)
    counts = [each.get_array().sum() for axes in figure.axes[:2] for each in axes.collections]
    assert sum(counts) == 1790
    assert "10 cells have no second" in figure.get_supxlabel()
    assert "10 cells have no second" in FIGURES["scatter"].legend(data, style)
    points = FIGURES["scatter"].draw(data, STYLE)
    assert sum(len(axes.collections[0].get_offsets()) for axes in points.axes) == 1790


def test_the_time_curve_is_the_mean_of_replicates_with_students_interval() -> None:
    data = example(Study(2, 4, times=5))
    curves = replicates_over_time(data)
    cells = data.cells[(data.cells["condition"] == "drug A") & (data.cells["time"] == 3)]
    means = cells.groupby("replicate")["value"].mean()
    shown = curves[(curves["condition"] == 1) & (curves["time"] == 3)]
    assert shown["value"].tolist() == pytest.approx(means.tolist())
    summary = summary_over_time(curves, data).set_index(["condition", "time"]).loc[(1, 3)]
    there = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    assert summary[["low", "high"]].tolist() == pytest.approx(list(there))
    alone = summary_over_time(replicates_over_time(example(Study(2, 1, times=3))), example(Study(2, 1)))
    assert alone["low"].isna().all()


def test_ratios_over_time_are_geometric() -> None:
    data = example(Study(2, 3, times=2, shape="skewed", log=True))
    curves = replicates_over_time(data)
    cells = data.cells[(data.cells["condition"] == "control") & (data.cells["time"] == 0)]
    there = cells.groupby("replicate")["value"].agg(stats.gmean)
    assert curves["value"][(curves["condition"] == 0) & (curves["time"] == 0)].tolist() == pytest.approx(there.tolist())


def test_a_time_that_is_no_number_is_refused() -> None:
    data = example(Study(2, 2, times=3))
    data.cells["time"] = "day one"
    with pytest.raises(ParameterError, match="The time 'day one' is no number"):
        FIGURES["time"].draw(data, STYLE)


def test_replicates_differ_by_colour_and_marker_also_when_colours_begin_anew() -> None:
    data = example(Study(2, 40, cells=2))
    looks = [row[0] for row in replicate_looks(data, STYLE)]
    assert len({(look.colour, look.marker) for look in looks}) == 40
    assert len({look.marker for look in looks[:8]}) == 8
    own = FigureStyle(palette=("red", "blue"))
    assert {to_hex(row[0].colour) for row in replicate_looks(data, own)} == {"#ff0000", "#0000ff"}


def test_replicates_of_one_condition_only_begin_anew_and_have_no_key() -> None:
    data = example(Study(3, 2, paired=False))
    looks = replicate_looks(data, STYLE)
    own = [[looks[place][at] for place in np.flatnonzero(np.isfinite(data.means[:, at]))] for at in range(3)]
    assert own[0] == own[1] == own[2]
    figure = FIGURES["superplot"].draw(data, STYLE)
    assert figure.legends == []
    assert "colours begin anew" in FIGURES["superplot"].legend(data, STYLE)


def test_labels_stand_in_place_of_names() -> None:
    style = FigureStyle(labels={"mean_EdU": "EdU (a.u.)", "drug A": "AZ-13", "1": "mouse 1"})
    figure = FIGURES["superplot"].draw(example(Study(2, 2)), style)
    (axes,) = figure.axes
    assert axes.get_ylabel() == "EdU (a.u.)"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["control", "AZ-13"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mouse 1", "2"]
    assert "AZ-13 − control" in FIGURES["superplot"].legend(example(Study(2, 2)), style)


def test_a_figure_has_the_size_of_print() -> None:
    figure = FIGURES["violin"].draw(example(Study(2, 2, cells=5)), FigureStyle(width_mm=100, height_mm=50))
    picture = Image.open(io.BytesIO(figure_bytes(figure, "png", dpi=254)))
    assert picture.size == (1000, 500)


def test_letters_have_the_size_of_print() -> None:
    style = FigureStyle(font_size_pt=6, font="DejaVu Serif")
    for kind in FIGURES:
        figure = FIGURES[kind].draw(example(Study(2, 2, times=3)), style)
        figure_bytes(figure, "png")
        for axes in figure.axes:
            for label in [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]:
                assert 6 * 0.85 - 0.01 <= label.get_size() <= 6, kind
                assert label.get_family() == ["DejaVu Serif"]


@pytest.mark.parametrize(
    ("style", "said"),
    [
        (FigureStyle(font="Helvetica of Nowhere"), "The font 'Helvetica of Nowhere' is not installed"),
        (FigureStyle(palette=("blue", "no colour")), "palette: 'no colour' is no colour"),
        (FigureStyle(labels={"control": "対照"}), "has no sign '対'"),
        (FigureStyle(width_mm=21, font_size_pt=24), "has no room beside its words"),
    ],
)
def test_what_cannot_be_drawn_as_asked_is_refused_in_words(style: FigureStyle, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        FIGURES["superplot"].draw(example(Study(3, 3)), style)


def test_cells_that_the_comparison_does_not_know_are_refused() -> None:
    data = example(Study(2, 2))
    cells = data.cells.assign(condition=data.cells["condition"].replace("drug A", "drug Z"))
    with pytest.raises(ParameterError, match="condition 'drug Z' that the comparison does not"):
        FIGURES["violin"].draw(ComparisonData(data.comparison, cells), STYLE)
    with pytest.raises(UnknownName, match="value"):
        ComparisonData(data.comparison, data.cells.drop(columns="value"))
    skewed = example(Study(2, 2, shape="skewed", log=True))
    with pytest.raises(ParameterError, match="3 cells have values of 0 or less"):
        ComparisonData(skewed.comparison, skewed.cells.assign(value=[0.0, -1, -2, *skewed.cells["value"][3:]]))


def test_cells_without_value_condition_or_replicate_are_not_shown() -> None:
    data = example(Study(2, 2, cells=10))
    cells = data.cells.copy()
    cells["replicate"] = cells["replicate"].astype(float)
    cells.loc[0, "value"] = np.inf
    cells.loc[1, "condition"] = None
    cells.loc[2, "replicate"] = np.nan
    shown = ComparisonData(data.comparison, cells).shown
    assert shown.rows.tolist() == list(range(3, 40))


def test_the_catalogue_names_the_nearest_figure() -> None:
    assert figure_kind("violin") is FIGURES["violin"]
    with pytest.raises(UnknownName, match="Did you mean 'violin'"):
        figure_kind("violine")


def test_files_are_the_same_bytes_each_time_and_whole_or_not_there(tmp_path: Path) -> None:
    study = Study(3, 3, cells=400)
    style = FigureStyle(most_points=2500)
    first = figure_files(FIGURES["superplot"].draw(example(study), style), tmp_path / "a", "superplot", style)
    again = figure_files(FIGURES["superplot"].draw(example(study), style), tmp_path / "b", "superplot", style)
    assert [path.name for path in first] == ["superplot.png", "superplot.svg", "superplot.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert ">mean_EdU</text>" in first[1].read_text(encoding="utf-8")
    one = FigureStyle(formats=("pdf",))
    assert len(figure_files(FIGURES["box"].draw(example(study), one), tmp_path / "c", "box", one)) == 1
    (tmp_path / "d").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError):
        figure_files(FIGURES["box"].draw(example(study), one), tmp_path / "d", "box", one)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.00002, "p < 0.0001"), (0.0034, "p = 0.00340"), (0.012, "p = 0.0120"), (0.6789, "p = 0.679"), (1, "p = 1.00")],
)
def test_p_values_as_they_are_written(value: float, said: str) -> None:
    assert p_text(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.1 + 0.2, "0.3"), (1500, "1,500"), (-2, "−2"), (3e6, "3e6"), (0, "0"), (0.0002, "2e−4")]
)
def test_numbers_as_they_stand_at_axes(value: float, said: str) -> None:
    assert number(value) == said


def test_a_million_cells_are_sampled_not_looped_over() -> None:
    data = example(Study(2, 3, cells=100_000))
    figure = FIGURES["superplot"].draw(data, STYLE)
    assert len(offsets_of(figure.axes[0])) <= STYLE.most_points
    assert len(FIGURES["ecdf"].draw(data, STYLE).axes[0].lines[0].get_xdata()) <= 3000


def test_importing_cellmetry_loads_no_figures() -> None:
    code = "import sys, cellmetry; assert not {'matplotlib', 'scipy.stats'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_values_are_said() -> None:
    data = example(Study(2, 2))
    data.comparison.groups["n_missing"] = pd.Series([3, 4])
    assert "7 cells without a finite value are left out." in FIGURES["violin"].legend(data, STYLE)


def test_legends_give_both_p_values_beside_the_interval() -> None:
    data = example(Study(2, 3))
    found = data.comparison.contrasts.assign(p_value=0.043, p_adjusted=0.15)
    data = ComparisonData(replace(data.comparison, contrasts=found), data.cells)
    for kind in ("superplot", "estimation"):
        assert ", p = 0.0430, corrected p = 0.150." in FIGURES[kind].legend(data, STYLE)
    assert "p-values in the figure are corrected." in FIGURES["superplot"].legend(data, STYLE)
    assert "intervals of each contrast alone, as p without correction" in FIGURES["estimation"].legend(data, STYLE)
    alone = ComparisonData(replace(data.comparison, contrasts=found.assign(p_adjusted=0.043)), data.cells)
    assert "corrected" not in FIGURES["superplot"].legend(alone, STYLE)


def test_p_values_in_the_figure_are_called_corrected() -> None:
    assert "Corrected p-values in the figure: against control." in FIGURES["superplot"].legend(example(Study()), STYLE)
    crowded = FIGURES["superplot"].legend(example(Study(6, 3, control=False, cells=5)), STYLE)
    assert "no room for the corrected p-values of 15 contrasts" in crowded
    assert "p-values, also corrected for their number, of the 15 contrasts" in crowded


def test_legends_of_ranks_and_ratios_name_their_estimates() -> None:
    data = example(Study(3, 3))
    options = data.comparison.options.model_copy(update={"method": "rank"})
    ranks = ComparisonData(replace(data.comparison, options=options), data.cells)
    assert "Below: median shifts between the conditions" in FIGURES["estimation"].legend(ranks, STYLE)
    assert "Estimates are Hodges–Lehmann shifts" in FIGURES["superplot"].legend(ranks, STYLE)
    log = FIGURES["superplot"].legend(example(Study(3, 3, shape="skewed", log=True)), STYLE)
    assert "Black: geometric mean and 95 % confidence interval" in log
    assert "geometric mean of the cells of each" in log


def test_one_replicate_is_not_joined_by_a_line() -> None:
    data = example(Study(3, 1))
    assert data.comparison.design.paired
    (axes,) = FIGURES["superplot"].draw(data, STYLE).axes
    assert max(len(line.get_xdata()) for line in axes.lines) == 1
    assert "join" not in FIGURES["superplot"].legend(data, STYLE)
    (joined,) = FIGURES["superplot"].draw(example(Study(3, 2)), STYLE).axes
    assert max(len(line.get_xdata()) for line in joined.lines) == 3


def test_intervals_of_fractions_name_their_unit_once() -> None:
    legend = FIGURES["superplot"].legend(example(Study(2, 3, fraction=True)), STYLE)
    (interval,) = [part for part in legend.split("(") if part.startswith("95 % CI")]
    assert legend.count("percentage points") == 1
    low, high = (float(end.replace("−", "-")) for end in interval.removeprefix("95 % CI ").split(")")[0].split(" to "))
    row = example(Study(2, 3, fraction=True)).comparison.contrasts.iloc[0]
    assert [low, high] == pytest.approx([100 * row["ci_low"], 100 * row["ci_high"]], rel=0.01)
