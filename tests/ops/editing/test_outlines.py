"""Outlines and strokes against the distance and the crossings of every pixel's centre."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from cellmetry.core.image import Box
from cellmetry.ops.editing.outlines import box_of_points, polygon_mask, stroke_mask
from cellmetry.ops.shapes import Shape, inside

SHAPE = (23, 31)
coordinate = st.floats(-15, 45, allow_nan=False, width=32)
point = st.tuples(coordinate, coordinate)


def centres():
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return rows + 0.5, columns + 0.5


@given(st.lists(point, min_size=3, max_size=9))
@settings(max_examples=80)
def test_a_polygon_holds_what_regions_of_measuring_hold(points):
    y, x = centres()
    assert np.array_equal(polygon_mask(points, SHAPE), inside(Shape(name="a", polygon=tuple(points)), y, x))


def test_a_convex_polygon_as_scikit_image_has_it():
    points = np.array([(3.2, 4.1), (2.9, 22.3), (15.7, 27.2), (19.1, 9.6)])
    y, x = (each.ravel() for each in np.broadcast_arrays(*centres()))
    expected = points_in_poly(np.stack([y, x], axis=1), points).reshape(SHAPE)
    assert np.array_equal(polygon_mask(points, SHAPE), expected)


@given(st.lists(point, min_size=1, max_size=5), st.floats(0.5, 12))
@settings(max_examples=80)
def test_a_stroke_holds_all_centres_within_its_radius(points, radius):
    y, x = centres()
    distance = np.full(SHAPE, np.inf)
    for (ay, ax), (by, bx) in zip(points, points[1:] or points, strict=False):
        along = np.array([by - ay, bx - ax])
        length = along @ along
        share = np.clip(((y - ay) * along[0] + (x - ax) * along[1]) / length, 0, 1) if length else np.zeros(SHAPE)
        distance = np.minimum(distance, np.hypot(y - ay - share * along[0], x - ax - share * along[1]))
    found = stroke_mask(points, radius, SHAPE)
    for py, px in points:
        if 0 <= py < SHAPE[0] and 0 <= px < SHAPE[1]:
            assert found[int(py), int(px)]
            distance[int(py), int(px)] = min(distance[int(py), int(px)], radius)
    assert found[distance < radius - 1e-6].all()
    assert not found[distance > radius + 1e-6].any()


@pytest.mark.parametrize(
    ("points", "margin", "expected"),
    [
        ([(0.5, 0.5)], 0, Box(0, 1, 0, 1)),
        ([(2, 3), (4, 7)], 1, Box(1, 6, 2, 9)),
        ([(-50, 3), (-40, 7)], 1, Box(0, 0, 2, 9)),
        ([(1e6, 1e6)], 0, Box(23, 23, 31, 31)),
    ],
)
def test_the_box_of_points_is_cut_to_the_plane(points, margin, expected):
    assert box_of_points(points, margin, SHAPE) == expected
