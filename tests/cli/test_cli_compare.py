"""`cellmetry compare` as a user types it: from a table of cells to numbers, figures, report and tables for others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.tables import read_table, write_table

RUNNER = CliRunner()
SHIFT = {"none": 0.0, "low": 10.0, "high": 25.0}


def make_cells(days: int = 4, cells: int = 60) -> pd.DataFrame:
    """Return cells of three conditions on some days, which shift all conditions alike."""
    random = np.random.default_rng(3)
    day = random.normal(0, 8, days)
    parts = []
    for drug, shift in SHIFT.items():
        for place in range(days):
            level = 100 + shift + day[place] + random.normal(0, 3)
            image = f"{drug}_{place}"
            values = level + random.normal(0, 20, cells)
            where = {"image": image, "label": np.arange(1, cells + 1), "drug": drug, "day": f"day {place + 1}"}
            parts.append(pd.DataFrame({**where, "edu": values, "area_um2": random.gamma(5, 30, cells)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "cells.csv"
    write_table(make_cells(), path)
    return path


def typed(table: Path, out: Path, *more: str) -> list[str]:
    return ["compare", str(table), "--value", "edu", "--by", "drug", "--replicate", "day", *more, "--out", str(out)]


@pytest.fixture(scope="module")
def done(table: Path) -> Path:
    """Return the folder of a comparison with a gate, a filter and a control."""
    more = ("--control", "none", "--order", "none,low,high", "--keep", "area_um2 > 60", "--above", "130")
    result = RUNNER.invoke(app, typed(table, table.parent / "out", *more, "--table", "workbook", "--table", "prism"))
    assert result.exit_code == 0, result.output
    assert "edu: low is" in result.output
    assert "pairs of replicates" in result.output
    return table.parent / "out"


def test_contrasts_are_those_of_replicate_means_and_the_naive_test_stands_beside(done: Path, table: Path):
    found = json.loads((done / "comparison.json").read_text())
    rows = {(row["value"], row["condition"]): row for row in found["contrasts"]}
    assert len(rows) == 4
    kept = read_table(table).query("area_um2 > 60")
    means = kept.groupby(["drug", "day"])["edu"].mean().unstack("drug")
    for condition in ("low", "high"):
        row = rows["edu", condition]
        assert row["reference"] == "none"
        assert row["estimate"] == pytest.approx((means[condition] - means["none"]).mean())
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
        assert row["p_value"] <= row["p_adjusted"] <= 1
        assert row["n_replicates"] == 4
        assert row["n_cells"] == kept["drug"].isin([condition, "none"]).sum()
        cells = [kept.loc[kept["drug"] == name, "edu"] for name in (condition, "none")]
        assert row["naive_p_value"] == pytest.approx(stats.ttest_ind(*cells, equal_var=False).pvalue)
        assert row["naive_p_value"] < row["p_value"]
        assert row["method"]
    share = (kept["edu"] > 130).groupby([kept["drug"], kept["day"]]).mean().unstack("drug").mean()
    assert rows["edu_positive", "high"]["estimate"] == pytest.approx(share["high"] - share["none"])


def test_filters_and_thresholds_are_listed_with_what_they_do(done: Path, table: Path):
    filters = read_table(done / "tables" / "filters.csv")
    cells = read_table(table)
    assert filters["n_tested"].sum() == len(cells)
    assert filters["n_removed_first"].sum() == (cells["area_um2"] <= 60).sum()
    thresholds = read_table(done / "tables" / "thresholds.csv")
    assert thresholds["threshold"].tolist() == [130]
    assert thresholds["n_positive"].tolist() == [((cells["edu"] > 130) & (cells["area_um2"] > 60)).sum()]
    page = (done / "report.html").read_text()
    assert "area_um2 &gt; 60" in page


def test_the_report_holds_methods_legends_and_the_naive_test_and_loads_nothing(done: Path):
    page = (done / "report.html").read_text()
    for words in ("Methods", "Figure 1.", "What a test of cells would have claimed", "How many replicates next time"):
        assert words in page
    assert "http-equiv" in page
    assert 'src="http' not in page
    assert (done / "report.pdf").read_bytes().startswith(b"%PDF")


def test_cells_that_a_filter_removes_do_not_make_the_threshold(tmp_path: Path):
    cells = make_cells()
    cells.loc[cells["area_um2"] <= 60, "edu"] *= 5
    write_table(cells, tmp_path / "cells.csv")
    more = ("--keep", "area_um2 > 60", "--negative-control", "drug=none")
    result = RUNNER.invoke(app, typed(tmp_path / "cells.csv", tmp_path / "out", *more))
    assert result.exit_code == 0, result.output
    control = cells.query("area_um2 > 60 and drug == 'none'")["edu"]
    thresholds = read_table(tmp_path / "out" / "tables" / "thresholds.csv")
    assert thresholds.loc[0, "threshold"] == pytest.approx(np.percentile(control, 99))
    assert thresholds.loc[0, "n_cells"] == (cells["area_um2"] > 60).sum()


def test_corrected_fields_are_judged_by_the_thresholds_of_all(table: Path, tmp_path: Path):
    cells = make_cells()
    corrected = cells[(cells["drug"] != "none") & cells["day"].isin(["day 1", "day 2", "day 3"])]
    others = cells[(cells["drug"] == "none") & cells["day"].isin(["day 1", "day 2", "day 3"])]
    write_table(pd.concat([corrected, others.assign(edu=others["edu"] + 1)]), tmp_path / "corrected.csv")
    more = ("--negative-control", "drug=none", "--control", "none", "--corrected", str(tmp_path / "corrected.csv"))
    result = RUNNER.invoke(app, typed(table, tmp_path / "out", *more, "--json"))
    assert result.exit_code == 0, result.output
    rows = [row for row in json.loads(result.output)["contrasts"] if row["value"] == "edu_positive"]
    assert all(row["segmentation_low"] is not None for row in rows)


def test_numbers_keep_all_their_digits(done: Path):
    rows = json.loads((done / "comparison.json").read_text())["contrasts"]
    table = read_table(done / "tables" / "contrasts.parquet")
    for name in ("p_value", "naive_p_value", "estimate"):
        assert [row[name] for row in rows] == table[name].tolist()


def test_figures_and_tables_for_others_are_there(done: Path):
    for value in ("edu", "edu_positive"):
        for kind in ("superplot", "estimation"):
            for form in ("png", "svg", "pdf"):
                assert (done / "figures" / f"{value}_{kind}.{form}").stat().st_size > 1000
    assert (done / "figures" / "edu_positive_histogram.png").is_file()
    book = openpyxl.load_workbook(done / "results.xlsx", read_only=True)
    assert book.sheetnames == ["summary", "contrasts", "replicates", "filters", "none", "low", "high"]
    sheet = pd.DataFrame(book["replicates"].values)
    replicates = sheet.iloc[1:].set_axis(sheet.iloc[0], axis="columns")
    assert replicates["compared"].value_counts().to_dict() == {"edu": 12, "edu_positive": 12}
    for value in ("edu", "edu_positive"):
        table = read_table(done / "tables" / f"{value}_replicates.csv")
        shown = replicates.loc[replicates["compared"] == value, "value"].astype(float)
        assert shown.tolist() == pytest.approx(table["value"].tolist(), rel=1e-14)
    assert next(iter(book["filters"].values))[:2] == ("drug", "filter")
    prism = read_table(done / "prism" / "edu_replicates.csv")
    assert list(prism.columns) == ["replicate", "none", "low", "high"]
    assert {path.name for path in (done / "prism").glob("*s.csv")} == {
        *("edu_cells.csv", "edu_replicates.csv", "edu_positive_replicates.csv"),
    }
    assert not list(done.glob("*.R"))


def test_one_replicate_gives_estimates_and_no_p_value(tmp_path: Path):
    write_table(make_cells(days=1), tmp_path / "cells.csv")
    result = RUNNER.invoke(app, typed(tmp_path / "cells.csv", tmp_path / "out", "--control", "none"))
    assert result.exit_code == 0, result.output
    assert "no p-value" in result.output
    for row in json.loads((tmp_path / "out" / "comparison.json").read_text())["contrasts"]:
        assert row["p_value"] is None
        assert row["p_adjusted"] is None
        assert row["estimate"] > 0
        assert row["reason"]


def test_the_figures_that_are_asked_for_are_drawn(table: Path, tmp_path: Path):
    kinds = ("violin", "box", "jitter", "ecdf", "scatter")
    asked = [text for kind in kinds for text in ("--figure", kind)]
    look = ("--against", "area_um2", "--style", 'formats=["png"]', "--style", "dpi=72", "--label", "edu=EdU (a.u.)")
    result = RUNNER.invoke(app, typed(table, tmp_path / "out", *asked, *look, "--table", "r"))
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {f"edu_{kind}.png" for kind in kinds}
    script = (tmp_path / "out" / "edu.R").read_text()
    assert "tables/edu_replicates.csv" in script
    assert 'outputs = "edu_"' in script


def test_a_parquet_table_gives_the_same_as_csv(done: Path, table: Path, tmp_path: Path):
    write_table(make_cells(), tmp_path / "cells.parquet")
    more = ("--control", "none", "--order", "none,low,high", "--keep", "area_um2 > 60", "--json")
    result = RUNNER.invoke(app, typed(tmp_path / "cells.parquet", tmp_path / "out", *more))
    rows = json.loads(result.output)["contrasts"]
    before = [row for row in json.loads((done / "comparison.json").read_text())["contrasts"] if row["value"] == "edu"]
    for one, other in zip(rows, before, strict=True):
        assert one["p_value"] == pytest.approx(other["p_value"], rel=1e-9)


def test_a_second_segmentation_widens_the_interval(table: Path, tmp_path: Path):
    cells = make_cells()
    cells.loc[cells["drug"] == "high", "edu"] -= 6
    write_table(cells, tmp_path / "second.csv")
    more = ("--control", "none", "--second", str(tmp_path / "second.csv"), "--json")
    result = RUNNER.invoke(app, typed(table, tmp_path / "out", *more))
    assert result.exit_code == 0, result.output
    rows = {row["condition"]: row for row in json.loads(result.output)["contrasts"]}
    wide = rows["high"]["segmentation_high"] - rows["high"]["segmentation_low"]
    assert wide > rows["high"]["ci_high"] - rows["high"]["ci_low"] + 3
    assert rows["low"]["segmentation_low"] == pytest.approx(rows["low"]["ci_low"])


def test_relative_values_stand_in_a_column_of_their_own_everywhere(table: Path, tmp_path: Path):
    more = ("--control", "none", "--normalise-to", "none", "--within", "day", "--label", "edu=EdU (a.u.)")
    result = RUNNER.invoke(app, typed(table, tmp_path / "out", *more))
    assert result.exit_code == 0, result.output
    assert "EdU" not in result.output.split("is")[0]
    out = tmp_path / "out"
    cells = read_table(out / "tables" / "cells.csv")
    means = read_table(table).query("drug == 'none'").groupby("day")["edu"].mean()
    np.testing.assert_allclose(cells["edu_relative"], cells["edu"] / cells["day"].map(means), rtol=1e-9)
    rows = json.loads((out / "comparison.json").read_text())["contrasts"]
    assert {row["value"] for row in rows} == {"edu_relative"}
    assert "edu_relative" in (out / "edu_relative.R").read_text()
    assert read_table(out / "prism" / "edu_relative_cells.csv")["none"].mean() == pytest.approx(1, abs=0.01)
    page = (out / "report.html").read_text()
    assert "EdU (a.u.) / none of the same day" in page
    described = read_table(out / "tables" / "cells_columns.csv").set_index("name")
    assert "none of the same day" in described.loc["edu_relative", "definition"]


def test_what_a_user_put_or_changed_in_the_results_stays(table: Path, tmp_path: Path):
    arguments = typed(table, tmp_path / "out", "--figure", "box", "--table", "prism")
    assert RUNNER.invoke(app, arguments).exit_code == 0
    out = tmp_path / "out"
    (out / "notes.txt").write_text("mine")
    picture = out / "figures" / "edu_box.svg"
    picture.write_text(picture.read_text().replace("<svg", "<!-- mine --><svg", 1))
    again = RUNNER.invoke(app, arguments)
    assert again.exit_code == 0, again.output
    assert (out / "notes.txt").read_text() == "mine"
    assert "<!-- mine -->" not in picture.read_text()
    assert "<!-- mine -->" in (out / "figures" / "edu_box (changed by hand).svg").read_text()
    assert "notes.txt was not written by Cellmetry" in again.output
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert RUNNER.invoke(app, arguments).exit_code == 0
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        (("--value", "edU"), UnknownName, "edu"),
        (("--control", "nothing"), UnknownName, "none"),
        (("--above", "1", "--negative-control", "drug=none"), ParameterError, "not both"),
        (("--keep", "area_um2 >"), ParameterError, "area_um2"),
        (("--keep", "area_um2 > 1e9"), ParameterError, "area_um2 > 1e9"),
        (("--normalise-to", "none"), ParameterError, "--within"),
        (("--figure", "time"), ParameterError, "time"),
        (("--figure", "pie"), UnknownName, "violin"),
        (("--style", "colour=red"), UnknownName, "palette"),
        (("--style", "font=No Such Font"), ParameterError, "No Such Font"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words_and_nothing_is_left(table, tmp_path, more, error, words):
    result = RUNNER.invoke(app, typed(table, tmp_path / "out", *more))
    assert isinstance(result.exception, error), result.output
    assert words in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_a_comparison_is_never_replaced(table: Path, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all")
    result = RUNNER.invoke(app, typed(table, tmp_path / "mine"))
    assert result.exit_code != 0
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all"
    inside = RUNNER.invoke(app, typed(table, table.parent))
    assert isinstance(inside.exception, ParameterError)
    assert table.is_file()
