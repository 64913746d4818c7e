"""Faults while writing: a failing disk, a killed program. The older file survives, nothing half-written stays."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.columns import Column
from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import OutputError
from cellmetry.io import images
from cellmetry.io.images import write_image
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.pictures import write_png
from cellmetry.io.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PIXELS = np.arange(150 * 160, dtype=np.uint16).reshape(150, 160)
WRITERS: dict[str, Callable[[Path], None]] = {
    "x.tif": lambda path: write_labels(labels_from_array(PIXELS), path),
    "x.npy": lambda path: write_labels(labels_from_array(PIXELS), path),
    "x.zarr": lambda path: write_labels(labels_from_array(PIXELS), path),
    "x.ome.tif": lambda path: write_image(image_from_array(PIXELS), path),
    "x.ome.zarr": lambda path: write_image(image_from_array(PIXELS), path),
    "x.csv": lambda path: write_table(pd.DataFrame({"a": [1]}), path, [Column("a", "1", "A.", "Cellmetry")]),
    "x.parquet": lambda path: write_table(pd.DataFrame({"a": [1]}), path),
    "x.png": lambda path: write_png(PIXELS.astype(np.uint8), path),
}


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _failure(write: Callable[[Path], None], path: Path) -> str:
    """Return what the writer said when it failed; nothing if it did not."""
    try:
        write(path)
    except OutputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_case_f5_any_failing_call_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: str
) -> None:
    monkeypatch.setattr(images, "_LARGE_SIDE", 100)
    monkeypatch.setattr(images, "_SMALLEST", 100)
    WRITERS[name](tmp_path / name)
    before, real = _contents(tmp_path), getattr(os, call)
    for fail_at in range(1, 100):
        calls = 0

        def fail_once(*arguments: object) -> None:
            nonlocal calls
            calls += 1
            if calls == fail_at:  # noqa: B023
                raise OSError(errno.ENOSPC, "No space left on device")
            real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail_once)
            said = _failure(WRITERS[name], tmp_path / name)
        if calls < fail_at:
            break
        # A thread of zarr that outlives an earlier failure may meet the fault instead; then this write was whole.
        assert (f"{os.sep}x" in said and "the disk is full" in said) or _contents(tmp_path) == before
        assert set(_contents(tmp_path)) == set(before)
    assert fail_at > 1
    after = _contents(tmp_path)
    assert set(after) == set(before)


LOOP = """
import sys
import numpy as np
from cellmetry.core.labels import labels_from_array
from cellmetry.io.labels import write_labels
path, suffix = sys.argv[1], sys.argv[2]
pictures = [labels_from_array(np.full((700, 800), value, np.uint32)) for value in (1, 2)]
print("ready", flush=True)
while True:
    for picture in pictures:
        write_labels(picture, path)
"""


@pytest.mark.parametrize("seed", range(3))
def test_case_f1_killed_while_saving_labels(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "x_labels.tif"
    write_labels(labels_from_array(np.full((700, 800), 1, np.uint32)), path)
    with subprocess.Popen([sys.executable, "-c", LOOP, str(path), ".tif"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + 0.2 * float(np.random.default_rng(seed).random()))
        process.kill()
    array = read_labels(path).read()
    assert array.shape == (700, 800)
    assert len(np.unique(array)) == 1
