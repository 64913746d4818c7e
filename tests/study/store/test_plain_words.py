"""Sentences lose the folders of this computer, whatever way the study was opened by."""

from __future__ import annotations

import sys
from pathlib import Path

from cellmetry.settings import models_folder
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.originals import add_original
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.store import open_store


def test_files_are_called_as_their_users_do_and_folders_are_left_out(tmp_path):
    for name in ("a.tif", "a.tiff"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "s.cellmetry").mkdir()
    with open_store(tmp_path / "s.cellmetry") as store:
        seq = act(store, Actor("anna", "test"), "add images", "Add")
        add_original(store, seq, tmp_path / "a.tif", "plate/first.tif")
        add_original(store, seq, tmp_path / "a.tiff", "plate/second.tif")
        library = Path(sys.path[-1]) / "library" / "code.py"
        text = f"{tmp_path / 'a.tiff'} and {store.folder / '..' / 'a.tif'}: {store.folder / 'jobs'}, {library}"
        assert plain_words(store, text) == (
            f"plate/second.tif and plate/first.tif: {Path('s.cellmetry', 'jobs')}, {Path('library', 'code.py')}"
        )
        assert plain_words(store, "It is empty.") == "It is empty."
        sent = store.folder / "uploads" / "upl_0123456789abcdef" / "my rois.zip"
        assert plain_words(store, f"{sent} is no ZIP.") == "my rois.zip is no ZIP."
        assert plain_words(store, f"{models_folder()} has none.") == "the folder of models has none."
