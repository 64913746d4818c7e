"""Measure whether a model notices images unlike those that it has learnt from.

    python benchmarks/familiarity.py MODEL --like held_out/ --unlike other_microscope/ --unlike tissue/

prints for each folder (or text file that lists images, one a line) the median unfamiliarity and how many images are
above 1 and would be warned of; and for those after ``--unlike`` the AUC: how often one of their images has a higher
score than one of the images after ``--like``, which are of the model's kind but were held out.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from cellmetry.engines.segment import Segment
from cellmetry.pipeline.checking import check_images, choose_evenly
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.reading import Reading


def scores(step: Segment, given: str, most: int) -> np.ndarray:
    path = Path(given)
    inputs = path.read_text(encoding="utf-8").split("\n") if path.suffix == ".txt" else [given]
    images = choose_evenly(find_images([each for each in inputs if each], Reading()).images, most)
    found = check_images(step, images)
    for problem in (each.problem for each in found if each.problem):
        print(f"  left out: {problem}")
    return np.array([each.unfamiliarity for each in found if each.unfamiliarity is not None])


def auc(low: np.ndarray, high: np.ndarray) -> float:
    above, equal = high[:, None] > low[None], high[:, None] == low[None]
    return float(above.mean() + equal.mean() / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--like", action="append", required=True)
    parser.add_argument("--unlike", action="append", default=[])
    parser.add_argument("--channel", default=None)
    parser.add_argument("--most", type=int, default=200, help="images of each folder, evenly spread")
    given = parser.parse_args()
    step = Segment(engine="cellmetry", model=given.model, channel=given.channel)
    known = []
    for kind, folders in (("like", given.like), ("unlike", given.unlike)):
        for folder in folders:
            start = time.perf_counter()
            found = scores(step, folder, given.most)
            seconds = (time.perf_counter() - start) / max(len(found), 1)
            if not len(found):
                raise SystemExit(f"The model {given.model} cannot tell how familiar {folder} is.")
            known += [found] if kind == "like" else []
            said = f"{kind:6} {folder}: {len(found)} images, median {np.median(found):.2f}, "
            said += f"above 1: {100 * (found > 1).mean():.1f} %, {seconds:.2f} s an image"
            print(said + (f", AUC {auc(np.concatenate(known), found):.3f}" if kind == "unlike" else ""))


if __name__ == "__main__":
    main()
