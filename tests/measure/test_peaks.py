"""Smoothing and peaks of profiles with known tops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import savgol_filter

from cellmetry.measure.peaks import PeakOptions, find_peaks, peak_quality
from cellmetry.measure.smoothing import smooth_profiles

CENTRES = np.arange(60.5, 120, 1.0)


def hill(top: float, width: float = 6.0, height: float = 10.0) -> np.ndarray:
    return height * np.exp(-(((CENTRES - top) / width) ** 2))


def test_smoothing_is_scipys_filter_along_each_profile():
    rows = np.random.default_rng(0).normal(size=(2, 3, 20))
    np.testing.assert_allclose(smooth_profiles(rows, 5, 2), savgol_filter(rows, 5, 2, mode="interp"), rtol=1e-12)


def test_gaps_are_bridged_in_a_straight_line():
    line = np.arange(12.0)
    gappy = line.copy()
    gappy[[4, 5, 9]] = np.nan
    np.testing.assert_allclose(smooth_profiles(gappy, 5, 2), line, atol=1e-12)


@pytest.mark.parametrize(("window", "taken"), [(6, 5), (99, 7), (5, 5)])
def test_the_window_is_odd_and_no_longer_than_the_profile(window, taken):
    row = np.array([0.0, 4, 1, 3, 9, 2, 5, 1])
    np.testing.assert_allclose(smooth_profiles(row, window, 2), savgol_filter(row, taken, 2, mode="interp"))


def test_a_short_window_or_a_lone_point_changes_nothing():
    row = np.array([[np.nan, 3.0, np.nan, np.nan]])
    np.testing.assert_array_equal(smooth_profiles(row, 5, 2), row)
    row = np.array([1.0, 5, 2, 8])
    np.testing.assert_array_equal(smooth_profiles(row, 2, 1), row)


def test_the_outermost_top_wins_over_a_higher_one_further_in():
    both = hill(75) + hill(100, height=4)
    rows = np.stack([both, hill(90)])
    outermost = find_peaks(CENTRES, rows, PeakOptions())
    highest = find_peaks(CENTRES, rows, PeakOptions(algorithm="global_max"))
    assert np.abs(CENTRES[outermost] - [100, 90]).max() <= 1
    assert np.abs(CENTRES[highest] - [75, 90]).max() <= 0.5


def test_a_small_rise_is_no_top_unless_asked_for():
    rows = (hill(75) + hill(105, width=3, height=0.2))[None]
    assert CENTRES[find_peaks(CENTRES, rows, PeakOptions())[0]] == pytest.approx(75, abs=1)
    assert CENTRES[find_peaks(CENTRES, rows, PeakOptions(least_rise=0.01))[0]] == pytest.approx(105, abs=1)


def test_a_profile_that_only_falls_has_its_top_at_its_beginning():
    assert find_peaks(CENTRES, -CENTRES[None], PeakOptions()).tolist() == [0]


def test_points_that_are_missing_take_no_part():
    rows = np.stack([hill(90), np.full(CENTRES.size, np.nan), np.full(CENTRES.size, np.nan)])
    rows[0, 40:45] = np.nan
    rows[2, [3, 8]] = 1, 2
    first, none, two = find_peaks(CENTRES, rows, PeakOptions())
    assert CENTRES[first] == pytest.approx(90, abs=1)
    assert (none, two) == (-1, 8)


@pytest.mark.parametrize("algorithm", ["first_local_top", "global_max"])
def test_no_profile_changes_what_is_found_in_another(algorithm):
    rng = np.random.default_rng(3)
    rows = np.stack([hill(top) for top in rng.uniform(55, 125, 40)]) + rng.normal(0, 0.3, (40, CENTRES.size))
    rows[rng.random(rows.shape) < 0.02] = np.nan
    options = PeakOptions(algorithm=algorithm)
    together = find_peaks(CENTRES, rows, options)
    quality = peak_quality(CENTRES, rows, together, options)
    for number, row in enumerate(rows):
        alone = find_peaks(CENTRES, row[None], options)
        assert alone[0] == together[number]
        expected = peak_quality(CENTRES, row[None], alone, options)
        assert [field[number] for field in quality] == pytest.approx([field[0] for field in expected])


def test_quality_is_as_worked_out_by_hand():
    row = np.array([[2.0, 4.0, 10.0, 7.0, 5.0, 5.0, 6.0]])
    centres = np.arange(7.0)
    quality = peak_quality(centres, row, np.array([2]), PeakOptions())
    assert quality.range_rel[0] == pytest.approx(0.8)
    # steps 2 6 -3 -2 0 1: median 0.5; distances 1.5 5.5 3.5 2.5 0.5 0.5: median 2
    assert quality.noise_rel[0] == pytest.approx(2 / 8)
    # slopes from the peak on: 1.5
    assert quality.falling_run[0] == 0
    shifted = peak_quality(centres, row, np.array([3]), PeakOptions(most_noise=0.3))
    assert shifted.falling_run[0] == 2  # -2.5, -1, then +0.5
    assert shifted.accepted[0]


def test_each_limit_can_refuse_a_peak():
    row, at = hill(84.2)[None], np.array([24])
    assert peak_quality(CENTRES, row, at, PeakOptions()).accepted[0]
    for limit in ({"least_range": 1.1}, {"most_noise": 0.0}, {"least_run": 60}, {"highest": 80.0}):
        assert not peak_quality(CENTRES, row, at, PeakOptions(**limit)).accepted[0]
    assert peak_quality(CENTRES, row, at, PeakOptions(highest=None)).accepted[0]


def test_no_peak_is_not_accepted():
    quality = peak_quality(CENTRES, np.full((1, CENTRES.size), np.nan), np.array([-1]), PeakOptions())
    assert not quality.accepted[0]
    assert np.isnan(quality.range_rel[0])
