"""Time and memory of `measure` on a large field: python benchmarks/measure.py [--side 8192] [--channels 4].

Prints, side by side from one run: area, mean, standard deviation, minimum and maximum of every channel by `measure`,
by one `numpy.bincount` pass a channel and by scikit-image's `regionprops_table`; then all default features; and the
peak memory of a process that does nothing but hold the image and measure it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import cellmetry as cm
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FAST = MeasureOptions(features=("size", "intensity"))


def make_labels(side: int, cells: int) -> NDArray[np.uint32]:
    """Return touching and separate ellipses on a shaken grid, `cells` of them or a few more."""
    grid = int(np.ceil(np.sqrt(cells)))
    pitch = side / grid
    rng = np.random.default_rng(1)
    labels = np.zeros((side, side), np.uint32)
    for index in range(grid * grid):
        cy, cx = (np.array(divmod(index, grid)) + 0.5 + rng.uniform(-0.1, 0.1, 2)) * pitch
        ry, rx = rng.uniform(0.3, 0.55, 2) * pitch
        y0, x0 = max(0, int(cy - ry)), max(0, int(cx - rx))
        y, x = np.ogrid[y0 : min(side, int(cy + ry) + 2), x0 : min(side, int(cx + rx) + 2)]
        labels[y0 : y0 + y.size, x0 : x0 + x.size][((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1] = index + 1
    return labels


def make_channels(side: int, count: int) -> NDArray[np.uint16]:
    """Return noise of 12 bits."""
    rng = np.random.default_rng(2)
    pixels = np.empty((count, side, side), np.uint16)
    for channel in pixels:
        for row in range(0, side, 512):
            part = channel[row : row + 512]
            part[...] = rng.integers(100, 4096, part.shape, np.uint16)
    return pixels


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def bincounts(labels: NDArray[np.uint32], pixels: NDArray[np.uint16]) -> None:
    """Sum each channel by label, once."""
    for channel in pixels:
        np.bincount(labels.ravel(), weights=channel.ravel())


def regionprops(labels: NDArray[np.uint32], pixels: NDArray[np.uint16]) -> None:
    """Make the same columns with scikit-image."""
    from skimage.measure import regionprops_table

    names = ("label", "area", "intensity_mean", "intensity_std", "intensity_min", "intensity_max")
    regionprops_table(labels, np.moveaxis(pixels, 0, -1), properties=names)


def resident_bytes() -> int:
    """Return the memory that this process holds now, where the system tells (Linux, macOS, Windows with ps)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024
    out = subprocess.run(["ps", "-o", "rss=", "-p", str(__import__("os").getpid())], capture_output=True, check=True)
    return int(out.stdout) * 1024


def peak_during(work: Callable[[], object]) -> int:
    """Return the most memory held while `work` runs, looked at every 10 ms."""
    peak = resident_bytes()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=8192)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--memory-only", action="store_true", help="measure all defaults once and print the peak")
    args = parser.parse_args()
    labels, pixels = make_labels(args.side, args.cells), make_channels(args.side, args.channels)
    image, objects = cm.image_from_array(pixels, "CYX"), cm.labels_from_array(labels)
    if args.memory_only:
        print(peak_during(lambda: measure(image, objects)))
        return
    print(
        f"{args.side} x {args.side}, {args.channels} channels, {labels.max()} cells, image {pixels.nbytes / 1e6:.0f} MB"
    )
    small = cm.image_from_array(pixels[:, :64, :64], "CYX")
    measure(small, cm.labels_from_array(labels[:64, :64].copy()))  # compile
    ours = min(seconds(lambda: measure(image, objects, FAST)) for _ in range(2))
    counted = min(seconds(lambda: bincounts(labels, pixels)) for _ in range(2))
    print(f"bincount, one pass a channel      {counted:8.2f} s")
    print(f"measure, area mean std min max    {ours:8.2f} s  {ours / counted:.2f} x bincount (goal: below 2)")
    everything = seconds(lambda: measure(image, objects))
    print(f"measure, all default features     {everything:8.2f} s  (goal: below 60)")
    theirs = seconds(lambda: regionprops(labels, pixels))
    print(f"regionprops_table, same columns   {theirs:8.2f} s  {theirs / ours:.1f} x measure (goal: above 10)")
    again = [sys.executable, __file__, "--memory-only", *sys.argv[1:]]
    peak = int(subprocess.run(again, capture_output=True, check=True, text=True).stdout)
    print(f"peak memory, all default features {peak / 1e6:8.0f} MB {peak / pixels.nbytes:.2f} x image (goal: below 3)")


if __name__ == "__main__":
    main()
