from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.counting.combine import Counts, disagreement, interval, joint_count, nearest_whole, scores, spread
from cellmetry.models.count_calibration import CountCalibration

WEIGHTS = st.floats(0, 1)
CALIBRATIONS = st.builds(
    CountCalibration,
    toward_more=WEIGHTS,
    toward_fewer=WEIGHTS,
    growth=WEIGHTS,
    pull=st.floats(0, 5),
    factor=st.floats(0, 5),
    largest_count=st.just(1e6),
    largest_disagreement=st.just(1e3),
    images=st.just(10),
    images_fitted=st.just(10),
)
INSTANCES, DENSITY = st.integers(0, 5000), st.floats(0, 5000)


def one(instances: float, density: float) -> Counts:
    return Counts(np.array([float(instances)]), np.array([float(density)]))


def calibration(**changes: float) -> CountCalibration:
    values = {"factor": 1.0, "largest_count": 500, "largest_disagreement": 5, "images": 20, "images_fitted": 20}
    return CountCalibration(**{**values, **changes})


def test_without_calibration_the_count_is_half_way_between_on_the_scale_of_square_roots() -> None:
    assert joint_count(one(100, 64)) == pytest.approx(81)
    assert joint_count(one(64, 100)) == pytest.approx(81)
    assert joint_count(one(50, 50)) == pytest.approx(50)


def test_each_direction_has_its_weight() -> None:
    fitted = calibration(toward_more=1.0, toward_fewer=0.0)
    assert joint_count(one(10, 20.25), fitted) == pytest.approx(20.25)
    assert joint_count(one(10, 4), fitted) == pytest.approx(10)


def test_disagreement_is_in_units_of_the_scatter_of_counts() -> None:
    assert disagreement(one(100, 96)) == pytest.approx(4 / np.sqrt(99))
    assert disagreement(one(0, 0)) == 0


def test_the_interval_by_hand() -> None:
    fitted = calibration(growth=0.5, pull=0.0, factor=1.0)
    found = interval(one(24, 24), fitted)  # 24 ± √25
    assert (found.low[0], found.high[0]) == (19, 29)
    assert spread(one(24, 24), fitted) == pytest.approx(5)
    assert (interval(one(0, 0), fitted).low[0], interval(one(0, 0), fitted).high[0]) == (0, 1)


def test_an_interval_narrower_than_one_is_the_nearest_whole_number() -> None:
    found = interval(one(7, 7.4), calibration(factor=0.0))
    assert found.low[0] == found.high[0] == nearest_whole(joint_count(one(7, 7.4)))[0] == 7


@given(INSTANCES, DENSITY, CALIBRATIONS)
def test_the_count_lies_between_the_two_and_in_its_interval(instances, density, fitted) -> None:
    count = joint_count(one(instances, density), fitted)[0]
    slack = 1e-9 * (1 + count)
    assert min(instances, density) - slack <= count <= max(instances, density) + slack
    found = interval(one(instances, density), fitted)
    assert 0 <= found.low[0] <= nearest_whole(np.array([count]))[0] <= found.high[0]


@given(INSTANCES, DENSITY, st.integers(0, 100), st.floats(0, 100), CALIBRATIONS)
def test_the_count_never_falls_when_a_counter_rises(instances, density, more, denser, fitted) -> None:
    before = joint_count(one(instances, density), fitted)[0]
    assert joint_count(one(instances + more, density), fitted)[0] >= before * (1 - 1e-9)
    assert joint_count(one(instances, density + denser), fitted)[0] >= before * (1 - 1e-9)


@given(INSTANCES, st.floats(0, 100), st.floats(0, 100), CALIBRATIONS)
def test_width_grows_with_the_count_and_with_disagreement(instances, near, far, fitted) -> None:
    same = spread(one(instances, instances), fitted)
    assert spread(one(instances + 50, instances + 50), fitted) >= same * (1 - 1e-9)
    apart = [spread(one(instances, instances + gap), fitted)[0] for gap in sorted((near, far))]
    assert apart[0] <= apart[1] * (1 + 1e-9)


@given(INSTANCES, DENSITY, st.integers(0, 5000), CALIBRATIONS)
def test_a_score_is_the_factor_at_which_the_interval_begins_to_hold(instances, density, truth, fitted) -> None:
    counts = one(instances, density)
    score = scores(counts, np.array([float(truth)]), fitted)[0]
    wide = interval(counts, fitted.model_copy(update={"factor": score * (1 + 1e-9) + 1e-12}))
    assert wide.low[0] <= truth <= wide.high[0]
    narrow = interval(counts, fitted.model_copy(update={"factor": score * 0.99 - 1e-6}))
    if score > 0.01:
        assert not narrow.low[0] <= truth <= narrow.high[0]
