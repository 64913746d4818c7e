"""`cellmetry study verify`, `repair` and `relink`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.core.labels import Labels
from cellmetry.errors import MissingInput, StudyInUse
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.originals import add_original
from cellmetry.study.store.store import open_store


def cellmetry(*words):
    return CliRunner().invoke(app, ["study", *map(str, words)])


LABELS = np.kron(np.arange(36, dtype=np.uint32).reshape(6, 6), np.ones((100, 100), np.uint32))


@pytest.fixture
def folder(tmp_path):
    """Return a closed study of one original and one label image."""
    found = tmp_path / "a.cellmetry"
    found.mkdir()
    (tmp_path / "a.tif").write_bytes(b"pixels")
    with open_store(found) as store:
        actor = Actor("anna", "python")
        with store.database.write() as connection:
            seq = act(store, actor, "add", "an image")
            add_original(store, seq, tmp_path / "a.tif", "a.tif")
            connection.execute(
                "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                "VALUES ('i', 1, 'a', '{}', '', 'new', ?)",
                (seq,),
            )
        add_labels(
            store,
            seq,
            "i",
            Labels(LABELS),
        )
    return found


def test_verify_repair_and_relink_say_what_is_and_end_with_the_right_code(folder, tmp_path):
    well = cellmetry("verify", folder, "--thorough")
    assert (well.exit_code, well.stdout.strip()) == (0, "All that was written is there and whole.")
    (tmp_path / "there").mkdir()
    (tmp_path / "a.tif").rename(tmp_path / "there" / "renamed.tif")
    missing = cellmetry("verify", folder)
    assert missing.exit_code == 3
    assert "warning: a.tif is not there any more" in missing.stdout
    assert isinstance(cellmetry("relink", folder, tmp_path / "nowhere").exception, MissingInput)
    found = cellmetry("relink", folder, tmp_path / "there", "--json")
    assert (found.exit_code, json.loads(found.stdout)) == (0, {"found": ["a.tif"], "missing": [], "unreadable": 0})
    with open_store(folder) as store:
        name = store.database.row("SELECT id FROM labels")["id"]
        coarse = folder / label_set(store, name).checkpoint / "1/c/0/0"
        busy = cellmetry("repair", folder)
    assert isinstance(busy.exception, StudyInUse)
    assert "is open in cellmetry" in str(busy.exception)
    coarse.write_bytes(coarse.read_bytes()[:-9])
    damaged = cellmetry("verify", folder)
    assert damaged.exit_code == 2
    assert "1/c/0/0" in damaged.stdout
    whole = cellmetry("repair", folder)
    assert whole.exit_code == 0
    assert "made anew" in whole.stdout
    assert cellmetry("verify", folder, "--thorough").exit_code == 0


def test_a_folder_without_a_study_is_refused_and_stays_empty(tmp_path):
    told = cellmetry("verify", tmp_path)
    assert isinstance(told.exception, MissingInput)
    assert "has no study" in str(told.exception)
    assert list(tmp_path.iterdir()) == []
