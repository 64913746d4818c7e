"""What joining and keeping pieces by fitted rules is worth: fitted on the training part, judged on the validation part.

Run: python benchmarks/joining.py DATA… --split SPLIT [--model base] [--images 150]

Prints the AP at IoU 0.5 (0.75) of each data set, every image at its own scale: with pieces as flows make them, with the
weights that come with the program, and with weights fitted here from nothing; then these.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from cellmetry.learn.dataset import read_data_set
from cellmetry.learn.joining import fit_joining, sample_joining
from cellmetry.learn.splits import read_split
from cellmetry.learn.validation import choose_from_each, predict, read_examples
from cellmetry.learn.weights import load_network
from cellmetry.models.store import find_model
from cellmetry.ops.flows import FlowDecoding, decode_flows
from cellmetry.ops.joining import ContactWeights, Joining, PieceWeights
from cellmetry.ops.matching import match_thresholds
from cellmetry.ops.pieces import CONTACT_FEATURES, PIECE_FEATURES

NOTHING = Joining(
    one_cell=ContactWeights(**dict.fromkeys(("always", *CONTACT_FEATURES), 0.0)),
    a_cell=PieceWeights(**dict.fromkeys(("always", *PIECE_FEATURES), 0.0)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--model", default="base")
    parser.add_argument("--images", type=int, default=150)
    given = parser.parse_args()

    network = load_network(find_model(given.model)).eval()
    split = read_split(given.split)
    parts = defaultdict(list)
    for one in map(read_data_set, given.data):
        for item in one.items:
            parts[split.of(one.card.name, item.name)].append((one.card.name, item))

    taught = []
    for pair in choose_from_each([pair for pair in parts["train"] if pair[1].kind == "labels"], given.images):
        (example,) = read_examples([pair], (1.0, 99.8))
        taught.append((predict(network, example.image), example.truth))
    fitted = NOTHING
    for _ in range(2):  # objects are judged as the contacts' weights join them
        decoding = FlowDecoding(joining=fitted)
        fitted = fit_joining([sample_joining(maps, truth, decoding) for maps, truth in taught], NOTHING)

    scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for pair in parts["validation"]:
        (example,) = read_examples([pair], (1.0, 99.8))
        maps = predict(network, example.image)
        for name, joining in {"pieces": None, "as shipped": Joining(), "fitted": fitted}.items():
            options = FlowDecoding(joining=joining)
            labels = decode_flows(maps["foreground"][0], maps["flow"], options, density=maps["density"][0])
            half, strict = match_thresholds(example.truth, labels, (0.5, 0.75))
            scores[pair[0], name].append((half.ap, strict.ap))
    for (data, name), values in scores.items():
        half, strict = np.mean(values, axis=0)
        print(f"{data:12} {name:12} {half:.3f} ({strict:.3f})  n = {len(values)}")
    print(fitted.model_dump_json(indent=2))


if __name__ == "__main__":
    main()
