"""Score a segmentation against true labels: `python benchmarks/accuracy.py IMAGES TRUTH [--recipe nuclei]`.

Runs a recipe on a folder of images as `cellmetry run` does and compares the labels with those of the same stem in
TRUTH. Printed: mean F1 at IoU 0.5 over the images, the worst images, failures, and the time an image took.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import cellmetry as cm
from cellmetry.ops.matching import match_labels


def true_labels(folder: Path, stem: str) -> np.ndarray:
    (path,) = folder.glob(f"{stem}.*")
    return cm.read_labels(path).read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--recipe", default="nuclei")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = cm.run(cm.load_recipe(given.recipe, given.changes), [given.images], folder)
        done = [outcome for outcome in result.outcomes if outcome.status == "done"]
        scores = {
            outcome.image: match_labels(
                true_labels(given.truth, outcome.image),
                cm.read_labels(Path(folder) / outcome.outputs["labels cells"]).read(),
            ).f1
            for outcome in done
        }
    print(f"{len(done)} images, {len(result.failed)} failed; mean F1 at IoU 0.5: {np.mean(list(scores.values())):.4f}")
    for image, score in sorted(scores.items(), key=lambda item: item[1])[:5]:
        print(f"  {score:.3f}  {image}")
    print(f"median {np.median([outcome.seconds for outcome in done]):.2f} s an image, tables and pictures included")


if __name__ == "__main__":
    main()
