"""Which pixels count more while learning."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.learn.emphasis import Emphasis, importance_of


def cells() -> np.ndarray:
    """Two cells of 400 pixels that touch, and one of 16 pixels by itself."""
    labels = np.zeros((60, 60), np.int32)
    labels[10:30, 10:30], labels[10:30, 30:50] = 1, 2
    labels[45:49, 20:24] = 3
    return labels


def test_small_cells_count_more_and_no_more_than_the_most() -> None:
    labels = cells()
    found = importance_of(labels, Emphasis(small=0.5, most=20))
    assert np.unique(found[labels == 3]) == pytest.approx([np.sqrt(400 / 16)])
    assert np.unique(found[labels != 3]) == pytest.approx([1])
    assert importance_of(labels, Emphasis(small=1.0, most=4)).max() == 4
    assert np.unique(importance_of(labels, Emphasis(small=0.0))) == pytest.approx([1])


def test_what_lies_around_a_small_cell_counts_like_it() -> None:
    labels = cells()
    found = importance_of(labels, Emphasis(small=0.5, most=20, around_px=2))
    assert np.unique(found[43:51, 18:26]) == pytest.approx([5])
    assert found[42, 20] == found[45, 17] == 1
    assert np.unique(found[:40]) == pytest.approx([1])


def test_contacts_count_more_on_both_sides() -> None:
    labels = cells()
    found = importance_of(labels, Emphasis(small=0.0, contacts=3, contact_px=2))
    assert np.unique(found[12:28, 28:32]) == pytest.approx([3])
    assert found[20, 27] == found[20, 32] == found[46, 21] == 1
    gap = labels.copy()
    gap[:, 30:32] = 0
    assert np.unique(importance_of(gap, Emphasis(small=0.0, contacts=3))[12:28, 30:32]) == pytest.approx([3])


def test_without_cells_all_pixels_count_alike() -> None:
    everything = Emphasis(most=9, around_px=3, contacts=4)
    assert np.unique(importance_of(np.zeros((8, 9), np.int32), everything)) == pytest.approx([1])
