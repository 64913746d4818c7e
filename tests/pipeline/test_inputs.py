"""Hashes of inputs, which one process works out once for a file as it is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import cellmetry as cm
from cellmetry.io.hashing import content_hash
from cellmetry.pipeline.inputs import file_hash


def test_a_changed_ome_zarr_folder_has_another_hash(tmp_path: Path) -> None:
    folder = tmp_path / "a.ome.zarr"
    cm.write_image(cm.image_from_array(np.arange(64, dtype=np.uint16).reshape(8, 8)), folder)
    before, own_time = file_hash(folder), folder.stat().st_mtime_ns
    chunk = max((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    time = chunk.stat().st_mtime_ns + 1_000_000_000
    chunk.write_bytes(chunk.read_bytes()[::-1])
    os.utime(chunk, ns=(time, time))
    assert folder.stat().st_mtime_ns == own_time
    assert file_hash(folder) == content_hash(folder) != before
