"""Fine-tuning a model on a few images: how good it gets in five minutes, and how good when trained to convergence.

Run: python benchmarks/fine_tuning.py DATA MODEL --out FOLDER [--images 5] [--test 10] [--minutes 5]

MODEL must not have learnt from DATA. The images are drawn by a seed; the tested ones are held out from everything.
One image more serves as the held-out image that `cellmetry train` asks for; it teaches nothing and chooses nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from cellmetry.learn.dataset import DataSet, read_data_set, write_data_set
from cellmetry.learn.fit import TrainOptions, train_model
from cellmetry.learn.splits import Split, SplitRow, write_split
from cellmetry.learn.validation import read_examples, score_examples, score_means
from cellmetry.learn.weights import load_network
from cellmetry.models.store import find_model


def part(whole: DataSet, folder: Path, chosen: list[int]) -> DataSet:
    """Write and return a data set of some of the items."""
    items = tuple(whole.items[index] for index in chosen)
    made = DataSet(whole.card, folder, items)
    write_data_set(made)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--test", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument(
        "--long", type=float, default=0.0, help="minutes of the training to convergence; 0 leaves it out"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], dest="changes")
    options = parser.parse_args()

    whole = read_data_set(options.data)
    order = np.random.default_rng(options.seed).permutation(len(whole.items)).tolist()
    tested = part(whole, options.out / "tested", order[: options.test])
    taught = part(whole, options.out / "taught", order[options.test : options.test + options.images + 1])
    examples = read_examples([(whole.card.name, item) for item in tested.items], (1.0, 99.8))

    def score(name: str, model: str | Path) -> None:
        found = find_model(model)
        means = score_means(score_examples(load_network(found), examples, found.card.decoding))
        print(f"{name:24} AP at 0.5: {means['ap50']:.3f}   at 0.75: {means['ap75']:.3f}", flush=True)

    score("before", options.model)
    last = taught.items[-1].name
    rows = [
        SplitRow(whole.card.name, item.name, "validation" if item.name == last else "train", item.name)
        for item in taught.items
    ]
    write_split(Split(tuple(rows)), options.out / "split.csv")
    plan = TrainOptions(
        (taught.folder,),
        options.out / "short",
        start=options.model,
        minutes=options.minutes,
        split=options.out / "split.csv",
        keep=True,
        changes=tuple(options.changes),
    )
    result = train_model(plan)
    score(f"{result.seconds / 60:.1f} minutes, {result.steps} steps", result.model.path)
    if options.long:
        result = train_model(replace(plan, out=options.out / "long", minutes=options.long))
        score(f"{result.seconds / 60:.1f} minutes, {result.steps} steps", result.model.path)


if __name__ == "__main__":
    main()
