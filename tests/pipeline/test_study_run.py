"""A study from images to report by one command: what is run, compared, withheld, left out and done again."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import InputError, ParameterError, UnknownName
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.tables import read_table, write_table
from cellmetry.learn.generate.edu import EduCondition, EduOptions, write_edu_study
from cellmetry.pipeline.study.example import example_study
from cellmetry.pipeline.study.run import run_study
from cellmetry.study.file import load_study

RUNNER = CliRunner()
CONDITIONS = (
    EduCondition(name="vehicle", fraction=0.2, intensity=900),
    EduCondition(name="growth factor", fraction=0.8, intensity=900),
)
OPTIONS = EduOptions(conditions=CONDITIONS, fields=1, shape=(256, 256), cells=16)
QUICK = {
    'recipe = "edu"': 'recipe = "quick.toml"',
    'aligned_to = "phase"': "# aligned_to =",
    '"serum-free", "inhibitor low", "inhibitor high", "inhibitor + factor"': "",
    'formats = ["png", "svg", "pdf"]': 'formats = ["png"]',
}
RECIPE = """
[[steps]]
step = "segment"
engine = "classical"
labels = "nuclei"
channel = "TO-PRO-3"
diameter_px = 18
[[steps]]
step = "rolling_ball"
channels = ["EdU"]
radius_px = 50
[[steps]]
step = "measure"
labels = "nuclei"
table = "nuclei"
features = ["size", "position", "intensity"]
channels = ["EdU"]
"""


def changed(study: Path, changes: dict[str, str]) -> None:
    """Change a study's file as a user does."""
    file = study / "study.toml"
    text = file.read_text()
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    file.write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small generated study that was run: two conditions on three days."""
    folder = tmp_path_factory.mktemp("study") / "edu"
    write_edu_study(folder, OPTIONS)
    study = example_study(folder).folder
    changed(study, QUICK)
    (study / "quick.toml").write_text(RECIPE)
    result = RUNNER.invoke(app, ["study", "run", str(study)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def again(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that study, to be changed."""
    shutil.copytree(made, tmp_path / "edu")
    return tmp_path / "edu" / "edu.cellmetry"


def contrasts(study: Path) -> dict[str, dict[str, object]]:
    rows = json.loads((study / "results" / "comparison.json").read_text())["contrasts"]
    return {row["value"]: row for row in rows}


def test_fractions_and_totals_are_those_of_the_truth(made: Path):
    truth = read_table(made / "truth" / "cells.csv")
    study = made / "edu.cellmetry"
    shares = truth.groupby(["condition", "replicate"])["positive"].mean().groupby("condition").mean()
    found = contrasts(study)
    true = shares["growth factor"] - shares["vehicle"]
    assert found["EdU_positive"]["estimate"] == pytest.approx(true, abs=0.1)
    assert found["EdU_positive"]["n_replicates"] == 3
    assert found["EdU_positive"]["p_value"] < 0.05
    fields = read_table(study / "results" / "tables" / "fields.csv").set_index("image")
    visible = truth[truth["nucleus_px"] > 0].groupby("image").size()
    assert (fields["n_nuclei"] - visible).abs().max() <= 2


def test_the_report_tells_design_plates_examples_methods_and_recipe(made: Path):
    results = made / "edu.cellmetry" / "results"
    page = (results / "report.html").read_text()
    for words in ("Plate layout", "Example images", "rolling ball", "Counts and quality", "SHA-256", "day 3"):
        assert words in page
    assert page.count("data:image/png") > 5
    for name in (
        "EdU_positive_thresholds",
        "layout",
        "plate_mean_EdU",
        "edges_mean_EdU",
        "batches_mean_EdU",
        "mean_EdU_superplot",
    ):
        assert (results / "figures" / f"{name}.png").is_file()
    assert sorted(path.name for path in (results / "conditions").glob("*.csv")) == [
        "columns.csv",
        "growth factor.csv",
        "vehicle.csv",
    ]


def test_the_workbook_has_replicates_filters_and_fields(made: Path):
    results = made / "edu.cellmetry" / "results"
    book = openpyxl.load_workbook(results / "results.xlsx", read_only=True)
    assert book.sheetnames[:5] == ["summary", "contrasts", "replicates", "filters", "fields"]
    assert {"growth factor", "vehicle", "columns"} <= set(book.sheetnames[5:])
    images = [row[0] for row in book["fields"].values]
    assert images == ["image", *read_table(results / "tables" / "fields.csv")["image"]]
    assert not (results / "prism" / "EdU_positive_cells.csv").exists()
    assert (results / "prism" / "EdU_positive_replicates.csv").is_file()


def test_a_second_run_does_no_image_again_and_finds_the_same(again: Path):
    before = contrasts(again)
    (again / "results" / "report.html").unlink()
    result = run_study(load_study(again))
    assert result.run.reused == 6
    assert contrasts(again) == before
    assert (again / "results" / "report.html").is_file()


