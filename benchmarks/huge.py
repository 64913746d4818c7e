"""Segment and measure a generated image far larger than memory should be: `python benchmarks/huge.py FOLDER`.

A two-channel OME-Zarr image (30,000 × 30,000 by default, uint16) is generated block by block in FOLDER, unless it is
there. Then a fresh process runs the shipped recipe `nuclei` on it, as `cellmetry run` does: labels as OME-Zarr with
pyramid, all default features of both channels, overlay, record. Printed: its time, the peak memory of that process
(resident set), and how near the truth the labels come, in number and by F1 at IoU 0.5 in nine windows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import zarr

import cellmetry as cm
from cellmetry.core.image import Box, PixelSize
from cellmetry.io.ngff import VERSION, multiscales
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import CHANNELS, tile_field

if TYPE_CHECKING:
    from cellmetry.core.labels import Labels

IMAGE = "image.ome.zarr"
SEED = 11
PIXEL_SIZE = PixelSize(0.5, 0.5)
BLOCK = 2048
WINDOW = 1500


def generate(path: Path, side: int) -> None:
    """Write the image block by block, and the number of its cells beside it."""
    group = zarr.open_group(path, mode="w", zarr_format=3)
    level = group.create_array("0", shape=(2, side, side), chunks=(1, 1024, 1024), dtype="uint16")
    ids: list[np.ndarray] = []
    for y, x in product(range(0, side, BLOCK), repeat=2):
        box = Box(y, min(y + BLOCK, side), x, min(x + BLOCK, side))
        field = tile_field(box, SEED)
        level[:, *box.slices] = field.image
        ids.append(field.truth.ids)
    channels = [{"label": name, "color": colour} for name, colour in zip(CHANNELS, ("0000FF", "FF00FF"), strict=True)]
    group.attrs["ome"] = {
        "version": VERSION,
        "multiscales": multiscales("CYX", PIXEL_SIZE, 1, averaged=True),
        "omero": {"channels": channels},
        "cells": len(np.unique(np.concatenate(ids))),
    }


def work(folder: Path) -> None:
    """Run the recipe on the image of `folder`; print time and peak memory as JSON. Runs in a process of its own."""
    start = time.perf_counter()
    result = cm.run(cm.load_recipe("nuclei", ["segment.channel=signal"]), [folder / IMAGE], folder / "results")
    (outcome,) = result.outcomes
    summary = {
        "seconds": round(time.perf_counter() - start),
        "cells": outcome.n_objects["cells"],
        "labels": outcome.outputs["labels cells"],
        "peak_mb": peak_mb(),
    }
    print(json.dumps(summary))


def peak_mb() -> float | None:
    """Return the most memory that this process has held, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def window_f1(labels: Labels) -> list[float]:
    """Return the F1 at IoU 0.5 in nine windows spread over the image."""
    side = labels.shape[0]
    size = min(WINDOW, side // 3)
    starts = [0, (side - size) // 2, side - size]
    boxes = [Box(y, y + size, x, x + size) for y, x in product(starts, repeat=2)]
    return [match_labels(tile_field(box, SEED).labels, np.asarray(labels.array[box.slices])).f1 for box in boxes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=30_000)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.folder)
        return
    image = given.folder / IMAGE
    if not image.exists():
        start = time.perf_counter()
        generate(image, given.side)
        print(f"generated {given.side} x {given.side} x 2 in {time.perf_counter() - start:.0f} s")
    shutil.rmtree(given.folder / "results", ignore_errors=True)
    command = [sys.executable, __file__, str(given.folder), "--work"]
    done = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    true = zarr.open_group(image, mode="r").attrs["ome"]["cells"]  # type: ignore[index,call-overload]
    f1 = window_f1(cm.read_labels(given.folder / "results" / done["labels"]))
    print(f"segmented, measured, drawn and written in {done['seconds']} s")
    print(f"cells found {done['cells']}, true {true}; F1 in nine windows {min(f1):.4f} to {max(f1):.4f}")
    print(f"peak memory of the process that did it: {done['peak_mb']} MB")


if __name__ == "__main__":
    main()
