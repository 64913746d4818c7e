"""Values relative to a control of the same batch, against numbers worked out by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.comparison.cells import read_part
from cellmetry.stats.comparison.normalising import normalise_to_control
from cellmetry.stats.comparison.options import CompareOptions, Normalise
from cellmetry.stats.comparison.replicates import named_values


def options(how: str = "ratio", within: str = "replicate", **more: object) -> CompareOptions:
    norm = Normalise.model_validate({"control": "DMSO", "within": within, "how": how})
    return CompareOptions.model_validate({"value": "v", "normalise": norm, **more})


def values_of(table: pd.DataFrame, asked: CompareOptions, level: str | None = None) -> pd.Series:
    return named_values(read_part(table, asked), asked, level)


def cells(day_effects: tuple[float, ...] = (1.0, 3.0, 10.0), n: int = 40, *, seed: int = 0) -> pd.DataFrame:
    random, parts = np.random.default_rng(seed), []
    for day, factor in enumerate(day_effects, start=1):
        for condition, level in (("DMSO", 10.0), ("drug", 15.0)):
            values = factor * level * random.lognormal(0, 0.1, n)
            names = {
                "condition": condition,
                "replicate": f"day {day}",
                "plate": f"p{day}",
                "image": f"{day}_{condition}",
            }
            parts.append(pd.DataFrame({**names, "well": np.arange(n) % 3, "v": values}))
    return pd.concat(parts, ignore_index=True)


def test_by_hand() -> None:
    table = pd.DataFrame(
        {
            "condition": ["DMSO", "DMSO", "DMSO", "x", "DMSO", "DMSO", "DMSO", "x", "x"],
            "replicate": [1, 1, 1, 1, 2, 2, 2, 2, np.nan],
            "v": [1.0, 2, 3.6, 9, 20, 10, 30, np.inf, 5],
        }
    )
    ratio = normalise_to_control(table, options())["v"]
    np.testing.assert_allclose(ratio, [1 / 2.2, 2 / 2.2, 3.6 / 2.2, 9 / 2.2, 1, 0.5, 1.5, np.nan, np.nan])
    median = normalise_to_control(table, options(summary="median"))["v"]
    np.testing.assert_allclose(median, [0.5, 1, 1.8, 4.5, 1, 0.5, 1.5, np.nan, np.nan])
    less = normalise_to_control(table, options("difference"))["v"]
    np.testing.assert_allclose(less, [-1.2, -0.2, 1.4, 6.8, 0, -10, 10, np.nan, np.nan])
    robust = normalise_to_control(table, options("robust_z"))["v"]
    np.testing.assert_allclose(robust[:4], np.array([-1, 0, 1.6, 7]) / 1.4826)
    mad = stats.median_abs_deviation([20, 10, 30], scale="normal")
    np.testing.assert_allclose(robust[4:7], np.array([0, -10, 10]) / mad, rtol=1e-4)


@pytest.mark.parametrize("more", [{}, {"summary": "median"}, {"nested": ("well", "image")}, {"scale": "log"}])
@pytest.mark.parametrize("how", ["ratio", "difference"])
def test_the_control_of_a_batch_is_the_standard_that_a_replicate_is(how: str, more: dict[str, object]) -> None:
    asked = options(how, **more)
    if how == "difference":
        asked = asked.model_copy(update={"scale": "linear"})
    values = values_of(normalise_to_control(cells(), asked), asked)
    expected = (0.0 if how == "difference" else 1.0) if asked.scale == "linear" else 0.0
    np.testing.assert_allclose(values["DMSO"], expected, atol=1e-12)


def test_effects_of_days_drop_out() -> None:
    asked = options(within="plate")
    before = values_of(cells(), asked)["drug"]
    after = values_of(normalise_to_control(cells(), asked), asked)["drug"]
    assert before.std() / before.mean() > 0.8
    np.testing.assert_allclose(after, 1.5, rtol=0.1)


def test_a_batch_of_several_replicates_weighs_them_the_same() -> None:
    table = pd.DataFrame({"condition": "DMSO", "replicate": ["a", "a", "a", "b"], "plate": 1, "v": [2.0, 2, 2, 4]})
    np.testing.assert_allclose(normalise_to_control(table, options("difference", "plate"))["v"], [-1, -1, -1, 1])


def test_nothing_asked_changes_nothing_and_the_table_is_kept() -> None:
    table = cells()
    table.attrs["columns"] = (Column("v", "um2", "Area.", "Cellmetry"), Column("well", "", "Well.", "study"))
    kept = table.copy()
    assert normalise_to_control(table, CompareOptions(value="v")) is table
    made = normalise_to_control(table, options("robust_z"))
    pd.testing.assert_frame_equal(table, kept)
    assert made.attrs["columns"][0].unit == "1"
    assert "robust standard deviations from the median of DMSO" in made.attrs["columns"][0].definition
    assert made.attrs["columns"][1] == table.attrs["columns"][1]


def change(table: pd.DataFrame, rows: pd.Series, value: object, column: str = "v") -> pd.DataFrame:
    changed = table.copy()
    changed.loc[rows, column] = value
    return changed


CELLS = cells()
OF_DAY_2 = (CELLS["replicate"] == "day 2") & (CELLS["condition"] == "DMSO")
REFUSED = {
    "no control in a batch": (
        change(CELLS, OF_DAY_2, "other", "condition"),
        options(),
        "replicate 'day 2'. has no cell",
    ),
    "control without values": (change(CELLS, OF_DAY_2, np.nan), options(), "replicate 'day 2'. has no cell"),
    "negative": (change(CELLS, OF_DAY_2, -CELLS["v"]), options(), "'day 2'. has a control within 2 standard errors"),
    "about 0": (
        change(CELLS, OF_DAY_2, pd.Series(np.resize([-1.0, 1.01], len(CELLS)))),
        options(),
        "'day 2'. has a control within 2 standard errors",
    ),
    "no spread": (change(CELLS, OF_DAY_2, 3.0), options("robust_z"), "'day 2'. has a control whose median distance"),
    "no logarithm": (change(CELLS, OF_DAY_2, 0.0), options(scale="log"), "'day 2'. has control cells of 0 or below"),
    "no control": (change(CELLS, CELLS["condition"] == "DMSO", "none", "condition"), options(), "there is no control"),
    "truth": (CELLS.assign(v=CELLS["v"] > 3), options(), "A fraction is not normalised"),
    "truth in words": (CELLS.assign(v="TRUE"), options(), "A fraction is not normalised"),
    "text": (CELLS.assign(v="x"), options(), "does not hold numbers"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_standard_is_refused(form: str) -> None:
    table, asked, words = REFUSED[form]
    with pytest.raises(ParameterError, match=words):
        normalise_to_control(table, asked)


def test_columns_are_needed() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'plate'"):
        normalise_to_control(CELLS, options(within="plates"))


def test_only_cells_that_count_make_a_standard() -> None:
    lost = CELLS[:40].assign(v=1e9, replicate=None)
    for how in ("ratio", "difference", "robust_z"):
        asked = options(how, within="plate")
        made = normalise_to_control(pd.concat([CELLS, lost], ignore_index=True), asked)
        pd.testing.assert_frame_equal(made[: len(CELLS)], normalise_to_control(CELLS, asked), check_dtype=False)
    assert made["v"][len(CELLS) :].gt(1e6).all()


@given(st.floats(0.01, 1e6), st.floats(-1e3, 1e3))
def test_ratios_know_no_unit_and_differences_no_origin(factor: float, offset: float) -> None:
    ratio, less = options(), options("difference")
    scaled = CELLS.assign(v=CELLS["v"] * factor)
    np.testing.assert_allclose(normalise_to_control(scaled, ratio)["v"], normalise_to_control(CELLS, ratio)["v"])
    moved = CELLS.assign(v=CELLS["v"] + offset)
    np.testing.assert_allclose(
        normalise_to_control(moved, less)["v"], normalise_to_control(CELLS, less)["v"], rtol=1e-6, atol=1e-6
    )
