"""`cellmetry dose-response` and `cellmetry positive` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import OutputError, ParameterError
from cellmetry.io.tables import read_table, write_table

RUNNER = CliRunner()
DOSES = (0, 1, 2, 4, 8, 16, 32, 64, 128)


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    """Write cells of two drugs in four rows, and a map of dose and controls; return the folder."""
    random, cells, wells = np.random.default_rng(0), [], []
    for row in "ABCD":
        for column in range(1, 12):
            control = {1: -1, 11: 1}.get(column, 0)
            dose = 0 if column == 1 else DOSES[min(column - 2, 8)]
            wells.append({"Row": row, "Column": column, "dose": dose, "control": control})
            half = 4 if row in "AB" else 20
            level = 5.0 if control == 1 else 1 + 4 * dose / (half + dose)
            level += random.normal(0, 0.02)
            values = level + random.normal(0, 0.3, 40)
            where = {"image": f"{row}{column:02d}", "row": row, "column": f"{column:02d}"}
            cells += [{**where, "label": k, "ratio": v} for k, v in enumerate(values, 1)]
    write_table(pd.DataFrame(cells), tmp_path / "cells.csv")
    write_table(pd.DataFrame(wells), tmp_path / "map.csv")
    return tmp_path


def arguments(plate: Path, *more: str) -> list[str]:
    joined = ["--plate-map", str(plate / "map.csv"), "--join", "Row=row,Column=column"]
    return ["dose-response", str(plate / "cells.csv"), "--value", "ratio", "--dose", "dose", *joined, *more]


CONTROLS = ("--positive-control", "control=1", "--negative-control", "control=-1")
DRUGS = ("--by", "drug", "--assign", "drug=x:row=A,B", "--assign", "drug=y:row=C,D")


def test_a_plate_becomes_curves_tables_and_a_figure(plate: Path) -> None:
    done = RUNNER.invoke(app, arguments(plate, *DRUGS, *CONTROLS, "--out", str(plate / "out")))
    assert done.exit_code == 0, done.output
    assert "no test is made and no p-value given" in done.output
    out = plate / "out"
    fits = read_table(out / "fits.csv").set_index("group")
    np.testing.assert_allclose(fits["ec50"], [4, 20], rtol=0.2)
    assert (fits["ec50_low"] < fits["ec50"]).all()
    points = read_table(out / "points.csv")
    assert (len(points), points["n_cells"].unique().tolist()) == (44, [40])
    screen = read_table(out / "screen.csv")
    assert sorted(set(screen["group"])) == ["x", "y"]
    assert (screen[screen["measure"] == "z_prime"]["value"] > 0.8).all()
    for table in ("fits", "points", "screen"):
        described = {column.name for column in read_table(out / f"{table}.csv").attrs["columns"]}
        own = {"image", "row", "drug", "control", "dose"}
        assert set(read_table(out / f"{table}.csv").columns) - described <= own
    for form, magic in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert (out / f"dose_response.{form}").read_bytes().startswith(magic)
    record = json.loads((out / "dose_response.json").read_text())
    assert record["analysis"]["positive"] == ["control", "1"]
    assert len(record["inputs"]) == 2
    assert "cellmetry" in record["versions"]


def test_the_same_again_is_the_same_and_json(plate: Path) -> None:
    made = []
    for _ in range(2):
        done = RUNNER.invoke(
            app, arguments(plate, *DRUGS, "--json", "--model", "langmuir", "--out", str(plate / "out"))
        )
        assert done.exit_code == 0, done.output
        made.append((json.loads(done.stdout), (plate / "out" / "dose_response.svg").read_bytes()))
    assert made[0] == made[1]
    assert made[0][0]["screen"] is None
    assert made[0][0]["fits"][0]["kd"] == pytest.approx(4, rel=0.2)


def test_a_table_of_wells_with_weights(plate: Path) -> None:
    dose = np.array([0, 0.5, 1, 2, 5, 10, 20])
    table = pd.DataFrame({"dose": dose, "mean": 15 * dose / (1.5 + dose) + 2 + 0.1 * (-1) ** np.arange(7), "sd": 0.5})
    write_table(table, plate / "wells.csv")
    options = ["--value", "mean", "--dose", "dose", "--model", "langmuir", "--weights", "sd", "--json"]
    done = RUNNER.invoke(app, ["dose-response", str(plate / "wells.csv"), *options, "--out", str(plate / "w")])
    assert done.exit_code == 0, done.output
    fit = json.loads(done.stdout)["fits"][0]
    assert fit["kd"] == pytest.approx(1.5, rel=0.1)
    assert fit["chi2"] == pytest.approx(0.3, abs=0.3)


def test_units_without_a_standard_deviation_are_left_out_and_told(plate: Path) -> None:
    dose = np.array([0, 0.5, 1, 2, 5, 10, 20])
    table = pd.DataFrame({"dose": dose, "mean": 15 * dose / (1.5 + dose) + 2 + 0.1 * (-1) ** np.arange(7), "sd": 0.5})
    table.loc[4, ["mean", "sd"]] = [99.0, np.nan]
    write_table(table, plate / "wells.csv")
    options = ["--value", "mean", "--dose", "dose", "--model", "langmuir", "--weights", "sd"]
    done = RUNNER.invoke(app, ["dose-response", str(plate / "wells.csv"), *options, "--out", str(plate / "w")])
    assert done.exit_code == 0, done.output
    assert "1 have no sd and are left out" in done.output
    fits = read_table(plate / "w" / "fits.csv")
    assert fits[["n_points", "n_without_sd"]].to_numpy().tolist() == [[6, 1]]
    assert fits["kd"].iloc[0] == pytest.approx(1.5, rel=0.1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--value", "raito"), "Did you mean 'ratio'"),
        (("--by", "drug"), "drug"),
        (("--positive-control", "control"), "COLUMN=VALUE"),
        (("--assign", "drug=x"), "drug=wortmannin:row=A,B,C,D"),
        (("--unit-of-analysis", "row"), "differs within the unit"),
        (("--weights", "Row"), "Row"),
        (("--weights", "row"), "'A' is not a number"),
        (("--sd-floor", "1"), "is for weights"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(plate: Path, more, words) -> None:
    done = RUNNER.invoke(app, arguments(plate, "--out", str(plate / "out"), *more))
    assert isinstance(done.exception, ParameterError)
    assert words in str(done.exception)
    assert not (plate / "out").exists()


def test_folders_of_others_and_the_inputs_are_kept(plate: Path) -> None:
    done = RUNNER.invoke(app, arguments(plate, "--out", str(plate)))
    assert isinstance(done.exception, ParameterError)
    (plate / "mine").mkdir()
    (plate / "mine" / "notes.txt").write_text("mine")
    done = RUNNER.invoke(app, arguments(plate, "--out", str(plate / "mine")))
    assert isinstance(done.exception, OutputError)
    assert (plate / "mine" / "notes.txt").read_text() == "mine"


def test_units_without_a_drug_are_told(plate: Path) -> None:
    done = RUNNER.invoke(
        app, arguments(plate, "--by", "drug", "--assign", "drug=x:row=A,B,C", "--out", str(plate / "out"))
    )
    assert done.exit_code == 0, done.output
    assert "11 units have no drug and belong to no curve" in done.output
    assert read_table(plate / "out" / "fits.csv")["group"].tolist() == ["x"]


def test_controls_that_are_the_same_have_no_z_prime_and_a_reason(plate: Path) -> None:
    table = read_table(plate / "cells.csv", text=("column",))
    table["ratio"] = table["ratio"].where(~table["column"].isin(["01", "11"]), 2.0)
    table.attrs = {}
    write_table(table, plate / "cells.csv")
    done = RUNNER.invoke(app, arguments(plate, *CONTROLS, "--out", str(plate / "out")))
    assert done.exit_code == 0, done.output
    assert "no z_prime (the means of both controls are the same)" in done.output
    assert "ssmd 0.000 (0.000 to 0.000)" in done.output
    screen = read_table(plate / "out" / "screen.csv").set_index("measure")
    assert np.isnan(screen.loc["z_prime", "value"])


def test_a_drug_without_effect_has_no_curve_and_a_reason(plate: Path) -> None:
    table = read_table(plate / "cells.csv", text=("column",))
    table["ratio"] = np.random.default_rng(1).normal(1, 0.1, len(table))
    table.attrs = {}
    write_table(table, plate / "cells.csv")
    done = RUNNER.invoke(app, arguments(plate, "--out", str(plate / "out")))
    assert done.exit_code == 0, done.output
    assert "No curve: " in done.output
    fits = read_table(plate / "out" / "fits.csv")
    assert fits["ec50"].isna().all()
    assert fits["reason"].str.len().min() > 10


@pytest.mark.parametrize(
    ("how", "source"),
    [
        (("--threshold", "3"), "given: 3"),
        (("--control", "row=A"), "percentile 99 of 440 cells"),
        (("--control", "row=A", "--percentile", "90"), "percentile 90"),
        (("--control", "row=A", "--sds", "2"), "mean + 2 SD"),
    ],
)
def test_positive(plate: Path, how, source) -> None:
    base = ["positive", str(plate / "cells.csv"), "--value", "ratio", "--by", "image", "--out", str(plate / "pos")]
    done = RUNNER.invoke(app, [*base, *how])
    assert done.exit_code == 0, done.output
    assert source in done.output
    table = read_table(plate / "pos" / "positive.csv")
    cells = read_table(plate / "cells.csv")
    above = (cells["ratio"] > table["threshold"].iloc[0]).groupby(cells["image"]).mean()
    np.testing.assert_allclose(table.set_index("image")["fraction"], above)
    assert (plate / "pos" / "threshold.png").read_bytes().startswith(b"\x89PNG")


def test_positive_by_two_populations(plate: Path) -> None:
    random = np.random.default_rng(0)
    cells = pd.DataFrame({"gfp": np.concatenate([random.normal(1, 0.2, 700), random.normal(4, 0.4, 300)])})
    write_table(cells, plate / "two.parquet")
    base = ["positive", str(plate / "two.parquet"), "--value", "gfp", "--out", str(plate / "pos")]
    done = RUNNER.invoke(app, [*base, "--mixture", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert 1.5 < found["threshold"]["value"] < 3
    assert found["groups"][0]["n_positive"] == 300
    refused = RUNNER.invoke(app, [*base, "--mixture", "--threshold", "2"])
    assert "one way" in str(refused.exception)
    refused = RUNNER.invoke(app, [*base, "--threshold", "2", "--percentile", "90"])
    assert "need a control" in str(refused.exception)


def test_one_population_is_refused(plate: Path) -> None:
    cells = pd.DataFrame({"gfp": np.random.default_rng(0).normal(size=500)})
    write_table(cells, plate / "one.csv")
    options = ["--value", "gfp", "--mixture", "--out", str(plate / "pos")]
    done = RUNNER.invoke(app, ["positive", str(plate / "one.csv"), *options])
    assert "do not show two populations" in str(done.exception)
    assert not (plate / "pos").exists()


WELLS = pd.DataFrame({"well": [f"w{k}" for k in range(16)], "dose": np.repeat([0.0, 1, 4, 16], 4), "sd": 0.3}).assign(
    ratio=lambda table: 1 + 4 * table["dose"] / (2 + table["dose"]) + 0.1 * (-1) ** np.arange(16)
)


def refused(folder: Path, table: pd.DataFrame, command: str, *more: str) -> str:
    """Return the sentence with which a command refuses a table; nothing may be written."""
    write_table(table, folder / "wells.csv")
    options = ["--value", "ratio", *more, "--out", str(folder / "out")]
    done = RUNNER.invoke(app, [command, str(folder / "wells.csv"), *options])
    assert isinstance(done.exception, ParameterError), done.exception
    assert done.exception.exit_code == 2
    assert not (folder / "out").exists()
    return str(done.exception)


@pytest.mark.parametrize(
    ("table", "more", "words"),
    [
        (WELLS.iloc[:0], (), "The table has no rows"),
        (WELLS.assign(dose=np.nan), (), "No unit has a dose in the column 'dose'"),
        (WELLS.assign(dose=WELLS["dose"].where(WELLS.index != 3, -1)), (), "A dose is -1; doses are amounts from 0"),
        (WELLS.assign(dose=WELLS["dose"].where(WELLS.index != 3, np.inf)), (), "A dose is inf"),
        (WELLS.assign(ratio=np.nan), (), "No unit with a dose has a value in the column 'ratio'"),
        (WELLS.assign(ratio=np.inf), (), "No unit with a dose has a value in the column 'ratio'"),
        (WELLS.assign(drug=np.nan), ("--by", "drug"), "No unit has a value in the column 'drug'"),
        (WELLS, ("--by", "drug"), "'drug'"),
        (WELLS, ("--weights", "spread"), "'spread'"),
        (WELLS, ("--weights", "sd", "--sd-floor", "0"), "sd_floor"),
        (WELLS, ("--positive-control", "dose=99"), "No unit has dose = 99"),
    ],
)
def test_tables_without_a_curve_are_refused_in_words(tmp_path: Path, table, more, words) -> None:
    assert words in refused(tmp_path, table, "dose-response", "--dose", "dose", *more)


@pytest.mark.parametrize(
    ("table", "more", "words"),
    [
        (WELLS.iloc[:0], ("--threshold", "2"), "No cell has a value in the column 'ratio'"),
        (WELLS.assign(ratio=np.nan), ("--threshold", "2", "--by", "well"), "No cell has a value in the column 'ratio'"),
        (WELLS.assign(ratio=np.nan), ("--control", "dose=0"), "0 cells of the control have a value"),
        (WELLS.assign(ratio=np.nan), ("--mixture",), "0 values are too few"),
        (WELLS.assign(n=1), ("--threshold", "2", "--by", "n"), "column 'n' of their own"),
        (WELLS, ("--threshold", "2", "--by", "drug"), "'drug'"),
        (WELLS, ("--control", "drug=x"), "'drug'"),
        (WELLS, ("--threshold", "nan"), "threshold: input should be a finite number"),
    ],
)
def test_tables_without_a_fraction_are_refused_in_words(tmp_path: Path, table, more, words) -> None:
    assert words in refused(tmp_path, table, "positive", *more)


def test_missing_doses_and_values_of_some_units_are_left_out_and_told(tmp_path: Path) -> None:
    table = WELLS.copy()
    table.loc[table["dose"] == 4, "ratio"] = [np.nan, np.inf, np.nan, np.nan]
    table.loc[1, "dose"] = np.nan
    extra = WELLS.assign(dose=8.0, well=WELLS["well"] + "b", ratio=4.2)
    write_table(pd.concat([table, extra]), tmp_path / "wells.csv")
    options = ["--value", "ratio", "--dose", "dose", "--model", "langmuir", "--out", str(tmp_path / "out")]
    done = RUNNER.invoke(app, ["dose-response", str(tmp_path / "wells.csv"), *options])
    assert done.exit_code == 0, done.output
    assert "1 units have no dose and belong to no curve" in done.output
    fits = read_table(tmp_path / "out" / "fits.csv")
    assert fits["n_points"].tolist() == [27]
    points = read_table(tmp_path / "out" / "points.csv")
    assert points["n_missing"].sum() == 4


def test_one_unit_for_each_dose(tmp_path: Path) -> None:
    write_table(
        pd.DataFrame({"well": list("abcdefg"), "dose": DOSES[:7], "ratio": WELLS["ratio"][:7]}), tmp_path / "w.csv"
    )
    options = ["--value", "ratio", "--dose", "dose", "--out", str(tmp_path / "out")]
    done = RUNNER.invoke(app, ["dose-response", str(tmp_path / "w.csv"), *options])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "dose_response.png").exists()


def test_a_plate_map_in_a_sheet_of_excel(plate: Path) -> None:
    with pd.ExcelWriter(plate / "map.xlsx") as book:
        pd.DataFrame({"note": ["made by hand"]}).to_excel(book, sheet_name="Notes", index=False)
        pd.read_csv(plate / "map.csv").to_excel(book, sheet_name="Layout", index=False)
    done = RUNNER.invoke(app, arguments(plate, *DRUGS, "--out", str(plate / "csv")))
    assert done.exit_code == 0, done.output
    asked = [part.replace("map.csv", "map.xlsx#Layout") for part in arguments(plate, *DRUGS)]
    done = RUNNER.invoke(app, [*asked, "--out", str(plate / "excel")])
    assert done.exit_code == 0, done.output
    assert (plate / "csv" / "fits.csv").read_text() == (plate / "excel" / "fits.csv").read_text()
    inputs = json.loads((plate / "excel" / "dose_response.json").read_text())["inputs"]
    assert inputs[1]["path"].endswith("map.xlsx#Layout")


def test_replicates_have_curves_of_their_own(plate: Path) -> None:
    cells = read_table(plate / "cells.csv")
    random = np.random.default_rng(1)
    days = [cells.assign(day=f"day {k}", ratio=cells["ratio"] + random.normal(0, 0.1)) for k in range(3)]
    write_table(pd.concat(days), plate / "cells.csv")
    done = RUNNER.invoke(app, arguments(plate, *DRUGS, "--replicate", "day", "--out", str(plate / "out")))
    assert done.exit_code == 0, done.output
    assert "x: EC50 of 3 of 3 replicates" in done.output
    assert "y / x: ratio" in done.output
    assert "no test is made" not in done.output
    fits = read_table(plate / "out" / "replicates.csv")
    assert list(zip(fits["group"], fits["replicate"], strict=True)) == [(d, f"day {k}") for d in "xy" for k in range(3)]
    for name in ("replicates", "halves", "contrasts"):
        table = read_table(plate / "out" / f"{name}.csv")
        assert {column.name for column in table.attrs["columns"]} == set(table.columns)
    record = json.loads((plate / "out" / "dose_response.json").read_text())
    assert record["analysis"]["replicate"] == "day"
    done = RUNNER.invoke(app, arguments(plate, *DRUGS, "--replicate", "day", "--json", "--out", str(plate / "out")))
    assert len(json.loads(done.stdout)["contrasts"]) == 1
    without = RUNNER.invoke(app, arguments(plate, *DRUGS, "--unit-of-analysis", "image", "--out", str(plate / "w")))
    assert without.exit_code == 0, without.output
    assert not (plate / "w" / "replicates.csv").exists()
