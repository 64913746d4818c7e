"""Profiles, against numpy window by window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.measure.profiles import Windows, accumulate_profiles, merge_profiles, pool_profiles, sliding_windows


def made(seed: int, *, dtype: type = np.float64):
    rng = np.random.default_rng(seed)
    owner = rng.choice(np.array([0, 3, 8], np.uint32), (30, 40))
    position = (rng.integers(0, 31, owner.shape) / 20).astype(dtype)
    position[rng.random(owner.shape) < 0.05] = np.nan
    first = rng.normal(1e6, 1, owner.shape).astype(np.float32)
    second = np.where(rng.random(owner.shape) < 0.1, np.nan, rng.gamma(1, 5, owner.shape))
    return owner, position, (first, second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("closed", [True, False])
def test_each_window_holds_what_numpy_finds(dtype, closed):
    owner, position, channels = made(1, dtype=dtype)
    windows = sliding_windows(0, 1.5, 0.1, 0.05)._replace(closed=closed)
    profiles = accumulate_profiles(owner, position, windows, channels)
    assert profiles.ids.tolist() == [3, 8]
    for k, label in enumerate(profiles.ids):
        for w, (a, b) in enumerate(zip(windows.starts.astype(dtype), windows.ends.astype(dtype), strict=True)):
            inside = (owner == label) & (position >= a) & ((position <= b) if closed else (position < b))
            assert profiles.pixels[k, w] == inside.sum()
            for c, channel in enumerate(channels):
                values = channel[inside][np.isfinite(channel[inside])].astype(float)
                assert profiles.counts[c, k, w] == values.size
                if values.size > 1:
                    assert profiles.means[c, k, w] == pytest.approx(values.mean(), rel=1e-12)
                    assert profiles.std[c, k, w] == pytest.approx(values.std(ddof=1), rel=1e-9)
                    assert profiles.sem[c, k, w] == pytest.approx(values.std(ddof=1) / values.size**0.5, rel=1e-9)


def test_a_window_with_one_pixel_has_a_mean_and_no_spread_and_an_empty_one_nothing():
    owner = np.array([[1, 1]], np.uint32)
    profiles = accumulate_profiles(owner, np.array([[0.5, 9.0]]), sliding_windows(0, 2, 1, 1), [np.array([[4.0, 5.0]])])
    assert profiles.pixels.tolist() == [[1, 0]]
    np.testing.assert_array_equal(profiles.means, [[[4, np.nan]]])
    assert np.isnan(profiles.std).all()
    assert np.isnan(profiles.sem).all()


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_parts_merge_and_owners_pool_to_the_same_as_at_once(seed):
    owner, position, channels = made(seed)
    windows = sliding_windows(0, 1.5, 0.3, 0.2)
    ids = np.array([3, 8], np.uint32)
    upper = np.arange(30)[:, None] < 13
    parts = [
        accumulate_profiles(np.where(part, owner, 0).astype(np.uint32), position, windows, channels, ids=ids)
        for part in (upper, ~upper)
    ]
    whole = accumulate_profiles(owner, position, windows, channels)
    pooled = accumulate_profiles((owner > 0).astype(np.uint32), position, windows, channels)
    for found, expected in ((merge_profiles(*parts), whole), (pool_profiles(whole), pooled)):
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        np.testing.assert_array_equal(found.counts, expected.counts)
        np.testing.assert_allclose(found.means, expected.means, rtol=1e-12)
        np.testing.assert_allclose(found.std, expected.std, rtol=1e-7)


def test_windows_begin_at_each_step_and_end_within():
    windows = sliding_windows(0, 150, 5, 1)
    assert len(windows.starts) == 146
    assert (windows.starts[0], windows.ends[-1]) == (0, 150)
    assert windows.centres[:2].tolist() == [2.5, 3.5]
    assert len(sliding_windows(0, 0.3, 0.1, 0.1).starts) == 3


@pytest.mark.parametrize("wrong", [(0, 5, 10, 1), (0, 5, 0, 1), (0, 5, 1, 0)])
def test_no_window_is_an_error(wrong):
    with pytest.raises(ParameterError, match="No window"):
        sliding_windows(*wrong)


def test_windows_out_of_order_are_refused():
    owner, position, channels = made(0)
    with pytest.raises(ParameterError, match="in order"):
        accumulate_profiles(owner, position, Windows(np.array([1.0, 0]), np.array([2.0, 3])), channels)
