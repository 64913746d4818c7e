"""Tables as GraphPad Prism lays them out: the same numbers, in other places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.export.prism import column_table, grouped_table, replicate_table, write_prism
from cellmetry.io.tables import read_table

CELLS = pd.DataFrame(
    {
        "condition": ["drug", "control", "drug", "drug"],
        "area": [1.5, 2.0, np.inf, -3.0],
        "hit": [True, False, True, True],
    }
)
REPLICATES = pd.DataFrame(
    {
        "condition": ["drug", "drug", "control", "control", "control"],
        "replicate": ["day 2", "day 10", "day 2", "day 10", "day 1"],
        "line": ["A", "B", "A", "B", "A"],
        "value": [1.0, 2.0, 3.0, 4.0, np.nan],
    }
)


def test_a_column_for_each_condition_and_a_row_for_each_cell() -> None:
    table = column_table(CELLS, "area", "condition", order=["drug"])
    assert list(table) == ["drug", "control"]
    assert table["drug"].tolist() == [1.5, -3.0]
    assert table["control"].dropna().tolist() == [2.0]
    assert column_table(CELLS, "hit", "condition")["drug"].tolist() == [1, 1, 1]


def test_replicates_stand_in_the_same_row_in_all_conditions() -> None:
    table = replicate_table(REPLICATES)
    assert list(table) == ["replicate", "control", "drug"]
    assert table["replicate"].tolist() == ["day 1", "day 2", "day 10"]
    np.testing.assert_array_equal(table["control"], [np.nan, 3, 4])
    np.testing.assert_array_equal(table["drug"], [np.nan, 1, 2])


def test_grouped_tables_have_all_replicates_of_every_group() -> None:
    table = grouped_table(REPLICATES, "condition", "line", orders=(["drug"], ["B"]))
    names = ["day 1", "day 2", "day 10"]
    assert list(table) == ["condition", *(f"{line}: {name}" for line in "BA" for name in names)]
    assert table["condition"].tolist() == ["drug", "control"]
    assert table.set_index("condition").loc["drug", "B: day 10"] == 2
    assert table.iloc[:, 1:].notna().to_numpy().sum() == 4


def test_files_for_prism(tmp_path: Path) -> None:
    written = write_prism(tmp_path, CELLS, ["area", "hit"], "condition", replicates=REPLICATES)
    assert [path.name for path in written] == ["area_cells.csv", "hit_cells.csv", "area_replicates.csv"]
    assert written[0].read_text(encoding="utf-8") == "control,drug\n2.0,1.5\n,-3.0\n"
    pd.testing.assert_frame_equal(
        read_table(written[2]), replicate_table(REPLICATES), check_dtype=False, check_column_type=False
    )


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ParameterError, match="condition drug.* stands twice"):
        replicate_table(pd.concat([REPLICATES, REPLICATES.head(1)]))
    with pytest.raises(ParameterError, match="'condition' does not hold numbers"):
        column_table(CELLS, "condition", "condition")
    with pytest.raises(UnknownName, match="volume"):
        column_table(CELLS, "volume", "condition")


def test_a_condition_called_replicate_keeps_its_column() -> None:
    table = replicate_table(REPLICATES.replace({"condition": {"drug": "replicate"}}))
    assert list(table) == ["replicate_", "control", "replicate"]
