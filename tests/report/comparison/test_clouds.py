"""Clouds keep the shares of replicates, densities are those of scipy, points stay within the outline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gaussian_kde

from cellmetry.report.comparison.figures.clouds import density, even_steps, sina_offsets, stratified_part


def test_the_density_is_that_of_scipy_with_the_same_kernel() -> None:
    values = np.random.default_rng(0).normal(5, 2, 4000)
    shape = density(values)
    width = 0.9 * min(values.std(ddof=1), np.subtract(*np.percentile(values, (75, 25))) / 1.34) * values.size**-0.2
    there = gaussian_kde(values, width / values.std(ddof=1))(shape.at)
    assert shape.height == pytest.approx(there / there.max(), abs=0.03)
    assert (shape.at[0], shape.at[-1]) == (values.min(), values.max())


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0, 3.0], [0.0, 1.0], [0.0] * 50 + [1e9]])
def test_few_and_equal_values_have_a_density(values: list[float]) -> None:
    shape = density(np.array(values))
    assert np.isfinite(shape.height).all()
    assert shape.height.max() == 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_points_stay_within_the_outline(values: list[float]) -> None:
    cells = np.array(values)
    shape = density(cells)
    offsets = sina_offsets(cells, shape)
    assert (np.abs(offsets) <= np.interp(cells, shape.at, shape.height) + 1e-12).all()


def test_one_cell_stands_in_the_middle() -> None:
    assert sina_offsets(np.array([4.0]), density(np.array([4.0]))).tolist() == [0]


def test_even_steps_are_van_der_corputs() -> None:
    assert ((even_steps(7) + 1) / 2).tolist() == [0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875]


@given(st.lists(st.integers(0, 5), max_size=400), st.integers(6, 200), st.integers(0, 3))
def test_a_part_has_at_most_so_many_and_some_of_each(strata: list[int], most: int, seed: int) -> None:
    cells = np.array(strata, np.intp)
    part = stratified_part(cells, most, seed)
    assert part.size == len(set(part.tolist())) <= max(most, 0)
    assert part.size == min(cells.size, part.size if cells.size > most else cells.size)
    assert set(cells[part].tolist()) == set(strata)
    assert part.tolist() == stratified_part(cells, most, seed).tolist()


def test_a_part_keeps_the_shares() -> None:
    strata = np.repeat([0, 1, 2], [70_000, 20_000, 10_000])
    shares = np.bincount(strata[stratified_part(strata, 1000, 0)])
    assert shares.sum() > 990
    assert shares / shares.sum() == pytest.approx([0.7, 0.2, 0.1], abs=0.005)
