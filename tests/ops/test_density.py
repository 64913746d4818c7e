from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.density import density_from_labels, density_from_points


def whole_image_gaussian(mask: np.ndarray) -> np.ndarray:
    """The definition, written out: no cut-off, normalised over the image."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    y, x = rows[mask].mean(), columns[mask].mean()
    gaussian = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 0.1 * mask.sum()))
    return gaussian / gaussian.sum()


def test_one_cell_is_the_gaussian_of_its_area_round_its_centroid() -> None:
    labels = np.zeros((90, 120), np.int32)
    labels[30:50, 40:70] = 7
    density = density_from_labels(labels)
    expected = whole_image_gaussian(labels == 7)
    assert density.dtype == np.float32
    np.testing.assert_allclose(density, expected, atol=4e-4 * expected.max())
    rows, columns = np.mgrid[:90, :120]
    assert np.average(rows, weights=density) == pytest.approx(39.5, abs=1e-3)
    assert np.average(columns, weights=density) == pytest.approx(54.5, abs=1e-3)
    assert np.average((rows - 39.5) ** 2, weights=density) == pytest.approx(60, rel=0.01)


def test_a_cell_in_the_corner_counts_one_inside_the_image() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[:4, :4] = 1
    density = density_from_labels(labels)
    assert density.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(density, whole_image_gaussian(labels == 1), atol=4e-4 * density.max())


def test_ids_need_not_follow_one_another() -> None:
    labels = np.zeros((30, 30), np.uint32)
    labels[2:8, 2:8], labels[15:20, 15:28] = 4_000_000_000, 3
    few = (labels > 0).astype(np.int32) + (labels == 3)
    np.testing.assert_array_equal(density_from_labels(labels), density_from_labels(few))


def test_width_follows_the_factor() -> None:
    labels = np.zeros((101, 101), np.int32)
    labels[40:61, 40:61] = 1
    rows = np.arange(101)[:, None]
    spread = [
        np.average((rows + np.zeros(101) - 50) ** 2, weights=density_from_labels(labels, variance_per_area=factor))
        for factor in (0.05, 0.2)
    ]
    assert spread[1] == pytest.approx(4 * spread[0], rel=0.01)


def test_no_cell_is_an_empty_map() -> None:
    assert density_from_labels(np.zeros((5, 6), np.int32)).shape == (5, 6)
    assert not density_from_labels(np.zeros((5, 6), np.int32)).any()
    assert not density_from_points(np.zeros((0, 2)), (5, 6), sigma_px=2).any()


def test_a_boolean_plane_is_one_cell() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    assert density_from_labels(mask).sum() == pytest.approx(1, abs=1e-6)


def test_points_have_the_width_given_for_each() -> None:
    density = density_from_points([[30, 20], [30, 80]], (60, 100), sigma_px=[2.0, 4.0])
    assert density[:, :50].sum() == pytest.approx(1, abs=1e-5)
    assert density[30, 20] == pytest.approx(1 / (2 * np.pi * 4), rel=1e-3)
    assert density[30, 80] == pytest.approx(1 / (2 * np.pi * 16), rel=1e-3)


def test_points_very_narrow_fall_into_one_pixel() -> None:
    density = density_from_points([[3.5, 3.5], [0, 0]], (6, 6), sigma_px=0.01)
    assert density[0, 0] == pytest.approx(1)
    assert density.sum() == pytest.approx(2)


@pytest.mark.parametrize("labels", [np.zeros((4, 4), np.float32), np.zeros((2, 4, 4), np.int32)])
def test_labels_must_be_one_plane_of_whole_numbers(labels: np.ndarray) -> None:
    with pytest.raises(LabelsError, match="one plane in whole numbers"):
        density_from_labels(labels)


def test_bad_points_are_refused() -> None:
    with pytest.raises(ParameterError, match="y 9, x 2 lies outside the image of 9 × 9"):
        density_from_points([[1, 1], [9, 2]], (9, 9), sigma_px=1)
    with pytest.raises(ParameterError, match="above 0, not 0"):
        density_from_points([[1, 1]], (9, 9), sigma_px=0)
    with pytest.raises(ParameterError, match="above 0 times"):
        density_from_labels(np.ones((3, 3), int), variance_per_area=0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), cells=st.integers(0, 30), side=st.integers(8, 60))
def test_the_sum_is_the_number_of_cells(seed: int, cells: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side + 5), np.int32)
    for label in rng.permutation(cells) + 1:
        y, x, height = rng.integers(side), rng.integers(side), rng.integers(1, 9)
        labels[y : y + height, x : x + 9] = label
    density = density_from_labels(labels)
    assert density.min() >= 0
    assert density.sum(dtype=float) == pytest.approx(len(np.unique(labels[labels > 0])), abs=1e-4)
