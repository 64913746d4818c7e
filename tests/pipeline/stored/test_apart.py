"""Images are registered by a process of its own, whose end, whatever it is, costs nothing but itself."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.errors import DamagedFile, LimitExceeded, MissingInput
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.stored import apart
from cellmetry.pipeline.stored.apart import register_apart
from cellmetry.study.store.acts import Actor, acts
from cellmetry.study.store.images import image, images
from cellmetry.study.store.originals import originals
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "test")
MEMORY = 1 << 30


@pytest.fixture
def store(tmp_path):
    (tmp_path / "s.cellmetry").mkdir()
    with open_store(tmp_path / "s.cellmetry") as opened:
        yield opened


@pytest.fixture
def files(store):
    folder = store.folder / "uploads" / "upl_1"
    folder.mkdir(parents=True)
    for name in ("1.tif", "2.tif"):
        tifffile.imwrite(folder / name, np.full((32, 32), 7, np.uint16), photometric="minisblack")
    return {folder / "1.tif": "B02_w1.tif", folder / "2.tif": "B02_w2.tif"}


def test_files_become_images_under_the_names_of_their_users(store, files):
    reading = Reading(pattern="{well}_w{channel}.tif", pixel_size_um=0.5)
    ids = register_apart(store, ANNA, list(files), memory_bytes=MEMORY, reading=reading, names=files)
    assert [image(store, each).name for each in ids] == ["B02"]
    assert [(each.name, each.uploaded) for each in originals(store)] == [("B02_w1.tif", True), ("B02_w2.tif", True)]
    assert (acts(store)[0].who, acts(store)[0].via) == ("anna", "test")
    assert register_apart(store, ANNA, list(files), memory_bytes=MEMORY) != ()
    assert not originals(store)[-1].uploaded


def test_what_is_refused_is_refused_in_the_same_words_without_folders(store, files, tmp_path):
    reading = Reading(pattern="{plate}-{well}.tif")
    with pytest.raises(MissingInput, match="fits the pattern") as refused:
        register_apart(store, ANNA, list(files), memory_bytes=MEMORY, reading=reading, names=files)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(shutil.which("false") is None, reason="a program that fails")
def test_a_process_that_ends_or_hangs_adds_nothing(store, files, monkeypatch):
    monkeypatch.setattr(apart, "_TIME_S", 0.01)
    with pytest.raises(LimitExceeded, match="too long"):
        register_apart(store, ANNA, list(files), memory_bytes=MEMORY, names=files)
    monkeypatch.setattr(sys, "executable", str(Path(shutil.which("false"))))
    with pytest.raises(DamagedFile, match="ended the process"):
        register_apart(store, ANNA, list(files), memory_bytes=MEMORY, names=files)
    assert images(store) == []
