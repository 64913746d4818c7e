"""Shading from many fields: a known vignette is found, even light stays even, and doubts are said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cellmetry.errors import InputError
from cellmetry.ops.shading import ShadingOptions, estimate_shading, shrink_field

SHAPE = (160, 200)
Y, X = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
VIGNETTE = 1 - 0.17 * ((Y - 0.2) ** 2 + (X + 0.1) ** 2)
VIGNETTE /= VIGNETTE.mean()
QUICK = ShadingOptions(working_px=64)


def make_fields(
    count: int, flat: np.ndarray, *, seed: int = 0, cells: int = 25, dark: float = 0, background: tuple = (150, 600)
) -> np.ndarray:
    """Return fields of round bright cells on a background of its own in each, with photon and read noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    fields = []
    for _ in range(count):
        light = np.full(SHAPE, rng.uniform(*background))
        for _ in range(rng.poisson(cells)):
            y, x, radius = rng.uniform(0, SHAPE[0]), rng.uniform(0, SHAPE[1]), rng.uniform(5, 10)
            light += rng.uniform(700, 2200) * ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)
        fields.append(rng.poisson(gaussian_filter(light, 1.2) * flat) + dark + rng.normal(0, 5, SHAPE))
    return np.clip(np.round(fields), 0, 65535).astype(np.uint16)


def error(found: np.ndarray, true: np.ndarray) -> float:
    """Return the root mean square relative error."""
    return float(np.sqrt(((found / true - 1) ** 2).mean()))


@pytest.mark.parametrize("cells", [10, 25, 60])
def test_a_known_vignette_is_found_from_30_fields(cells: int) -> None:
    found = estimate_shading(make_fields(30, VIGNETTE, cells=cells))
    assert error(found.flat, VIGNETTE) < 0.01
    assert found.flat.mean() == pytest.approx(1, abs=1e-6)
    assert found.flat.dtype == np.float32
    assert not found.dark.any()
    assert found.error < 0.01
    assert found.warnings == ()


def test_the_mean_of_the_fields_would_be_far_worse() -> None:
    fields = make_fields(30, VIGNETTE)
    plain = gaussian_filter(fields.mean(axis=0) / fields.mean(), 8)
    assert error(plain, VIGNETTE) > 5 * error(estimate_shading(fields).flat, VIGNETTE)


def test_fields_without_shading_give_an_even_flat_field() -> None:
    found = estimate_shading(make_fields(30, np.ones(SHAPE), seed=5))
    assert error(found.flat, np.ones(SHAPE)) < 0.005


def test_a_camera_offset_is_found_as_dark_field_and_would_else_hide_shading() -> None:
    fields = make_fields(30, VIGNETTE, dark=100)
    found = estimate_shading(fields, ShadingOptions(dark_field=True))
    assert found.dark.mean() == pytest.approx(100, abs=5)
    assert error(found.flat, VIGNETTE) < 0.01
    assert error(estimate_shading(fields).flat, VIGNETTE) > 2 * error(found.flat, VIGNETTE)


def test_a_dark_field_that_cannot_be_told_from_light_is_refused() -> None:
    fields = make_fields(8, VIGNETTE, dark=100, background=(300, 300))
    with pytest.raises(InputError, match="cannot be told from light"):
        estimate_shading(fields, ShadingOptions(dark_field=True, working_px=64))


def test_brightness_of_fields_and_the_unit_of_pixels_do_not_matter() -> None:
    fields = make_fields(12, VIGNETTE).astype(np.float64)
    first = estimate_shading(fields, QUICK).flat
    np.testing.assert_allclose(estimate_shading(fields * 37, QUICK).flat, first, rtol=1e-3)
    np.testing.assert_allclose(estimate_shading(fields[:, ::-1, ::-1], QUICK).flat[::-1, ::-1], first, rtol=2e-3)


def test_few_fields_and_confluent_ones_bring_a_warning() -> None:
    few = estimate_shading(make_fields(6, VIGNETTE), QUICK)
    assert "from 6 fields only" in few.warnings[0]
    confluent = estimate_shading(make_fields(24, VIGNETTE, cells=250), QUICK)
    assert error(confluent.flat, VIGNETTE) > 0.02
    assert "first and the second half" in " ".join(confluent.warnings)


def test_two_fields_have_no_halves_to_compare() -> None:
    assert np.isnan(estimate_shading(make_fields(2, VIGNETTE), QUICK).error)


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (np.zeros((5, 32, 32)), "no light"),
        (np.ones((1, 32, 32)), "two fields"),
        (np.ones((32, 32)), "two fields"),
        (np.full((3, 32, 32), np.nan), "NaN"),
    ],
)
def test_what_cannot_serve_is_refused(stack: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        estimate_shading(stack)


@pytest.mark.parametrize("shape", [(130, 257), (64, 64), (50, 300)])
def test_making_a_field_smaller_keeps_its_sum(shape: tuple[int, int]) -> None:
    field = np.random.default_rng(0).uniform(0, 1000, shape)
    small = shrink_field(field, 64)
    assert small.shape == (min(64, shape[0]), min(64, shape[1]))
    assert small.mean() == pytest.approx(field.mean(), rel=1e-5)


def test_making_a_field_smaller_averages_whole_blocks() -> None:
    field = np.arange(8 * 12, dtype=np.float64).reshape(8, 12)
    np.testing.assert_allclose(shrink_field(field, 4), field.reshape(4, 2, 4, 3).mean(axis=(1, 3)))


def test_an_estimate_is_enlarged_without_new_structure() -> None:
    found = estimate_shading(make_fields(20, VIGNETTE), QUICK)
    large = found.enlarged((320, 400))
    assert large.flat.shape == (320, 400)
    blocks = large.flat.reshape(160, 2, 200, 2).mean(axis=(1, 3))
    assert error(blocks, found.flat) < 0.002
