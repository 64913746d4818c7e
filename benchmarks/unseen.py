"""How a network does on microscopes that it never saw: each data set or kind is left out of a shorter training in turn.

Run: python benchmarks/unseen.py DATA… --split SPLIT --out FOLDER [--steps 2000] [--leave-out NAME …]

NAME is a data set or a modality. Each training sees the training part of all others, and is scored on the test part of
what was left out, beside a network of the same length that saw everything. `--set` changes the recipe, so that designs
can be compared for what they do abroad. A training that was interrupted is taken up again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cellmetry.learn.dataset import DataSet, Item, read_data_set, write_data_set
from cellmetry.learn.fit import TrainOptions, train_model
from cellmetry.learn.splits import Split, read_split
from cellmetry.learn.validation import score_model
from cellmetry.models.store import find_model


def without(sets: list[DataSet], name: str, folder: Path) -> list[Path]:
    """Write the data sets without what is called `name`, and return their folders."""
    folders = []
    for one in sets:
        items = tuple(item for item in one.items if name not in (one.card.name, item.modality))
        if items:
            made = DataSet(one.card, folder / one.card.name, items)
            write_data_set(made)
            folders.append(made.folder)
    return folders


def trained(folders: list[Path], out: Path, options: argparse.Namespace) -> Path:
    """Return a model trained on the folders, as far as it was not there already."""
    if not (out / f"{out.name}.json").is_file():
        begun = (out / "training" / "checkpoint.pt").is_file()
        steps = (f"optimisation.steps={options.steps}", f"optimisation.validate_every={options.steps // 4}")
        plan = TrainOptions(tuple(folders), out, recipe="base", split=options.split, resume=begun)
        train_model(replace(plan, changes=(*steps, "sampling.data_weights={}", "joining_images=100", *options.changes)))
    return out / f"{out.name}.onnx"


def tested(sets: list[DataSet], split: Split, name: str) -> list[tuple[str, Item]]:
    """Return the test items of a data set or a modality."""
    pairs = [(one.card.name, item) for one in sets for item in one.items]
    called = [(data, item) for data, item in pairs if name in (data, item.modality)]
    return [(data, item) for data, item in called if split.of(data, item.name) == "test"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--leave-out", nargs="*", default=[])
    parser.add_argument("--set", action="append", default=[], dest="changes")
    options = parser.parse_args()

    sets = [read_data_set(path) for path in options.data]
    split = read_split(options.split)
    names = options.leave_out or sorted({item.modality or one.card.name for one in sets for item in one.items})
    names = [name for name in names if tested(sets, split, name)]
    everything = trained([one.folder for one in sets], options.out / "everything", options)
    rows = []
    for name in names:
        pairs = tested(sets, split, name)
        blind = trained(without(sets, name, options.out / f"without-{name}"), options.out / f"no-{name}", options)
        for seen, path in (("seen", everything), ("left out", blind)):
            scores = score_model(find_model(path), pairs)[["ap50", "ap75"]].mean()
            rows.append({"tested on": name, "images": len(pairs), "trained": seen, **scores.round(3).to_dict()})
            print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
