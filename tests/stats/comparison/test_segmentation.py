"""Intervals that carry the segmentation's uncertainty hold the effect where intervals without it do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.comparison.cells import read_cells
from cellmetry.stats.comparison.options import CompareOptions, Normalise
from cellmetry.stats.comparison.replicates import named_values
from cellmetry.stats.comparison.result import CONTRAST_COLUMNS, Comparison, Design
from cellmetry.stats.comparison.segmentation import with_corrected_fields, with_second_segmentation

EFFECT = 2.0


def compared(table: pd.DataFrame, *, paired: bool = True, **more: object) -> Comparison:
    """Return each condition b… against its a… by a t test of replicates, made here by SciPy."""
    options = CompareOptions.model_validate({"value": "v", **more})
    values = named_values(read_cells(table, options), options)
    names = [name[1:] for name in values.index.unique(0) if name.startswith("a")]
    a, b = (np.array([values[f"{side}{name}"].to_numpy() for name in names]) for side in "ab")
    result = stats.ttest_1samp(b - a, 0, axis=1) if paired else stats.ttest_ind(b, a, equal_var=False, axis=1)
    interval = result.confidence_interval()
    effects = np.stack([b.mean(1) - a.mean(1), interval.low, interval.high], axis=1)
    contrasts = pd.DataFrame(np.nan, range(len(names)), [column.name for column in CONTRAST_COLUMNS])
    contrasts = contrasts.assign(condition=[f"b{name}" for name in names], reference=[f"a{name}" for name in names])
    contrasts[["estimate", "ci_low", "ci_high"]] = np.exp(effects) if options.scale == "log" else effects
    contrasts.attrs["columns"] = CONTRAST_COLUMNS
    replicates = values.rename("value").reset_index()
    design = Design(("a", "b"), paired, (a.shape[1], b.shape[1]), "amount")
    return Comparison(options, design, pd.DataFrame(), replicates, contrasts, pd.DataFrame(), notes=("first",))


def study(
    seed: int, *, replicates: int = 4, drift: float = 0.3, paired: bool = True, studies: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return fields by an automatic segmentation that makes those of b too small, and what they truly are.

    Of several studies, conditions are a0, b0, a1, b1, …; of one, a and b.
    """
    random, fields = np.random.default_rng(seed), 6
    names = pd.MultiIndex.from_product([range(studies), [0, 1], range(replicates), range(fields)]).to_frame(index=False)
    which, in_b, day, _ = (names[place].to_numpy() for place in range(4))
    number = which.astype(str) if studies > 1 else np.full(len(which), "")
    day = day + (0 if paired else replicates * in_b)
    table = pd.DataFrame({"condition": np.where(in_b, "b", "a") + pd.Series(number)})
    table["replicate"] = "day " + pd.Series(day).astype(str)
    table["image"] = np.arange(len(table))
    of_replicate = np.arange(len(table)) // fields
    days = random.normal(0, 1, (studies, 2 * replicates))[which, day]
    truth = (
        10 + EFFECT * in_b + days + random.normal(0, 0.5, len(table))[of_replicate] + random.normal(0, 0.5, len(table))
    )
    wrong = random.normal(0, drift, len(table))[of_replicate] + random.normal(0, 0.3, len(table))
    return table.assign(v=truth - 3.0 * in_b + wrong), table.assign(v=truth)


def some(truth: pd.DataFrame, each: int, replicates: int | None = None) -> pd.DataFrame:
    """Return the first fields of each replicate, of the first replicates of each condition."""
    found = truth[truth.groupby(["condition", "replicate"]).cumcount() < each]
    if replicates is not None:
        order = found.groupby("condition")["replicate"].transform(lambda names: pd.factorize(names)[0])
        found = found[order < replicates]
    return found


def coverage(comparison: Comparison, what: str = "segmentation") -> float:
    low, high = ("ci_low", "ci_high") if what == "ci" else ("segmentation_low", "segmentation_high")
    return float(((comparison.contrasts[low] <= EFFECT) & (comparison.contrasts[high] >= EFFECT)).mean())


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(
    ("replicates", "labelled", "drift"), [(4, None, 0.3), (8, 4, 0.3), (4, 1, 0.0)], ids=["all", "some", "one"]
)
def test_intervals_of_corrected_fields_hold_the_effect(
    replicates: int, labelled: int | None, drift: float, paired: bool
) -> None:
    automatic, truth = study(7, replicates=replicates, drift=drift, paired=paired, studies=300)
    plain = compared(automatic, paired=paired)
    found = with_corrected_fields(plain, automatic, some(truth, 3, labelled))
    assert coverage(plain, "ci") < 0.2
    assert coverage(found) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_all_fields_corrected_is_the_test_of_the_truth() -> None:
    automatic, truth = study(1)
    for paired in (True, False):
        found = with_corrected_fields(compared(automatic, paired=paired), automatic, truth).contrasts
        expected = compared(truth, paired=paired).contrasts
        np.testing.assert_allclose(
            found[["segmentation_low", "segmentation_high"]], expected[["ci_low", "ci_high"]], rtol=1e-9
        )
        assert found.attrs["columns"] == CONTRAST_COLUMNS


def test_nothing_corrected_wrong_changes_nothing() -> None:
    automatic, _ = study(2)
    found = with_corrected_fields(compared(automatic), automatic, some(automatic, 2)).contrasts.iloc[0]
    assert found["segmentation_low"] == pytest.approx(found["ci_low"])
    assert found["segmentation_high"] == pytest.approx(found["ci_high"])


