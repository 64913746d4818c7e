"""Empty labels are made within a moment, or not at all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cellmetry.errors import LimitExceeded
from cellmetry.pipeline.stored import empty_labels
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.store import open_store


def test_an_image_too_large_for_a_moment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(empty_labels, "image_of", lambda *_: SimpleNamespace(state="ready", name="slide"))
    monkeypatch.setattr(empty_labels, "open_stored", lambda *_: None)
    monkeypatch.setattr(empty_labels, "frame_of_image", lambda *_: SimpleNamespace(shape=(1 << 14, (1 << 14) + 1)))
    (tmp_path / "s.cellmetry").mkdir()
    with open_store(tmp_path / "s.cellmetry") as store, pytest.raises(LimitExceeded, match="slide is too large"):
        empty_labels.add_empty_labels(store, Actor("anna", "test"), "img_1", "cells")
    assert not list((tmp_path / "s.cellmetry").rglob("*.zarr"))
