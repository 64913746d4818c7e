from __future__ import annotations

import json
from math import ceil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.counting.calibration import calibrate, fewest_images, part_images
from cellmetry.counting.combine import Counts, interval, joint_count, nearest_whole
from cellmetry.errors import InputError, ParameterError
from cellmetry.models.count_calibration import CountCalibration, CountedBy

from .simulated import simulate

DRAWS = {
    "laplace": lambda rng, size: rng.laplace(0, 1, size),
    "uniform": lambda rng, size: rng.uniform(-1, 1, size),
    "cauchy": lambda rng, size: rng.standard_cauchy(size),
}


def counts_of(table: pd.DataFrame) -> Counts:
    return Counts(table["instances"].to_numpy(float), table["density"].to_numpy(float))


def covered(table: pd.DataFrame, fitted: CountCalibration) -> float:
    found = interval(counts_of(table), fitted)
    return float(((found.low <= table["truth"]) & (table["truth"] <= found.high)).mean())


@pytest.mark.parametrize("images", [34, 60, 134])
def test_intervals_hold_what_they_promise(images: int) -> None:
    """Over 200 draws of exchangeable images, 90 ± 3 % of new images lie in their intervals."""
    rng = np.random.default_rng(7)
    shares = []
    for draw in range(200):
        table = simulate(rng, images + 100)
        shares.append(covered(table[images:], calibrate(table[:images], seed=draw)))
    assert 0.87 <= np.mean(shares) <= 0.93


@settings(max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    coverage=st.sampled_from([0.7, 0.8, 0.9]),
    tails=st.sampled_from(["laplace", "uniform", "cauchy"]),
    bias=st.floats(-0.5, 0.5),
)
def test_coverage_does_not_depend_on_how_errors_are_distributed(seed, coverage, tails, bias) -> None:
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(200):
        truth = rng.integers(5, 300, 130).astype(float)
        error = DRAWS[tails](rng, 130)
        density = np.maximum(truth * (1 + bias) + error * np.sqrt(truth), 0)
        instances = np.maximum(np.rint(truth - np.abs(rng.normal(0, 0.03, 130)) * truth), 0)
        table = pd.DataFrame({"truth": truth, "instances": instances, "density": density})
        shares.append(covered(table[50:], calibrate(table[:50], coverage=coverage)))
    assert coverage - 0.03 <= np.mean(shares) <= coverage + 0.03


def test_the_joint_count_is_better_than_either_and_intervals_narrower_than_constant_ones() -> None:
    rng = np.random.default_rng(3)
    table, new = simulate(rng, 400), simulate(rng, 4000)
    fitted = calibrate(table)
    truth = new["truth"].to_numpy()
    errors = {
        "joint": np.abs(nearest_whole(joint_count(counts_of(new), fitted)) - truth).mean(),
        "instances": np.abs(new["instances"] - truth).mean(),
        "density": np.abs(new["density"] - truth).mean(),
    }
    assert errors["joint"] < min(errors["instances"], errors["density"])
    found = interval(counts_of(new), fitted)
    constant = np.quantile(np.abs(joint_count(counts_of(table), fitted) - table["truth"]), 0.9)
    assert np.median(found.high - found.low) < 2 * constant


def test_the_factor_is_the_score_of_the_conformal_rank() -> None:
    """With exact fitting images, weights stay at a half; errors of 1 … 19 then give rank 18 of 19."""
    exact = pd.DataFrame({"truth": [9.0] * 10, "instances": [9.0] * 10, "density": [9.0] * 10})
    truth = np.full(19, 99.0)
    table = pd.DataFrame({"truth": truth, "instances": truth + np.arange(1, 20), "density": truth + np.arange(1, 20)})
    fitted = calibrate(table, fitted_on=exact)
    unit = (1 + table["instances"]) ** fitted.growth
    assert fitted.factor == pytest.approx(np.sort(np.arange(1, 20) / unit)[ceil(20 * 0.9) - 1])
    assert (fitted.images, fitted.images_fitted) == (19, 10)
    assert fitted.largest_count == 118
    assert (fitted.toward_more, fitted.toward_fewer) == (0.5, 0.5)


def test_one_counter_alone_can_be_calibrated() -> None:
    table = simulate(np.random.default_rng(0), 200)
    fitted = calibrate(table[["truth", "density"]], data="simulated")
    assert (fitted.counters, fitted.data, fitted.largest_disagreement) == ("density", "simulated", 0)
    assert calibrate(table[["truth", "instances"]]).counters == "instances"


def test_the_same_images_and_seed_give_the_same_numbers_which_survive_json() -> None:
    table = simulate(np.random.default_rng(0), 100)
    fitted = calibrate(table, seed=5)
    assert fitted == calibrate(table, seed=5)
    assert CountCalibration(**json.loads(fitted.model_dump_json())) == fitted
    assert fitted != calibrate(table, seed=6)


@pytest.mark.parametrize(("images", "ranked"), [(20, 9), (33, 19), (60, 29), (67, 29), (80, 39), (134, 69)])
def test_images_are_parted_so_that_coverage_is_not_overdone(images: int, ranked: int) -> None:
    fitting, ranking = part_images(images, coverage=0.9)
    assert len(ranking) == ranked
    assert sorted([*fitting, *ranking]) == list(range(images))


def test_how_many_images_are_needed() -> None:
    assert [fewest_images(coverage) for coverage in (0.5, 0.8, 0.9, 0.95)] == [1, 4, 9, 19]
    table = simulate(np.random.default_rng(0), 16)
    with pytest.raises(InputError, match="90% needs 9 images for its width, but there are 8"):
        calibrate(table)
    with pytest.raises(InputError, match="needs 8 images besides"):
        calibrate(table, fitted_on=table[:5])


def test_a_calibration_says_what_counted_and_how_unfamiliar_its_images_were() -> None:
    table = simulate(np.random.default_rng(0), 40)
    plain = calibrate(table)
    assert (plain.counted_by, plain.largest_unfamiliarity) == (None, 1)
    named = table.assign(
        engine="cellmetry", model="mine", sha256="a" * 64, unfamiliarity=[np.nan, *np.linspace(0, 2, 39)]
    )
    fitted = calibrate(named)
    assert fitted.counted_by == CountedBy(engine="cellmetry", model="mine", sha256="a" * 64)
    assert str(fitted.counted_by) == "the model mine (engine cellmetry, weights aaaaaaaaaaaa…)"
    assert fitted.largest_unfamiliarity == 2
    assert CountCalibration(**json.loads(fitted.model_dump_json())) == fitted
    with pytest.raises(InputError, match="counted by one that is not named and by the model mine .*; calibrate each"):
        calibrate(named, fitted_on=table)
    with pytest.raises(InputError, match="the engine a and by the engine b"):
        calibrate(table.assign(engine=["a", "b"] * 20))


def test_wrong_tables_are_refused() -> None:
    table = simulate(np.random.default_rng(0), 40)
    with pytest.raises(InputError, match="columns truth and instances or density, but the table has instances"):
        calibrate(table[["instances", "density"]])
    with pytest.raises(InputError, match="column density .* 0 or more"):
        calibrate(table.assign(density=-1.0))
    with pytest.raises(InputError, match="give the same in both"):
        calibrate(table, fitted_on=table[["truth", "density"]])
    with pytest.raises(ParameterError, match="share between 0 and 1"):
        calibrate(table, coverage=90)