def test_prediction_powered_interval_by_hand() -> None:
    names = {"condition": ["a"] * 4 + ["b"] * 4, "replicate": list("1234") * 2, "image": list("abcdefgh")}
    automatic = pd.DataFrame({**names, "v": [1.0, 2, 3, 4, 5, 7, 6, 8]})
    corrected = automatic.assign(v=[1.5, 2.5, 3.5, 4.5, 6, 9, 8, 8]).iloc[[0, 1, 2, 4, 5, 6]]
    found = with_corrected_fields(compared(automatic), automatic, corrected)
    differences, change = np.array([4.0, 5, 3, 4]), np.array([0.5, 1.5, 1.5])
    y = differences[:3] + change
    variance = y.var(ddof=1) / 4 + change.var(ddof=1) * (1 / 3 - 1 / 4)
    expected = 4 + change.mean() + np.array([-1, 1]) * stats.t.ppf(0.975, 2) * np.sqrt(variance)
    row = found.contrasts.iloc[0]
    np.testing.assert_allclose([row["segmentation_low"], row["segmentation_high"]], expected)
    assert found.notes[0] == "first"
    assert "6 of 8 fields were corrected" in found.notes[1]
    assert "from 4 to 5.167" in found.notes[2]
    assert "with 2 degrees of freedom" in found.notes[2]


def test_fields_without_values_or_names_do_not_count() -> None:
    automatic, truth = study(2)
    plain = compared(automatic)
    expected = with_corrected_fields(plain, automatic, some(truth, 2))
    nameless = truth[-3:].assign(image=None, v=1e9)
    empty = truth[~truth.index.isin(some(truth, 2).index)][:3].assign(v=np.nan)
    found = with_corrected_fields(plain, automatic, pd.concat([some(truth, 2), nameless, empty]))
    ends = ["segmentation_low", "segmentation_high"]
    np.testing.assert_allclose(found.contrasts[ends], expected.contrasts[ends], rtol=1e-12)
    assert found.notes[1:] == expected.notes[1:]


def test_truth_in_words_is_truth() -> None:
    automatic, truth = (table.assign(v=table["v"] > 10.5) for table in study(6))
    expected = with_corrected_fields(compared(automatic), automatic, some(truth, 3)).contrasts
    words = automatic.assign(v=automatic["v"].map({True: "TRUE", False: "false"}))
    found = with_corrected_fields(compared(words), words, some(truth, 3)).contrasts
    pd.testing.assert_frame_equal(found, expected)


def test_on_log_scale_the_change_is_a_factor() -> None:
    automatic, truth = study(3)
    found = with_corrected_fields(compared(automatic, scale="log"), automatic, truth).contrasts
    expected = compared(truth, scale="log").contrasts
    np.testing.assert_allclose(found[["segmentation_low", "segmentation_high"]], expected[["ci_low", "ci_high"]])


def test_too_few_corrected_fields_are_told() -> None:
    automatic, truth = study(4)
    one = with_corrected_fields(compared(automatic), automatic, some(truth, 1, 1))
    assert one.contrasts["segmentation_low"].isna().all()
    assert "no interval with segmentation, since of b fewer than two fields" in one.notes[2]
    two = with_corrected_fields(compared(automatic), automatic, some(truth, 2, 1))
    assert two.contrasts["segmentation_low"].notna().all()
    assert sum("are all of one replicate" in note for note in two.notes) == 2


def test_what_does_not_fit_is_refused() -> None:
    automatic, truth = study(5)
    plain = compared(automatic)
    with pytest.raises(ParameterError, match="has no field a / day 0 / other"):
        with_corrected_fields(plain, automatic, truth[:1].assign(image="other"))
    with pytest.raises(UnknownName, match="table of corrected fields called 'image'"):
        with_corrected_fields(plain, automatic, truth.drop(columns="image"))
    norm = Normalise(control="a", within="replicate")
    normalised = Comparison(**{**vars(plain), "options": plain.options.model_copy(update={"normalise": norm})})
    with pytest.raises(ParameterError, match="not combined with normalisation"):
        with_corrected_fields(normalised, automatic, truth)
    with pytest.raises(ParameterError, match="different options"):
        with_second_segmentation(plain, compared(truth, scale="log"))
    fewer = compared(truth[truth["replicate"] != "day 3"])
    with pytest.raises(ParameterError, match=r"differ in their replicates \(day 3 of a\)"):
        with_second_segmentation(plain, fewer)


def test_a_second_segmentation_reaches_over_both() -> None:
    automatic, truth = study(8, studies=300)
    in_b = truth["condition"].str.startswith("b")
    plain, other = compared(automatic), compared(truth.assign(v=truth["v"] + 1.0 * in_b))
    found = with_second_segmentation(plain, other)
    assert coverage(plain, "ci") < 0.2
    assert coverage(other, "ci") < 0.9
    assert coverage(found) > 0.95
    ours, theirs, both = (each.contrasts for each in (plain, other, found))
    np.testing.assert_array_equal(both["segmentation_low"], np.minimum(ours["ci_low"], theirs["ci_low"]))
    np.testing.assert_array_equal(both["segmentation_high"], np.maximum(ours["ci_high"], theirs["ci_high"]))
    assert "of the interval's width is due to segmentation" in found.notes[2]


def test_without_an_interval_there_is_none_by_two_segmentations() -> None:
    automatic, truth = study(9)
    plain = compared(automatic)
    plain.contrasts["ci_low"] = np.nan
    found = with_second_segmentation(plain, compared(truth))
    assert found.contrasts[["segmentation_low", "segmentation_high"]].isna().all(axis=None)
    assert found.notes[2].endswith(f"by the other segmentation {compared(truth).contrasts['estimate'].iloc[0]:.4g}.")
