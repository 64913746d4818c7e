"""Plate maps, assigned groups and units of analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.dosing import DoseAnalysis, analyse_doses
from cellmetry.stats.units import Assignment, assign, join_plate_map, matches, summarise_units

CELLS = pd.DataFrame({"row": list("AAABBB"), "column": ["01", "02", "02", "01", "02", "02"], "gfp": [1, 2, 4, 3, 5, 9]})
PLATE = pd.DataFrame({"Row": list("ABAB"), "Column": [1, 1, 2, 2], "dose": [0, 1, 5, 7]})
JOIN = {"Row": "row", "Column": "column"}


def test_wells_are_joined_though_written_otherwise() -> None:
    joined = join_plate_map(CELLS, PLATE, JOIN)
    assert joined["dose"].tolist() == [0, 5, 5, 1, 7, 7]
    assert list(joined.columns) == [*CELLS.columns, "dose"]
    renamed = PLATE.rename(columns=JOIN)
    assert join_plate_map(CELLS, renamed)["dose"].tolist() == joined["dose"].tolist()


@pytest.mark.parametrize(
    ("plate", "join", "words"),
    [
        (PLATE, {}, "no column in common"),
        (PLATE, {"Row": "row"}, "twice"),
        (PLATE.iloc[:3], JOIN, "does not have row B, column 02"),
        (PLATE.rename(columns={"dose": "gfp"}), JOIN, "both have a column 'gfp'"),
        (PLATE, {"Row": "rwo"}, "rwo"),
        (PLATE, {"Rwo": "row"}, "Rwo"),
    ],
)
def test_what_cannot_be_joined_is_refused(plate, join, words) -> None:
    with pytest.raises((ParameterError, UnknownName), match=words):
        join_plate_map(CELLS, plate, join)


def test_columns_are_assigned() -> None:
    one, two = Assignment("drug", "x", "row", ("A",)), Assignment("drug", "y", "column", ("1",))
    assert assign(CELLS, [one])["drug"].tolist() == ["x"] * 3 + [None] * 3
    with pytest.raises(ParameterError, match="meets rows that are 'x'"):
        assign(CELLS, [one, two])
    with pytest.raises(ParameterError, match="No row has row = C"):
        assign(CELLS, [one._replace(values=("C",))])
    with pytest.raises(ParameterError, match="already"):
        assign(CELLS, [one._replace(column="gfp")])


def test_values_match_as_numbers_or_text() -> None:
    assert matches(CELLS["column"], "1").tolist() == [True, False, False, True, False, False]
    assert matches(pd.Series([1.0, np.nan, 2.0]), "1").tolist() == [True, False, False]
    assert matches(pd.Series(["DMSO", " DMSO", None]), "DMSO").tolist() == [True, True, False]


def test_units() -> None:
    found = summarise_units(join_plate_map(CELLS, PLATE, JOIN), "gfp", ["row", "column"], ["dose"])
    assert found["n_cells"].tolist() == [1, 2, 1, 2]
    assert found["median_of_cells"].tolist() == [1, 3, 3, 7]
    assert found["dose"].tolist() == [0, 5, 1, 7]
    assert len(summarise_units(CELLS, "gfp", [])) == 6
    with pytest.raises(ParameterError, match="gfp differs within the unit"):
        summarise_units(CELLS.assign(v=1.0), "v", ["row"], ["gfp"])
    with pytest.raises(ParameterError, match="does not hold numbers"):
        summarise_units(CELLS, "row", [])


def plate(ec50: float = 3.0, wells: int = 4) -> pd.DataFrame:
    """Return cells of a plate: doses, negative control at dose 0, positive control of another compound."""
    random, rows = np.random.default_rng(2), []
    for dose, control in [*((dose, 0) for dose in (0.3, 1, 3, 10, 30, 100)), (0, -1), (0, -1), (500, 1)]:
        for well in range(wells):
            level = 8 if control == 1 else 1 + 5 * dose**2 / (ec50**2 + dose**2) + random.normal(0, 0.05)
            cells = level + random.normal(0, 0.5, 60)
            rows += [{"well": f"{dose}{control}{len(rows)}{well}", "dose": dose, "c": control, "v": v} for v in cells]
    return pd.DataFrame(rows).assign(well=lambda table: np.arange(len(table)) // 60)


def test_a_plate_is_read_out() -> None:
    table = pd.concat([plate(3).assign(drug="x"), plate(20).assign(drug="y")], ignore_index=True)
    table["well"] = np.arange(len(table)) // 60
    analysis = DoseAnalysis(value="v", dose="dose", by="drug", positive=("c", "1"), negative=("c", "-1"))
    result = analyse_doses(table, analysis)
    assert len(result.points) == 72
    assert (result.points["n_cells"] == 60).all()
    fits = result.fits.set_index("group")
    np.testing.assert_allclose(fits["ec50"], [3, 20], rtol=0.15)
    np.testing.assert_allclose(fits["top"], 6, rtol=0.05)  # the positive control at 8 is no point of the curve
    assert fits["n_points"].tolist() == [32, 32]
    assert result.screen is not None
    quality = result.screen[result.screen["measure"] == "z_prime"]
    assert (quality["value"] > 0.8).all()
    assert quality["n_negative"].tolist() == [8, 8]


def test_a_control_that_is_not_there_is_refused() -> None:
    with pytest.raises(ParameterError, match="No unit has c = 7"):
        analyse_doses(plate(), DoseAnalysis(value="v", dose="dose", positive=("c", "7")))
    with pytest.raises(ParameterError, match="dose 'high' is not a number"):
        analyse_doses(
            plate().assign(dose=lambda table: table["dose"].astype(object).where(table["dose"] < 50, "high")),
            DoseAnalysis(value="v", dose="dose"),
        )
