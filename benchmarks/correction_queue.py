"""How many places a person has to look at until counts are right, in the order of the queue and in random order.

Run: python benchmarks/correction_queue.py DATA… --split SPLIT [--images 60]

DATA is a folder with `images` and `labels` of the same names, called as in the split. The default model labels the
held-out images. A person looks at one place after the other, an object or what may be a missed cell, and makes what is
there as annotators have it. The error of a count is the sum over images of |count - truth|; random order is the
mean of 20.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.engines.segment import Segment, planes_of, segment_with
from cellmetry.engines.tiling import read_stretched, stretch_limits
from cellmetry.io.labels import read_labels
from cellmetry.io.opening import open_image
from cellmetry.learn.splits import read_split
from cellmetry.ops.doubting import find_doubts
from cellmetry.ops.resample import working_index

LEAST_SHARE = 0.5


class Place(NamedTuple):
    """Somewhere to look: in which image, by how much its count changes then, and by how much it is expected to."""

    image: int
    change: int
    expected: float


def places_of(number: int, image: Path, truth: np.ndarray) -> tuple[list[Place], int, int]:
    """Return the places of an image, how many objects it has, and how many it should have."""
    opened, step = open_image(image), Segment()
    labels = segment_with(step, opened).labels.read().astype(np.int32)
    engine = step.load_engine()
    [plane] = planes_of(step, engine, opened)
    whole = Box(0, plane.shape[0], 0, plane.shape[1])
    small = engine.predict_maps(read_stretched(plane, whole, stretch_limits(engine, plane)))
    rows, columns = (working_index(0, n, m, plane.scale) for n, m in zip(plane.full_shape, plane.shape, strict=True))
    maps = {head: np.ascontiguousarray(values[:, rows][:, :, columns]) for head, values in small.items()}
    if "density" in maps:
        maps["density"] = maps["density"] * np.float32(plane.scale**2)
    doubts = find_doubts(labels, maps, engine.decoding)
    owner = owners(labels, truth)
    objects = [label for label in np.unique(labels) if label]
    expected = {each.label: abs(each.change) + 0.01 * each.wrong for each in doubts if each.label}
    found = [Place(number, owner.get(label, 0) - 1, expected.get(label, 0.0)) for label in objects]
    missed, left = [each for each in doubts if not each.label], unowned(labels, truth)
    for each in missed:
        inside = [cell for cell in np.unique(truth[each.box.slices]) if cell in left]
        taken = [cell for cell in inside if (truth[each.box.slices] == cell).sum() >= LEAST_SHARE * left[cell]]
        for cell in taken:
            left.pop(cell)
        found.append(Place(number, len(taken), each.change))
    return found, len(objects), len(np.unique(truth)) - 1


def owners(labels: np.ndarray, truth: np.ndarray) -> dict[int, int]:
    """Return how many true cells lie mainly in each object."""
    found: dict[int, int] = {}
    for cell in np.unique(truth)[1:]:
        inside = labels[truth == cell]
        best = np.bincount(inside)
        best[0] = 0
        if best.max(initial=0) >= LEAST_SHARE * inside.size:
            found[int(best.argmax())] = found.get(int(best.argmax()), 0) + 1
    return found


def unowned(labels: np.ndarray, truth: np.ndarray) -> dict[int, int]:
    """Return the true cells that lie mainly in no object, with their pixels."""
    found = {}
    for cell in np.unique(truth)[1:]:
        inside = labels[truth == cell]
        if np.bincount(inside)[1:].max(initial=0) < LEAST_SHARE * inside.size:
            found[int(cell)] = inside.size
    return found


def errors_by_look(places: list[Place], order: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Return the summed error of all counts before any look, and after each."""
    errors = [np.abs(wrong).sum()]
    now = wrong.copy()
    for each in order:
        now[places[each].image] += places[each].change
        errors.append(np.abs(now).sum())
    return np.array(errors)


def looks_until(errors: np.ndarray, goal: float) -> float:
    """Return after how many looks the error is at most `goal` and stays so; infinite if never."""
    above = np.flatnonzero(errors > goal)
    after = int(above[-1]) + 1 if above.size else 0
    return after if after < len(errors) else np.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--images", type=int, default=60)
    args = parser.parse_args()
    split, rng = read_split(args.split), np.random.default_rng(0)
    for path in args.data:
        tested = {row.name for row in split.rows if row.data == path.name and row.split == "test"}
        held_out = [each for each in sorted((path / "images").iterdir()) if each.stem in tested]
        places, wrong = [], []
        for number, index in enumerate(rng.permutation(len(held_out))[: args.images]):
            image = held_out[index]
            truth = read_labels(path / "labels" / f"{image.stem}.png").read()
            found, objects, cells = places_of(number, image, truth.astype(np.int32))
            places += found
            wrong.append(objects - cells)
        report(path.name, places, np.array(wrong), rng)


def report(name: str, places: list[Place], wrong: np.ndarray, rng: np.random.Generator) -> None:
    """Print how many looks it takes in either order."""
    ranked = np.argsort([-each.expected for each in places], kind="stable")
    queue = errors_by_look(places, ranked, wrong)
    chance = [errors_by_look(places, rng.permutation(len(places)), wrong) for _ in range(20)]
    print(f"{name}: {len(wrong)} images, {len(places)} places, error {queue[0]} before, {queue[-1]} after all looks")
    if queue[-1] >= queue[0]:
        print("  errors of either sign cancel each other here: looking at all leaves no smaller one")
        return
    for part in (0.75, 0.5, 0.25):
        goal = queue[-1] + part * (queue[0] - queue[-1])
        mine, others = looks_until(queue, goal), np.mean([looks_until(each, goal) for each in chance])
        print(
            f"  error {goal:.0f}: {mine:.0f} looks by the queue, {others:.0f} at random: {1 - mine / others:.0%} fewer"
        )


if __name__ == "__main__":
    main()
