"""Sinks: which ends of paths are one cell."""

from __future__ import annotations

import numpy as np

from cellmetry.ops.sinks import assign_sinks


def assign(ends_by_pixel: dict[int, int], width: int, radius: int) -> list[int]:
    """Return the labels of one row of `width` foreground pixels; a pixel ends where it is unless said otherwise."""
    ends = np.arange(width, dtype=np.int32)
    for pixel, end in ends_by_pixel.items():
        ends[pixel] = end
    return assign_sinks(np.ones((1, width), bool), ends, radius)[0].tolist()


def test_two_far_ends_are_two_cells():
    ends = {**dict.fromkeys(range(20), 5), **dict.fromkeys(range(20, 40), 33)}
    assert assign(ends, 40, 2) == [1] * 20 + [2] * 20


def test_near_ends_are_one_cell():
    ends = {**dict.fromkeys(range(20), 9), **dict.fromkeys(range(20, 40), 12)}
    assert assign(ends, 40, 2) == [1] * 40


def test_the_radius_says_how_near():
    ends = {**dict.fromkeys(range(20), 9), **dict.fromkeys(range(20, 30), 17)}
    assert assign(ends, 30, 2) == [1] * 20 + [2] * 10
    assert assign(ends, 30, 8) == [1] * 30


def test_equal_sinks_go_to_the_first():
    ends = {**dict.fromkeys(range(10), 8), **dict.fromkeys(range(10, 20), 11)}
    assert set(assign(ends, 20, 3)) == {1}


def test_background_has_no_label():
    inside = np.array([[True, False, True]])
    ends = np.array([0, -1, 2], np.int32)
    assert assign_sinks(inside, ends, 1).tolist() == [[1, 0, 2]]
    assert assign_sinks(inside, ends, 2).tolist() == [[1, 0, 1]]
