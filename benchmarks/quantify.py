"""Quantification beside the usual ways to do the same: python benchmarks/quantify.py [--only NAME …].

Each section prints its figures side by side, from one run, on pixels that are generated; `--list` names the sections.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.ops.rolling_ball import subtract_imagej

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


SECTIONS = {"rolling-ball": rolling_ball}


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
