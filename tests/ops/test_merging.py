"""Pieces of one cell are put together by the density that they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.ops.merging import DensityMerging, merge_by_density


def pieces(*held: float, gap: int = 0, height: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return squares side by side, numbered from 1, each holding so much of a cell."""
    labels = np.zeros((height, len(held) * (4 + gap)), np.int32)
    density = np.zeros(labels.shape, np.float32)
    for number, amount in enumerate(held):
        left = number * (4 + gap)
        labels[:, left : left + 4] = number + 1
        density[:, left : left + 4] = amount / (4 * height)
    return labels, density


def left(labels: np.ndarray) -> list[int]:
    return [int(name) for name in np.unique(labels[labels > 0])]


def test_a_piece_joins_the_body_that_it_touches() -> None:
    labels, density = pieces(0.8, 0.2)
    assert left(merge_by_density(labels, density)) == [1]
    assert (merge_by_density(labels, density) == 1).all()


def test_two_whole_cells_stay_two() -> None:
    labels, density = pieces(0.9, 0.95)
    np.testing.assert_array_equal(merge_by_density(labels, density), labels)


def test_a_piece_that_would_make_a_cell_too_full_stays() -> None:
    labels, density = pieces(1.0, 0.45)
    assert left(merge_by_density(labels, density)) == [1, 2]
    assert left(merge_by_density(labels, density, DensityMerging(at_most=1.5))) == [1]


def test_pieces_without_density_are_dropped_and_lonely_ones_with_some_are_kept() -> None:
    labels, density = pieces(0.05, 0.3, 0.9, gap=2)
    assert left(merge_by_density(labels, density)) == [2, 3]


def test_many_pieces_of_one_cell_become_one() -> None:
    labels, density = pieces(0.2, 0.25, 0.2, 0.3)
    assert len(left(merge_by_density(labels, density))) == 1


def test_the_longest_border_decides() -> None:
    labels = np.array([[1, 1, 1, 3, 3], [2, 2, 3, 3, 3], [2, 2, 3, 3, 3], [2, 2, 3, 3, 3]], np.int32)
    density = np.where(labels == 3, 0.02, np.where(labels == 1, 0.8 / 3, 0.8 / 6)).astype(np.float32)
    assert merge_by_density(labels, density)[0, 4] == 2


def test_shapes_must_agree() -> None:
    with pytest.raises(ParameterError, match="does not fit"):
        merge_by_density(np.zeros((3, 3), np.int32), np.zeros((3, 4), np.float32))


@given(seed=st.integers(0, 10_000))
def test_nothing_is_split_and_the_density_of_what_stays_is_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 9, (5, 5)), np.ones((3, 3))).astype(np.int32)
    density = rng.uniform(0, 0.06, labels.shape).astype(np.float32)
    merged = merge_by_density(labels, density, DensityMerging(drop_below=0.0))
    np.testing.assert_array_equal(merged > 0, labels > 0)
    for name in left(labels):
        assert len(np.unique(merged[labels == name])) == 1
    for name in left(merged):
        assert name in merged[labels == name]
    again = merge_by_density(merged, density, DensityMerging(drop_below=0.0))
    np.testing.assert_array_equal(again, merged)
