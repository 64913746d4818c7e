"""The job `train`: from corrected labels of a study to a model that can be activated."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.errors import MissingInput, ParameterError
from cellmetry.learn import fit
from cellmetry.learn.course import SPLIT
from cellmetry.learn.splits import read_split
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import acts, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.models import activate_model, active_model, load_model, model, models
from cellmetry.study.store.results import result, result_path, results

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, stop, study_of_discs

SHORT = (
    "network.widths=[8, 16, 16]",
    "sampling.crop_px=48",
    "sampling.batch=4",
    "optimisation.steps=2",
    "optimisation.validate_every=2",
)
ASKED = {"from_nothing": True, "changes": SHORT, "name_of_model": "squares"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store, ids = study_of_discs(tmp_path_factory.mktemp("train"), 7)
    yield store, ids
    store.close()


def test_corrected_images_teach_a_model_that_is_active_when_activated(study, monkeypatch):
    store, ids = study
    with pytest.raises(MissingInput, match="corrected labels"):
        do(store, "train", **ASKED)
    for name in list(ids)[:6]:
        apply_edit(store, ANNA, ids[name], Delete(ids=(1,)))
    said: list[tuple[str, str]] = []
    job = stop(store, "train", after=8, **ASKED)
    again = apply_edit(store, ANNA, list(ids.values())[6], Delete(ids=(1,)))  # it does not join a training that began
    assert again
    with monkeypatch.context() as patch:
        patch.setattr(fit, "clear_course", killed)
        with pytest.raises(KeyboardInterrupt):
            do(store, "train", job=job, said=said, **ASKED)
    monkeypatch.setattr(fit, "train_model", killed)  # what was learnt is not learnt again
    assert models(store) == []
    made, _ = do(store, "train", job=job, **ASKED)
    (kept,) = models(store)
    assert (kept.id, kept.name, kept.job_id) == (made["model"], "squares", job)
    assert kept.place.startswith(f"models/{kept.id}/")
    assert load_model(store, kept).card.scores
    assert active_model(store) is None
    found = result(store, made["training"])
    assert len(found.details["images"]) == 6
    folder = store.folder / "jobs" / job
    assert not (folder / "data").exists()
    assert not any(
        (folder / "training" / "squares" / "training" / name).exists() for name in ("checkpoint.pt", "cache")
    )
    assert (result_path(store, found) / "curves.png").is_file()
    for picture in found.details["pictures"]:
        assert set(picture["counts"]) == {"after"}  # it began from nothing
        assert all((result_path(store, found) / file).is_file() for file in picture["files"].values())
    told = [json.loads(text) for kind, text in said if kind == "learning"]
    assert [(row["step"], row["steps"]) for row in told] == [(1, 2), (2, 2)]
    assert {"loss", "validation loss", "validation ap50"} <= set(told[-1])
    report = next(each for each in results(store, "report") if each.id != found.id)
    assert (result_path(store, report) / "index.html").is_file()
    assert str(store.folder) not in json.dumps([found.details, report.details, made])
    before = len(acts(store))
    assert do(store, "train", job=job, **ASKED)[0] == made
    assert len(acts(store)) == before
    activate_model(store, ANNA, kept.id)
    counted, _ = do(store, "count", look={})
    assert counted["failed"] == {}
    monkeypatch.undo()
    again, _ = do(store, "train", changes=("optimisation.steps=1",), keep=True, name_of_model="squares-2")
    first, second = (
        read_split(result_path(store, result(store, made_by["training"])) / SPLIT) for made_by in (made, again)
    )
    assert {row.name for row in first.rows if row.split != "train"} == {
        row.name for row in second.rows if row.split != "train" and row.name != "f6"
    }
    assert {"before", "after"} == set(result(store, again["training"]).details["pictures"][0]["counts"])
    undo_act(store, ANNA, again["act"])
    undo_act(store, ANNA, made["act"])
    assert models(store) == []
    assert active_model(store) is None
    assert model(store, kept.id).name == "squares"


def killed(*args, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "parameters",
    [
        {"name_of_model": "../a"},
        {"start": "/etc/passwd"},
        {"recipe": "/etc/passwd"},
        {"changes": ["nothing"]},
        {"changes": ["a.b=" + "x" * 300]},
        {"minutes": 1, "epochs": 1},
        {"minutes": float("inf")},
        {"start": "base", "from_nothing": True},
    ],
)
def test_requests_are_bounded(parameters):
    with pytest.raises(ParameterError):
        parse_job("train", parameters)
