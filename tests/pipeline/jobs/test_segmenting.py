"""The job `segment`: the labels of `cellmetry run`, in the study, with tables and record; one act for all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cellmetry.core.labels import labels_hash
from cellmetry.errors import InputError, MissingInput, ModelError, ParameterError, UnknownName
from cellmetry.io.tables import read_table
from cellmetry.models.store import find_model
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.served_jobs import check_job
from cellmetry.study.store.acts import act, acts, undo_act
from cellmetry.study.store.images import images, say
from cellmetry.study.store.jobs import add_job, job, resume_job, set_state
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import label_sets, labels_of_image
from cellmetry.study.store.models import add_model, new_model_folder
from cellmetry.study.store.recipes import add_recipe
from cellmetry.study.store.results import result_path, results
from cellmetry.study.store.store import open_store

sys.path.insert(0, str(Path(__file__).parent))
import tomllib

from job_studies import ANNA, CLASSICAL, new_store, study_of, work_on
from labelled_studies import do, stop


@pytest.fixture
def store(tmp_path):
    """An empty study."""
    with new_store(tmp_path) as store:
        yield store


def segment(store, **parameters):
    """Do a job `segment` in this process and return it with what it said."""
    said = []
    job_id = add_job(store, ANNA, "segment", parameters)
    result = parse_job("segment", parameters).run(work_on(store, job_id, said))
    set_state(store, job_id, "done", result=result)
    return job(store, job_id), said


def test_labels_are_those_of_a_run_of_the_same_recipe(tmp_path):
    store = study_of(tmp_path, "ab", 128)
    done, _ = segment(store, recipe_text=CLASSICAL, set=["segment.cleanup.min_area_px=10"])
    recipe = parse_recipe(tomllib.loads(CLASSICAL), ["segment.cleanup.min_area_px=10"])
    alone = run(recipe, [tmp_path / "images"], tmp_path / "out")
    for image, outcome in zip(images(store), alone.outcomes, strict=True):
        (labels_id,) = done.result["labels"][image.id].values()
        labels = labels_of_image(store, image.id)
        assert labels.id == labels_id
        assert labels.sha256 == outcome.labels_sha256["cells"] == labels_hash(read_labels(store, labels_id))
        assert labels.origin["recipe"]["sha256"] == recipe.hash
        assert labels.origin["job"] == done.id
        assert labels.origin["image_sha256"] == outcome.sha256 == image.sha256
    tables = {each.name: each for each in results(store, "table")}
    assert set(tables) == {"run_cells", "run_images"}
    made = read_table(result_path(store, tables["run_cells"]))
    expected = read_table(tmp_path / "out" / "tables" / "cells.parquet")
    assert made.equals(expected)
    (record,) = results(store, "run")
    noted = json.loads(result_path(store, record).read_text())
    assert str(tmp_path) not in json.dumps(noted["images"])
    store.close()


def test_undoing_its_act_brings_back_what_was_before(tmp_path):
    store = study_of(tmp_path, "a")
    segment(store, recipe_text=CLASSICAL)
    (first,) = label_sets(store)
    segment(store, recipe_text=CLASSICAL)
    (second,) = label_sets(store)
    assert first.id != second.id
    assert acts(store)[0].verb == "segment"
    undo_act(store, ANNA, acts(store)[0].seq)
    assert [each.id for each in label_sets(store)] == [first.id]
    assert {each.job_id for each in results(store)} == {first.origin["job"]}
    store.close()


def test_recipes_are_those_that_the_study_keeps_and_shipped_ones_never_files(tmp_path):
    store = study_of(tmp_path, "a")
    add_recipe(store, ANNA, "squares of ours", CLASSICAL)
    done, _ = segment(store, recipe="squares of ours", labels_name="nuclei")
    assert [each.name for each in label_sets(store)] == ["nuclei"]
    assert next(iter(done.result["labels"].values())).keys() == {"nuclei"}
    (tmp_path / "r.toml").write_text(CLASSICAL)
    with pytest.raises(UnknownName, match="dark-objects"):
        segment(store, recipe=str(tmp_path / "r.toml"))
    flat = f'[[steps]]\nstep = "flat_field"\nflat = "{tmp_path / "secret.tif"}"\n' + CLASSICAL.partition("\n\n")[0]
    (tmp_path / "secret.tif").write_bytes((tmp_path / "images" / "a.tif").read_bytes())
    with pytest.raises(ParameterError, match="no file of the study"):
        segment(store, recipe_text=flat.replace('name = "squares"', ""))
    with pytest.raises(ParameterError, match="importing"):
        segment(store, recipe_text='[[steps]]\nstep = "segment"\nengine = "labels"\noptions = {folder = "/etc"}')
    for path in ("/etc/passwd", "..", "weights.onnx"):
        with pytest.raises(ModelError, match="named, not given as a path"):
            segment(store, recipe="any", set=[f"segment.model={path}"])
    with pytest.raises(InputError, match="files are named by it"):
        segment(store, recipe_text=CLASSICAL, set=["measure.table=../../../evil"])
    store.close()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"recipe": "any", "recipe_text": "x"}, "not both"),
        ({"images": ["img_1"]}, "images"),
        ({"images": []}, "images"),
        ({"recipe": "x" * 201}, "recipe"),
        ({"set": ["a"] * 201}, "set"),
        ({"colour": 1}, "colour"),
    ],
)
def test_wrong_requests_are_refused_in_words(parameters, words):
    with pytest.raises(ParameterError, match=words):
        parse_job("segment", parameters)


def test_a_bad_image_is_a_row_and_the_others_are_done(tmp_path):
    store = study_of(tmp_path, "abc")
    (tmp_path / "images" / "b.tif").unlink()
    done, said = segment(store, recipe_text=CLASSICAL)
    a, b, c = images(store)
    assert set(done.result["labels"]) == {a.id, c.id}
    assert list(done.result["failed"]) == [b.id]
    table = read_table(result_path(store, {each.name: each for each in results(store)}["run_images"]))
    assert list(table["status"]) == ["done", "failed", "done"]
    assert "relink" in table["reason"][1]
    assert any(kind == "warning" and "relink" in text for kind, text in said)
    store.close()


def test_a_job_whose_act_was_undone_is_not_resumed(tmp_path):
    store = study_of(tmp_path, "ab")
    job_id = stop(store, "segment", after=0, recipe_text=CLASSICAL)
    set_state(store, job_id, "interrupted")
    (first,) = label_sets(store)
    undo = undo_act(store, ANNA, first.added_by)
    with pytest.raises(ParameterError, match="was undone"):
        resume_job(store, job_id)
    with pytest.raises(InputError, match="was undone"):
        do(store, "segment", job=job_id, recipe_text=CLASSICAL)
    assert label_sets(store) == []
    undo_act(store, ANNA, undo)
    resume_job(store, job_id)
    assert do(store, "segment", job=job_id, recipe_text=CLASSICAL)[0]["failed"] == {}
    assert len(label_sets(store)) == 2
    store.close()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("segment", {"set": ["segment.model=bse"]}),
        ("count", {"look": {"model": "bse"}}),
        ("evaluate", {"look": {"model": "bse"}}),
        ("train", {"start": "bse"}),
    ],
)
def test_a_model_that_is_not_there_is_refused_before_the_job_waits(store, kind, parameters):
    with pytest.raises(UnknownName, match="Did you mean 'base'") as refused:
        check_job(store, parse_job(kind, parameters))
    assert "--model" not in str(refused.value)


def test_a_job_goes_on_with_the_engine_that_it_began_with(tmp_path):
    store = study_of(tmp_path, "ab")
    job_id = stop(store, "segment", after=0, recipe_text=CLASSICAL)
    work = work_on(store, job_id)
    kind = parse_job("segment", {"recipe_text": CLASSICAL})
    plan = work.folder / "plan.json"
    noted = json.loads(plan.read_text())
    noted["engines"][0]["options"]["look"] = "dark"
    plan.write_text(json.dumps(noted))
    with pytest.raises(ModelError, match="other than when the job began"):
        kind.run(work)
    store.close()


def test_a_study_moved_since_its_job_began_is_worked_with_the_same_model(tmp_path, tiny_models):
    store = study_of(tmp_path / "before", "ab")
    model_id, folder = new_model_folder(store)
    path = tiny_models(folder, name="tiny")
    with store.database.write():
        add_model(store, act(store, ANNA, "train", "tiny"), model_id, find_model(path))
    text = 'name = "ours"\n[[steps]]\nstep = "segment"\nmodel = "tiny"\n'
    job_id = stop(store, "segment", after=0, recipe_text=text)
    store.close()
    (tmp_path / "before").rename(tmp_path / "after")
    store = open_store(tmp_path / "after" / store.folder.name)
    made, _ = do(store, "segment", job=job_id, recipe_text=text)
    assert len(made["labels"]) == 2
    store.close()


def test_a_job_killed_after_its_results_were_kept_says_them_when_it_is_resumed(tmp_path):
    store = study_of(tmp_path, "abc")
    (tmp_path / "images" / "b.tif").unlink()
    asked = {"recipe_text": CLASSICAL}
    made, job_id = do(store, "segment", **asked)
    set_state(store, job_id, "interrupted")  # its process was killed before it noted that it is done
    left = store.folder / "jobs" / job_id / "run" / "labels" / "left.tif"
    left.parent.mkdir()
    left.write_bytes(b"not cleared up yet")
    before = (len(acts(store)), [each.id for each in results(store)])
    resume_job(store, job_id)
    assert do(store, "segment", job=job_id, **asked)[0] == made
    assert (len(acts(store)), [each.id for each in results(store)]) == before
    assert not left.exists()
    assert set(made["failed"]) == {images(store)[1].id}
    store.close()


def test_excluded_images_are_segmented_only_when_they_are_named(tmp_path):
    store = study_of(tmp_path, "ab", 128)
    a, b = images(store)
    with store.database.write():
        say(store, act(store, ANNA, "exclude", "a"), a.id, {"excluded": True})
    done, _ = segment(store, recipe_text=CLASSICAL)
    assert set(done.result["labels"]) == {b.id}
    done, _ = segment(store, recipe_text=CLASSICAL, images=[a.id])
    assert set(done.result["labels"]) == {a.id}
    with store.database.write():
        say(store, act(store, ANNA, "exclude", "b"), b.id, {"excluded": True})
    with pytest.raises(MissingInput, match="All 2 images are excluded"):
        segment(store, recipe_text=CLASSICAL)
