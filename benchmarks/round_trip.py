"""Random label shapes to ROI zip, GeoJSON and COCO and back, ten times over: every pixel must come back.

Run: python benchmarks/round_trip.py [--shapes 100000] [--journeys 10] [--format rois --format geojson]

Shapes are random pixels in boxes of 9 × 9, so that most have holes, parts, corners that touch, and neighbours without a
gap; some are one pixel. They lie in two images, the first with 70 % of them; ids are random, with gaps, up to three
times their number. Ends with an error if a pixel changed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from cellmetry.core.labels import Labels, labels_hash
from cellmetry.export.content import make_content
from cellmetry.export.formats import FORMATS
from cellmetry.export.frame import frame_of_labels
from cellmetry.export.tracing import trace_labels

FILES = {"rois": "a_RoiSet.zip", "geojson": "a.geojson", "coco": "a.json"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=100_000)
    parser.add_argument("--journeys", type=int, default=10)
    parser.add_argument("--format", action="append", choices=list(FILES))
    given = parser.parse_args()

    random = np.random.default_rng(0)
    first = round(0.7 * given.shapes)
    for count in (first, given.shapes - first):
        labels = random_shapes(random, count)
        describe(labels)
        for form in given.format or ("rois", "geojson"):
            travel(labels, form, given.journeys)


def random_shapes(random: np.random.Generator, count: int, side: int = 9) -> Labels:
    """Return labels of random shapes in a grid."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))
    ids = np.zeros(rows * columns, np.uint32)
    ids[:count] = random.permutation(np.arange(1, 3 * count))[:count]
    shapes = random.random((rows * columns, side, side)) < random.uniform(0.01, 1.0, rows * columns)[:, None, None]
    shapes[:, side // 2, side // 2] |= ~shapes.any(axis=(1, 2))
    blocks = np.where(shapes, ids[:, None, None], 0).reshape(rows, columns, side, side)
    return Labels(np.ascontiguousarray(blocks.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)))


def describe(labels: Labels) -> None:
    outlines = trace_labels(labels.read())
    parts, rings = np.diff(outlines.parts_of), np.diff(outlines.rings_of)
    areas = np.unique(labels.read(), return_counts=True)[1][1:]
    print(f"{outlines.ids.size:,} objects in {labels.shape[0]} × {labels.shape[1]} pixels: {np.sum(parts > 1):,} of")
    print(
        f"  several parts, {np.sum(rings - 1):,} holes, {np.sum(areas == 1):,} of one pixel, ids up to "
        f"{outlines.ids[-1]:,}"
    )


def travel(labels: Labels, form: str, journeys: int) -> None:
    made, wanted, now = FORMATS.load(form)(), labels_hash(labels), labels
    frame = frame_of_labels(labels)
    written = read = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILES[form]
        for journey in range(1, journeys + 1):
            start = time.perf_counter()
            made.write(make_content(now, "a"), path)
            middle = time.perf_counter()
            now = made.read(path, frame).labels
            written, read = written + middle - start, read + time.perf_counter() - middle
            if labels_hash(now) != wanted:
                raise SystemExit(f"{form}: journey {journey} changed {np.sum(now.read() != labels.read())} pixels")
        size = path.stat().st_size / 1e6
    print(f"  {form:8} {journeys} journeys, every pixel back; writing {written / journeys:.1f} s, reading "
          f"{read / journeys:.1f} s, {size:.0f} MB each")  # fmt: skip


if __name__ == "__main__":
    main()
