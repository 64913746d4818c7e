"""The job `relabel`: ids of earlier labels, a table of them, corrections that stay known, and its undoing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.errors import InputError, LabelsError, ParameterError
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import read_table
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.teaching import standings
from cellmetry.study.editing.objects import Delete
from cellmetry.study.rebase.rebasing import has_edits, rebase
from cellmetry.study.rebase.windows import said_of_labels
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.images import images
from cellmetry.study.store.label_pixels import whole_labels
from cellmetry.study.store.labels import add_labels, label_set, labels_of_image
from cellmetry.study.store.results import result, result_path, results
from cellmetry.study.store.uploads import UPLOADS

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA
from labelled_studies import do, labelled_study, truth


@pytest.fixture
def study(tmp_path):
    """A study of two images with the same cells, whose ids are 1 to 9 in the first and 109 to 101 in the second."""
    store, ids = labelled_study(tmp_path, "ab")
    first, second = images(store)
    other = np.where(truth() > 0, 110 - truth(), 0).astype(np.uint32)
    with store.database.write():
        ids["b"] = add_labels(store, act(store, ANNA, "segment", "Segment again"), second.id, Labels(other))
    yield store, first, second, ids
    store.close()


def now(store, image):
    return labels_of_image(store, image.id)


def pixels(store, labels):
    return whole_labels(store, labels).read()


def test_cells_get_the_ids_of_another_image_in_one_act_that_can_be_undone(study):
    store, first, second, ids = study
    made, job = do(store, "relabel", image=second.id, previous=ids[first.name])
    assert np.array_equal(pixels(store, now(store, second)), truth())
    assert made["labels"] == now(store, second).id
    assert {key: made[key] for key in ("cells", "kept", "new", "lost")} == {"cells": 9, "kept": 9, "new": 0, "lost": 0}
    table = read_table(result_path(store, result(store, made["table"])))
    assert list(table) == ["image", "label_before", "label", "iou"]
    assert (table["label_before"] + table["label"] == 110).all()
    assert (table["iou"] == 1).all()
    assert do(store, "relabel", job=job, image=second.id, previous=ids[first.name])[0] == made
    undo_act(store, ANNA, made["act"])
    assert now(store, second).id == ids["b"]
    assert made["table"] not in {each.id for each in results(store, "table")}


def test_without_a_name_ids_are_those_of_the_labels_before(study):
    store, first, second, _ = study
    do(store, "relabel", image=second.id)
    assert np.array_equal(pixels(store, now(store, second)), truth())
    with pytest.raises(ParameterError, match="took the place of no others"):
        do(store, "relabel", image=first.id)


def test_an_older_version_and_what_overlaps_too_little(study):
    store, first, second, ids = study
    apply_edit(store, ANNA, ids[first.name], Delete(ids=(2,)))
    made, _ = do(store, "relabel", image=second.id, previous=ids[first.name])
    assert {key: made[key] for key in ("kept", "new")} == {"kept": 8, "new": 1}
    assert pixels(store, now(store, second)).max() == 10
    do(store, "relabel", image=second.id, previous=ids[first.name], version=0)
    assert np.array_equal(pixels(store, now(store, second)), truth())


def test_ids_of_a_label_file(study):
    store, _, second, _ = study
    upload = "upl_00000000000000ab"
    (store.folder / UPLOADS / upload).mkdir(parents=True)
    write_labels(Labels(truth()), store.folder / UPLOADS / upload / "previous.tif")
    made, _ = do(store, "relabel", image=second.id, upload=upload)
    assert made["kept"] == 9
    assert np.array_equal(pixels(store, now(store, second)), truth())
    shutil.rmtree(store.folder / UPLOADS / upload)
    with pytest.raises(InputError):
        do(store, "relabel", image=second.id, upload=upload)


def test_corrections_are_known_under_the_new_ids(study):
    store, first, second, ids = study
    apply_edit(store, ANNA, ids["b"], Delete(ids=(101,)))
    made, _ = do(store, "relabel", image=second.id, previous=ids[first.name])
    new = label_set(store, made["labels"])
    assert new.version == 0
    assert has_edits(store, new)
    assert standings(store, [new])[new.id].teaches
    (said,) = said_of_labels(new)
    assert (said.mine == 0).any()
    assert not set(np.unique(said.base[said.mine == 0])) - {0} & set(range(1, 10))
    again = rebase(store, ANNA, new.id, Labels(truth()))
    assert not (pixels(store, label_set(store, again.labels_id))[truth() == 9]).any()


def test_what_does_not_fit_is_refused(study):
    store, _, second, ids = study
    with pytest.raises(ParameterError, match="not both"):
        parse_job("relabel", {"image": second.id, "previous": ids["b"], "upload": "upl_00000000000000ab"})
    small = add_small(store, second)
    with pytest.raises(LabelsError, match="same size"):
        do(store, "relabel", image=second.id, previous=small)


def add_small(store, image):
    with store.database.write():
        seq = act(store, ANNA, "segment", "Segment a part")
        return add_labels(store, seq, image.id, Labels(truth()[:48, :48]), name="part")
