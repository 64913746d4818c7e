"""Files that were sent: those that nothing names go after a week, all others stay."""

from __future__ import annotations

import json
import os
import time

import pytest

from cellmetry.errors import UnknownName
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.jobs import add_job, cancel_job
from cellmetry.study.store.originals import add_original
from cellmetry.study.store.uploads import KEPT_S, UPLOADS, discard_upload, new_upload, upload_path

from .made_study import ANNA


def send(store, *, days=8.0):
    """A file that was sent some days ago."""
    upload, path = new_upload(store, "a.tif")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"II*\0")
    sent = time.time() - days * KEPT_S / 7
    os.utime(path.parent, (sent, sent))
    return upload, path


def as_original(store, upload, path):
    with store.database.write():
        seq = act(store, ANNA, "add", "an image")
        add_original(store, seq, path, "a.tif", uploaded=True)
    undo_act(store, ANNA, seq)


def by_a_job(store, upload, path):
    cancel_job(store, add_job(store, ANNA, "import", {"upload": upload}))


def by_a_result(store, upload, path):
    with store.database.write() as connection:
        seq = act(store, ANNA, "import", "outlines")
        connection.execute(
            "INSERT INTO results (id, kind, name, place, sha256, details, added_by) VALUES ('r', '', '', '', '', ?, ?)",
            (json.dumps({"from": upload}), seq),
        )


def by_labels(store, upload, path):
    with store.database.write() as connection:
        connection.execute("UPDATE labels SET origin = ?", (json.dumps({"upload": upload}),))


def by_a_recipe(store, upload, path):
    with store.database.write() as connection:
        seq = act(store, ANNA, "recipe", "a recipe")
        text = f'image = "{path.as_posix()}"'
        connection.execute(
            "INSERT INTO recipes (id, name, text, sha256, added_by) VALUES ('r', '', ?, '', ?)", (text, seq)
        )


@pytest.mark.parametrize("named", [as_original, by_a_job, by_a_result, by_labels, by_a_recipe])
def test_files_that_something_names_stay(study, named):
    store, _ = study
    used, unused = send(store), send(store)
    named(store, *used)
    store.keep_up()
    assert upload_path(store, used[0]) == used[1]
    with pytest.raises(UnknownName):
        upload_path(store, unused[0])


def test_young_files_and_foreign_folders_stay(study):
    store, _ = study
    young, _ = send(store, days=6.0)
    foreign = store.folder / UPLOADS / "upl_mine"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    store.keep_up()
    assert foreign.is_dir()
    assert upload_path(store, young).is_file()


def test_files_that_came_to_nothing_go_at_once_and_those_of_images_stay(study):
    store, _ = study
    for keep in (True, False):
        upload, path = send(store, days=0)
        if keep:
            as_original(store, upload, path)
        discard_upload(store, path.parent)
        assert path.exists() == keep
