"""Pictures of a step before and after, of a shading, and the page of a recipe."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.ops.shading import Shading
from cellmetry.report.figures import figure_png
from cellmetry.report.preview import PreviewedStep, draw_change, preview_page
from cellmetry.report.shading import draw_shading

BOX = Box(10, 50, 30, 90)
BEFORE = np.random.default_rng(0).integers(100, 1000, (40, 60), dtype=np.uint16)


def picture_axes(figure) -> list:
    return [axes for axes in figure.axes if axes.images]


def test_before_and_after_have_one_contrast() -> None:
    figure = draw_change(BEFORE, BEFORE * np.float32(0.9), BOX, "1 step")
    shown = picture_axes(figure)
    assert len(shown) == 2
    assert shown[0].images[0].get_clim() == shown[1].images[0].get_clim()
    assert shown[0].images[0].get_extent() == [30, 90, 50, 10]
    lines = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) == 60]
    np.testing.assert_array_equal(lines[0].get_ydata(), BEFORE[20])
    assert figure_png(figure, dpi=60).startswith(b"\x89PNG")


def test_an_after_that_would_be_black_is_shown_again_with_its_own_contrast() -> None:
    after = ((BEFORE - BEFORE.mean()) / BEFORE.std()).astype(np.float32)
    figure = draw_change(BEFORE, after, BOX, "1 normalise")
    shown = picture_axes(figure)
    assert len(shown) == 3
    assert shown[0].images[0].get_clim() == shown[1].images[0].get_clim() != shown[2].images[0].get_clim()
    assert shown[2].images[0].get_clim()[1] < 5


def test_pixels_without_a_number_are_masked_and_counted() -> None:
    after = BEFORE.astype(np.float32)
    after[:, :3] = np.nan
    shown = picture_axes(draw_change(BEFORE, after, BOX, "1 move"))
    assert shown[1].images[0].get_array().mask.sum() == 120
    assert "120 px NaN" in shown[1].get_title(loc="left")
    nothing = draw_change(BEFORE, np.full(BEFORE.shape, np.nan, np.float32), BOX, "1 lost")
    assert "no pixel with a number" in picture_axes(nothing)[1].get_title(loc="left")


def test_equal_pixels_are_no_error() -> None:
    figure = draw_change(np.zeros((8, 9)), np.zeros((8, 9)), Box(0, 8, 0, 9), "1 nothing")
    assert figure_png(figure, dpi=40)


@pytest.mark.parametrize("dark", [0.0, 5.0])
def test_a_shading_is_drawn_with_and_without_a_dark_field(dark: float) -> None:
    rows = np.linspace(0.8, 1.2, 32, dtype=np.float32)[:, None] * np.ones((32, 40), np.float32)
    fields = 100 * rows * np.ones((10, 1, 1), np.float32) + dark
    figure = draw_shading(fields, Shading(rows, np.full_like(rows, dark), 10, 0.01), (64, 80), "DNA")
    maps = [axes.get_title() for axes in figure.axes if axes.images]
    assert ("Dark-field (intensity)" in maps) == (dark > 0)
    assert "9 fields before" in " ".join(maps)
    assert figure_png(figure, dpi=40)


def test_the_page_shows_pictures_notes_and_warnings_escaped() -> None:
    steps = [
        PreviewedStep("1 flat_field", {"<GFP>": "01_flat field.png"}, warnings=("a < b",)),
        PreviewedStep("2 measure", {}, "changed no pixel here"),
    ]
    page = preview_page("mine", "field", "Rows 0 to 9.", steps)
    assert 'src="01_flat%20field.png"' in page
    assert "a &lt; b" in page
    assert "<GFP>" not in page
    assert "changed no pixel here" in page
