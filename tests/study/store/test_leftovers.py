"""Half-written files of killed programs: gone when the study is opened, unless a worker still writes them."""

from __future__ import annotations

import pytest

from cellmetry.core.labels import Labels
from cellmetry.errors import OutputError
from cellmetry.study.store.acts import act
from cellmetry.study.store.checkpoints import clean_checkpoints
from cellmetry.study.store.jobs import add_job, set_state
from cellmetry.study.store.labels import enter_labels, label_sets, write_labels
from cellmetry.study.store.lock import take_lock
from cellmetry.study.store.store import open_store

from .made_study import ANNA, new_study, squares

PLACES = ("pyramids", "uploads", "models", "jobs/{job}/run/tables")


@pytest.mark.parametrize("at_work", [False, True])
def test_half_written_files_go_when_nobody_writes_them(tmp_path, at_work):
    store, _ = new_study(tmp_path, squares((64, 64)))
    job = add_job(store, ANNA, "read", {"images": ["img_0123456789abcdef"]})
    set_state(store, job, "running")
    store.close()
    left = [store.folder / place.format(job=job) / ".cellmetry-0123456789abcdef.part.zarr" for place in PLACES]
    for each in left:
        each.mkdir(parents=True)
        (each / "zarr.json").write_text("{")
        (each.parent / "whole.txt").write_text("whole")
    worker = take_lock(store.folder / "jobs" / job, "worker") if at_work else None
    with open_store(store.folder) as again:
        assert again.notices == ()
    assert [each.exists() for each in left] == [at_work] * len(left)
    assert all((each.parent / "whole.txt").is_file() for each in left)
    if worker is not None:
        worker.release()


def test_labels_that_went_before_the_study_had_them_are_not_entered(tmp_path):
    store, labels = new_study(tmp_path, squares((64, 64)))
    seq = act(store, ANNA, "segment", "cells")
    written, other = (write_labels(store, Labels(squares((64, 64)))) for _ in range(2))
    enter_labels(store, seq, "img_1", other, name="other")
    assert clean_checkpoints(store.database, store.folder) == [f"labels/{written.id}"]  # as another program opens it
    with pytest.raises(OutputError, match="has gone"):
        enter_labels(store, seq, "img_1", written, name="cells")
    assert [each.id for each in label_sets(store)] == [labels, other.id]
    store.close()
