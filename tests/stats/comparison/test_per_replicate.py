"""EC50 by replicate: summaries and ratios against SciPy, and honest gaps where curves or replicates are missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.comparison.per_replicate import (
    HALF_COLUMNS,
    HALF_CONTRAST_COLUMNS,
    ReplicateDoses,
    fit_replicates,
)
from cellmetry.stats.dosing import CAUTION, DoseAnalysis, analyse_doses

DOSES = (0.0, 0.3, 1, 3, 10, 30, 100, 300)
HALVES = {"x": (3.0, 4.0, 6.0, 5.0), "y": (20.0, 22.0, 45.0, 30.0), "z": (3.1, 4.2, 5.9, 5.2)}


def wells(halves: dict[str, tuple[float, ...]], *, noise: float = 0.01, shared: bool = True) -> pd.DataFrame:
    """Return three wells a dose for each drug and day; wells of all days have the same names."""
    random, rows = np.random.default_rng(0), []
    for drug, of_days in halves.items():
        for day, half in enumerate(of_days, start=1):
            name = f"day {day}" if shared else f"{drug} day {day}"
            for dose in DOSES:
                level = 1 + 0.1 * day + (3 * dose / (half + dose) if np.isfinite(half) else 0.0)
                rows += [(drug, name, f"{drug}{dose:g}_{k}", dose, level + random.normal(0, noise)) for k in range(3)]
    return pd.DataFrame(rows, columns=["drug", "day", "well", "dose", "v"])


def found(table: pd.DataFrame, **more: object) -> ReplicateDoses:
    asked = {"value": "v", "dose": "dose", "by": "drug", "replicate": "day", **more}
    return fit_replicates(analyse_doses(table, DoseAnalysis.model_validate(asked)))


def test_half_doses_of_replicates_are_found_and_summarised() -> None:
    made = found(wells(HALVES))
    fits = made.fits.set_index(["group", "replicate"])
    for drug, of_days in HALVES.items():
        np.testing.assert_allclose(fits.loc[drug, "ec50"], of_days, rtol=0.05)
    halves = made.halves.set_index("group")
    logs = np.log(fits.loc["y", "ec50"])
    low, high = stats.ttest_1samp(logs, 0).confidence_interval()
    row = halves.loc["y"]
    np.testing.assert_allclose(
        [row["estimate"], row["ci_low"], row["ci_high"]],
        [stats.gmean(fits.loc["y", "ec50"]), np.exp(low), np.exp(high)],
    )
    assert row["sd_log10"] == pytest.approx(np.log10(fits.loc["y", "ec50"]).std())
    assert (row["n_replicates"], row["n_fitted"]) == (4, 4)
    for table, columns in ((made.halves, HALF_COLUMNS), (made.contrasts, HALF_CONTRAST_COLUMNS)):
        assert list(table.columns) == [column.name for column in columns]
        assert table.attrs["columns"] == columns
    assert [column.name for column in made.fits.attrs["columns"]] == list(made.fits.columns)


def test_shared_replicates_are_pairs() -> None:
    made = found(wells(HALVES))
    logs = np.log(made.fits.pivot(index="replicate", columns="group", values="ec50"))
    rows = made.contrasts.set_index(["group", "reference"])
    expected = stats.ttest_rel(logs["y"], logs["x"])
    interval = expected.confidence_interval()
    row = rows.loc[("y", "x")]
    assert row["p_value"] == pytest.approx(expected.pvalue)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], np.exp([interval.low, interval.high]))
    assert row["ratio"] == pytest.approx(np.exp((logs["y"] - logs["x"]).mean()))
    assert row["n_replicates"] == 4
    assert row["method"].startswith("paired t test of log EC50")
    p = rows["p_value"].to_numpy()
    order = np.argsort(p)
    holm = np.maximum.accumulate(np.minimum(1, p[order] * (3 - np.arange(3))))
    np.testing.assert_allclose(rows["p_adjusted"].to_numpy()[order], holm)
    assert rows.loc[("z", "x"), "p_value"] > 0.05


def test_replicates_of_their_own_are_compared_by_welch() -> None:
    made = found(wells({name: HALVES[name] for name in "xy"}, shared=False))
    logs = {name: np.log(part["ec50"]) for name, part in made.fits.groupby("group")}
    expected = stats.ttest_ind(logs["y"], logs["x"], equal_var=False)
    interval = expected.confidence_interval()
    row = made.contrasts.iloc[0]
    assert row["p_value"] == row["p_adjusted"] == pytest.approx(expected.pvalue)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], np.exp([interval.low, interval.high]))
    assert row["method"].startswith("Welch")
    assert row["n_replicates"] == 8


def test_a_replicate_without_a_curve_is_left_out_and_told() -> None:
    made = found(wells({"x": (3.0, np.inf, 6.0, 5.0), "y": HALVES["y"]}))
    row = made.halves.set_index("group").loc["x"]
    assert (row["n_replicates"], row["n_fitted"]) == (4, 3)
    assert made.contrasts["n_replicates"].iloc[0] == 3
    assert any(note.startswith("x: 1 of 4 replicates give no EC50") for note in made.notes)


def test_no_p_value_without_two_replicates_or_without_spread() -> None:
    one = found(wells({"x": (3.0,), "y": (20.0,)}))
    row = one.contrasts.iloc[0]
    assert np.isnan(row["p_value"])
    assert np.isnan(row["ci_low"])
    assert row["ratio"] == pytest.approx(20 / 3, rel=0.1)
    assert "two replicates that are fitted in both" in row["reason"]
    assert one.halves["ci_low"].isna().all()
    none = found(wells({"x": (np.inf, np.inf), "y": (3.0, 4.0)}))
    assert none.halves["estimate"].isna().tolist() == [True, False]
    assert "x: no replicate gives EC50." in none.notes
    table = wells({"x": (3.0,), "y": (9.0,)})
    same = found(pd.concat([table, table.assign(day="day 2")]))
    assert same.contrasts["reason"].iloc[0] == "replicates do not differ among themselves"
    assert np.isnan(same.contrasts["p_value"].iloc[0])
    apart = found(wells({"x": (3.0,), "y": (9.0, 8.0)}, shared=False))
    assert apart.contrasts["reason"].iloc[0] == "each group needs two fitted replicates"


def test_langmuir_has_kd() -> None:
    made = found(wells(HALVES), fit={"model": "langmuir"})
    np.testing.assert_allclose(made.fits.loc[made.fits["group"] == "x", "kd"], HALVES["x"], rtol=0.05)
    assert "log Kd" in made.contrasts["method"].iloc[0]
    assert {column.name for column in made.fits.attrs["columns"]} == set(made.fits.columns)


def test_wells_of_one_name_are_units_of_each_replicate() -> None:
    table = wells({"x": (3.0, 4.0)})
    asked = DoseAnalysis(value="v", dose="dose", by="drug", replicate="day")
    assert len(analyse_doses(table, asked).points) == len(table)
    assert analyse_doses(table, asked).caution == CAUTION
    with pytest.raises(UnknownName, match="Did you mean 'day'"):
        analyse_doses(table, asked.model_copy(update={"replicate": "days"}))
    with pytest.raises(ParameterError, match="Name the column of replicates"):
        found(table, replicate=None)
    with pytest.raises(ParameterError, match="there is no replicate"):
        found(table.assign(day=np.nan))
    lost = table.assign(day=table["day"].where(table["dose"] != 300))
    assert any("3 units have no day" in note for note in found(lost).notes)


def test_pairs_are_the_fitted_replicates_of_both() -> None:
    """A day that failed and a day that is missing say the same."""
    failed = found(wells({"x": (3.0, np.inf, 6.0, 5.0), "y": HALVES["y"]}))
    table = wells({name: HALVES[name] for name in "xy"})
    lost = found(table[(table["drug"] != "x") | (table["day"] != "day 2")])
    for made in (failed, lost):
        row = made.contrasts.iloc[0]
        assert row["method"].startswith("paired")
        assert row["n_replicates"] == 3
        assert any("3 of 4 fitted replicates are in both; only these pairs" in note for note in made.notes)
    two = found(wells({"x": (3.0, np.inf, 6.0), "y": HALVES["y"][:3]}))
    assert two.contrasts["method"].iloc[0].startswith("Welch")
    assert any("all are taken as independent" in note for note in two.notes)
