"""Positions in and beside cells, against brute force and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.radial import Positions, RadialRange, inside_distances, parse_radial, place_pixels, sure_positions

few_labels = arrays(
    np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0] * 5 + [1, 1, 1, 2, 7])
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90:100", RadialRange(90, 100)),
        ("-0.5:0.5um", RadialRange(-0.5, 0.5, "um")),
        ("-2:0px", RadialRange(-2, 0, "px")),
        (" 0 : 150 % ", RadialRange(0, 150)),
        ("-1:+1.5µm", RadialRange(-1, 1.5, "um")),
    ],
)
def test_a_range_is_read_from_text(text, wanted):
    assert parse_radial(text) == wanted


@pytest.mark.parametrize("text", ["", "90", "100:90", "90:90", "-10:50", "1:2mm", "a:b", "1:2:3"])
def test_another_form_is_refused(text):
    with pytest.raises(ParameterError, match="radial range"):
        parse_radial(text)


def position_pixels(labels: np.ndarray, sides: tuple[float, float], reach: float) -> Positions:
    """Return where the pixels of a whole plane lie."""
    place = (Box(0, labels.shape[0], 0, labels.shape[1]), labels.shape)
    return place_pixels(labels, inside_distances(labels, labels.shape, sides), place, sides=sides, reach=reach)


def sure(labels: np.ndarray, reach: float) -> np.ndarray:
    """Return which pixels have a position whatever lies beyond the border."""
    made = position_pixels(labels, (1, 1), reach)
    nothing = (np.zeros(1), np.zeros(1, bool))
    return np.isfinite(sure_positions(tuple(made), np.zeros(labels.shape, np.int64), nothing))


def brute_force(labels: np.ndarray, sides: tuple[float, float], reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return owner and signed distance by looking at every pair of pixels."""
    half = min(sides) / 2
    owner, distance = np.zeros_like(labels), np.full(labels.shape, np.nan)
    places = np.argwhere(np.ones(labels.shape, bool))
    for y, x in places:
        away = np.hypot((places[:, 0] - y) * sides[0], (places[:, 1] - x) * sides[1])
        values = labels[tuple(places.T)]
        if labels[y, x]:
            others = away[values != labels[y, x]]
            owner[y, x] = labels[y, x]
            distance[y, x] = half - (others.min() if others.size else np.inf)
        elif labels.any():
            nearest = away[values > 0].min()
            if nearest <= reach + half + 1e-9:
                owner[y, x] = values[(values > 0) & np.isclose(away, nearest)].min()
                distance[y, x] = nearest - half
    return owner, distance


@given(few_labels, st.sampled_from([(1.0, 1.0), (0.5, 0.5), (2.0, 1.0)]), st.sampled_from([0.0, 1.0, 2.5, 40.0]))
def test_positions_are_exact(labels, sides, reach):
    made = position_pixels(labels, sides, reach)
    owner, distance = brute_force(labels, sides, reach)
    if reach == 0:
        owner, distance = np.where(labels > 0, owner, 0), np.where(labels > 0, distance, np.nan)
    np.testing.assert_array_equal(made.owner, owner)
    bounded = np.isfinite(distance)
    np.testing.assert_allclose(made.distance[bounded], distance[bounded], rtol=1e-6)
    assert (made.distance[labels > 0] < 0).all()
    assert not (made.distance[labels == 0] <= 0).any()
    assert np.isfinite(made.distance[made.owner > 0]).all()


@given(few_labels, st.sampled_from([1.0, 40.0]))
def test_what_the_border_leaves_sure_stays_so_whatever_lies_beyond(labels, reach):
    """Pixels that are not called unsure keep their position if the image goes on with any other cells."""
    height, width = labels.shape
    made = position_pixels(labels, (1, 1), reach)
    known = sure(labels, reach)
    for beyond in (0, 9):
        grown = np.full((height + 20, width + 20), beyond, np.uint32)
        grown[10:-10, 10:-10] = labels
        whole = position_pixels(grown, (1, 1), reach)
        np.testing.assert_array_equal(whole.owner[10:-10, 10:-10][known], made.owner[known])
        np.testing.assert_allclose(whole.distance[10:-10, 10:-10][known], made.distance[known])
