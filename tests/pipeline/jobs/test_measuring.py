"""The job `measure`: the table of a study's labels as they are edited now."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

import cellmetry as cm
from cellmetry.core.labels import Labels
from cellmetry.errors import InputError, MissingInput, ParameterError
from cellmetry.io.tables import read_columns, read_table
from cellmetry.ops.shapes import Shape
from cellmetry.pipeline.jobs.labelled import steady_labels
from cellmetry.pipeline.jobs.measured import planes_apart
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store import label_pixels
from cellmetry.study.store.acts import Actor, act, acts, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images, say
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.regions import put_regions
from cellmetry.study.store.results import result, result_path, results

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, labelled_study, stop, study_with_stack, truth


def table_of(store, made):
    return read_table(result_path(store, result(store, made["table"])))


@pytest.fixture
def study(tmp_path):
    store, ids = labelled_study(tmp_path)
    yield store, ids
    store.close()


def test_the_table_has_the_edited_labels_and_the_design(study, tmp_path):
    store, ids = study
    apply_edit(store, ANNA, ids["b"], Delete(ids=(2, 3)))
    made, job_id = do(store, "measure")
    table = table_of(store, made)
    count = int(truth().max())
    assert made["rows"] == len(table) == 4 * count - 2
    assert set(table.loc[table["image"] == "b", "label"]) == set(range(1, count + 1)) - {2, 3}
    assert table.groupby("image")[["condition", "replicate"]].first().to_dict("list") == {
        "condition": ["a", "b", "a", "b"],
        "replicate": [1, 1, 2, 2],
    }
    assert "flag_edge" in table
    kept = result(store, made["table"])
    assert kept.job_id == job_id
    said = {each["name"]: each for each in kept.details["images"].values()}
    assert (said["b"]["labels"], said["b"]["version"], said["a"]["version"]) == (ids["b"], 1, 0)
    described = {column.name: column for column in read_columns(result_path(store, kept))}
    assert set(described) == set(table.columns)
    assert described["condition"].source == "study"


def test_numbers_are_those_of_measure(study, tmp_path):
    store, _ = study
    made, _ = do(store, "measure", passport=None)
    table = table_of(store, made)
    alone = cm.measure(cm.open_image(tmp_path / "images" / "c.tif"), cm.labels_from_array(truth()))
    mine = table[table["image"] == "c"].reset_index(drop=True)
    shared = [name for name in alone if name in mine]
    assert len(shared) == len(alone.columns)
    pd.testing.assert_frame_equal(mine[shared], alone[shared], check_dtype=False)


def test_what_is_done_before_a_stop_is_not_done_again(study, monkeypatch):
    store, _ = study
    job_id = stop(store, "measure", after=1)
    parts = {path: path.stat().st_mtime_ns for path in (store.folder / "jobs" / job_id / "parts").iterdir()}
    assert len(parts) == 2
    assert results(store) == []
    resumed, _ = do(store, "measure", job=job_id)
    assert all(path.stat().st_mtime_ns == time for path, time in parts.items())
    whole, _ = do(store, "measure", table="other")
    pd.testing.assert_frame_equal(table_of(store, resumed), table_of(store, whole))
    before = len(acts(store))
    again, _ = do(store, "measure", job=job_id)
    assert (again["table"], len(acts(store))) == (resumed["table"], before)


def test_a_job_goes_on_with_the_labels_with_which_it_began(study):
    store, ids = study
    job_id, said = stop(store, "measure", after=1), []
    few = (truth() == 1).astype("uint32")
    with store.database.write():
        seq = act(store, ANNA, "segment", "anew")
        for image in images(store):
            add_labels(store, seq, image.id, Labels(few))
    made, _ = do(store, "measure", job=job_id, said=said)
    assert set(table_of(store, made).groupby("image").size()) == {int(truth().max())}
    assert {each["labels"] for each in result(store, made["table"]).details["images"].values()} == set(ids.values())
    (warning,) = [text for kind, text in said if kind == "warning"]
    assert "labels cells of the images a, b, c, d were removed or replaced" in warning
    with store.database.write():
        say(store, act(store, ANNA, "say", "a"), images(store)[0].id, {"condition": "other"})
    path = result_path(store, result(store, made["table"]))
    before = path.read_bytes()
    assert do(store, "measure", job=job_id)[0] == made
    assert path.read_bytes() == before
    assert len(table_of(store, do(store, "measure")[0])) == 4


def test_a_job_goes_on_with_the_regions_with_which_it_began(study):
    store, _ = study
    for image in images(store):
        put_regions(store, ANNA, image.id, [Shape(name="left", rectangle=(0, 0, 96, 40))])
    job_id = stop(store, "measure", after=1, regions=[])
    for image in images(store):
        put_regions(store, ANNA, image.id, [Shape(name="all", rectangle=(0, 0, 96, 96))])
    made, _ = do(store, "measure", job=job_id, regions=[])
    assert set(table_of(store, made)["region"]) == {"", "left"}
    assert set(table_of(store, do(store, "measure", regions=[])[0])["region"]) == {"all"}


def test_an_image_that_fails_is_told_and_the_others_go_on(study, tmp_path):
    store, _ = study
    (tmp_path / "images" / "c.tif").unlink()
    said = []
    made, _ = do(store, "measure", said=said)
    assert set(table_of(store, made)["image"]) == set("abd")
    (reason,) = made["failed"].values()
    assert "c.tif" in reason
    assert ("warning", reason) in said
    for name in "abd":
        (tmp_path / "images" / f"{name}.tif").unlink()
    with pytest.raises(InputError, match="None of the 4 images"):
        do(store, "measure")


def test_undo_hides_the_table_and_brings_the_older_back(study):
    store, _ = study
    first, _ = do(store, "measure")
    second, _ = do(store, "measure")
    assert [each.id for each in results(store, "table")] == [second["table"]]
    undo_act(store, ANNA, second["act"])
    assert [each.id for each in results(store, "table")] == [first["table"]]


def test_that_all_images_are_excluded_is_said(study):
    store, _ = study
    for image in images(store):
        with store.database.write():
            say(store, act(store, ANNA, "exclude", image.name), image.id, {"excluded": True})
    with pytest.raises(MissingInput, match="All 4 images that could be read are excluded"):
        do(store, "measure")


def test_excluded_images_and_unknown_ones(study):
    store, _ = study
    a, *_, d = images(store)
    with store.database.write():
        say(store, act(store, ANNA, "exclude", "a"), a.id, {"excluded": True})
    made, _ = do(store, "measure")
    assert set(table_of(store, made)["image"]) == set("bcd")
    made, _ = do(store, "measure", images=[a.id, d.id])
    assert set(table_of(store, made)["image"]) == set("ad")
    with pytest.raises(ParameterError, match="no image img_0000000000000000"):
        do(store, "measure", images=["img_0000000000000000"])
    with pytest.raises(MissingInput, match="labels named 'nuclei'"):
        do(store, "measure", labels="nuclei")


@pytest.mark.parametrize(
    "parameters",
    [
        {"images": ["../a"]},
        {"images": []},
        {"table": "x" * 201},
        {"measure": {"channels": ["x" * 10_001]}},
        {"measure": {"channels": list(range(100_001))}},
        {"measure": {"percentiles": [float("nan")]}},
        {"passport": {"saturations": {"x" * 10_001: "100%"}}},
        {"other": 1},
    ],
)
def test_requests_are_bounded(parameters):
    with pytest.raises(ParameterError):
        parse_job("measure", parameters)


def test_labels_are_read_as_of_one_version(study, monkeypatch):
    store, ids = study
    read, edited = label_pixels.read_window, []

    def disturbed(store, labels, t, z, box):
        window = read(store, labels, t, z, box)
        if not edited:
            edited.append(apply_edit(store, Actor("ben", "rest"), labels.id, Delete(ids=(1,))))
        return window

    monkeypatch.setattr(label_pixels, "read_window", disturbed)
    steady = steady_labels(store, ids["a"])
    assert steady.version == 1
    assert (steady.labels.read() == 1).sum() == 0


@pytest.mark.parametrize("how", ["max", "mean"])
def test_labels_of_a_projection_are_measured_in_that(tmp_path, how):
    store = study_with_stack(tmp_path, how)
    made, _ = do(store, "measure")
    assert made["failed"] == {}
    counts = table_of(store, made).groupby("image").size().to_dict()
    assert counts["stack"] == counts["a"] == int(truth().max())
    assert planes_apart(table_of(store, made)) == ""
    asked, _ = do(store, "measure", measure={"plane": 3}, passport=None)
    assert ["there is no plane 3" in reason for reason in asked["failed"].values()] == [True, True]
    store.close()


def test_planes_that_are_measured_by_themselves_are_told(tmp_path):
    store = study_with_stack(tmp_path, "planes")
    made, _ = do(store, "measure")
    assert "Z stacks stack (1 in all) was" in planes_apart(table_of(store, made))
    store.close()
