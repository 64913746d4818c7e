"""Outlines of all objects of a label image, beside a loop of scikit-image's `find_contours` on each object's box.

Run: python benchmarks/outlines.py [--cells 70000] [--repeats 3]

The loop cuts the box of each id out (`find_objects`), pads it, and traces it at 0.5; it gives lines through the middle
between pixels, loses which pixels touch at corners, and tells no hole from a part. Ours gives rings along the sides of
pixels with holes and parts told apart. Both give the
points of one object after the other.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.draw import ellipse
from skimage.measure import find_contours

from cellmetry.export.tracing import trace_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=70_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()

    labels = cells(given.cells)
    print(f"{labels.shape[0]} × {labels.shape[1]} pixels, {len(np.unique(labels)) - 1:,} cells")
    trace_labels(labels[:50, :50])  # compiled once, kept on the disk
    ours = best(lambda: sum(1 for _ in trace_labels(labels).polygons()), given.repeats)
    theirs = best(lambda: sum(1 for _ in loop(labels)), given.repeats)
    print(f"all outlines at once        {ours:8.2f} s")
    print(f"find_contours, box by box   {theirs:8.2f} s   {theirs / ours:.1f} × as long")


def cells(count: int) -> np.ndarray:
    """Return ellipses of 5 to 10 px radius in a grid."""
    random, side = np.random.default_rng(0), int(np.ceil(np.sqrt(count)))
    labels = np.zeros((24 * side, 24 * side), np.uint32)
    for k in range(count):
        y, x = divmod(k, side)
        middle = 24 * np.array([y, x]) + 12 + random.uniform(-1.5, 1.5, 2)
        inside = ellipse(*middle, *random.uniform(5, 10, 2), rotation=random.uniform(0, np.pi), shape=labels.shape)
        labels[inside] = k + 1
    return labels


def loop(labels: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Yield the lines of each object, one object after the other."""
    for k, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        corner = np.array([box[0].start - 1, box[1].start - 1])
        yield [line + corner for line in find_contours(np.pad(labels[box] == k, 1).astype(float), 0.5)]


def best(work: Callable[[], int], repeats: int) -> float:
    """Return the shortest of several times in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
