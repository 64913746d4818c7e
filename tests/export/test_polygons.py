"""Polygons to pixels and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.errors import DamagedFile
from cellmetry.export.polygons import fill_polygon, polygon_area, trace_polygons
from cellmetry.ops.instances import instance_from_mask, paint_instances


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def whole(rings: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    return paint_instances([fill_polygon(rings, shape)], shape).labels > 0


@given(arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14))))
def test_every_mask_comes_back_from_its_outlines(mask: np.ndarray) -> None:
    rings = trace_polygons(instance_from_mask(mask))
    assert np.array_equal(whole(rings, mask.shape), mask)
    assert sum(map(polygon_area, rings)) == mask.sum()


EIGHTHS = st.integers(-40, 120).map(lambda number: number / 8)


@given(st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=3, max_size=9))
def test_filling_agrees_with_the_definition(points: list[tuple[float, float]]) -> None:
    ring = np.array(points)
    x, y = np.meshgrid(np.arange(10) + 0.5, np.arange(10) + 0.5)
    inside = np.zeros((10, 10), bool)
    for edge in zip(points, [*points[1:], points[0]], strict=True):
        (ax, ay), (bx, by) = sorted(edge, key=lambda point: point[1])
        if ay == by:
            continue
        crossing = ax + (y - ay) * (bx - ax) / (by - ay)
        inside ^= (ay <= y) & (y < by) & (crossing <= x)
    assert np.array_equal(whole([ring], (10, 10)), inside)


def test_a_ring_within_a_ring_is_a_hole() -> None:
    mask = whole([box(1, 1, 9, 9), box(3, 3, 6, 6)], (10, 10))
    assert mask.sum() == 64 - 9
    assert not mask[3:6, 3:6].any()


def test_polygons_that_share_an_edge_share_no_pixel() -> None:
    left, right = box(0, 0, 4.5, 10), box(4.5, 0, 10, 10)
    total = whole([left], (10, 10)).astype(int) + whole([right], (10, 10))
    assert (total == 1).all()


def test_outside_the_image_is_cut_off() -> None:
    assert whole([box(-1000, -1000, 2, 3)], (10, 10)).sum() == 6
    assert fill_polygon([box(20, 20, 30, 30)], (10, 10)).area == 0
    assert fill_polygon([], (10, 10)).area == 0
    assert fill_polygon([box(2, 2, 2, 8)], (10, 10)).area == 0


def test_a_disc_has_the_area_of_a_disc() -> None:
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    ring = np.column_stack([50.3 + 30 * np.cos(turn), 49.8 + 30 * np.sin(turn)])
    assert whole([ring], (100, 100)).sum() == pytest.approx(np.pi * 900, rel=2e-3)


@pytest.mark.parametrize(
    "ring", [np.zeros((2, 2)), np.zeros((4, 3)), np.array([[0, 0], [1, np.nan], [2, 2]]), np.full((3, 2), 1e9)]
)
def test_wrong_polygons_are_refused(ring: np.ndarray) -> None:
    with pytest.raises(DamagedFile, match="polygon"):
        fill_polygon([ring], (10, 10))
