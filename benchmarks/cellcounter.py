"""Count by density alone, in the setting of Cellcounter: `python benchmarks/cellcounter.py DATA --out FOLDER`.

DATA is the data set of the Data Science Bowl 2018 as `cellmetry dataset import` writes it. Two networks learn the
density from 80 % of its images, one by pixels, shape and count, one by the count alone; the other 20 % neither teach
nor choose (the last state is kept), and are scored: the mean absolute error of the count of whole images, and of the
density's sum in patches of 256 × 256 pixels (the last of a row ends at the border). Cellcounter reported, with other
images held out and the best of its states chosen on them, 5.209 (terms) and 6.366 (count) for whole images, 3.021 and
2.615 for patches. Needs the extra `[train]`.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import cellmetry as cm
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.engines.maps_step import Maps
from cellmetry.learn.dataset import read_data_set, read_image, read_truth
from cellmetry.learn.fit import TrainOptions, train_model
from cellmetry.learn.splits import read_split, split_items, write_split
from cellmetry.ops.density import density_from_labels

if TYPE_CHECKING:
    from cellmetry.learn.dataset import Item

HERE = Path(__file__).parent
VARIANTS = ("terms", "count")
PATCH = 256


def starts(size: int) -> list[int]:
    """Return where patches begin along a side: every 256 pixels, the last one moved to the border."""
    return [*range(0, max(size - PATCH, 0), PATCH), max(size - PATCH, 0)]


def errors_of(item: Item, model: Path) -> tuple[float, list[float]]:
    """Return the error of the whole image's count, and of the density's sum in each patch."""
    truth = density_from_labels(read_truth(item)).astype(float)
    image = cm.image_from_array(read_image(item), name=item.name)
    found = Maps(model=str(model), heads=("density",))(Sample(image), SILENT).maps["density"].read().astype(float)
    patches = [
        found[y : y + PATCH, x : x + PATCH].sum() - truth[y : y + PATCH, x : x + PATCH].sum()
        for y, x in product(*map(starts, truth.shape))
    ]
    return found.sum() - truth.sum(), patches


def train(data: Path, out: Path, variant: str, given: argparse.Namespace) -> Path:
    recipe = str(HERE / f"cellcounter-{variant}.toml")
    changes = tuple(given.changes)
    folder = out / f"cellcounter-{variant}"
    options = TrainOptions(
        data=(data,), out=folder, recipe=recipe, minutes=given.minutes, split=out / "split.csv", changes=changes
    )
    model = train_model(options).model
    assert model is not None  # nothing was there before that could have been better
    return model.path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--minutes", type=float, help="of training for each of the two; by default the recipe's 10,000 steps"
    )
    parser.add_argument("--set", action="append", default=[], dest="changes", help="change of both recipes")
    parser.add_argument("--seed", type=int, default=123)
    given = parser.parse_args()
    data = read_data_set(given.data)
    given.out.mkdir(parents=True, exist_ok=True)
    if not (given.out / "split.csv").is_file():
        write_split(split_items([data], fractions=(0.8, 0.2, 0.0), seed=given.seed), given.out / "split.csv")
    split = read_split(given.out / "split.csv")
    held = [item for item in data.items if split.of(data.card.name, item.name) == "validation"]
    print(f"{len(data.items) - len(held)} images teach, {len(held)} are held out")
    for variant in VARIANTS:
        model = train(given.data, given.out, variant, given)
        found = [errors_of(item, model) for item in held]
        whole = np.abs([error for error, _ in found])
        patches = np.abs(np.concatenate([each for _, each in found]))
        print(
            f"{variant:6} whole images: MAE {whole.mean():.3f}, median {np.median(whole):.3f}; "
            f"{len(patches)} patches: MAE {patches.mean():.3f}"
        )


if __name__ == "__main__":
    main()
