"""Fits of dose and response: known curves come back, the notebook's printed fits, refusals in words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from cellmetry.errors import ParameterError
from cellmetry.stats.dose_response import FitOptions, fit_dose_response

LANGMUIR, HILL = FitOptions(model="langmuir"), FitOptions(model="hill")
DOSES = np.array([0, 0.5, 1, 2, 5, 10, 20])
MEANS = np.array([2.159323, 4.625330, 7.859777, 11.330210, 14.919091, 14.212436, 16.664637])
SDS = np.array([0.046555, 0.180882, 0.357857, 0.568896, 0.803343, 0.559495, 1.718174])


def langmuir(dose, imax, kd, b):
    return imax * dose / (kd + dose) + b


def test_one_printed_cell() -> None:
    fit = fit_dose_response(DOSES, MEANS, LANGMUIR, sd=SDS)
    assert fit.names == ("imax", "kd", "b")
    np.testing.assert_allclose(fit.values, [15.856566, 1.523623, 1.703170], rtol=1e-6)
    np.testing.assert_allclose(fit.errors, [1.247965, 0.451601, 0.987759], rtol=2e-6)
    good = fit.goodness
    np.testing.assert_allclose(good.r2_weighted, 0.976158, atol=5e-7)
    printed = [134.412102, 33.603026, 4.381978, 9.798229]
    found = [good.chi2, good.chi2_reduced, good.rms_standardised, good.max_standardised]
    np.testing.assert_allclose(found, printed, rtol=2e-5)  # the printed SDs have five digits


def test_every_printed_fit_of_the_notebook(shared: Path) -> None:
    text = (shared / "golden" / "dualcolour" / "langmuir_notebook_output.txt").read_text()
    tables, fits = printed_tables(text)
    assert len(fits) == 8
    for (metric, label), row in fits.items():
        dose, mean, sd = tables[metric][label].T
        fit = fit_dose_response(dose, mean, LANGMUIR, sd=sd)
        np.testing.assert_allclose(np.stack([fit.values, fit.errors], 1).ravel(), row[:6], rtol=2e-5, atol=1e-6)
        good = fit.goodness
        assert good.r2_weighted == pytest.approx(row[6], abs=2e-6)  # the means of small ratios have five digits
        found = [good.chi2, good.chi2_reduced, good.rms_standardised, good.max_standardised]
        np.testing.assert_allclose(found, row[7:11], rtol=5e-4)  # SDs of 0.001 are printed with four digits
        assert fit.n_points == row[11]


def printed_tables(text: str):
    """Return dose, mean and SD by metric and cell, and the numbers of each printed fit."""
    tables, fits, metric, wide = {"FRB": {}, "ratio": {}}, {}, "FRB", []
    for line in text.splitlines():
        if line.startswith("=== Plotting"):
            metric = "FRB" if "FRB" in line else "ratio"
        cells = line.split()
        if re.match(r"\d+\s+\d+\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+\d+$", line):
            tables[metric].setdefault(int(cells[1]), []).append([float(cell) for cell in cells[2:5]])
        elif "OLS_AbsFalse" in line:
            wide.append(((cells[2], int(cells[1])), [float(cell) for cell in cells[4:8]]))
            fits[wide[-1][0]] = wide[-1][1]
        elif wide and re.match(r"\d\s+[\d.]+\s+[\d.]+", line):
            group = wide[:4] if len(wide) == 4 else wide[4:]
            fits[group[int(cells[0])][0]] += [float(cell) for cell in cells[1:]]
    return {name: {cell: np.array(rows) for cell, rows in found.items()} for name, found in tables.items()}, fits


def test_weights_are_those_of_scipy() -> None:
    fit = fit_dose_response(DOSES, MEANS, FitOptions(model="langmuir", weighted=True), sd=SDS)
    start, bounds = (16, 3, 2), ([0, 0, -np.inf], np.inf)
    values, covariance = curve_fit(langmuir, DOSES, MEANS, p0=start, sigma=SDS, bounds=bounds)
    np.testing.assert_allclose(fit.values, values, rtol=1e-4)
    np.testing.assert_allclose(fit.errors, np.sqrt(np.diag(covariance)), rtol=1e-3)


def test_a_deviation_of_nothing_takes_the_floor() -> None:
    floor = FitOptions(model="langmuir", weighted=True, sd_floor=0.3)
    without = fit_dose_response(DOSES, MEANS, floor, sd=np.where(DOSES == 5, 0, SDS))
    said = fit_dose_response(DOSES, MEANS, floor, sd=np.where(DOSES == 5, 0.3, SDS))
    np.testing.assert_array_equal(without.values, said.values)


WEIGHTED = FitOptions(model="langmuir", weighted=True)


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_a_point_of_unknown_deviation_is_left_out_of_a_weighted_fit(unknown: float) -> None:
    known = DOSES != 5
    found = fit_dose_response(DOSES, MEANS, WEIGHTED, sd=np.where(known, SDS, unknown))
    without = fit_dose_response(DOSES[known], MEANS[known], WEIGHTED, sd=SDS[known])
    np.testing.assert_array_equal(found.values, without.values)
    assert (found.n_points, found.n_without_sd) == (6, 1)
    assert found.row()["n_without_sd"] == 1


@given(st.sampled_from([1e-9, 1e-3, 1e3, 1e9]), st.sampled_from([0.0, -1.0, np.nan]), st.integers(0, 6))
def test_the_unit_of_the_response_changes_no_dose(factor: float, odd: float, place: int) -> None:
    sds = SDS.copy()
    sds[place] = odd
    here = fit_dose_response(DOSES, MEANS, WEIGHTED, sd=sds)
    there = fit_dose_response(DOSES, MEANS * factor, WEIGHTED, sd=sds * factor)
    np.testing.assert_allclose(there.values, here.values * [factor, 1, factor], rtol=1e-5)


def test_a_deviation_of_nothing_counts_as_a_share_of_the_median() -> None:
    sds = np.where(DOSES == 5, 0, SDS)
    median = np.median(SDS[DOSES != 5])
    for share in (1.0, 0.5):
        found = fit_dose_response(DOSES, MEANS, WEIGHTED.model_copy(update={"sd_floor_share": share}), sd=sds)
        said = fit_dose_response(DOSES, MEANS, WEIGHTED, sd=np.where(DOSES == 5, share * median, SDS))
        np.testing.assert_array_equal(found.values, said.values)
    assert found.n_without_sd == 0


def test_without_any_deviation_above_0_there_is_no_weighted_fit() -> None:
    fit = fit_dose_response(DOSES, MEANS, WEIGHTED, sd=np.zeros(7))
    assert "0 points at 0 doses (7 more have no standard deviation above 0)" in fit.reason
    absolute = fit_dose_response(DOSES, MEANS, WEIGHTED.model_copy(update={"sd_floor": 0.05}), sd=np.zeros(7))
    np.testing.assert_allclose(absolute.values, fit_dose_response(DOSES, MEANS, LANGMUIR).values, rtol=1e-6)


def test_an_unweighted_fit_keeps_points_of_unknown_deviation_and_has_no_chi2() -> None:
    fit = fit_dose_response(DOSES, MEANS, LANGMUIR, sd=np.where(DOSES == 5, np.nan, SDS))
    np.testing.assert_array_equal(fit.values, fit_dose_response(DOSES, MEANS, LANGMUIR).values)
    assert (fit.n_points, fit.n_without_sd) == (7, 0)
    assert np.isnan(fit.goodness.chi2)


@given(
    st.floats(0.3, 3),
    st.floats(0.6, 3),
    st.floats(-2, 2),
    st.sampled_from([-3.0, 4.0]),
    st.sampled_from([1e-9, 1, 1e6]),
)
def test_hill_finds_what_it_was_made_of(ec50, slope, bottom, span, unit) -> None:
    doses = np.array([0, 0.03, 0.1, 0.3, 1, 3, 10, 30]) * unit
    share = np.concatenate([[0], 1 / (1 + (ec50 * unit / doses[1:]) ** slope)])
    noise = 1e-4 * np.tile([1, -1, -1, 1], 2)
    fit = fit_dose_response(doses, bottom + span * share + noise, HILL)
    assert fit.fitted, fit.reason
    np.testing.assert_allclose(fit.values[:2], [bottom, bottom + span], atol=0.01)
    np.testing.assert_allclose(fit.values[2:], [ec50 * unit, slope], rtol=0.01)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    dose = np.tile([0, 0.1, 0.3, 1, 3, 10, 30], 3)
    hits = 0
    for _ in range(200):
        fit = fit_dose_response(dose, langmuir(dose, 5, 1, 1) + random.normal(0, 0.3, dose.size), LANGMUIR)
        hits += fit.low[1] <= 1 <= fit.high[1]
    assert 180 <= hits <= 199


def test_bootstrap_and_student_agree_roughly_and_a_seed_repeats() -> None:
    dose = np.tile([0, 0.1, 0.3, 1, 3, 10, 30], 3)
    response = langmuir(dose, 5, 1, 1) + np.random.default_rng(1).normal(0, 0.3, dose.size)
    plain = fit_dose_response(dose, response, LANGMUIR)
    drawn = fit_dose_response(dose, response, FitOptions(model="langmuir", resamples=300))
    np.testing.assert_array_equal(plain.values, drawn.values)
    np.testing.assert_allclose(drawn.high - drawn.low, plain.high - plain.low, rtol=0.4)
    np.testing.assert_array_equal(drawn.low, fit_dose_response(dose, response, drawn_options(300)).low)


def drawn_options(resamples: int) -> FitOptions:
    return FitOptions(model="langmuir", resamples=resamples)


@pytest.mark.parametrize("model", ["langmuir", "hill"])
def test_the_band_is_the_interval_of_the_curve(model: str) -> None:
    fit = fit_dose_response(DOSES, MEANS, FitOptions(model=model))
    low, high = fit.band([0, 2, 1e9])
    place = fit.names.index("b" if model == "langmuir" else "bottom")
    assert (low[0], high[0]) == pytest.approx((fit.low[place], fit.high[place]))
    if model == "hill":
        assert (low[2], high[2]) == pytest.approx((fit.low[1], fit.high[1]), rel=1e-6)
    assert low[1] < fit.predict([2])[0] < high[1]


@pytest.mark.parametrize("model", ["langmuir", "hill"])
def test_gradients_are_those_of_the_curve(model: str) -> None:
    fit = fit_dose_response(DOSES, MEANS, FitOptions(model=model))
    from cellmetry.stats.dose_response import CURVES

    curve = CURVES[model]
    inner = curve.inner(fit.values)
    for place in range(len(inner)):
        step = np.zeros(len(inner))
        step[place] = 1e-6
        slope = (curve.function(DOSES, *(inner + step)) - curve.function(DOSES, *(inner - step))) / 2e-6
        np.testing.assert_allclose(curve.gradient(DOSES, inner)[:, place], slope, atol=1e-6)


@pytest.mark.parametrize(
    ("response", "model", "words"),
    [
        ([3] * 7, "hill", "same in all points"),
        ([1, 2, 3, 5, 11, 21, 41], "langmuir", "no plateau|reaches no plateau|above the highest dose"),
        ([1, 2, 3, 5, 11, 21, 41], "hill", "no plateau|above the highest dose"),
        ([1, 2, 1.1, 1.5, 1.3, 1.9, 1], "hill", "not change"),
        ([7, 6, 5, 4, 3, 2.5, 2.3], "langmuir", "falls is fitted by hill"),
        ([1, 1, 1, 1, 5, 5, 5.1], "hill", "do not fix|steeply"),
    ],
)
def test_what_data_cannot_fix_is_not_made_up(response, model, words) -> None:
    fit = fit_dose_response(DOSES, response, FitOptions(model=model))
    assert re.search(words, fit.reason), fit.reason
    assert np.isnan([*fit.values, *fit.errors, *fit.low, *fit.high]).all()
    assert fit.row()["reason"] == fit.reason


def test_too_few_points() -> None:
    fit = fit_dose_response([0, 1, 2, 3], [0, 1, 1.5, np.nan], LANGMUIR)
    assert "3 points at 3 doses do not fix 3 parameters" in fit.reason


@pytest.mark.parametrize("dose", [[-1, 1, 2, 3, 4], [np.nan, 1, 2, 3, 4], [np.inf, 1, 2, 3, 4], [1, 2]])
def test_wrong_doses_are_refused(dose) -> None:
    with pytest.raises(ParameterError, match=r"A dose is (-1|nan|inf)|as many"):
        fit_dose_response(dose, [1, 2, 3, 4, 5])


def test_weights_need_deviations() -> None:
    with pytest.raises(ParameterError, match="standard deviation"):
        fit_dose_response(DOSES, MEANS, FitOptions(weighted=True))
