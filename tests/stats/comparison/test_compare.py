"""What a comparison gives and refuses: replicates, pairs, single replicates, constant ones, fractions, notes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.options import CompareOptions, Normalise
from cellmetry.stats.comparison.result import CONTRAST_COLUMNS, GROUP_COLUMNS, POWER_COLUMNS, REPLICATE_COLUMNS


def compared(table: pd.DataFrame, **options):
    return compare(table, CompareOptions(**{"value": "y", **options}))


def said(result, words: str) -> bool:
    return any(words in note for note in result.notes)


def test_tables_are_described(make_study) -> None:
    result = compared(make_study())
    tables = (result.groups, result.replicates, result.contrasts, result.power)
    for table, columns in zip(tables, (GROUP_COLUMNS, REPLICATE_COLUMNS, CONTRAST_COLUMNS, POWER_COLUMNS), strict=True):
        assert tuple(table.columns) == tuple(column.name for column in columns)
        assert [column.name for column in table.attrs["columns"]] == list(table.columns)


def test_groups_by_hand(make_study) -> None:
    table = make_study(3, 4)
    table.loc[[3, 5, 8], "y"] = [np.nan, np.inf, np.nan]
    row = compared(table).groups.iloc[0]
    mine = table[(table["condition"] == "c0") & np.isfinite(table["y"])]
    means = mine.groupby("replicate")["y"].mean()
    assert row["n_missing"] == 3
    assert row["n_cells"] == len(mine)
    assert row["n_fields"] == mine["image"].nunique()
    assert row["mean"] == pytest.approx(means.mean())
    assert row["sd"] == pytest.approx(means.std())
    assert row["se"] == pytest.approx(means.sem())
    low, high = stats.t.interval(0.95, 3, means.mean(), means.sem())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert row["mad"] == pytest.approx(stats.median_abs_deviation(means))
    assert row["mean_of_cells"] == pytest.approx(mine["y"].mean())
    assert row["sd_of_cells"] == pytest.approx(mine["y"].std())
    assert row["median_of_cells"] == pytest.approx(mine["y"].median())
    assert row["mad_of_cells"] == pytest.approx(stats.median_abs_deviation(mine["y"]))


def test_replicates_weigh_cells_or_units_the_same(make_study) -> None:
    table = make_study(2, 3)
    plain = compared(table).replicates["value"]
    assert plain.to_numpy() == pytest.approx(table.groupby(["condition", "replicate"])["y"].mean().to_numpy())
    nested = compared(table, nested=("well", "image"), summary="median").replicates["value"]
    by_hand = table.groupby(["condition", "replicate", "well", "image"])["y"].median()
    for depth in (3, 2):
        by_hand = by_hand.groupby(level=list(range(depth))).mean()
    assert nested.to_numpy() == pytest.approx(by_hand.to_numpy())
    assert not np.allclose(plain, nested)


def test_one_replicate_gives_estimates_only(make_study) -> None:
    table = make_study(3, 1)
    result = compared(table)
    assert result.design.estimation_only
    assert result.contrasts[["p_value", "p_adjusted", "ci_low", "ci_high", "simultaneous_low"]].isna().all(axis=None)
    assert result.contrasts["reason"].str.contains("one replicate of").all()
    means = table.groupby("condition")["y"].mean()
    assert result.contrasts["estimate"][0] == pytest.approx(means["c1"] - means["c0"])
    wells = table.groupby(["condition", "well"])["y"].mean()
    expected = stats.ttest_ind(wells["c1"], wells["c0"], equal_var=False).confidence_interval(0.95)
    row = result.contrasts.iloc[0]
    assert (row["technical_low"], row["technical_high"]) == pytest.approx((expected.low, expected.high))
    assert row["technical_unit"] == "wells"
    assert compared(table.drop(columns="well")).contrasts["technical_unit"].eq("fields").all()
    assert compared(table.drop(columns=["well", "image"])).contrasts["technical_low"].isna().all()
    assert result.contrasts["naive_p_value"].notna().all()
    assert result.omnibus == ""
    assert "nothing can be tested" in result.notes[0]


def test_one_single_replicate_among_others(make_study) -> None:
    table = make_study(3, 4, shared=False)
    table = table[(table["condition"] != "c2") | (table["replicate"] == "20")]
    result = compared(table)
    rows = result.contrasts.set_index(["condition", "reference"])
    both = compared(table[table["condition"] != "c2"]).contrasts.iloc[0]
    assert rows.loc[("c1", "c0"), "p_value"] == pytest.approx(both["p_value"])
    assert rows.loc[("c1", "c0"), "p_adjusted"] == pytest.approx(both["p_value"])
    assert np.isnan(rows.loc[("c2", "c0"), "p_value"])
    assert "one replicate of c2" in rows.loc[("c2", "c0"), "reason"]
    assert np.isfinite(rows["estimate"]).all()
    assert said(result, "unbalanced")


def test_one_replicate_against_several_has_no_technical_interval(make_study) -> None:
    """The estimate is that of all replicates of one side; wells of one day are of another difference."""
    table = make_study(2, 3)
    table = table[(table["condition"] == "c0") | (table["replicate"] == "0")]
    result = compared(table)
    row = result.contrasts.iloc[0]
    means = table.groupby(["condition", "replicate"])["y"].mean().groupby("condition").mean()
    assert row["estimate"] == pytest.approx(means["c1"] - means["c0"])
    assert np.isnan(row[["technical_low", "technical_high"]].astype(float)).all()
    assert row["technical_unit"] == ""
    assert row["n_replicates"] == 4
    assert said(result, "Of c1 there is one replicate")


def test_one_pair_among_pairs_is_of_that_pair(make_study) -> None:
    table = make_study(3, 3)
    table = table[(table["condition"] != "c2") | (table["replicate"] == "1")]
    row = compared(table, control="c0").contrasts.iloc[1]
    assert row["n_replicates"] == 1
    assert row["technical_low"] < row["estimate"] < row["technical_high"]
    own = table.assign(replicate=table["replicate"].where(table["condition"] != "c2", "x"))
    none = compared(own, control="c0").contrasts.iloc[1]
    assert np.isnan(none["technical_low"])
    assert none["n_replicates"] == 4


@pytest.mark.parametrize("shared", [True, False])
def test_control_divided_by_itself_lends_no_variance(make_table, shared) -> None:
    rng = np.random.default_rng(3)
    control = 1 + 1e-16 * np.arange(5)
    groups = {"control": control, "a": rng.normal(1.4, 0.2, 5), "b": rng.normal(1, 0.2, 5)}
    result = compared(make_table(groups, list("vwxyz") if shared else None), control="control")
    expected = [stats.ttest_1samp(groups[name], 1.0) for name in "ab"]
    assert result.contrasts["p_value"].to_numpy() == pytest.approx([each.pvalue for each in expected])
    assert result.contrasts["ci_low"][0] == pytest.approx(expected[0].confidence_interval(0.95).low - 1)
    assert result.contrasts["adjustment"].str.startswith("Holm").all()
    spread = groups["a"].std(ddof=1)
    assert 0 < result.contrasts["hedges_g"][0] < (groups["a"].mean() - 1) / spread
    assert said(result, "divided by itself")
    refused = compared(make_table(groups), control="control", method="mixed")
    assert refused.contrasts["p_value"].isna().all()
    assert refused.contrasts["reason"].str.contains("all the same").all()


@pytest.mark.parametrize("first", [1.0, 1.1])
@pytest.mark.parametrize("method", ["auto", "welch", "rank"])
def test_conditions_that_share_no_pairs_among_others_that_do(make_table, first, method) -> None:
    """All share days with the control, a and b none with each other; a constant control makes tests of their own."""
    rng = np.random.default_rng(0)
    groups = {"control": [first, *[1.0] * 5], "a": rng.normal(1, 0.1, 6), "b": rng.normal(1, 0.1, 6)}
    table = make_table(groups, list("pqrstu"))
    table = table.drop(index=[*range(9, 12), *range(12, 15)])
    result = compared(table, method=method).contrasts.set_index(["condition", "reference"])
    between = result.loc[("b", "a")]
    assert np.isfinite(between["estimate"])
    if method == "auto" and first != 1.0:
        assert between["reason"] == ""
        assert 0 < between["p_value"] <= 1
    else:
        assert "share fewer than two" in between["reason"]
        assert np.isnan(between["p_value"])


@pytest.mark.parametrize("method", ["t", "welch", "rank", "mixed"])
@pytest.mark.parametrize("names", [None, ["p", "q", "r"]])
@pytest.mark.parametrize("second", [[5.0, 5.0, 5.0], [7.0, 7.0, 7.0]])
def test_no_spread_gives_a_reason_and_never_p_0(make_table, method, names, second) -> None:
    result = compared(make_table({"a": [5.0, 5.0, 5.0], "b": second}, names), method=method)
    row = result.contrasts.iloc[0]
    if method == "rank" and names is None and second[0] == 7.0:
        assert row["p_value"] == pytest.approx(0.1)
        return
    assert np.isnan(row["p_value"])
    assert np.isnan(row["ci_low"])
    assert row["reason"]
    assert row["estimate"] == second[0] - 5.0
    assert np.isnan(row["hedges_g"])


def test_no_spread_anywhere_is_not_said_to_be_tested(make_table) -> None:
    result = compared(make_table({"a": [5.0, 5.0, 5.0], "b": [7.0, 7.0, 7.0]}))
    assert not said(result, "tested by the spread of its own")


def test_pairs_that_all_differ_by_the_same_have_no_p(make_table) -> None:
    result = compared(make_table({"a": [1.0, 2.0, 4.0], "b": [1.5, 2.5, 4.5]}, ["p", "q", "r"]))
    assert np.isnan(result.contrasts["p_value"][0])
    assert "spread" in result.contrasts["reason"][0]


def test_pairing(make_table) -> None:
    values = {"a": [1.0, 2.0, 4.0, 3.0], "b": [1.9, 2.5, 5.5, 3.1]}
    shared = make_table(values, ["p", "q", "r", "s"])
    assert compared(shared).design.paired
    loose = compared(shared, pairing="unpaired")
    assert not loose.design.paired
    assert loose.contrasts["p_value"][0] == pytest.approx(stats.ttest_ind(values["a"], values["b"]).pvalue)
    with pytest.raises(ParameterError, match="do not share enough"):
        compared(make_table(values), pairing="paired")


def test_partly_shared_replicates(make_table) -> None:
    values = {"a": [1.0, 2.0, 4.0, 3.0], "b": [1.9, 2.5, 5.5, 3.1]}
    table = make_table(values, ["p", "q", "r", "s"])
    three = compared(table.iloc[:-1])
    assert three.contrasts["p_value"][0] == pytest.approx(stats.ttest_rel(values["a"][:3], values["b"][:3]).pvalue)
    assert said(three, "1 that only one condition has")
    assert three.contrasts["n_replicates"][0] == 3
    table.loc[[4, 5], "replicate"] = ["x", "y"]
    two = compared(table)
    assert not two.design.paired
    assert said(two, "too few for pairs")
    assert two.contrasts["p_value"][0] == pytest.approx(stats.ttest_ind(values["a"], values["b"]).pvalue)


@pytest.mark.parametrize("counts", [False, True])
def test_fractions(make_study, counts) -> None:
    table = make_study(2, 4)
    options = {"value": "positive"}
    truth = compared(table, **options)
    if counts:
        table = table.groupby(["condition", "replicate", "image"])["positive"].agg(["sum", "size"]).reset_index()
        options = {"value": "sum", "total": "size"}
    result = compared(table, **options)
    assert result.design.kind == "fraction"
    pd.testing.assert_frame_equal(
        result.contrasts.drop(columns="value"), truth.contrasts.drop(columns="value"), check_exact=False
    )
    pd.testing.assert_frame_equal(result.groups, truth.groups, check_dtype=False)
    row = result.replicates.iloc[0]
    assert row["value"] == pytest.approx(row["n_positive"] / row["n_cells"])
    wide = result.replicates.pivot(index="replicate", columns="condition", values="value")
    assert result.contrasts["p_value"][0] == pytest.approx(stats.ttest_rel(wide["c0"], wide["c1"]).pvalue)
    sums = result.replicates.groupby("condition")[["n_positive", "n_cells"]].sum()
    square = stats.chi2_contingency(
        np.column_stack([sums["n_positive"], sums["n_cells"] - sums["n_positive"]]), correction=False
    )
    assert result.contrasts["naive_p_value"][0] == pytest.approx(square.pvalue)


def test_gee_needs_replicates_that_weigh(make_study) -> None:
    few = compared(make_study(2, 2), value="positive", method="gee").contrasts.iloc[0]
    assert np.isnan(few["p_value"])
    assert "need 3 replicates" in few["reason"]
    table = make_study(2, 4)
    heavy = pd.concat([table, *[table[(table["condition"] == "c0") & (table["replicate"] == "0")]] * 20])
    odd = compared(heavy, value="positive", method="gee").contrasts.iloc[0]
    assert "mostly in few" in odd["reason"]


def test_logarithms_give_ratios(make_study) -> None:
    table = make_study(2, 4)
    table["y"] = np.exp(table["y"] / 5)
    result = compared(table, scale="log")
    row = result.contrasts.iloc[0]
    logs = np.log(table["y"]).groupby([table["condition"], table["replicate"]]).mean()
    test = stats.ttest_rel(logs["c1"], logs["c0"])
    assert row["estimate"] == pytest.approx(np.exp((logs["c1"] - logs["c0"]).mean()))
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row["ci_low"] == pytest.approx(np.exp(test.confidence_interval(0.95).low))
    assert result.groups["mean"][1] / result.groups["mean"][0] == pytest.approx(row["estimate"])
    table.loc[:4, "y"] = 0.0
    with pytest.raises(ParameterError, match="5 of"):
        compared(table, scale="log")


def test_cells_of_one_replicate_are_said_to_be_alike(make_study) -> None:
    result = compared(make_study(2, 3, effect=0))
    row = result.contrasts.iloc[0]
    table = make_study(2, 3, effect=0)
    cells = [table.loc[table["condition"] == name, "y"] for name in ("c1", "c0")]
    assert row["naive_p_value"] == pytest.approx(stats.ttest_ind(*cells, equal_var=False).pvalue)
    assert row["naive_p_value"] < row["p_value"]
    assert said(result, "takes cells as replicates")
    assert said(result, "design effect")


def test_a_cell_level_p_is_never_0_and_not_told_in_numbers_that_mean_nothing(make_study) -> None:
    result = compared(make_study(2, 3, effect=500))
    assert 0 < result.contrasts["naive_p_value"][0] < 1e-300
    assert said(result, "gives p < 0.0001 for c1 – c0, more than a million times smaller than that of the replicates")


def test_how_far_the_test_of_cells_is_off(make_study) -> None:
    table = make_study(2, 3, effect=0)
    row = compared(table).contrasts.iloc[0]
    times = row["p_value"] / row["naive_p_value"]
    (note,) = (each for each in compared(table).notes if "times smaller" in each)
    told = float(note.split(" times smaller")[0].split()[-1].replace(",", ""))
    assert told == pytest.approx(times, rel=0.05)
    assert f"p = {row['naive_p_value']:#.3g} for" in note


def test_rows_are_called_by_their_name(make_study) -> None:
    for more in (
        {"value": "y"},
        {"value": "y", "method": "mixed"},
        {"value": "positive"},
        {"value": "positive", "method": "gee"},
    ):
        found = compared(make_study(2, 4), rows="nuclei", **more)
        words = [*found.notes, *found.contrasts["method"], *found.contrasts["naive_method"]]
        assert any("nuclei" in each for each in words)
        assert not any("cell" in each for each in words)
    alone = compared(make_study(2, 1), rows="nuclei")
    assert said(alone, "tests of nuclei say nothing")
    assert not said(alone, "cell")


def test_the_note_on_pairs_names_no_command(make_study) -> None:
    assert said(compared(make_study(2, 4)), "within each condition, choose unpaired.")
    assert said(
        compared(make_study(2, 4), pairing="paired"), "is taken as a pair (the same day, animal or culture), as"
    )
    assert not said(compared(make_study(2, 4)), "--")


def test_fields_that_pose_as_replicates_are_noticed(make_study) -> None:
    table = make_study(2, 8)
    table["image"] = table["condition"] + table["replicate"]
    assert said(compared(table), "exactly one image")
    assert said(compared(make_study(2, 4), replicate="well"), "no independent replicates")
    assert not said(compared(make_study(2, 8)), "image")


def test_rows_without_label_are_counted(make_study) -> None:
    table = make_study(2, 4)
    table.loc[:9, "replicate"] = None
    table.loc[10:12, "condition"] = " "
    result = compared(table)
    assert said(result, f"13 of {len(table)} rows are left out: they are of no condition or no replicate")
    assert result.groups["n_cells"].sum() == len(table) - 13


def test_order_is_asked_for_or_natural(make_table) -> None:
    table = make_table({"10 µM": [1.0, 2, 3], "2 µM": [2.0, 3, 5], "DMSO": [1.0, 1.5, 3]})
    assert compared(table).design.conditions == ("2 µM", "10 µM", "DMSO")
    assert compared(table, order=("DMSO",)).design.conditions == ("DMSO", "2 µM", "10 µM")
    numbers = table.assign(condition=table["condition"].map({"10 µM": 10.0, "2 µM": 2.0, "DMSO": 0.5}))
    assert compared(numbers).design.conditions == ("0.5", "2", "10")


def test_what_is_refused(make_study) -> None:
    table = make_study(2, 3)
    with pytest.raises(UnknownName, match="column"):
        compared(table, value="z")
    with pytest.raises(UnknownName, match="condition"):
        compared(table, control="c9")
    with pytest.raises(ParameterError, match="does not hold numbers"):
        compared(table, value="image")
    with pytest.raises(ParameterError, match="needs two conditions"):
        compared(table[table["condition"] == "c0"])
    with pytest.raises(ParameterError, match="random effect of mixed models only"):
        compared(table, plate="well")
    with pytest.raises(ParameterError, match="for amounts"):
        compared(table, value="positive", method="mixed")
    with pytest.raises(ParameterError, match="true and false"):
        compared(table, method="gee")
    with pytest.raises(ParameterError, match="between 0 and the number"):
        compared(table.assign(n=5, k=6), value="k", total="n")
    with pytest.raises(ParameterError, match="not for ranks"):
        compared(table, method="rank", adjust="tukey")
    three = make_study(3, 3)
    with pytest.raises(ParameterError, match="needs one variance"):
        compared(three, method="welch", adjust="tukey")
    with pytest.raises(ParameterError, match="with a control"):
        compared(three, adjust="dunnett")


def test_plates_of_the_mixed_model(make_study) -> None:
    table = make_study(2, 4)
    rng = np.random.default_rng(1)
    table["plate"] = table["replicate"] + rng.choice(["a", "b"], len(table))
    shift = dict(zip(sorted(table["plate"].unique()), rng.normal(0, 1, 8), strict=True))
    table["y"] += table["plate"].map(shift)
    result = compared(table, method="mixed", plate="plate")
    assert "plate" in result.contrasts["method"][0]
    assert np.isfinite(result.contrasts["p_value"][0])
    same = compared(table.assign(plate=table["replicate"]), method="mixed", plate="plate")
    assert said(same, "one effect stands for both")
    with pytest.raises(ParameterError, match="its own plate"):
        compared(table.assign(plate=table["condition"]), method="mixed", plate="plate")


def test_assumptions_in_words(make_study, make_table) -> None:
    rng = np.random.default_rng(0)
    few = compared(make_table({"a": [1.0, 2, 4], "b": [2.0, 3, 7]}))
    assert said(few, "cannot be checked with 6")
    odd = {"a": [*rng.normal(0, 1, 9), 30.0], "b": rng.normal(0, 1, 10)}
    result = compared(make_table(odd))
    assert said(result, "not normal")
    assert said(result, "Replicate a-9 of a lies far")
    wide = {"a": rng.normal(0, 1, 12), "b": rng.normal(0, 30, 12)}
    assert said(compared(make_table(wide)), "do not scatter alike")
    table = make_study(2, 6, effect=3)
    table["y"] = np.exp(table["y"])
    assert said(compared(table), "consider the log scale")
    rare = make_study(2, 4).assign(positive=lambda cells: cells["y"] > 14)
    assert said(compared(rare, value="positive"), "near 0 or 1")
    asked = compared(table, normalise=Normalise(control="c0", within="replicate"))
    assert said(asked, "relative to 'c0'")


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    factor=st.floats(0.01, 1000),
    shared=st.booleans(),
    method=st.sampled_from(["auto", "welch", "rank", "mixed"]),
)
def test_units_and_order_of_rows_do_not_matter(make_study, seed, factor, shared, method) -> None:
    table = make_study(3, 4, shared=shared, seed=seed, cells=10)
    first = compared(table, method=method).contrasts
    other = table.sample(frac=1, random_state=seed).assign(y=lambda cells: -factor * cells["y"])
    second = compared(other, method=method).contrasts
    assert second["estimate"].to_numpy() == pytest.approx(-factor * first["estimate"].to_numpy(), rel=1e-3, abs=1e-9)
    assert second["ci_low"].to_numpy() == pytest.approx(
        -factor * first["ci_high"].to_numpy(), rel=1e-3, abs=2e-3 * factor, nan_ok=True
    )
    assert second["p_value"].to_numpy() == pytest.approx(first["p_value"].to_numpy(), rel=0.02, abs=1e-9)
    assert ((first["p_value"] > 0) & (first["p_value"] <= first["p_adjusted"])).all()
    inside = (first["ci_low"] <= first["estimate"]) & (first["estimate"] <= first["ci_high"])
    assert (inside | first["ci_low"].isna()).all()


def random_table(seed: int) -> pd.DataFrame:
    """Return a table as odd as users have them: few cells, constant conditions, missing replicates, rare positives."""
    rng = np.random.default_rng(seed)
    k, replicates, cells = rng.integers(2, 5), rng.integers(1, 6), rng.integers(1, 30)
    names = {"condition": k, "replicate": replicates, "image": 4, "well": 3, "plate": 3}
    table = pd.DataFrame({name: rng.integers(0, most, k * replicates * cells) for name, most in names.items()})
    if rng.random() < 0.4:
        table["replicate"] += 10 * table["condition"]
    if rng.random() < 0.3:
        table = table[(table["condition"] != 1) | (table["replicate"] % 10 <= rng.integers(0, 3))]
    n = len(table)
    own = rng.normal(1, 0.2, n)
    values = (
        own,
        np.full(n, 3.0),
        rng.integers(1, 3, n),
        np.where(table["condition"] == 0, 1.0, own),
        table["replicate"] + 1.0,
    )
    table = table.assign(y=np.asarray(values[rng.integers(0, 5)], float), n=10, k=rng.integers(0, 11, n))
    table["positive"] = rng.random(n) < rng.choice([0, 0.02, 0.5, 0.98, 1])
    table.loc[table.index[rng.random(n) < 0.1 * rng.integers(0, 2)], "y"] = np.nan
    return table


@settings(max_examples=60)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["auto", "welch", "rank", "mixed", "gee"]),
    st.sampled_from(["y", "positive", "k"]),
    st.sampled_from([None, "0"]),
    st.sampled_from(["linear", "log"]),
    st.booleans(),
)
def test_any_table_gives_p_or_a_reason_or_is_refused(seed, method, value, control, scale, more) -> None:
    options = {"value": value, "method": method, "control": control, "scale": scale}
    options |= {"total": "n"} if value == "k" else {}
    if more:
        options |= {"plate": "plate"} if method == "mixed" else {"nested": ("well", "image")}
    try:
        found = compared(random_table(seed), **options).contrasts
    except ParameterError:
        return
    assert (found["p_value"].notna() == (found["reason"] == "")).all()
    assert (found["p_value"].dropna() > 0).all()
    assert (found["p_adjusted"] >= found["p_value"] - 1e-12)[found["p_value"].notna()].all()
    assert found["estimate"].notna().all()


def test_technical_interval_where_one_side_is_constant(make_study) -> None:
    table = make_study(2, 1)
    table.loc[table["condition"] == "c0", "y"] = 3.0
    row = compared(table).contrasts.iloc[0]
    wells = table[table["condition"] == "c1"].groupby("well")["y"].mean()
    expected = stats.ttest_1samp(wells, 3.0).confidence_interval(0.95)
    assert row["technical_low"] == pytest.approx(expected.low - 3.0)


def test_the_control_stands_first_without_an_order(make_table) -> None:
    table = make_table({"drug10": [1.0, 2, 3], "drug2": [2.0, 3, 5], "drug": [1.0, 1.5, 3], "vehicle": [1.0, 2, 4]})
    assert compared(table).design.conditions == ("drug", "drug2", "drug10", "vehicle")
    assert compared(table, control="vehicle").design.conditions == ("vehicle", "drug", "drug2", "drug10")
    asked = compared(table, control="vehicle", order=("drug10",))
    assert asked.design.conditions == ("drug10", "drug", "drug2", "vehicle")


def test_intervals_of_fractions_stay_in_their_range() -> None:
    counts = {"condition": list("aabb"), "replicate": list("wxyz"), "k": [0, 30, 95, 70], "n": 100}
    row = compared(pd.DataFrame(counts), value="k", total="n").contrasts.iloc[0]
    assert row["ci_high"] == 1.0
    assert -1 < row["ci_low"] < row["estimate"]


def test_yes_and_no_are_true_and_false(make_study) -> None:
    table = make_study(2, 4)
    truth = compared(table, value="positive")
    words = compared(table.assign(positive=np.where(table["positive"], "Yes", "no")), value="positive")
    pd.testing.assert_frame_equal(words.contrasts, truth.contrasts)
    numbers = compared(table.assign(positive=table["positive"].astype(int)), value="positive")
    assert numbers.design.kind == "amount"
    assert said(numbers, "holds only 0 and 1")
    assert not said(truth, "holds only 0 and 1")


def test_logarithms_are_named_as_they_are_taken(make_study) -> None:
    table = make_study(2, 4)
    result = compared(table, scale="log")
    assert result.contrasts["method"][0] == "paired t-test of replicate means of logarithms"
    defined = {column.name: column.definition for column in result.groups.attrs["columns"]}
    assert all("eometric mean" in defined[name] for name in ("mean", "sd", "median", "mad"))
    value = {column.name: column.definition for column in result.replicates.attrs["columns"]}["value"]
    assert "Geometric mean" in value
    fraction = compared(table.assign(positive=table["y"] > 8.5), value="positive", scale="log")
    assert fraction.contrasts["method"][0] == "paired t-test of logarithms of replicate fractions"


def test_power_and_least_p_of_ranks(make_study) -> None:
    result = compared(make_study(2, 3), method="rank")
    assert result.power[["n_replicates", "power_now", "detectable_now"]].isna().all(axis=None)
    assert said(result, "No power")
    assert said(result, "below 0.25")
    assert not said(result, "three against three")
    assert said(compared(make_study(2, 3, shared=False), method="rank"), "three against three")
    assert not said(compared(make_study(2, 3)), "No power")
