"""The job `evaluate`: labels and models against corrected labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.pipeline.jobs.labelled import steady_labels
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.results import result, result_path

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import do_all, new_store, squares
from labelled_studies import ANNA, do, labelled_study, stop, truth

CELLS = int(truth().max())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store, ids = labelled_study(tmp_path_factory.mktemp("evaluate"), "ab")
    apply_edit(store, ANNA, ids["a"], Delete(ids=(1,)))
    for image in images(store):
        half = truth()
        half[:48] = 0
        with store.database.write():
            add_labels(store, act(store, ANNA, "import", "half"), image.id, Labels(half), name="half")
    yield store
    store.close()


def test_labels_models_and_what_was_before_editing_are_compared(study):
    made, job = do(study, "evaluate", labels=["half"], unedited=True, look={"engine": "classical"})
    scores = {each["prediction"]: each["overall"]["pooled_over_objects"] for each in made["scores"]}
    assert set(scores) == {"half", "before_editing", "classical"}
    assert scores["before_editing"]["recall_50"] == 1
    assert scores["before_editing"]["precision_50"] == pytest.approx((2 * CELLS - 1) / (2 * CELLS))
    assert scores["half"]["recall_50"] < 0.6
    folder = result_path(study, result(study, made["report"]))
    assert (folder / "index.html").is_file()
    assert str(study.folder) not in (folder / "evaluation.json").read_text() + (folder / "index.html").read_text()
    versions = {each["name"]: each["version"] for each in result(study, made["report"]).details["images"].values()}
    assert versions == {"a": 1, "b": 0}
    assert {path.name for path in (study.folder / "jobs" / job).iterdir() if path.is_dir()} == {"report"}
    asked = {"labels": ["half"], "unedited": True, "look": {"engine": "classical"}}
    assert do(study, "evaluate", job=job, **asked)[0] == made


def test_an_evaluation_that_was_stopped_goes_on(study):
    job = stop(study, "evaluate", after=0, unedited=True)
    made, _ = do(study, "evaluate", job=job, unedited=True)
    assert len(made["scores"]) == 1
    assert made["failed"] == {}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"labels": ["x" * 201]}, {"labels": ["x"] * 11}, {"look": {"model": "/a"}}, {"unedited": True, "patch_px": 0}],
)
def test_requests_are_bounded(parameters):
    with pytest.raises(ParameterError):
        parse_job("evaluate", parameters)


def test_labels_that_are_not_there_are_told(study):
    with pytest.raises(ParameterError, match="labels named 'none'"):
        do(study, "evaluate", labels=["none"])


def test_planes_of_stacks_are_items_of_their_own(tmp_path):
    stack = np.stack([squares(seed) for seed in range(3)])
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "s.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    store = new_store(tmp_path)
    (image_id,) = register_images(store, ANNA, [tmp_path / "images"])
    do_all(store)
    labels = np.stack([truth(), np.zeros_like(truth()), truth()])
    with store.database.write():
        name = add_labels(store, act(store, ANNA, "import", "stack"), image_id, Labels(labels, "ZYX"))
    apply_edit(store, ANNA, name, Delete(ids=(2,), z=2))
    np.testing.assert_array_equal(steady_labels(store, name).labels.read()[:2], labels[:2])
    made, _ = do(store, "evaluate", unedited=True)
    (found,) = result(store, made["report"]).details["images"].values()
    assert found["items"] == ["s_z0", "s_z1", "s_z2"]
    (score,) = made["scores"]
    assert score["overall"]["pooled_over_objects"]["precision_50"] < 1
    (flat,) = do(store, "measure", measure={"volume": False}, passport={"volume": False})[:1]
    assert flat["rows"] == (labels > 0).any((1, 2)).sum() * CELLS - made_away(store, name)
    store.close()


def made_away(store, name):
    """How many objects of the last plane were deleted."""
    now = steady_labels(store, name).labels.read()
    return 2 * CELLS - sum(len(np.unique(plane)) - 1 for plane in now)
