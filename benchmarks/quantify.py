"""Quantification beside the usual ways to do the same: python benchmarks/quantify.py [--only NAME …].

Each section prints its figures side by side, from one run, on pixels that are generated; `--list` names the sections.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import cellmetry as cm
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.ops.rolling_ball import subtract_imagej
from cellmetry.pipeline.recipe import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return how long a call takes, the fastest of some."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def figure(what: str, taken: float, goal: str = "") -> None:
    """Print one line of a section."""
    print(f"  {what:<52}{taken:9.3f} s  {goal}".rstrip())


def uneven_field(side: int) -> NDArray[np.uint16]:
    """Return spots of 12 bits on an uneven, noisy background."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:side, :side] / side
    light = 300 + 200 * np.sin(3 * x) * np.cos(2 * y) + rng.normal(0, 12, (side, side))
    places = rng.integers(0, side, (2, side * side // 4000))
    light[places[0], places[1]] += 2000
    return light.clip(0, 4095).astype(np.uint16)


def rolling_ball() -> None:
    """Subtract a rolling ball from 2048² pixels of 16 bits (warm), beside scikit-image."""
    from skimage.restoration import rolling_ball as their_ball

    pixels = uneven_field(2048)
    subtract_imagej(pixels[:64, :64], 50)  # compile
    ours = seconds(lambda: subtract_imagej(pixels, 50), times=5)
    figure("imagej variant, radius 50", ours, "goal: at most 0.7")
    for radius in (8, 200):
        figure(f"imagej variant, radius {radius}", seconds(lambda r=radius: subtract_imagej(pixels, r), times=3))
    sliding: Any = {"sliding_paraboloid": True}
    subtract_imagej(pixels[:64, :64], 50, **sliding)
    figure("sliding paraboloid, radius 50", seconds(lambda: subtract_imagej(pixels, 50, **sliding)))
    theirs = seconds(lambda: their_ball(pixels, radius=50))
    figure("scikit-image rolling_ball, radius 50", theirs, f"{theirs / ours:.0f} x ours; goal: at least 50")


def touching_cells(side: int, across: int) -> Sample:
    """Return a field of two channels with `across`² cells, some of which touch."""
    pitch = side / across
    rng = np.random.default_rng(2)
    labels = np.zeros((side, side), np.uint32)
    for index in range(across * across):
        cy, cx = (np.array(divmod(index, across)) + 0.5 + rng.uniform(-0.1, 0.1, 2)) * pitch
        ry, rx = rng.uniform(0.3, 0.55, 2) * pitch
        y0, x0 = max(0, int(cy - ry)), max(0, int(cx - rx))
        y, x = np.ogrid[y0 : min(side, int(cy + ry) + 2), x0 : min(side, int(cx + rx) + 2)]
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1
        labels[y0 : y0 + y.size, x0 : x0 + x.size][inside] = index + 1
    pixels = rng.integers(100, 4096, (2, side, side), np.uint16)
    image = cm.image_from_array(pixels, "CYX", channel_names=["target", "reference"], pixel_size_um=0.3)
    return Sample(image, {"cells": cm.labels_from_array(labels)})


MASKS = parse_recipe(
    {
        "steps": [
            {"step": "radial", "inner": 90, "outer": 110},
            {
                "step": "mask",
                "channel": "target",
                "made": "target_mask",
                "method": "percentile",
                "beyond": "radial_mask",
            },
            {
                "step": "mask",
                "channel": "reference",
                "made": "reference_mask",
                "method": "otsu",
                "beyond": "radial_mask",
            },
            {"step": "combine_masks", "first": "target_mask", "second": "reference_mask", "made": "and_mask"},
            {"step": "combine_masks", "first": "and_mask", "second": "radial_mask", "made": "and_mask"},
            {"step": "quantify", "masks": ["and_mask", "radial_mask"], "ratios": [["target", "reference"]]},
        ]
    }
)


def masks() -> None:
    """Ring, masks by each cell's own threshold and table for 5,000 cells in 4096² (warm), beside a loop over labels."""
    sample = touching_cells(4096, 71)
    MASKS.apply(touching_cells(256, 4), SILENT)  # compile
    ours = seconds(lambda: MASKS.apply(sample, SILENT), times=2)
    figure(f"all steps, {71 * 71} cells", ours, "goal: at most 5")
    for step in MASKS.steps:
        part = sample
        sample = step(sample, SILENT)
        figure(f"  {step.name}", seconds(lambda s=step, p=part: s(p, SILENT)))
    few = 3
    theirs = seconds(lambda: [loop_over_cell(sample, label) for label in range(1, few + 1)]) / few * 71 * 71
    figure(f"a loop over labels, from {few} of them", theirs, f"{theirs / ours:.0f} x ours")


def loop_over_cell(sample: Sample, label: int) -> tuple[float, ...]:
    """Work one cell's ring, masks and ratio out on whole frames, as programs with a loop over labels do."""
    from scipy.ndimage import distance_transform_edt
    from skimage.filters import threshold_otsu

    cell = sample.labels["cells"].read() == label
    target, reference = (sample.image.plane(c=index).astype(np.float32) for index in range(2))
    inside, outside = distance_transform_edt(cell), distance_transform_edt(~cell)
    position = np.where(cell, 1 - inside / inside.max(), 1 + outside / inside.max())
    ring = (position >= 0.9) & (position <= 1.1)
    chosen = ring & (target >= np.percentile(target[cell], 75)) & (reference >= threshold_otsu(reference[cell]))
    return float(target[chosen].mean()), float(reference[chosen].mean()), float(chosen.sum())


def profile() -> None:
    """Profiles of 6 cells in 1024² in 146 windows (warm), beside a loop over labels and windows."""
    sample = few_large_cells()
    step = parse_recipe(
        {"steps": [{"step": "profile", "window": 5, "stride": 1, "ratio": ["target", "reference"]}]}
    ).steps[0]
    step(sample, SILENT)  # compile
    ours = seconds(lambda: step(sample, SILENT), times=5)
    figure("the step profile", ours, "goal: at most 0.15")
    theirs = seconds(lambda: loop_over_windows(sample))
    figure("a loop over labels and windows", theirs, f"{theirs / ours:.0f} x ours")


def few_large_cells() -> Sample:
    """Return six discs of radius 130 px."""
    y, x = np.mgrid[:1024, :1024]
    labels = np.zeros((1024, 1024), np.uint32)
    for label in range(6):
        cy, cx = 200 + 300 * (label % 3), 250 + 500 * (label // 3)
        labels[np.hypot(y - cy, x - cx) <= 130] = label + 1
    pixels = np.random.default_rng(3).integers(1, 255, (2, 1024, 1024), np.uint8)
    image = cm.image_from_array(pixels, "CYX", channel_names=["target", "reference"])
    return Sample(image, {"cells": cm.labels_from_array(labels)})


def loop_over_windows(sample: Sample) -> list[tuple[float, ...]]:
    """Work the profiles out cell by cell and window by window on whole frames."""
    from scipy.ndimage import distance_transform_edt

    labels = sample.labels["cells"].read()
    target, reference = (sample.image.plane(c=index).astype(np.float64) for index in range(2))
    away, nearest = distance_transform_edt(labels == 0, return_indices=True)
    owner = labels[tuple(nearest)]
    rows = []
    for label in range(1, 7):
        inside = distance_transform_edt(labels == label)
        position = np.where(labels == label, 1 - inside / inside.max(), 1 + away / inside.max())
        position[owner != label] = np.nan
        for start in range(146):
            window = (position >= start / 100) & (position <= (start + 5) / 100)
            first, second = target[window], reference[window]
            rows.append((first.mean(), first.std(), second.mean(), second.std(), (first / second).mean()))
    return rows


SECTIONS = {"rolling-ball": rolling_ball, "masks": masks, "profile": profile}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(SECTIONS), metavar="NAME", help="run these sections alone")
    parser.add_argument("--list", action="store_true", help="name the sections and stop")
    args = parser.parse_args()
    for name, section in SECTIONS.items():
        if args.list:
            print(f"{name:<16}{section.__doc__}")
        elif args.only is None or name in args.only:
            print(f"{name}: {section.__doc__}")
            section()


if __name__ == "__main__":
    main()
