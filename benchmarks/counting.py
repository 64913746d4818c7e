"""Measure counts and their intervals on images of known count: `python benchmarks/counting.py COUNTS TRUTH`.

COUNTS is the table that `cellmetry count` wrote (image, n_instances, n_density), TRUTH a table with the columns image
and truth, or a folder of true label images with the stems of the images. Over many random partings of the images, half
calibrate and half are new: printed are, for the new images, the error of each count, how many true counts lie in their
intervals, and how wide these are beside intervals of one width for all images.

`--simulate N` does the same with N simulated images whose counters have known faults, to check the method itself.
"""

from __future__ import annotations

import argparse
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import cellmetry as cm
from cellmetry.core.labels import count_objects
from cellmetry.counting.calibration import calibrate, part_images
from cellmetry.counting.combine import Counts, interval, joint_count, nearest_whole, scores
from cellmetry.counting.table import outside

if TYPE_CHECKING:
    from cellmetry.models.count_calibration import CountCalibration


def read_images(counts: Path, truth: Path) -> pd.DataFrame:
    """Return one row for each image: truth, instances, density."""
    table = cm.read_table(counts, text=("image", "region"))
    table = table[table["region"] == ""].rename(columns={"n_instances": "instances", "n_density": "density"})
    if truth.is_dir():
        known = {name: true_count(truth, name) for name in table["image"]}
    else:
        known = cm.read_table(truth, text=("image",)).set_index("image")["truth"].to_dict()
    missing = [name for name in table["image"] if name not in known]
    if missing:
        raise SystemExit(f"{truth} has no truth for {len(missing)} of {len(table)} images ({missing[0]}, say).")
    return table.assign(truth=table["image"].map(known)).dropna(axis=1, how="all").reset_index(drop=True)


def true_count(folder: Path, name: str) -> int:
    paths = [path for path in folder.glob(f"{Path(name).name}*") if path.stem in (name, f"{name}_labels")]
    if len(paths) != 1:
        raise SystemExit(f"{folder} holds {len(paths)} label images of {name}; expected one.")
    return count_objects(cm.read_labels(paths[0]))


def simulate(images: int, seed: int) -> pd.DataFrame:
    """Return images whose cells merge in crowds, and whose density is noisy and a little low."""
    rng = np.random.default_rng(seed)
    truth = np.rint(np.exp(rng.normal(3.0, 1.1, images)))
    merged = rng.binomial(truth.astype(int), 0.3 * rng.beta(1, 6, images))
    false = rng.poisson(0.01 * truth + 0.1)
    density = truth * rng.normal(0.98, 0.05, images) + rng.normal(0, 0.4, images) - 0.1 * merged
    return pd.DataFrame({"truth": truth, "instances": truth - merged + false, "density": np.maximum(density, 0)})


def counts_of(images: pd.DataFrame) -> Counts:
    first, last = (name for name in ("instances", "density") if name in images) if both(images) else [only(images)] * 2
    return Counts(images[first].to_numpy(float), images[last].to_numpy(float))


def both(images: pd.DataFrame) -> bool:
    return {"instances", "density"} <= set(images)


def only(images: pd.DataFrame) -> str:
    return "instances" if "instances" in images else "density"


def constant(fitted: CountCalibration, images: pd.DataFrame, seed: int) -> CountCalibration:
    """Return the calibration of the same images with one width for all."""
    flat = fitted.model_copy(update={"growth": 0.0, "pull": 0.0})
    ranked = images.iloc[part_images(len(images), coverage=fitted.coverage, seed=seed)[1]]
    found = np.sort(scores(counts_of(ranked), ranked["truth"].to_numpy(float), flat))
    return flat.model_copy(update={"factor": float(found[ceil((len(found) + 1) * fitted.coverage - 1e-9) - 1])})


def one_parting(images: pd.DataFrame, known: float, coverage: float, seed: int) -> dict[str, float]:
    """Return what calibrating on a random part of the images does to the rest."""
    order = np.random.default_rng(10_000 + seed).permutation(len(images))
    size = round(known * len(images))
    first, new = images.iloc[order[:size]], images.iloc[order[size:]]
    fitted = calibrate(first, coverage=coverage, seed=seed)
    truth, counts = new["truth"].to_numpy(float), counts_of(new)
    found, flat = interval(counts, fitted), interval(counts, constant(fitted, first, seed))
    held = (found.low <= truth) & (truth <= found.high)
    given = ~outside(counts, fitted)
    return {
        "MAE joint": np.abs(nearest_whole(joint_count(counts, fitted)) - truth).mean(),
        "MAE instances": np.abs(counts.instances - truth).mean(),
        "MAE density": np.abs(counts.density - truth).mean(),
        "coverage": held.mean(),
        "coverage of intervals given": held[given].mean(),
        "share without interval": 1 - given.mean(),
        "median width": float(np.median(found.high - found.low)),
        "coverage, one width": ((flat.low <= truth) & (truth <= flat.high)).mean(),
        "median width, one width": float(np.median(flat.high - flat.low)),
        "mean width": float(np.mean(found.high - found.low)),
        "mean width, one width": float(np.mean(flat.high - flat.low)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("counts", type=Path, nargs="?")
    parser.add_argument("truth", type=Path, nargs="?")
    parser.add_argument("--simulate", type=int, default=0, help="simulated images in place of tables")
    parser.add_argument("--partings", type=int, default=200)
    parser.add_argument("--known", type=float, default=0.5, help="share of the images that calibrate")
    parser.add_argument("--coverage", type=float, default=0.9)
    given = parser.parse_args()
    if given.simulate:
        images = simulate(given.simulate, 0)
    elif given.counts and given.truth:
        images = read_images(given.counts, given.truth)
    else:
        parser.error("give COUNTS and TRUTH, or --simulate N")
    rows = pd.DataFrame(one_parting(images, given.known, given.coverage, seed) for seed in range(given.partings))
    print(f"{len(images)} images, {images['truth'].sum():.0f} cells, median {images['truth'].median():.0f} an image;")
    print(f"mean over {given.partings} random partings, {given.known:.0%} of the images calibrate:")
    for name in rows:
        print(f"  {name:32} {rows[name].mean():8.3f}   (5–95 % of partings: {rows[name].quantile(0.05):.3f}–"
              f"{rows[name].quantile(0.95):.3f})")  # fmt: skip
    print("calibrated on all images:", calibrate(images, coverage=given.coverage).model_dump_json(indent=1))


if __name__ == "__main__":
    main()
