"""`diff` on real runs: what was changed is told, and equal runs are equal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

import cellmetry as cm
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import DamagedFile, InputError, MissingInput, OutputError, ParameterError
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.difference.diff import diff_record, diff_runs, diff_to
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.study.difference.changes import DiffOptions

SETTINGS = ["segment.engine=classical", 'measure.features=["size", "intensity"]']


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two equal runs, and one of another diameter."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "images").mkdir()
    for seed in range(2):
        tifffile.imwrite(folder / "images" / f"field{seed}.tif", make_cells((200, 240), 8, seed=seed).image[1])
    for name, more in (("a", []), ("same", []), ("b", ["segment.diameter_px=11"])):
        run(load_recipe("nuclei", [*SETTINGS, *more]), [folder / "images"], folder / name)
    return folder


@pytest.fixture
def copied(runs: Path, tmp_path: Path) -> Path:
    """Return a copy of the first run that may be changed."""
    return Path(shutil.copytree(runs / "a", tmp_path / "copied"))


def test_equal_runs_are_equal(runs: Path) -> None:
    found = diff_runs(runs / "a", runs / "same")
    assert found.equal
    assert diff_record(found)["equal"]
    assert found.counts == {"kept": 16, "changed": 0, "new": 0, "lost": 0}
    assert found.fields["image"].tolist() == ["field0", "field1"]


def test_another_diameter_changes_recipe_cells_and_results(runs: Path) -> None:
    found = diff_runs(runs / "a", runs / "b")
    assert not found.equal
    assert [(each.section, each.what, each.before, each.after) for each in found.changes] == [
        ("recipe", "segment.diameter_px", None, 11.0)
    ]
    for place, image in enumerate(("field0", "field1")):
        old, new = (cm.read_labels(runs / side / "labels" / f"{image}_labels.tif").read() for side in "ab")
        matching = match_labels(old, new, iou=0.5)
        row = found.fields.iloc[place]
        assert row["kept"] + row["changed"] == matching.tp
        assert row["kept"] == (matching.pair_ious == 1).sum()
        assert (row["lost"], row["new"]) == (matching.fn, matching.fp)
    assert found.counts["changed"] > 0
    assert len(found.cells) == sum(found.counts.values()) - found.counts["kept"]
    areas = [read_table(runs / side / "tables" / "cells.csv").groupby("image")["area_px"].median() for side in "ab"]
    told = found.results[found.results["column"] == "area_px"].set_index("image")
    for image in told.index:
        assert told.loc[image, "before"] == areas[0][image]
        assert told.loc[image, "after"] == areas[1][image]


def test_the_folder_of_a_difference(runs: Path, tmp_path: Path) -> None:
    found = diff_to(tmp_path / "out", runs / "a", runs / "b", DiffOptions(pictures=1))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"diff.json", "changed_cells.csv", "changed_results.csv", "images.csv", "index.html"} <= names
    record = json.loads((tmp_path / "out" / "diff.json").read_text(encoding="utf-8"))
    assert record["objects"] == found.counts
    assert record["changes"][0]["what"] == "segment.diameter_px"
    assert len(read_table(tmp_path / "out" / "changed_cells.csv")) == len(found.cells)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 3
    assert "segment.diameter_px" in page
    diff_to(tmp_path / "out", runs / "a", runs / "same")
    assert "data:image/png" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_labels_changed_by_hand_are_told(runs: Path, copied: Path) -> None:
    path = copied / "labels" / "field0_labels.tif"
    labels = cm.read_labels(path).read().copy()
    gone = int(labels.max())
    labels[labels == gone] = 0
    write_labels(labels_from_array(labels), path)
    found = diff_runs(runs / "a", copied)
    assert [(each.section, each.what) for each in found.changes] == [("edits", "cells of field0")]
    assert (found.changes[0].before, found.changes[0].after) == ("as the run made it", "changed after the run")
    assert found.cells[["image", "change", "label_before"]].to_numpy().tolist() == [["field0", "lost", gone]]


def test_labels_that_are_gone_are_no_equality(runs: Path, copied: Path) -> None:
    (copied / "labels" / "field1_labels.tif").unlink()
    found = diff_runs(runs / "a", copied)
    assert not found.equal
    assert found.fields["reason"].tolist() == ["", "A label file is gone."]
    assert found.counts["kept"] == 8


def test_other_objects_for_no_reason_are_doubted(runs: Path, copied: Path) -> None:
    for name in ("run.json", "recipe.toml"):
        shutil.copy(runs / "a" / name, copied / name)
    record = json.loads((copied / "run.json").read_text(encoding="utf-8"))
    path = copied / "labels" / "field0_labels.tif"
    labels = cm.read_labels(path).read().copy()
    labels[labels == 1] = 0
    write_labels(labels_from_array(labels), path)
    record["images"][0]["labels_sha256"]["cells"] = cm.labels_hash(cm.read_labels(path))
    (copied / "run.json").write_text(json.dumps(record), encoding="utf-8")
    found = diff_runs(runs / "a", copied)
    assert found.changes == ()
    assert "Objects differ in 1 label images though recipe" in found.notes[0]


def test_versions_readings_and_images(runs: Path, copied: Path, tmp_path: Path) -> None:
    record = json.loads((copied / "run.json").read_text(encoding="utf-8"))
    record["versions"]["numpy"] = "0.1"
    (copied / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert [each[:3] for each in diff_runs(copied, runs / "a").changes] == [("versions", "numpy", "0.1")]
    images = shutil.copytree(runs / "images", tmp_path / "images")
    (images / "field0.tif").unlink()
    tifffile.imwrite(images / "field1.tif", make_cells((200, 240), 7, seed=5).image[1])
    tifffile.imwrite(images / "field2.tif", make_cells((100, 240), 3, seed=5).image[1])
    run(load_recipe("nuclei", SETTINGS), [images], tmp_path / "c", reading=Reading(pixel_size_um=0.5))
    found = diff_runs(runs / "a", tmp_path / "c")
    told = {(each.section, each.what) for each in found.changes}
    assert ("images", "field0") in told
    assert ("images", "field2") in told
    assert ("images", "pixels of field1") in told
    assert ("reading", "pixel_size_um of field1") in told
    assert ("columns", "cells.area_um2") in told


def test_a_series_is_compared_frame_by_frame(tmp_path: Path) -> None:
    frames = np.stack([make_cells((200, 240), 8, seed=seed).image[1] for seed in range(2)])
    tifffile.imwrite(tmp_path / "s.tif", frames, metadata={"axes": "TYX"}, imagej=True)
    for name, more in (("a", []), ("b", ["segment.diameter_px=11"])):
        run(load_recipe("nuclei", [*SETTINGS, *more]), [tmp_path / "s.tif"], tmp_path / name)
    found = diff_runs(tmp_path / "a", tmp_path / "b")
    assert set(found.cells["plane"]) == {"t=0", "t=1"}
    assert sum(found.counts.values()) >= 8


def comparison(folder: Path, p: float, method: str, **changed: Any) -> Path:
    """Return a folder with the record of a comparison as `compare_to` writes it, as far as it is read."""
    contrast = {"value": "edu", "condition": "drug", "reference": "control", "estimate": 2.0, "ci_low": 1.0}
    contrast |= {"ci_high": 3.0, "p_value": p, "p_adjusted": p, "method": "t", "n_replicates": 3, "n_cells": 90}
    contrast |= {name: value for name, value in changed.items() if name in contrast}
    options = {"value": contrast["value"], "scale": "linear", "method": method}
    options |= {name: value for name, value in changed.items() if name in options}
    folder.mkdir(parents=True)
    record = {
        "contrasts": [contrast],
        "comparisons": [{"options": options, "contrasts": [contrast]}],
        "settings": {"keep": changed.get("keep", []), "gates": changed.get("gates", []), "table": "cells"},
    }
    (folder / "comparison.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_comparisons_without_runs(tmp_path: Path) -> None:
    first, second = comparison(tmp_path / "a", 0.01, "t"), comparison(tmp_path / "b", 0.2, "welch")
    found = diff_runs(first, second)
    assert [each[1:] for each in found.changes] == [("compare[edu].method", "t", "welch")]
    assert found.contrasts["conclusion_changed"].tolist() == [True]
    assert diff_runs(first, first).equal
    assert not diff_runs(first, second, DiffOptions(significance=0.5)).contrasts["conclusion_changed"].any()
    diff_to(tmp_path / "out", first, second)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "significantly higher" in page
    assert pd.isna(found.contrasts["estimate_before"]).sum() == 0


def test_what_comparisons_rest_on_is_told(tmp_path: Path) -> None:
    gate = {"value": "edu", "threshold": 100.0}
    first = comparison(tmp_path / "a", 0.01, "t", gates=[gate])
    more = {"keep": ["area_px > 9"], "gates": [gate | {"threshold": 120.0}], "n_cells": 80, "n_replicates": 2}
    found = diff_runs(first, comparison(tmp_path / "b", 0.01, "t", **more))
    assert [tuple(each) for each in found.changes] == [
        ("comparison", "keep", [], ["area_px > 9"]),
        ("comparison", "gates[edu].threshold", 100.0, 120.0),
        ("contrasts", "n_replicates of edu: drug against control", 3, 2),
        ("contrasts", "n_cells of edu: drug against control", 90, 80),
    ]
    assert not found.contrasts["conclusion_changed"].any()


def test_a_ratio_below_one_is_lower(tmp_path: Path) -> None:
    sides = [comparison(tmp_path / name, 0.01, "t", scale="log", estimate=0.5) for name in "ab"]
    found = diff_runs(*sides)
    assert found.contrasts["conclusion_before"].tolist() == ["significantly lower"]


def test_comparisons_of_other_values_have_nothing_in_common(tmp_path: Path) -> None:
    first, second = (comparison(tmp_path / name, 0.01, "t", value=name) for name in ("area", "edu"))
    found = diff_runs(first, second)
    assert [tuple(each) for each in found.changes] == [
        ("comparison", "compare[area]", "an entry", None),
        ("comparison", "compare[edu]", None, "an entry"),
    ]
    assert found.contrasts["conclusion_changed"].tolist() == [False, False]
    assert found.parts == ("comparison",)
    elsewhere = comparison(tmp_path / "below" / "results", 0.01, "t", value="area")
    apart = diff_runs(first, elsewhere.parent)
    assert apart.parts == ()
    assert [tuple(each) for each in apart.changes] == [
        ("comparison", ".", "a comparison", None),
        ("comparison", "results", None, "a comparison"),
    ]


def test_a_study_with_a_run_and_comparisons_below(runs: Path, tmp_path: Path) -> None:
    for name, side in (("x", "a"), ("y", "b")):
        shutil.copytree(runs / side, tmp_path / name / "run")
        comparison(tmp_path / name / "comparisons" / "edu", 0.01, "t")
    found = diff_runs(tmp_path / "x", tmp_path / "y")
    assert found.counts["changed"] > 0
    assert found.contrasts["comparison"].tolist() == ["comparisons/edu"]


def test_what_cannot_be_compared_is_refused_in_words(runs: Path, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="does not exist"):
        diff_runs(runs / "a", runs / "nothing")
    with pytest.raises(MissingInput, match=r"neither run\.json nor comparison\.json"):
        diff_runs(runs / "a", runs / "images")
    with pytest.raises(ParameterError, match="two of one kind"):
        diff_runs(runs / "a", comparison(tmp_path / "c", 0.1, "t"))
    with pytest.raises(ParameterError, match="would be replaced"):
        diff_to(runs, runs / "a", runs / "b")
    with pytest.raises(ParameterError, match="holds 3 runs"):
        diff_runs(runs, runs / "a")
    with pytest.raises(OutputError, match=r"diff\.json"):
        diff_to(copied, runs / "a", runs / "b")
    (copied / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"run\.json is not the record"):
        diff_runs(runs / "a", copied)
    assert issubclass(DamagedFile, InputError)
