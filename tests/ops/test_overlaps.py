"""Overlaps of two label images: counts done by hand and by brute force."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.ops.overlaps import count_overlaps

small_labels = hnp.arrays(np.uint16, (5, 6), elements=st.integers(0, 4))


def test_overlaps_by_hand():
    first = np.array([[1, 1, 0, 5], [1, 5, 5, 5]])
    second = np.array([[3, 3, 3, 0], [9, 9, 9, 0]])
    found = count_overlaps(first, second)
    assert found.first_ids.tolist() == [1, 5]
    assert found.first_areas.tolist() == [3, 4]
    assert found.second_ids.tolist() == [3, 9]
    assert found.second_areas.tolist() == [3, 3]
    assert list(zip(found.rows.tolist(), found.columns.tolist(), found.pixels.tolist(), strict=True)) == [
        (0, 0, 2),
        (0, 1, 1),
        (1, 1, 2),
    ]
    assert found.iou == pytest.approx([2 / 4, 1 / 5, 2 / 5])


def test_overlaps_keep_the_largest_ids():
    big = np.array([[2**32 - 1, 2**32 - 2, 0]], np.uint32)
    found = count_overlaps(big, big[:, ::-1].copy())
    assert found.first_ids.tolist() == [2**32 - 2, 2**32 - 1]
    assert found.pixels.tolist() == [1]


@given(small_labels, small_labels)
@settings(max_examples=60, deadline=None)
def test_overlaps_are_what_counting_pixels_gives(first, second):
    found = count_overlaps(first, second)
    assert found.first_ids.tolist() == [i for i in range(1, 5) if (first == i).any()]
    assert found.second_areas.tolist() == [(second == i).sum() for i in range(1, 5) if (second == i).any()]
    pairs = {
        (int(found.first_ids[row]), int(found.second_ids[column])): int(shared)
        for row, column, shared in zip(found.rows, found.columns, found.pixels, strict=True)
    }
    every = {(i, j): int(((first == i) & (second == j)).sum()) for i in range(1, 5) for j in range(1, 5)}
    assert pairs == {pair: shared for pair, shared in every.items() if shared}
    for (i, j), iou in zip(pairs, found.iou, strict=True):
        assert iou == pytest.approx(every[i, j] / ((first == i) | (second == j)).sum())


def test_any_memory_layout_and_type():
    first = np.arange(24).reshape(4, 6) // 5
    for other in (np.asfortranarray(first), first.astype(np.uint8), first.astype(bool), first.astype(">i4")):
        expected = count_overlaps(first, np.ascontiguousarray(other).astype(int))
        found = count_overlaps(first, other)
        assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
