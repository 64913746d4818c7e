"""Show that tiles neither cut nor double a cell: `python benchmarks/seams.py [FOLDER]`.

A mosaic of about 6,000 × 6,000 pixels is put together from the images in FOLDER, mirrored so that cells meet at the
joints (without FOLDER: from generated fields). It is segmented with tiles of 256, 512, 1024 and 2048 pixels, and as one
single tile; threshold and background are those of the whole plane each time. Printed for each: cells, cells that match
the single tile with IoU of at least 0.99, pixels that differ, and every cell that is not the same.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np

import cellmetry as cm
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import make_cells


def fields(folder: Path | None) -> list[np.ndarray]:
    if folder is None:
        return [make_cells((600, 700), 120, seed=seed).image[1] for seed in range(20)]
    return [cm.open_image(path).plane() for path in sorted(folder.iterdir())]


def mosaic(parts: list[np.ndarray], side: int) -> np.ndarray:
    height, width = parts[0].shape
    rows, columns = -(-side // height), -(-side // width)
    out = np.zeros((rows * height, columns * width), parts[0].dtype)
    for number, (row, column) in enumerate(product(range(rows), range(columns))):
        part = parts[number % len(parts)][:: (-1) ** row, :: (-1) ** column]
        out[row * height : (row + 1) * height, column * width : (column + 1) * width] = part
    return out


def segment(image: cm.Image, tile: int) -> np.ndarray:
    start = time.perf_counter()
    labels = cm.segment(image, engine="classical", tile_px=tile, cleanup={"min_area_px": 20}).read()
    print(f"tile {tile:5}: {labels.max()} cells in {time.perf_counter() - start:.0f} s", flush=True)
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--side", type=int, default=6000)
    given = parser.parse_args()
    image = cm.image_from_array(mosaic(fields(given.folder), given.side), name="mosaic")
    print(f"mosaic of {image.shape[0]} x {image.shape[1]} pixels")
    whole = segment(image, 16384)
    for tile in (256, 512, 1024, 2048):
        labels = segment(image, tile)
        match = match_labels(whole, labels)
        same = float((match.pair_ious >= 0.99).mean())
        print(
            f"  against one tile: {match.fn} lost, {match.fp} new, {same:.4%} with IoU >= 0.99, "
            f"{(labels != whole).sum()} pixels differ, labels identical: {np.array_equal(labels, whole)}"
        )
        for (true, found), iou in zip(match.pairs, match.pair_ious, strict=True):
            if iou < 1:
                print(f"    cell {true} is {found} with IoU {iou:.4f}")


if __name__ == "__main__":
    main()
