"""The study that benchmarks of the service and of the app share: 20,000 × 20,000 pixels, two channels, 62,500 cells."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels
from cellmetry.io.image_store import write_image_store
from cellmetry.pipeline.stored.headers import image_header
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import add_image, set_ready
from cellmetry.study.store.label_tiles import TILE
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

SIDE, CELL = 20_000, 80


def build(home: Path, side: int) -> dict[str, str]:
    """Make the study, and note the ids of what is in it."""
    noted = home / "names.json"
    if noted.is_file():
        return dict(json.loads(noted.read_text()))
    folder = home / "Large.cellmetry"
    folder.mkdir(parents=True)
    start = time.perf_counter()
    count = side // CELL
    with open_store(folder) as store:
        with store.database.write():
            seq = act(store, Actor("bench", "python"), "add images", "Add large")
            image_id = add_image(store, seq, "large", {"files": [], "scene": None, "reading": {}}, "0" * 64)
        pixels = np.broadcast_to(block(), (2, count // 25, 25 * CELL, count // 25, 25 * CELL))
        image = image_from_array(pixels.reshape(2, side, side), "CYX", pixel_size_um=0.5)
        place = f"pyramids/{image_id}.ome.zarr"
        write_image_store(image, folder / place, chunk=TILE, smallest=TILE)
        set_ready(store, image_id, image_header(image, folder / place), [], place)
        print(f"image written in {time.perf_counter() - start:.1f} s", flush=True)
        start = time.perf_counter()
        labels_id = add_labels(store, seq, image_id, Labels(cells(count)), name="cells")
        print(f"{count**2:,} cells added in {time.perf_counter() - start:.1f} s", flush=True)
        names = {"study": store.id, "image": image_id, "labels": labels_id}
    noted.write_text(json.dumps(names))
    return names


def block() -> np.ndarray[Any, Any]:
    """Return 25 × 25 cells in two channels with noise, to be repeated: shape (2, 1, 25 cells, 1, 25 cells)."""
    random = np.random.default_rng(0)
    y, x = np.indices((CELL, CELL)) - CELL / 2
    cell = np.clip(1 - (y**2 + x**2) / (CELL * 0.4) ** 2, 0, 1)
    wide = np.tile(cell, (2, 25, 25))
    return random.poisson(200 + 2000 * wide).astype(np.uint16)[:, None, :, None, :]


def cells(count: int) -> np.ndarray[Any, Any]:
    """Return `count` × `count` discs, each with an id of its own."""
    y, x = np.indices((CELL, CELL)) - CELL / 2
    disc = (y**2 + x**2 < (CELL * 0.4) ** 2).astype(np.uint32)
    ids = np.arange(1, count**2 + 1, dtype=np.uint32).reshape(count, 1, count, 1)
    return (ids * disc[None, :, None, :]).reshape(count * CELL, count * CELL)
