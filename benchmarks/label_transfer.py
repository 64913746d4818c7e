"""Teaching brightfield by fluorescence: a model that saw no truth but labels found in the stained channel.

Run: python benchmarks/label_transfer.py --out FOLDER [--fields 80] [--steps 1500] [--engine classical]

Pairs of brightfield and fluorescence are generated. The stained channel is segmented, the objects are judged, and what
is accepted teaches the brightfield channel; the model is scored against the generator's truth on other fields.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile

from cellmetry.engines.segment import Segment
from cellmetry.learn.dataset import read_data_set
from cellmetry.learn.fit import TrainOptions, train_model
from cellmetry.learn.generate import FieldLook, generate_field
from cellmetry.learn.validation import read_examples, score_examples
from cellmetry.learn.weights import load_network
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.transfer import TransferPlan, transfer_labels

LOOK = FieldLook(kind="brightfield", cell_shape="round", shape=(320, 320), diameter_px=(20, 50), density=(0.2, 0.6))


def write_pairs(folder: Path, seeds: range) -> dict[str, np.ndarray]:
    """Write two-channel images, brightfield first, and return the truth by file stem."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for seed in seeds:
        field = generate_field(LOOK, seed)
        stem = f"pair{seed:04}"
        pair = np.stack([field.image, field.channels["fluorescence"]]).astype(np.float32)
        tifffile.imwrite(folder / f"{stem}.ome.tif", pair, metadata={"axes": "CYX"})
        truth[stem] = field.labels
    return truth


def write_truth(folder: Path, seeds: range) -> Path:
    """Write a data set of brightfield images with the generator's truth."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        field = generate_field(LOOK, seed)
        tifffile.imwrite(folder / "images" / f"field{seed:04}.tif", field.image)
        tifffile.imwrite(folder / "labels" / f"field{seed:04}.tif", field.labels.astype(np.uint16))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fields", type=int, default=80)
    parser.add_argument("--tested", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--engine", default="classical")
    options = parser.parse_args()

    truth = write_pairs(options.out / "pairs", range(options.fields))
    plan = TransferPlan(source="1", target="0", segment=Segment(engine=options.engine))
    taught = transfer_labels(plan, [options.out / "pairs"], options.out / "taught", reading=Reading())
    fields = taught.fields
    print(f"{int(fields['found'].sum())} objects found, {int(fields['accepted'].sum())} accepted")
    print(f"true cells {sum(len(np.unique(labels)) - 1 for labels in truth.values())}")
    steps = (f"optimisation.steps={options.steps}", f"optimisation.validate_every={options.steps // 3}")
    result = train_model(TrainOptions((options.out / "taught",), options.out / "model", changes=steps))
    tested = read_data_set(write_truth(options.out / "tested", range(10_000, 10_000 + options.tested)))
    examples = read_examples([("tested", item) for item in tested.items], (1.0, 99.8))
    scores = score_examples(load_network(result.model), examples, result.model.card.decoding)
    print(f"against the generator's truth, {len(scores)} other fields:")
    print(scores[["ap50", "ap75", "f1"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
