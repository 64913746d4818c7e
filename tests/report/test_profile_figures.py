"""Figures of radial profiles: what is drawn is what the table says, and words say what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cellmetry.errors import ParameterError
from cellmetry.report.figures import PAGE, PAPER, figure_bytes, figure_png, figure_svg
from cellmetry.report.profile_grid import draw_profile_grid
from cellmetry.report.profiles import ProfileFigureOptions, draw_population_profile, draw_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIO = ProfileFigureOptions(ratio="mean_ratio")
CENTERS = np.arange(5.0, 150, 10)


def _profiles(cells: int = 3, unit: str = "pct") -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "label": 10 * (place + 1),
                f"center_{unit}": CENTERS if unit == "pct" else (CENTERS - 100) / 20,
                "mean_target": 100 + 50 * np.exp(-((CENTERS - 90) ** 2) / 200) + place,
                "sem_target": 2.0,
                "mean_reference": 20.0 - CENTERS / 10,
                "sem_reference": 0.5,
                "mean_ratio": 5.0 + place,
                "sem_ratio": 0.1,
            }
        )
        for place in range(cells)
    ]
    return pd.concat(parts, ignore_index=True)


def _texts(figure: Figure) -> str:
    words = [axes.get_title(loc="left") + axes.get_xlabel() + axes.get_ylabel() for axes in figure.axes]
    words += [text.get_text() for axes in figure.axes for text in axes.texts]
    return "\n".join([*words, figure.get_suptitle(), figure.get_supxlabel(), figure.get_supylabel()])


def _curves(axes: Axes) -> list[np.ndarray]:
    return [np.asarray(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) > 2]


def _places(axes: Axes) -> list[float]:
    """Return where vertical lines stand."""
    return [float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 2]


def test_a_cell_has_a_panel_for_each_channel_in_its_own_unit_and_one_for_the_ratio() -> None:
    table = _profiles()
    figure = draw_profile(table, 20, RATIO, peaks={"target": 92.5, "reference": np.nan})
    target, reference, ratio = figure.axes
    rows = table[table["label"] == 20]
    for axes, name in ((target, "target"), (reference, "reference"), (ratio, "ratio")):
        np.testing.assert_array_equal(_curves(axes)[0], rows[f"mean_{name}"])
        assert sorted(_places(axes)) == [92.5, 100.0]
    assert target.get_title(loc="left") == "target, peak at 92.5 %"
    assert reference.get_title(loc="left") == "reference"
    assert "Cell 20" in _texts(figure)
    assert "standard error over the pixels" in _texts(figure)
    band = target.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(rows["mean_target"].max() + 2)


def test_smoothed_means_are_the_line_and_the_means_are_points() -> None:
    table = _profiles()
    smoothed = table.assign(mean_target=0.0)
    points, line = (draw_profile(table, 10, smoothed=smoothed).axes[0].lines)[0:2]
    assert points.get_linestyle() == "None"
    assert not np.asarray(line.get_ydata()).any()
    assert np.asarray(points.get_ydata()).min() > 99
    assert "line: smoothed" in _texts(draw_profile(table, 10, smoothed=smoothed))


@pytest.mark.parametrize(("unit", "word"), [("um", "µm"), ("px", "px")])
def test_distances_have_the_boundary_at_zero(unit: str, word: str) -> None:
    options = ProfileFigureOptions(unit=unit)
    figure = draw_profile(_profiles(unit=unit), 10, options, peaks={"target": -0.5})
    assert sorted(_places(figure.axes[0])) == [-0.5, 0.0]
    assert f"({word}), negative inside" in _texts(figure)
    assert f"peak at -0.5 {word}" in _texts(figure)


def test_boundary_is_left_out_where_it_is_not_shown() -> None:
    table = _profiles().query("center_pct < 60")
    figure = draw_profile(table, 10)
    assert _places(figure.axes[0]) == []
    assert figure.axes[0].get_xlim()[1] < 70


def test_one_channel_without_ratio_and_without_errors() -> None:
    table = _profiles()[["label", "center_pct", "mean_target"]]
    options = ProfileFigureOptions(channels=("target",), error_bands=False)
    for figure in (draw_profile(table, 10, options), draw_population_profile(table, options)):
        assert len(figure.axes) == 1
        assert "shaded" not in _texts(figure)
    assert len(list(draw_profile_grid(table, options))) == 1


def test_population_is_the_mean_of_cells_and_pooled_pixels_are_named_apart() -> None:
    table = _profiles(3)
    pooled = table[table["label"] == 10].assign(mean_target=7.0)
    figure = draw_population_profile(table, pooled=pooled)
    mean, flat = _curves(figure.axes[0])
    np.testing.assert_allclose(mean, table.groupby("center_pct")["mean_target"].mean())
    assert (flat == 7).all()
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert named == ["mean of the cells' means", "all pixels pooled"]
    assert figure.get_suptitle() == "Mean of 3 cells"
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(mean.max() + 1 / np.sqrt(3))


def test_number_of_cells_is_a_range_where_it_differs() -> None:
    table = _profiles(3)
    table.loc[(table["label"] == 20) & (table["center_pct"] > 50), "mean_target"] = np.nan
    assert draw_population_profile(table).get_suptitle() == "Mean of cells, 2 to 3 in a window"
    assert draw_population_profile(_profiles(1)).get_suptitle() == "Mean of 1 cell"
    assert draw_population_profile(_profiles(1).iloc[:0]).get_suptitle() == "No cell has a profile"


def test_grid_shows_every_cell_once_on_pages_and_says_the_ranges() -> None:
    table = _profiles(7)
    pages = list(draw_profile_grid(table, cells_a_page=5, peaks={10: {"target": 90.0}}))
    shown = [[axes.get_title(loc="left") for axes in page.axes if axes.axison] for page in pages]
    assert shown == [[f"cell {10 * k}" for k in range(1, 6)], ["cell 60", "cell 70"]]
    assert "7 cells, page 2 of 2" in pages[1].get_suptitle()
    first = pages[0].axes[0]
    assert [text.get_text() for text in first.texts] == ["target 100 to 144", "reference 5.5 to 19.5"]
    assert sorted(_places(first)) == [90, 100]
    assert _places(pages[0].axes[1]) == [100]
    for curve in _curves(first):
        assert (curve.min(), curve.max()) == (0, 1)


def test_flat_and_empty_curves_are_drawn_as_such() -> None:
    table = _profiles(1).assign(mean_target=4.0, mean_reference=np.nan)
    page = next(draw_profile_grid(table, smoothed=table))
    assert (_curves(page.axes[0])[0] == 0.5).all()
    assert "reference: no mean" in _texts(page)
    assert figure_png(draw_profile(table, 10), dpi=40)


def test_no_cell_gives_no_page_and_an_unknown_cell_is_refused() -> None:
    assert list(draw_profile_grid(_profiles(1).iloc[:0])) == []
    with pytest.raises(ParameterError, match="has no cell 3"):
        draw_profile(_profiles(), 3)
    with pytest.raises(ParameterError, match="no column 'center_um'"):
        draw_profile(_profiles(), 10, ProfileFigureOptions(unit="um"))


def test_figures_can_be_saved_for_paper_and_page_and_none_stays_open() -> None:
    drawings = [draw_profile(_profiles(), 10), draw_population_profile(_profiles()), *draw_profile_grid(_profiles())]
    for figure in drawings:
        assert figure_png(figure, dpi=40)[:4] == b"\x89PNG"
        assert figure_bytes(figure, "pdf")[:4] == b"%PDF"
    twice = [figure_bytes(draw_profile(_profiles(), 10), "pdf") for _ in range(2)]
    assert twice[0] == twice[1]
    svg = figure_svg(draw_profile(_profiles(), 10, theme=PAGE), "profile")
    assert "var(--series-1)" in svg
    assert "reference" in svg
    assert plt.get_fignums() == []
    assert mpl.rcParams["pdf.fonttype"] == mpl.rcParamsDefault["pdf.fonttype"]


def test_a_ratio_without_errors_is_drawn_without_a_band() -> None:
    table = _profiles().rename(columns={"mean_ratio": "ratio_a_over_b"}).drop(columns="sem_ratio")
    options = ProfileFigureOptions(ratio="ratio_a_over_b")
    panel = draw_profile(table, 10, options).axes[2]
    assert panel.get_title(loc="left") == "ratio a over b"
    assert not panel.collections
    assert draw_population_profile(table, options).axes[2].collections


def test_tables_of_several_planes_are_refused() -> None:
    twice = pd.concat([_profiles().assign(z=0), _profiles().assign(z=1)])
    draws = (
        lambda: draw_profile(twice, 10),
        lambda: draw_population_profile(twice),
        lambda: next(draw_profile_grid(twice)),
    )
    for draw in draws:
        with pytest.raises(ParameterError, match="give the rows of one plane"):
            draw()


def test_channels_and_ratio_have_different_colours() -> None:
    axes = draw_profile(_profiles(), 10, RATIO).axes
    assert len({panel.lines[0].get_color() for panel in axes}) == 3
    assert axes[0].lines[0].get_color() == PAPER.series[0]


def test_real_profiles_are_drawn(shared) -> None:
    table = pd.read_csv(shared / "golden" / "dualcolour" / "radial_profile_all_cells_nobg_w10_s5.csv")
    options = ProfileFigureOptions(ratio="mean_ratio_T_over_R")
    assert draw_population_profile(table, options).get_suptitle() == "Mean of 6 cells"
    assert len(next(draw_profile_grid(table, options)).axes) == 6


def test_figures_say_what_they_show() -> None:
    table = _profiles().assign(count_px=np.tile(np.arange(CENTERS.size), 3))
    words = {"title": "plate 3 A01, Z 2 of 3", "subtitle": "pixels corrected", "value_unit": "grey values"}
    options = ProfileFigureOptions(**words)
    drawn = (
        draw_profile(table, 10, options),
        draw_population_profile(table, options),
        next(draw_profile_grid(table, options)),
    )
    for figure in drawn:
        assert figure.get_suptitle().splitlines()[0] == words["title"]
        assert words["subtitle"] in figure.get_supxlabel()
        assert words["value_unit"] in _texts(figure)
    assert "n\u00a0=\u00a01 to 14 pixels in a window" in drawn[0].get_supxlabel()
    assert drawn[1].get_suptitle().endswith("Mean of 3 cells")


def test_a_long_name_is_broken_and_not_cut() -> None:
    title = "a" * 120
    figure = draw_profile(_profiles(), 10, ProfileFigureOptions(title=title))
    lines = figure.get_suptitle().splitlines()
    assert "".join(lines[:-1]) == title
    assert max(map(len, lines)) < 60


def test_lines_have_gaps_where_there_is_no_mean() -> None:
    table, smoothed = _profiles(), _profiles()
    table.loc[(table["label"] == 10) & (table["center_pct"] > 100), "mean_target"] = np.nan
    for axes in (
        draw_profile(table, 10, smoothed=smoothed).axes[0],
        next(draw_profile_grid(table, smoothed=smoothed)).axes[0],
    ):
        points, line = _curves(axes)[:2]
        np.testing.assert_array_equal(np.isnan(line), np.isnan(points))
        assert np.isnan(line).sum() == (CENTERS > 100).sum()


def test_all_curves_of_the_grid_lie_in_their_frame() -> None:
    table = _profiles()
    smoothed = table.assign(mean_target=3 * table["mean_target"] - 250)
    page = next(draw_profile_grid(table.assign(sem_target=500.0), smoothed=smoothed))
    axes = page.axes[0]
    low, words = axes.get_ylim()[0], min(text.get_position()[1] for text in axes.texts)
    both = np.concatenate(_curves(axes)[:2])
    assert (both.min(), both.max()) == (0, 1)
    for band in axes.collections:
        heights = band.get_paths()[0].vertices[:, 1]
        assert low <= heights.min() <= heights.max() < words
    range_of = smoothed.query("label == 10")["mean_target"]
    assert axes.texts[0].get_text() == f"target {range_of.min():.3g} to {range_of.max():.3g}"
    assert "0 and 1: lowest and highest of them in the cell" in page.get_supxlabel()
