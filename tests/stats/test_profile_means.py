"""Profiles of a population: every cell counts once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.stats.profile_means import average_profiles


def _profiles() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": [1, 1, 2, 2, 3, 3],
            "center_um": [-1.0, 1.0] * 3,
            "count_px": [1000, 1000, 1, 1, 1, 1],
            "mean_a": [1.0, 2.0, 3.0, 4.0, 8.0, np.nan],
        }
    )


def test_cells_count_once_and_the_error_is_over_cells() -> None:
    table = average_profiles(_profiles(), {"a": "mean_a"}, "um")
    assert table["center_um"].tolist() == [-1, 1]
    assert table["n_cells_a"].tolist() == [3, 2]
    assert table["mean_of_cells_a"].tolist() == [4, 3]
    np.testing.assert_allclose(table["sem_over_cells_a"], [np.std([1, 3, 8], ddof=1) / np.sqrt(3), 1])


def test_a_single_cell_has_no_error_and_no_cell_gives_no_row() -> None:
    one = average_profiles(_profiles().query("label == 1"), {"a": "mean_a"}, "um")
    assert one["mean_of_cells_a"].tolist() == [1, 2]
    assert one["sem_over_cells_a"].isna().all()
    assert average_profiles(_profiles().iloc[:0], {"a": "mean_a"}, "um").empty


def test_every_column_is_described() -> None:
    table = average_profiles(_profiles(), {"a": "mean_a"}, "um")
    assert [column.name for column in table.attrs["columns"]] == list(table)


def test_a_ratio_has_a_column_of_its_own_name_and_no_unit() -> None:
    table = average_profiles(_profiles().rename(columns={"mean_a": "ratio_a"}), {"r": "ratio_a"}, "um")
    assert table["mean_of_cells_r"].tolist() == [4, 3]
    assert [column.unit for column in table.attrs["columns"]] == ["um", "1", "1", "1"]


def test_missing_columns_are_named() -> None:
    with pytest.raises(ParameterError, match="no column 'center_pct'"):
        average_profiles(_profiles(), {"a": "mean_a"}, "pct")
    with pytest.raises(ParameterError, match="no column 'mean_b'"):
        average_profiles(_profiles(), {"b": "mean_b"}, "um")


@given(st.permutations(range(6)), st.integers(1, 1000))
def test_order_of_rows_and_ids_of_cells_do_not_matter(order: list[int], shift: int) -> None:
    other = _profiles().iloc[order].assign(label=lambda table: table["label"] + shift)
    series = {"a": "mean_a"}
    pd.testing.assert_frame_equal(average_profiles(other, series, "um"), average_profiles(_profiles(), series, "um"))
