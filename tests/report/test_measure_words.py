"""What columns measure, as a paper names it."""

from __future__ import annotations

import pandas as pd
import pytest

from cellmetry.measure.columns import describe_columns
from cellmetry.report.measure_words import measure_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mean_GFP", "the mean intensity of GFP per cell (column mean_GFP, in units of the detector)"),
        ("area_um2", "the area per cell (column area_um2, in µm²)"),
        ("solidity", "the solidity per cell (column solidity)"),
        (
            "p95_EdU_2",
            "the 95th percentile of the intensity of EdU_2 per cell (column p95_EdU_2, in units of the detector)",
        ),
        (
            "ratio_of_means_GFP_to_RFP",
            "the ratio of means of GFP over RFP per cell (column ratio_of_means_GFP_to_RFP)",
        ),
        (
            "ring_mean_GFP",
            "the mean intensity of GFP in the ring per cell (column ring_mean_GFP, in units of the detector)",
        ),
    ],
)
def test_a_measure_is_told_with_its_unit_and_column(name, words) -> None:
    (column,) = describe_columns(pd.DataFrame({name: [1.0]}))
    assert measure_words(column) == words


def test_a_row_may_be_something_else() -> None:
    (column,) = describe_columns(pd.DataFrame({"area_um2": [1.0]}))
    assert measure_words(column, "nuclei").startswith("the area per nucleus (")
    assert measure_words(column._replace(name="n_cells_kept", unit="1"), "images") == (
        "the number of cells per image (column n_cells_kept)"
    )
