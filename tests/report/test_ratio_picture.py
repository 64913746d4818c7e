"""The picture of a ratio: clipped, never wrapped; undefined in grey; numbers at its bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.report import panels
from cellmetry.report.panels import ColourBar, add_colour_bar
from cellmetry.report.ratio import RatioOptions, draw_ratio
from cellmetry.report.sampling import sample_plane

BARE = RatioOptions(outlines=False, scale_bar=False, legend=False, enlarge_to=1, undefined_colour="#123456")
NONE = labels_from_array(np.zeros((20, 30), np.uint32))
MAP = np.rint(colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255).astype(int)


def _draw(values: np.ndarray, **changes: Any) -> np.ndarray:
    ratio = image_from_array(values.astype(np.float32))
    return draw_ratio(ratio, NONE, "a / b", BARE.model_copy(update=changes)).astype(int)


def test_values_follow_the_colour_map_and_are_cut_not_wrapped_beyond_the_limits() -> None:
    values = np.linspace(-1, 3, 600).reshape(20, 30)
    rgb = _draw(values, limits=(0.0, 2.0))
    assert rgb.shape == (20, 30, 3)
    expected = np.rint(np.clip(values / 2, 0, 1) * 255).astype(int)
    np.testing.assert_allclose(rgb, MAP[expected], atol=3)
    assert (rgb[values > 2] == MAP[255]).all()
    assert (rgb[values < 0] == MAP[0]).all()


def test_limits_are_percentiles_of_the_finite_values() -> None:
    values = np.tile(np.arange(100.0), 6).reshape(20, 30)
    values[0, :3] = np.nan, np.inf, -np.inf
    rgb = _draw(values, low_percentile=10.0, high_percentile=90.0)
    low, high = np.percentile(values[np.isfinite(values)], (10, 90))
    assert (rgb[values < low] == MAP[0]).all()
    assert (rgb[values > high] == MAP[255]).all()
    assert rgb[0, 0].tolist() == [0x12, 0x34, 0x56]


def test_a_constant_ratio_has_the_middle_colour_and_one_without_values_is_grey() -> None:
    constant = np.full((20, 30), 1.5)
    constant[0, 0] = np.nan
    rgb = _draw(constant)
    assert (rgb[1:] == MAP[128]).all()
    assert (_draw(np.full((20, 30), np.nan)) == [0x12, 0x34, 0x56]).all()
    for values in (constant, np.full((20, 30), np.nan)):
        drawn = draw_ratio(image_from_array(values.astype(np.float32)), NONE, "a / b")
        assert drawn.shape[0] > 20


def test_edges_of_cells_are_drawn_over_the_ratio() -> None:
    labels = np.zeros((20, 30), np.uint32)
    labels[5:15, 5:25] = 4
    ratio = image_from_array(np.ones((20, 30), np.float32))
    options = BARE.model_copy(update={"outlines": True, "outline_px": 1, "outline_colour": "#ff0000"})
    rgb = draw_ratio(ratio, labels_from_array(labels), "a / b", options)
    assert np.flatnonzero((rgb[10] == [255, 0, 0]).all(axis=-1)).tolist() == [5, 24]


def _written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    plain = panels.write
    monkeypatch.setattr(panels, "write", lambda *given: (texts.append(given[2]), plain(*given))[1])
    return texts


def test_bar_says_the_name_the_numbers_and_where_colours_end(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = _written(monkeypatch)
    values = np.linspace(0, 4, 600, dtype=np.float32).reshape(20, 30)
    values[0, 0] = np.nan
    draw_ratio(image_from_array(values), NONE, "target / reference", RatioOptions(limits=(0.0, 2.0)))
    assert texts[0] == "target / reference"
    assert [text for text in texts if text[0].isdigit() or text[0] in "≤≥"] == ["0", "0.5", "1", "1.5", "≥ 2"]
    assert "colours end at the limits given" in texts
    assert texts[-2:] == ["cell edge", "undefined"]
    texts.clear()
    draw_ratio(image_from_array(values), NONE, "r")
    assert "colours end at percentiles 1 and 99 of the ratios shown" in texts
    assert any(text.startswith("≤ ") for text in texts)
    texts.clear()
    draw_ratio(image_from_array(np.full_like(values, np.nan)), NONE, "r")
    assert texts[1] == "no pixel has a ratio"
    texts.clear()
    draw_ratio(image_from_array(np.full_like(values, 1.5)), NONE, "r")
    assert texts == ["r", "1.5", "cell edge"]


def test_narrow_pictures_have_fewer_numbers_on_a_wider_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = _written(monkeypatch)
    bar = ColourBar("a", MAP.astype(np.uint8), (0.123456, 9.87654), (True, True), "")
    wide, small = np.zeros((9, 800, 3), np.uint8), np.zeros((9, 120, 3), np.uint8)
    assert add_colour_bar(wide, bar, []).shape[1] == 800
    many = len(texts)
    assert add_colour_bar(small, bar, []).shape[1] == 120
    assert len(texts) - many < many
    named = bar._replace(title="a name that is much longer than the picture is wide")
    assert add_colour_bar(small, named, []).shape[1] > 250


def test_the_ratio_asked_for_is_drawn() -> None:
    two = np.stack([np.zeros((20, 30)), np.linspace(0, 1, 600).reshape(20, 30)]).astype(np.float32)
    ratios = image_from_array(two, "CYX", channel_names=["a/b", "b/a"])
    options = BARE.model_copy(update={"limits": (0.0, 1.0)})
    assert (draw_ratio(ratios, NONE, "a/b", options) == MAP[0]).all()
    second = draw_ratio(ratios, NONE, "b/a", options.model_copy(update={"channel": "b/a"}))
    assert second[-1, -1].tolist() == MAP[255].tolist()


def test_shrinking_averages_only_defined_pixels() -> None:
    plane = np.array([[1, np.nan, np.nan, np.nan], [3, np.nan, np.nan, np.nan]], np.float32)
    small = sample_plane(image_from_array(plane), 2, t=0, c=0, z=0)
    np.testing.assert_array_equal(small, [[2, np.nan]])


def test_what_does_not_fit_is_refused() -> None:
    ratio = image_from_array(np.ones((5, 5), np.float32))
    with pytest.raises(LabelsError, match="are not of the size"):
        draw_ratio(ratio, NONE, "r")
    for limits in ((2.0, 1.0), (1.0, 1.0)):
        with pytest.raises(ParameterError, match="limits go from a lower to a higher ratio"):
            _draw(np.ones((20, 30)), limits=limits)
