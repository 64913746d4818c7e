"""The job `count`: by a model's objects and density, or by labels as edited."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cellmetry.counting.count import count
from cellmetry.engines.classical import ClassicalEngine
from cellmetry.errors import ModelError, ParameterError
from cellmetry.io.opening import open_image
from cellmetry.io.tables import read_table
from cellmetry.models.store import find_model
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images, remove_images
from cellmetry.study.store.models import activate_model, add_model, model, model_path, new_model_folder
from cellmetry.study.store.results import result, result_path

sys.path.insert(0, str(Path(__file__).parent))
from labelled_studies import ANNA, do, labelled_study, stop, truth

CELLS = int(truth().max())


@pytest.fixture
def study(tmp_path, tiny_models):
    store, ids = labelled_study(tmp_path, "ab")
    for name in ("tiny", "other"):
        model_id, folder = new_model_folder(store)
        path = tiny_models(folder, name=name, percentiles=(1.0, 99.8 if name == "tiny" else 99.0))
        with store.database.write():
            add_model(store, act(store, ANNA, "train", name), model_id, find_model(path))
        ids[name] = model_id
    yield store, ids
    store.close()


def table_of(store, made):
    return read_table(result_path(store, result(store, made["table"])))


def test_a_model_of_the_study_counts_as_by_itself(study, tmp_path):
    store, ids = study
    made, _ = do(store, "count", look={"model": "tiny"})
    table = table_of(store, made)
    alone = count(open_image(tmp_path / "images" / "b.tif"), model=str(model_path(store, model(store, ids["tiny"]))))
    row = table[table["image"] == "b"].iloc[0]
    for name in ("n_instances", "n_density", "n", "disagreement"):
        assert row[name] == pytest.approx(alone.table[name].iloc[0])
    assert row["condition"] == "b"


def test_edited_labels_are_counted_and_beside_them_the_density(study):
    store, ids = study
    apply_edit(store, ANNA, ids["a"], Delete(ids=(1, 2)))
    shape = {"name": "upper", "rectangle": [0, 0, 24, 96], "image": "a"}
    made, _ = do(store, "count", labels="cells", look={"model": ids["tiny"]}, shapes=[shape])
    table = table_of(store, made)
    whole = table[table["region"] == ""].set_index("image")
    assert whole["n_instances"].to_dict() == {"a": CELLS - 2, "b": CELLS}
    assert whole["n"].tolist() == whole["n_instances"].tolist(), "labels count as themselves"
    assert (whole["n_density"].notna() & (whole["n_density"].round() != whole["n"])).any(), "which the density does not"
    assert whole["n_low"].isna().all()
    drawn = table[table["region"] == "upper"]
    assert (drawn["image"].tolist(), drawn["n_instances"].tolist()) == (["a"], [round(CELLS**0.5) - 2])
    alone, _ = do(store, "count", labels="cells", density=False)
    assert table_of(store, alone)["n"].tolist() == [CELLS - 2, CELLS]


def test_a_job_does_not_go_on_with_another_model(study):
    store, ids = study
    activate_model(store, ANNA, ids["tiny"])
    job = stop(store, "count", after=0)
    activate_model(store, ANNA, ids["other"])
    assert do(store, "count")[0]["failed"] == {}
    path = model_path(store, model(store, ids["other"]))
    path.write_bytes(path.read_bytes() + b"\x1a\x00")
    with pytest.raises(ModelError):
        do(store, "count", job=job)
    activate_model(store, ANNA, ids["tiny"])
    assert len(table_of(store, do(store, "count", job=job)[0])) == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/a.onnx", "a.onnx", "..", "C:\\a", "", "x" * 201])
def test_a_model_is_a_name_never_a_path(name):
    with pytest.raises(ParameterError):
        parse_job("count", {"look": {"model": name}})


def test_a_job_does_not_go_on_with_another_version_of_an_engine(study, monkeypatch):
    store, _ = study
    look = {"engine": "classical"}
    job, parts = stop(store, "count", after=0, look=look), store.folder / "jobs"
    parts = {path: path.stat().st_mtime_ns for path in (parts / job / "parts").iterdir()}
    describe = ClassicalEngine.describe
    with monkeypatch.context() as patch:
        patch.setattr(ClassicalEngine, "describe", lambda self: {**describe(self), "version": "next"})
        with pytest.raises(ParameterError, match="engine classical, but now it is another version"):
            do(store, "count", job=job, look=look)
    said = []
    with store.database.write():
        seq = act(store, ANNA, "remove images", "a")
        remove_images(store, seq, [images(store)[0].id])
    made, _ = do(store, "count", job=job, look=look, said=said)
    undo_act(store, ANNA, seq)
    assert set(table_of(store, made)["image"]) == {"a", "b"}
    assert any("images a were removed" in text for _, text in said)
    assert all(path.stat().st_mtime_ns == time for path, time in parts.items())


def test_an_engine_that_reads_files_is_refused(study):
    with pytest.raises(ParameterError, match="looks up files"):
        do(study[0], "count", look={"engine": "labels"})