def test_labels_that_were_changed_by_hand_are_told_and_never_written_over(again: Path):
    file = again / "run" / "labels" / "A01_0_nuclei_labels.tif"
    labels = np.asarray(read_labels(file).read())
    labels[labels == labels.max()] = 0
    write_labels(labels_from_array(np.squeeze(labels)), file)
    told = RUNNER.invoke(app, ["study", "run", str(again)])
    assert told.exit_code == 0, told.output
    assert "changed by hand since this run wrote them" in told.output
    changed(again, {"set = []": 'set = ["rolling_ball.radius_px=40"]'})
    anew = RUNNER.invoke(app, ["study", "run", str(again)])
    assert anew.exit_code == 0, anew.output
    kept = file.with_name("A01_0_nuclei_labels_changed_by_hand.tif")
    np.testing.assert_array_equal(np.squeeze(read_labels(kept).read()), np.squeeze(labels))
    assert np.max(read_labels(file).read()) > labels.max()


def test_wells_of_one_plate_are_no_replicates_so_nothing_is_tested(again: Path):
    plate_map = read_table(again.parent / "plate_map.csv").drop(columns="batch")
    write_table(plate_map, again.parent / "plate_map.csv")
    result = RUNNER.invoke(app, ["study", "run", str(again)])
    assert result.exit_code == 0, result.output
    assert "no p-value" in result.output
    assert "technical repeats" in result.output
    row = contrasts(again)["EdU_positive"]
    assert row["p_value"] is None
    assert row["technical_unit"].startswith("well")
    assert row["technical_low"] < row["estimate"] < row["technical_high"]
    cells = read_table(again / "results" / "tables" / "nuclei.csv")
    assert set(cells["declared_replicate"]) == {"day 1", "day 2", "day 3"}


def test_excluded_images_are_counted_with_their_reason_and_in_no_result(again: Path):
    plate_map = read_table(again.parent / "plate_map.csv")
    plate_map["excluded"] = ["yes" if well == "A01" else "" for well in plate_map["well"]]
    plate_map["reason"] = ["out of focus" if well == "A01" else "" for well in plate_map["well"]]
    thresholds = read_table(again / "results" / "tables" / "thresholds.csv")
    write_table(plate_map, again.parent / "plate_map.csv")
    run_study(load_study(again))
    filters = read_table(again / "results" / "tables" / "filters.csv").set_index("condition")
    run = read_table(again / "run" / "tables" / "nuclei.csv")
    gone = (run["image"] == "A01_0").sum()
    assert gone > 0
    assert filters.loc["vehicle", "n_removed_first"] == gone
    assert filters.loc["growth factor", "n_removed_first"] == 0
    assert "A01_0" not in set(read_table(again / "results" / "tables" / "nuclei.csv")["image"])
    assert "A01_0" not in set(read_table(again / "results" / "tables" / "fields.csv")["image"])
    anew = read_table(again / "results" / "tables" / "thresholds.csv")
    assert anew.loc[0, "n_cells"] == thresholds.loc[0, "n_cells"] - gone
    assert anew.loc[1:, "threshold"].tolist() == thresholds.loc[1:, "threshold"].tolist()


def test_a_second_segmentation_runs_too_and_widens_intervals(again: Path):
    text = (again / "study.toml").read_text()
    text = re.sub(r"# \[second\]\n(#.*\n)*", "", text)
    (again / "study.toml").write_text(text + '\n[second]\nset = ["segment.diameter_px=30"]\n')
    run_study(load_study(again))
    row = contrasts(again)["mean_EdU"]
    assert (again / "second" / "run.json").is_file()
    assert row["segmentation_low"] <= row["ci_low"]
    assert row["segmentation_high"] >= row["ci_high"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({'value = "mean_EdU"\n': 'value = "mean_EDU"\n'}, UnknownName, "mean_EdU"),
        ({"width_mm = 85.0": "width_mm = 8500.0"}, ParameterError, "width_mm"),
        ({'recipe = "quick.toml"': 'recipe = "edo"'}, UnknownName, "edu"),
        ({'control = "vehicle"': 'control = "DMSO"'}, InputError, "DMSO"),
    ],
)
def test_what_is_wrong_in_a_study_is_told_and_earlier_results_stay(again: Path, changes, error, words):
    text = (again / "study.toml").read_text()
    if all(before in text for before in changes):
        changed(again, changes)
    else:
        pytest.fail(f"the study does not say {list(changes)}")
    before = (again / "results" / "comparison.json").read_bytes()
    with pytest.raises(error, match=words):
        run_study(load_study(again))
    assert (again / "results" / "comparison.json").read_bytes() == before


def test_what_changed_between_two_studies_is_told(made: Path, again: Path):
    before = made / "edu.cellmetry"
    same = RUNNER.invoke(app, ["diff", str(before), str(again)])
    assert same.exit_code == 0, same.output
    changed(again, {"set = []": 'set = ["segment.diameter_px=12"]'})
    run_study(load_study(again))
    other = RUNNER.invoke(app, ["diff", str(before), str(again)])
    assert other.exit_code == 0, other.output
    assert "diameter_px" in other.output
    assert "diameter_px" not in same.output
    assert same.output.startswith("The two are equal")


def test_an_image_that_only_one_study_leaves_out_is_told(made: Path, again: Path):
    changed(again, {"[filters]": '[[design.exclude]]\nwhere = "image"\nvalues = ["A01_0"]\n\n[filters]'})
    run_study(load_study(again))
    result = RUNNER.invoke(app, ["diff", str(made / "edu.cellmetry"), str(again)])
    assert result.exit_code == 0, result.output
    assert "Recipe, engine, versions, reading and images are the same." in result.output
    assert "excluded of A01_0: False → True" in result.output
    assert "design.exclude[1]: added" in result.output
    assert "n_cells of " in result.output
