"""Comparisons against published values of R, and against scipy and statsmodels on the same replicates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.options import CompareOptions

SLEEP = {
    "1": [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    "2": [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
}
PLANTS = {
    "ctrl": [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
    "trt1": [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
    "trt2": [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26],
}
NAMES = [f"r{place}" for place in range(10)]


def compared(table: pd.DataFrame, **options):
    return compare(table, CompareOptions(**{"value": "y", **options}))


def test_paired_t_of_r(make_table) -> None:
    """R: t.test(extra ~ group, data = sleep, paired = TRUE)."""
    result = compared(make_table(SLEEP, NAMES))
    row = result.contrasts.iloc[0]
    assert row["p_value"] == pytest.approx(0.002833, abs=5e-7)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert row["estimate"] == pytest.approx(1.58)
    assert row["p_adjusted"] == row["p_value"]
    assert "paired t-test" in row["method"]
    assert result.design.paired
    assert row["n_replicates"] == 10


def test_unpaired_t_of_r(make_table) -> None:
    """R: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776; with var.equal = TRUE, p = 0.07919."""
    welch = compared(make_table(SLEEP), method="welch").contrasts.iloc[0]
    assert welch["p_value"] == pytest.approx(0.07939, abs=5e-6)
    assert (welch["ci_low"], welch["ci_high"]) == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)
    assert welch["n_replicates"] == 20
    student = compared(make_table(SLEEP)).contrasts.iloc[0]
    assert student["p_value"] == pytest.approx(0.07919, abs=5e-6)
    assert student["p_value"] == pytest.approx(stats.ttest_ind(*SLEEP.values()).pvalue)


def test_tukey_of_r(make_table) -> None:
    """R: TukeyHSD(aov(weight ~ group, PlantGrowth)); its analysis of variance has F = 4.846, p = 0.01591."""
    result = compared(make_table(PLANTS))
    found = result.contrasts.set_index(["condition", "reference"])["p_adjusted"]
    assert found["trt1", "ctrl"] == pytest.approx(0.3908711, abs=2e-6)
    assert found["trt2", "ctrl"] == pytest.approx(0.1979960, abs=2e-6)
    assert found["trt2", "trt1"] == pytest.approx(0.0120064, abs=2e-6)
    assert "F(2, 27) = 4.846, p = 0.0159" in result.omnibus
    expected = stats.tukey_hsd(*PLANTS.values()).confidence_interval(0.95)
    assert result.contrasts["simultaneous_low"][0] == pytest.approx(expected.low[1, 0], abs=1e-6)
    assert result.contrasts["simultaneous_high"][0] == pytest.approx(expected.high[1, 0], abs=1e-6)


def test_dunnett_of_scipy(make_table) -> None:
    groups = {**PLANTS, "trt2": PLANTS["trt2"][:7]}
    result = compared(make_table(groups), control="ctrl").contrasts
    dunnett = stats.dunnett(groups["trt1"], groups["trt2"], control=groups["ctrl"])
    interval = dunnett.confidence_interval(0.95)
    assert result["p_adjusted"].to_numpy() == pytest.approx(dunnett.pvalue, abs=2e-3)
    assert result["simultaneous_low"].to_numpy() == pytest.approx(interval.low, abs=5e-3)
    assert result["simultaneous_high"].to_numpy() == pytest.approx(interval.high, abs=5e-3)
    assert (result["p_adjusted"] >= result["p_value"]).all()


def test_blocks_of_statsmodels(make_study) -> None:
    """Three conditions on the same days, one day without one of them: value ~ condition + replicate."""
    table = make_study(3, 5)
    table = table[(table["condition"] != "c2") | (table["replicate"] != "4")]
    result = compared(table, control="c0")
    means = table.groupby(["condition", "replicate"])["y"].mean().reset_index()
    fit = sm.OLS.from_formula("y ~ C(condition) + C(replicate)", means).fit()
    for place, name in enumerate(("c1", "c2")):
        test = fit.t_test(f"C(condition)[T.{name}] = 0")
        row = result.contrasts.iloc[place]
        assert row["estimate"] == pytest.approx(test.effect[0])
        assert row["p_value"] == pytest.approx(float(test.pvalue))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(test.conf_int()[0]))
    f_test = fit.f_test("C(condition)[T.c1] = 0, C(condition)[T.c2] = 0")
    assert f"p = {float(f_test.pvalue):.3g}" in result.omnibus
    assert any("share only some" in note for note in result.notes)


def test_ranks_of_scipy(make_table) -> None:
    """R: kruskal.test(weight ~ group, PlantGrowth): chi-squared = 7.9882, p = 0.01842."""
    result = compared(make_table(PLANTS), method="rank")
    assert "H(2) = 7.988, p = 0.0184" in result.omnibus
    groups = {"a": [1.1, 2.3, 3.7, 4.2], "b": [2.9, 5.1, 6.3, 8.8, 9.1]}
    row = compared(make_table(groups), method="rank").contrasts.iloc[0]
    assert row["p_value"] == pytest.approx(stats.mannwhitneyu(*groups.values(), method="exact").pvalue)
    shifts = np.subtract.outer(groups["b"], groups["a"])
    assert row["estimate"] == pytest.approx(np.median(shifts))
    pairs = {"a": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "b": [1.5, 3.1, 2.2, 6.0, 8.3, 9.4]}
    paired = compared(make_table(pairs, NAMES), method="rank").contrasts.iloc[0]
    expected = stats.wilcoxon(pairs["b"], pairs["a"], method="exact")
    assert paired["p_value"] == pytest.approx(expected.pvalue)


def test_three_ranks_against_three_find_nothing(make_table) -> None:
    result = compared(make_table({"a": [1, 2, 3], "b": [11, 12, 14]}), method="rank")
    row = result.contrasts.iloc[0]
    assert row["p_value"] == pytest.approx(0.1)
    assert np.isnan(row["ci_low"])
    assert any("cannot give a p-value below 0.1" in note for note in result.notes)


def test_holm_of_own_variances(make_table) -> None:
    result = compared(make_table(PLANTS), method="welch").contrasts
    alone = [
        stats.ttest_ind(PLANTS[a], PLANTS[b], equal_var=False).pvalue
        for a, b in zip(result["condition"], result["reference"], strict=True)
    ]
    assert result["p_value"].to_numpy() == pytest.approx(alone)
    order = np.argsort(alone)
    holm = np.maximum.accumulate(np.minimum(1, np.array(alone)[order] * [3, 2, 1]))
    assert result["p_adjusted"].to_numpy()[order] == pytest.approx(holm)
    assert (result["simultaneous_low"] < result["ci_low"]).all()


@pytest.mark.parametrize("paired", [True, False])
def test_mixed_model_of_statsmodels(make_study, paired) -> None:
    table = make_study(3, 5, shared=paired, seed=4)
    row = compared(table, method="mixed", control="c0").contrasts.iloc[1]
    terms = {"vc_formula": {"own": "0 + C(condition)"}} if paired else {}
    model = sm.MixedLM.from_formula("y ~ C(condition)", table, groups="replicate", re_formula="1", **terms)
    fit = model.fit(reml=True)
    df = 8 if paired else 12
    half = stats.t.ppf(0.975, df) * fit.bse_fe["C(condition)[T.c2]"]
    assert row["estimate"] == pytest.approx(fit.fe_params["C(condition)[T.c2]"], abs=1e-4)
    assert row["ci_high"] - row["estimate"] == pytest.approx(half, rel=3e-3)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(fit.tvalues["C(condition)[T.c2]"]), df), rel=0.01)


@pytest.mark.parametrize("paired", [True, False])
def test_gee_of_statsmodels(make_study, paired) -> None:
    table = make_study(2, 5, shared=paired)
    row = compared(table, value="positive", method="gee").contrasts.iloc[0]
    design = np.eye(2)[(table["condition"] == "c1").astype(int)]
    model = sm.GEE(
        table["positive"].to_numpy(float), design, table["replicate"].to_numpy(), family=sm.families.Binomial()
    )
    fit = model.fit(cov_type="bias_reduced")
    shares = 1 / (1 + np.exp(-fit.params))
    slope = np.array([-1, 1]) * shares * (1 - shares)
    error = np.sqrt(slope @ fit.cov_params() @ slope)
    half = stats.t.ppf(0.975, 4 if paired else 8) * error
    assert row["estimate"] == pytest.approx(shares[1] - shares[0])
    assert row["ci_high"] - row["estimate"] == pytest.approx(half, rel=1e-6)


def test_mixed_model_of_equal_numbers_is_the_paired_t(make_table) -> None:
    """Also where pairs differ by chance, and a variance of replicates cut off at 0 would find too much."""
    rng = np.random.default_rng(5)
    for _ in range(10):
        one, other = rng.normal(0, 1, (2, 4))
        table = make_table({"a": one, "b": 0.5 + other - 0.8 * one}, NAMES)
        cells = pd.concat([table.assign(y=table["y"] + noise) for noise in (-0.1, 0.0, 0.1)])
        mixed, t = (compared(cells, method=method).contrasts.iloc[0] for method in ("mixed", "t"))
        assert mixed["estimate"] == pytest.approx(t["estimate"])
        assert mixed["p_value"] == pytest.approx(t["p_value"], rel=1e-3)


def test_tukey_in_blocks(make_study) -> None:
    result = compared(make_study(3, 4)).contrasts
    t = stats.t.isf(result["p_value"] / 2, 6)
    assert result["p_adjusted"].to_numpy() == pytest.approx(stats.studentized_range.sf(t * np.sqrt(2), 3, 6))


def test_dunnett_in_blocks_is_the_multivariate_t(make_study) -> None:
    """Contrasts with one control of equal numbers correlate by 1/2."""
    result = compared(make_study(4, 4, effect=0.2), control="c0").contrasts
    shape = 0.5 + 0.5 * np.eye(3)
    for _, row in result.iterrows():
        edge = np.full(3, stats.t.isf(row["p_value"] / 2, 9))
        inside = stats.multivariate_t.cdf(edge, shape=shape, df=9, lower_limit=-edge, random_state=0)
        assert row["p_adjusted"] == pytest.approx(1 - inside, abs=1e-3)
