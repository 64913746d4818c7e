"""The jobs `rebase` and `segment` where people corrected labels: nothing that they did is dropped."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.errors import InputError, ParameterError
from cellmetry.pipeline.jobs import corrected as corrections
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.study.editing.objects import Delete
from cellmetry.study.rebase import rebasing
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.edits import apply_edit, undo
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import add_job, job
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels, labels_of_image

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, CLASSICAL, study_of, work_on


@pytest.fixture
def corrected(tmp_path):
    """A study of two images that were segmented; in the first a cell was deleted."""
    store = study_of(tmp_path, "ab")
    do(store, "segment", recipe_text=CLASSICAL)
    first = labels_of_image(store, images(store)[0].id)
    apply_edit(store, ANNA, first.id, Delete(ids=(1,)))
    yield store, first.id
    store.close()


def do(store, kind, **parameters):
    job_id = add_job(store, ANNA, kind, parameters)
    return parse_job(kind, parameters).run(work_on(store, job_id)), job_id


def now(store, labels_id):
    return read_labels(store, labels_id).read()


def test_segmenting_again_keeps_corrections_unless_told(corrected):
    store, old = corrected
    a = images(store)[0].id
    mine = now(store, old)
    left, _ = do(store, "segment", recipe_text=CLASSICAL, edits="keep_old")
    assert left["labels"][a]["cells"] == old
    result, job_id = do(store, "segment", recipe_text=CLASSICAL)
    assert set(result["rebased"]) == {a}
    assert result["rebased"][a]["cells"]["edits"] == {"kept": 1, "agreed": 0, "question": 0, "overwritten": 0}
    new = labels_of_image(store, a)
    assert new.id == result["labels"][a]["cells"]
    assert "made_sha256" in new.origin
    assert np.array_equal(now(store, new.id), mine)
    undo_act(store, ANNA, job(store, job_id).act)
    assert labels_of_image(store, a).id == old
    replaced, _ = do(store, "segment", recipe_text=CLASSICAL, edits="replace")
    assert "rebased" not in replaced
    assert len(np.unique(now(store, replaced["labels"][a]["cells"]))) == len(np.unique(mine)) + 1


def test_corrections_are_put_onto_labels_made_already(corrected):
    store, old = corrected
    image = images(store)[0].id
    mine = now(store, old)
    seq = act(store, ANNA, "import", "cells of another program")
    other = add_labels(store, seq, image, Labels(mine), name="other")
    result, _ = do(store, "rebase", onto=[other])
    assert result["failed"] == {}
    assert result["rebased"][image]["cells"]["edits"]["agreed"] == 1
    assert labels_of_image(store, image, "cells").origin["labels_id"] == other
    assert labels_of_image(store, image, "other").id == other


def test_corrections_of_labels_that_were_replaced_are_not_gone(corrected):
    store, old = corrected
    image = images(store)[0].id
    mine = now(store, old)
    replaced, _ = do(store, "segment", recipe_text=CLASSICAL, edits="replace", images=[image])
    result, _ = do(store, "rebase", onto=[replaced["labels"][image]["cells"]])
    assert np.array_equal(now(store, result["labels"][image]["cells"]), mine)


def test_corrections_of_labels_that_were_replaced_twice_are_not_gone(corrected):
    store, old = corrected
    image = images(store)[0].id
    mine = now(store, old)
    for _ in range(2):
        replaced, _ = do(store, "segment", recipe_text=CLASSICAL, edits="replace", images=[image])
    result, _ = do(store, "rebase", onto=[replaced["labels"][image]["cells"]])
    assert result["rebased"][image]["cells"]["edits"]["kept"] == 1
    assert np.array_equal(now(store, result["labels"][image]["cells"]), mine)


def test_labels_that_people_corrected_are_not_taken_for_a_models(corrected):
    store, _ = corrected
    image = images(store)[0].id
    made, _ = do(store, "segment", recipe_text=CLASSICAL, edits="replace", images=[image])
    onto = made["labels"][image]["cells"]
    apply_edit(store, ANNA, onto, Delete(ids=(2,)))
    with pytest.raises(InputError, match="corrected the labels .* too"):
        do(store, "rebase", onto=[onto])
    assert labels_of_image(store, image).id == onto
    undo(store, ANNA, onto)
    result, _ = do(store, "rebase", onto=[onto])
    assert result["rebased"][image]["cells"]["edits"]["kept"] == 1


def test_labels_that_are_corrected_while_others_are_put_onto_them_are_refused(corrected, monkeypatch):
    store, _ = corrected
    image = images(store)[0].id
    made, _ = do(store, "segment", recipe_text=CLASSICAL, edits="replace", images=[image])
    onto = made["labels"][image]["cells"]
    meanwhile(monkeypatch, rebasing, lambda: apply_edit(store, ANNA, onto, Delete(ids=(2,))))
    with pytest.raises(InputError, match="corrected the labels .* too"):
        do(store, "rebase", onto=[onto])
    assert labels_of_image(store, image).id == onto


def test_first_corrections_made_while_a_job_writes_are_kept(corrected, monkeypatch):
    store, _ = corrected
    b = images(store)[1].id
    before = labels_of_image(store, b)
    meanwhile(monkeypatch, corrections, lambda: apply_edit(store, ANNA, before.id, Delete(ids=(2, 3))))
    result, _ = do(store, "segment", recipe_text=CLASSICAL, images=[b])
    assert result["rebased"][b]["cells"]["edits"]["kept"] == 1
    assert np.array_equal(now(store, labels_of_image(store, b).id), now(store, before.id))


def test_labels_made_while_a_job_writes_are_seen(corrected, monkeypatch):
    store, _ = corrected
    b = images(store)[1].id

    def other():
        seq = act(store, ANNA, "import", "cells of another program")
        apply_edit(store, ANNA, add_labels(store, seq, b, Labels(now(store, before.id))), Delete(ids=(2,)))

    before = labels_of_image(store, b)
    meanwhile(monkeypatch, corrections, other)
    result, _ = do(store, "segment", recipe_text=CLASSICAL, images=[b])
    assert result["rebased"][b]["cells"]["edits"]["kept"] == 1


def meanwhile(monkeypatch, module, do):
    """Do something once while labels are written, when nothing keeps it from being saved."""
    real = module.write_labels

    def slow(store, labels):
        monkeypatch.setattr(module, "write_labels", real)
        assert not store.database.writing
        do()
        return real(store, labels)

    monkeypatch.setattr(module, "write_labels", slow)


def test_a_recipe_makes_the_new_labels(corrected):
    store, old = corrected
    image = images(store)[0].id
    mine = now(store, old)
    result, _ = do(store, "rebase", recipe_text=CLASSICAL, images=[image])
    assert np.array_equal(now(store, result["labels"][image]["cells"]), mine)


def test_what_makes_no_sense_is_refused(corrected):
    store, old = corrected
    with pytest.raises(ParameterError, match="not both"):
        parse_job("rebase", {"onto": [old], "recipe": "any"})
    with pytest.raises(InputError, match="no other labels"):
        do(store, "rebase", onto=[old])
    seq = act(store, ANNA, "import", "labels of another image")
    small = add_labels(store, seq, images(store)[0].id, Labels(np.ones((8, 8), np.uint32)), name="small")
    with pytest.raises(InputError, match="segment the same image"):
        do(store, "rebase", onto=[small])
    with pytest.raises(ParameterError, match="one set of labels"):
        do(store, "rebase", onto=[small, old])
