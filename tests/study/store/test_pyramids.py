"""Tiles of images for the screen that are lost: told by names alone, and made again from the original."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.errors import DamagedFile
from cellmetry.io.image_store import write_image_store
from cellmetry.io.tile_store import TileStore
from cellmetry.study.store.jobs import jobs
from cellmetry.study.store.repairing import repair
from cellmetry.study.store.verifying import verify

from .made_study import ANNA, new_study, squares

PLACE = "pyramids/img_1.ome.zarr"


@pytest.fixture
def store(tmp_path):
    """Return a study with the tiles of an image of two channels that is all 0."""
    opened, _ = new_study(tmp_path, squares((64, 64)))
    image = image_from_array(np.zeros((2, 600, 1100), np.uint8), axes="CYX")
    write_image_store(image, opened.folder / PLACE, chunk=512, smallest=512)
    with opened.database.write() as connection:
        connection.execute("UPDATE images SET pyramid = ?", (PLACE,))
    yield opened
    opened.close()


def test_all_tiles_are_there_also_those_that_are_zero(store):
    assert TileStore(store.folder / PLACE).missing() == []
    assert verify(store) == []
    assert repair(store, ANNA) == []
    assert jobs(store) == []


@pytest.mark.parametrize("lost", ["0/c/1/0/2", "2/c/0/0/0", "0/c", "0/zarr.json", "zarr.json", ""])
def test_lost_tiles_are_told_and_the_image_is_read_again_once(store, lost):
    path = store.folder / PLACE / lost
    path.unlink() if path.is_file() else shutil.rmtree(path)
    (finding,) = verify(store)
    assert (finding.severity, finding.subject) == ("warning", "img_1")
    assert "iles of a for the screen are missing" in finding.text
    assert len(repair(store, ANNA)) == 1
    (job,) = jobs(store)
    assert (job.kind, job.parameters) == ("read", {"images": ["img_1"]})
    assert repair(store, ANNA) == []


def test_without_its_original_an_image_is_not_read_again(store, tmp_path):
    (tmp_path / "a.tif").unlink()
    (store.folder / PLACE / "1/c/0/0/0").unlink()
    (told,) = repair(store, ANNA)
    assert "missing: 1." in told
    assert "a.tif is there" in told
    assert jobs(store) == []


def test_an_empty_file_is_no_tile(store):
    (store.folder / PLACE / "0/c/1/0/2").write_bytes(b"")
    with pytest.raises(DamagedFile, match="empty"):
        TileStore(store.folder / PLACE).frame(0, (1, 0, 2))
