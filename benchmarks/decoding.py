"""Time to decode 3,600 cells in 2048 × 2048 pixels, for separate, touching and plane-filling cells.

Foreground, flow and density are decoded, pieces joined; "checked" drops cells by the error of their flow besides.

Run: python benchmarks/decoding.py
"""

from __future__ import annotations

import time

import numpy as np
from scipy.spatial import cKDTree

from cellmetry.ops.density import density_from_labels
from cellmetry.ops.flows import FlowDecoding, decode_flows, flow_targets
from cellmetry.ops.matching import match_labels

SIDE, PER_SIDE = 2048, 60


def plane(radius: float) -> np.ndarray:
    """Return 60 × 60 cells on a jittered grid: the pixels nearest to each centre, up to `radius`."""
    rng = np.random.default_rng(0)
    pitch = SIDE / PER_SIDE
    grid = np.stack(np.mgrid[:PER_SIDE, :PER_SIDE], axis=-1).reshape(-1, 2)
    centres = (grid + 0.5) * pitch + rng.uniform(-3, 3, grid.shape)
    pixels = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1).reshape(-1, 2)
    distance, nearest = cKDTree(centres).query(pixels)
    return np.where(distance <= radius, nearest + 1, 0).reshape(SIDE, SIDE).astype(np.int32)


def seconds(options: FlowDecoding, foreground: np.ndarray, flow: np.ndarray, density: np.ndarray) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        decode_flows(foreground, flow, options, density=density)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    plain, checked = FlowDecoding(), FlowDecoding(max_flow_error=0.4)
    print(f"{'cells':>16} {'cover':>6} {'targets':>8} {'decode':>8} {'checked':>8} {'found':>6} {'F1':>6}")
    for name, radius in (("radius 10", 10.0), ("radius 13", 13.0), ("touching", 17.0), ("filling", 99.0)):
        truth = plane(radius)
        flow_targets(truth[:64, :64])
        start = time.perf_counter()
        flow = flow_targets(truth)
        made = time.perf_counter() - start
        noisy = (flow + np.random.default_rng(1).normal(0, 0.1, flow.shape)).astype(np.float32)
        foreground, density = (truth > 0).astype(np.float32), density_from_labels(truth)
        found = match_labels(truth, decode_flows(foreground, noisy, checked, density=density), iou=0.5)
        times = [seconds(options, foreground, noisy, density) for options in (plain, checked)]
        print(
            f"{name:>16} {(truth > 0).mean():6.0%} {made:7.2f}s {times[0]:7.2f}s {times[1]:7.2f}s "
            f"{found.tp:6d} {found.f1:6.4f}"
        )


if __name__ == "__main__":
    main()
