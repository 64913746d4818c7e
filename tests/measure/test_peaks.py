"""Smoothing and peaks of profiles with known tops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks as find_scipy
from scipy.signal import peak_prominences, savgol_filter

from cellmetry.errors import ParameterError
from cellmetry.measure.peaks import PeakOptions, find_peaks, missing_peaks, peak_quality
from cellmetry.measure.smoothing import smooth_profiles

CENTRES = np.arange(60.5, 120, 1.0)
STEADY = PeakOptions(least_prominence=0, highest="anywhere")
OLD = PeakOptions(rules="dualcellquant", least_prominence=0, highest=98.0)


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


@pytest.mark.parametrize("algorithm", ["first_local_top", "global_max"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_profile_that_only_falls_or_rises_has_no_peak(algorithm, sign):
    options = PeakOptions(algorithm=algorithm)
    rows = sign * CENTRES[None]
    peaks = find_peaks(CENTRES, rows, options)
    assert peaks.tolist() == [-1]
    words = {"first_local_top": "no turn in the range", "global_max": "highest at an end of the range"}
    assert missing_peaks(rows, peaks, options) == [words[algorithm]]
    old = PeakOptions(rules="dualcellquant", algorithm=algorithm)
    assert find_peaks(CENTRES, rows, old).tolist() == [0 if sign < 0 else CENTRES.size - 1]


def test_why_there_is_no_peak_is_said_in_words():
    rows = np.full((5, CENTRES.size), np.nan)
    rows[1, [3, 8, 9]] = 1, 2, 1
    rows[2] = 7.3
    rows[3] = hill(90)
    rows[4] = hill(0)
    peaks = find_peaks(CENTRES, rows, PeakOptions())
    assert missing_peaks(rows, peaks, PeakOptions()) == [
        "no pixels in the range", "too few windows in the range", "the same everywhere in the range", "",
        "no turn in the range",
    ]  # fmt: skip
    assert (peaks >= 0).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("top", [80.25, 80.5, 81.0])
@pytest.mark.parametrize("window", [0, 5])
def test_a_top_is_found_wherever_it_lies_between_two_points(top, window):
    """The slope is 0 at a top that lies on a point: no rise is followed by a fall at once."""
    found = find_peaks(CENTRES, hill(top)[None], PeakOptions(window=window))
    assert abs(CENTRES[found[0]] - top) <= 0.5


def test_the_range_cuts_off_the_flank_of_a_peak_outside_of_it():
    row = hill(90)[None]
    inside = CENTRES <= 85
    for algorithm in ("first_local_top", "global_max"):
        assert find_peaks(CENTRES[inside], row[:, inside], PeakOptions(algorithm=algorithm)).tolist() == [-1]


def test_points_that_are_missing_take_no_part():
    rows = np.stack([hill(90), np.full(CENTRES.size, np.nan), np.full(CENTRES.size, np.nan)])
    rows[0, 40:45] = np.nan
    rows[2, [3, 8]] = 1, 2
    for options, ends in ((PeakOptions(), (-1, -1)), (OLD, (-1, 8))):
        found = find_peaks(CENTRES, rows, options)
        assert CENTRES[found[0]] == pytest.approx(90, abs=1)
        assert tuple(found[1:]) == ends


@pytest.mark.parametrize(("window", "order"), [(4, 2), (3, 2), (5, 4), (2, 0), (1, 0)])
def test_smoothing_that_does_nothing_is_refused(window, order):
    with pytest.raises(ValueError, match="smoothing"):
        PeakOptions(window=window, order=order)
    assert PeakOptions(rules="dualcellquant", window=window, order=order).window == window
    assert PeakOptions(window=0, order=order).window == 0


def test_prominence_is_that_of_scipy():
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 1, (50, CENTRES.size)).cumsum(axis=1)
    peaks = np.array([find_scipy(row)[0][len(find_scipy(row)[0]) // 2] for row in rows])
    errors = rng.uniform(0.1, 1, rows.shape)
    found = peak_quality(CENTRES, rows, peaks, PeakOptions(algorithm="global_max", highest="anywhere"), errors=errors)
    for number, (row, peak) in enumerate(zip(rows, peaks, strict=True)):
        height, left, right = (values[0] for values in peak_prominences(row, [peak]))
        assert found.prominence[number] == pytest.approx(height)
        foot = left if row[left] > row[right] else right
        assert found.prominence_error[number] == pytest.approx(np.hypot(errors[number, peak], errors[number, foot]))


def test_a_peak_that_its_errors_explain_is_not_accepted():
    row, at = hill(84.2)[None], np.array([24])
    options = PeakOptions(least_prominence=4, highest="anywhere")
    for error, passes in ((10 / 4 / np.sqrt(2) * 0.9, True), (10 / 4 / np.sqrt(2) * 1.2, False)):
        quality = peak_quality(CENTRES, row, at, options, errors=np.full(row.shape, error))
        assert quality.accepted[0] == passes
        assert quality.judged[0]


@pytest.mark.parametrize("algorithm", ["first_local_top", "global_max"])
def test_noise_has_no_accepted_peak(algorithm):
    rng = np.random.default_rng(6)
    rows = rng.normal(100, 1, (2000, 40))
    centres = np.arange(40.0)
    lenient = {"least_range": 0, "most_noise": 9, "least_run": 0, "highest": "anywhere"}
    options = PeakOptions(algorithm=algorithm, **lenient)
    quality = peak_quality(centres, rows, find_peaks(centres, rows, options), options, errors=np.ones(rows.shape))
    assert quality.accepted.mean() < 0.01


def test_what_a_limit_needs_must_be_given():
    row, at = hill(84.2)[None], np.array([24])
    with pytest.raises(ParameterError, match="standard errors"):
        peak_quality(CENTRES, row, at, PeakOptions(highest=98.0))
    with pytest.raises(ParameterError, match="unit of the profile"):
        peak_quality(CENTRES, row, at, PeakOptions(), errors=row)


@pytest.mark.parametrize("algorithm", ["first_local_top", "global_max"])
def test_no_profile_changes_what_is_found_in_another(algorithm):
    rng = np.random.default_rng(3)
    rows = np.stack([hill(top) for top in rng.uniform(55, 125, 40)]) + rng.normal(0, 0.3, (40, CENTRES.size))
    rows[rng.random(rows.shape) < 0.02] = np.nan
    options = STEADY.model_copy(update={"algorithm": algorithm})
    together = find_peaks(CENTRES, rows, options)
    quality = peak_quality(CENTRES, rows, together, options)
    for number, row in enumerate(rows):
        alone = find_peaks(CENTRES, row[None], options)
        assert alone[0] == together[number]
        expected = peak_quality(CENTRES, row[None], alone, options)
        assert [field[number] for field in quality] == pytest.approx([field[0] for field in expected], nan_ok=True)


def test_quality_is_as_worked_out_by_hand():
    row = np.array([[2.0, 4.0, 10.0, 7.0, 5.0, 5.0, 6.0]])
    centres = np.arange(7.0)
    quality = peak_quality(centres, row, np.array([2]), STEADY)
    assert quality.range_rel[0] == pytest.approx(0.8)
    # steps 2 6 -3 -2 0 1: median 0.5; distances 1.5 5.5 3.5 2.5 0.5 0.5: median 2
    assert quality.noise_rel[0] == pytest.approx(2 / 8)
    # smoothed over five points by order 2; steps from the peak on: -0.26, -2.6, -0.29, then 1.14
    assert quality.falling_run[0] == 3
    highest = STEADY.model_copy(update={"algorithm": "global_max", "most_noise": 0.3})
    quality = peak_quality(centres, row, np.array([2]), highest)
    assert quality.falling_run[0] == 2  # -3, -2, then 0
    assert quality.accepted[0]
    old = OLD.model_copy(update={"most_noise": 0.3})
    assert peak_quality(centres, row, np.array([2]), old).falling_run[0] == 0  # slope 1.5
    assert peak_quality(centres, row, np.array([3]), old).falling_run[0] == 2  # -2.5, -1, then +0.5


@pytest.mark.parametrize("top", [80.0, 80.4, 80.5, 80.6, 81.0])
def test_a_clean_peak_is_accepted_wherever_it_lies_between_two_points(top):
    row = hill(top)[None]
    for algorithm in ("first_local_top", "global_max"):
        options = STEADY.model_copy(update={"algorithm": algorithm})
        assert peak_quality(CENTRES, row, find_peaks(CENTRES, row, options), options).accepted[0]


def test_each_limit_can_refuse_a_peak():
    row, at = hill(84.2)[None], np.array([24])
    assert peak_quality(CENTRES, row, at, STEADY).accepted[0]
    for limit in ({"least_range": 1.1}, {"most_noise": 0.0}, {"least_run": 60}, {"highest": 80.0}):
        assert not peak_quality(CENTRES, row, at, STEADY.model_copy(update=limit)).accepted[0]


def test_what_is_missing_or_too_short_is_not_judged():
    rows = np.full((3, CENTRES.size), np.nan)
    rows[1, [4, 9]] = 1, 2
    rows[2] = hill(84.2) - 20
    quality = peak_quality(CENTRES, rows, np.array([-1, 9, 24]), STEADY)
    assert not quality.accepted.any()
    assert not quality.judged.any()
    assert np.isnan(quality.range_rel).all()
