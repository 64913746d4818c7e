"""Whether what humans corrected survives a better model: 1,000 logged edits put onto another model's labels.

Run: python benchmarks/rebase.py [--edits 1000] [--seeds 0 1 2] [--engines classical base --data FOLDER]

Generated fields are segmented by a simulated bad model (cells missed, merged, cut apart, cut in half, invented, with
wobbly outlines). A simulated human corrects it toward the truth with the operations of the editor, not always wholly,
and sometimes wrongly, until 1,000 edits are logged. Then the labels of a simulated better model, with faults in other
places, take over. `lost` looks at each edit's own pixels, without what the rebase says of it: they are lost if less
than half of those that the human left are as the human set them. `--engines` takes labels of two real engines or
models instead of simulated ones, in images of a folder with `images/` and, of the same names, the truth in `labels/`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours, regionprops

from cellmetry.core.labels import Labels
from cellmetry.engines.segment import segment
from cellmetry.errors import CellmetryError
from cellmetry.io.labels import read_labels as read_label_file
from cellmetry.io.opening import open_image
from cellmetry.ops.matching import match_labels
from cellmetry.ops.overlaps import count_overlaps
from cellmetry.ops.synthetic import make_cells
from cellmetry.ops.synthetic_cells import FieldOptions
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.rebase.rebasing import rebase
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_edit, history, patches_of, undo
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE, CELLS = (512, 512), 70
HUMAN = Actor("simulated human", "python")


class Faults(NamedTuple):
    """Shares of cells that a simulated model gets wrong, and how far its outlines wobble, in pixels."""

    missed: float
    merged: float
    apart: float
    halved: float
    invented: float
    wobble_px: float


WORSE, BETTER = Faults(0.08, 0.5, 0.08, 0.1, 0.08, 3.0), Faults(0.02, 0.1, 0.02, 0.02, 0.02, 1.5)


def segmented(truth: np.ndarray, faults: Faults, rng: np.random.Generator) -> np.ndarray:
    """Return what a model with these faults makes of the truth."""
    labels = _wobbly(truth, faults.wobble_px, rng).astype(np.int64)
    following = int(labels.max()) + 1
    for one, other in _neighbours(truth):
        if rng.random() < faults.merged:
            labels[labels == other] = one
    for region in regionprops(labels):
        chance, (y, x) = rng.random(), region.centroid
        rows, columns = region.coords.T
        angle = rng.uniform(0, 2 * np.pi)
        side = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle) > 0
        if chance < faults.missed:
            labels[rows, columns] = 0
        elif chance < faults.missed + faults.apart:
            labels[rows[side], columns[side]], following = following, following + 1
        elif chance < faults.missed + faults.apart + faults.halved:
            labels[rows[side], columns[side]] = 0
    for _ in range(rng.poisson(faults.invented * truth.max())):
        y, x, radius = *(rng.integers(20, size - 20) for size in truth.shape), rng.uniform(6, 14)
        disk = (np.indices(truth.shape)[0] - y) ** 2 + (np.indices(truth.shape)[1] - x) ** 2 < radius**2
        if not labels[disk].any():
            labels[disk], following = following, following + 1
    return labels.astype(np.uint32)


def _wobbly(labels: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    moves = [ndimage.gaussian_filter(rng.standard_normal(labels.shape), 8) for _ in range(2)]
    places = [
        index + pixels * move / move.std() / 1.4 for index, move in zip(np.indices(labels.shape), moves, strict=True)
    ]
    return ndimage.map_coordinates(labels, places, order=0)


def _neighbours(labels: np.ndarray) -> list[tuple[int, int]]:
    found = set()
    for first, second in ((labels[:-2], labels[2:]), (labels[:, :-2], labels[:, 2:])):
        touching = (first > 0) & (second > 0) & (first != second)
        found |= {tuple(sorted(pair)) for pair in zip(first[touching].tolist(), second[touching].tolist(), strict=True)}
    return sorted(found)


@dataclass
class Human:
    """Someone who corrects labels toward the truth, edit by edit, until they have made enough."""

    store: object
    labels_id: str
    truth: np.ndarray
    rng: np.random.Generator
    left: int
    done: Counter = field(default_factory=Counter)

    def edit(self, name: str, **parameters: object) -> None:
        """Make one edit and count it, if it changes anything."""
        if self.left <= 0:
            return
        try:
            result = apply_edit(self.store, HUMAN, self.labels_id, parse_operation(name, parameters))
        except CellmetryError:
            return
        if result.act is not None:
            self.done[name] += 1
            self.left -= 1

    def correct(self) -> None:
        """Delete what is nothing, draw what is missing, join and part, mend outlines; err now and then."""
        self._delete()
        self._join()
        self._part()
        self._draw()
        self._mend()
        self._err()

    def _seen(self) -> tuple[np.ndarray, object]:
        now = read_labels(self.store, self.labels_id).read()
        return now, count_overlaps(self.truth, now)

    def _delete(self) -> None:
        _, found = self._seen()
        covered = np.zeros(found.second_ids.size)
        np.add.at(covered, found.columns, found.pixels)
        for label in found.second_ids[covered < 0.3 * found.second_areas].tolist():
            self.edit("delete", ids=[label])

    def _join(self) -> None:
        now, found = self._seen()
        inside = found.pixels >= 0.6 * found.second_areas[found.columns]
        for row in np.unique(found.rows[inside]):
            pieces = found.second_ids[found.columns[inside & (found.rows == row)]].tolist()
            if len(pieces) > 1 and self.rng.random() < 0.5:
                self.edit("merge", ids=pieces)
            elif len(pieces) > 1:
                centres = [np.argwhere(now == piece).mean(axis=0) + 0.5 for piece in pieces[:2]]
                self.edit("merge_along", points=[tuple(map(float, centre)) for centre in centres])

    def _part(self) -> None:
        _, found = self._seen()
        inside = found.pixels >= 0.5 * found.first_areas[found.rows]
        for column in np.unique(found.columns[inside]):
            cells = found.first_ids[found.rows[inside & (found.columns == column)]].tolist()
            for one, other in pairwise(cells):
                a, b = (np.argwhere(self.truth == cell) + 0.5 for cell in (one, other))
                middle = _border(a, b)
                along = b.mean(axis=0) - a.mean(axis=0)
                across = np.array([-along[1], along[0]]) / max(np.hypot(*along), 1) * 45
                ends = [np.clip(middle + sign * across, 0.5, np.array(SHAPE) - 0.5) for sign in (-1, 1)]
                self.edit("split", points=[tuple(map(float, end)) for end in ends],
                          id=int(found.second_ids[column]))  # fmt: skip

    def _draw(self) -> None:
        _, found = self._seen()
        covered = np.zeros(found.first_ids.size)
        np.add.at(covered, found.rows, found.pixels)
        for label in found.first_ids[covered < 0.25 * found.first_areas].tolist():
            outline = find_contours(np.pad(self.truth == label, 1), 0.5)[0] - 0.5
            points = approximate_polygon(outline, 0.7)[:-1] + self.rng.normal(0, 0.7, (1, 2))
            self.edit("draw", points=[tuple(map(float, point)) for point in np.clip(points, 0, SHAPE[0])])

    def _mend(self) -> None:
        now, _ = self._seen()
        matched = match_labels(self.truth, now, iou=0.3)
        for (true, label), iou in zip(matched.pairs.tolist(), matched.pair_ious.tolist(), strict=True):
            if iou > 0.8:
                continue
            missing = (self.truth == true) & (now == 0)
            beyond = (now == label) & (self.truth == 0)
            if missing.sum() >= beyond.sum():
                self._stroke("brush", missing, id=label)
            else:
                self._stroke("erase", beyond, id=label)

    def _stroke(self, name: str, mask: np.ndarray, **parameters: object) -> None:
        """Stroke along the largest piece of a mask; half of the time only half of it."""
        pieces, count = ndimage.label(mask)
        if not count:
            return
        rows, columns = np.nonzero(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax())
        depth = float(ndimage.distance_transform_edt(mask)[rows, columns].max())
        order = np.argsort(rows * np.cos(0.5) + columns * np.sin(0.5))
        if self.rng.random() < 0.5:
            order = order[: order.size // 2 + 1]
        chosen = order[:: max(1, order.size // 12)]
        points = [(float(rows[k]) + 0.5, float(columns[k]) + 0.5) for k in chosen]
        self.edit(name, points=points, radius=max(1.0, depth * 0.7), **parameters)

    def _err(self) -> None:
        """Delete a good cell, draw one that is not there, take an edit back."""
        now, _ = self._seen()
        ids = np.unique(now)[1:]
        for label in self.rng.choice(ids, 2).tolist():
            self.edit("delete", ids=[label])
        for label in self.rng.choice(ids, 2).tolist():
            self.edit("shrink" if self.rng.random() < 0.5 else "grow", ids=[label], pixels=3)
        y, x = self.rng.uniform(50, SHAPE[0] - 50, 2)
        angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        self.edit("draw", points=[(float(y + 12 * np.sin(a)), float(x + 12 * np.cos(a))) for a in angles])
        if self.left > 0:
            undo(self.store, HUMAN, self.labels_id)


def _border(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the middle of the shortest way between two sets of points."""
    from scipy.spatial import cKDTree

    distances, nearest = cKDTree(b).query(a)
    close = distances <= distances.min() + 2
    return (a[close].mean(axis=0) + b[nearest[close]].mean(axis=0)) / 2


def lost_edits(store: object, old_id: str, mine: np.ndarray, after: np.ndarray, result: object) -> list[int]:
    """Return the edits of which less than half of the pixels that are left are as the human set them."""
    partner = dict(match_labels(mine, after, iou=0.5).pairs.tolist())
    lost = []
    for edit in history(store, old_id, limit=100_000):
        if edit.version is None or result.edits.get(edit.act.seq, "question") in ("question", "overwritten"):
            continue
        met = left = 0
        for patch in patches_of(store, edit.act.seq):
            here = patch.box.slices
            standing = (patch.before != patch.after) & (mine[here] == patch.after)
            for label in np.unique(patch.after[standing]).tolist():
                pixels = standing & (patch.after == label)
                left += np.count_nonzero(pixels)
                if label:
                    met += np.count_nonzero(pixels & (after[here] == partner.get(label, -1)))
                else:
                    was = np.array([partner.get(each, each) for each in patch.before[pixels].tolist()])
                    met += np.count_nonzero(after[here][pixels] != was)
        if left and met < left / 2:
            lost.append(edit.act.seq)
    return lost


def f1(truth: np.ndarray, labels: np.ndarray) -> list[float]:
    return [match_labels(truth, labels, iou=iou).f1 for iou in (0.5, 0.75)]


def by_engine(name: str, path: Path) -> np.ndarray:
    """Return an image's cells as the classical engine, or the default one with a model of this name, sees them."""
    engine = {"engine": name} if name == "classical" else {"model": name}
    return segment(open_image(path), **engine).read()


class Field(NamedTuple):
    """The truth of a field, and what the old and the new model see."""

    truth: np.ndarray
    old: np.ndarray
    new: np.ndarray


def simulated_fields(seed: int, rng: np.random.Generator) -> Iterator[Field]:
    """Yield fields without end, as simulated models see them."""
    for number in count(1):
        truth = make_cells(SHAPE, CELLS, FieldOptions(touching=0.5), seed=seed * 1000 + number).labels
        yield Field(truth, segmented(truth, WORSE, rng), segmented(truth, BETTER, rng))


def real_fields(engines: list[str], data: Path, rng: np.random.Generator) -> Iterator[Field]:
    """Yield the images of a folder in random order, as two engines see them."""
    for path in rng.permutation(sorted((data / "images").iterdir())).tolist():
        truth = read_label_file(next((data / "labels").glob(f"{path.stem}.*"))).read()
        yield Field(truth, *(by_engine(name, path) for name in engines))


def replayed(seed: int, wanted: int, engines: list[str] | None, data: Path | None) -> tuple[Counter, np.ndarray, float]:
    """Return how edits ended, mean F1 of each stage, and seconds of rebasing."""
    counts, scores, seconds = Counter(), [], 0.0
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.cellmetry").mkdir()
        with open_store(Path(folder) / "a.cellmetry") as store:
            fields = real_fields(engines, data, rng) if engines and data else simulated_fields(seed, rng)
            for number, (truth, before, better) in enumerate(fields, 1):
                if counts["edits"] >= wanted:
                    break
                added = act(store, HUMAN, "add", "a field")
                with store.database.write() as connection:
                    connection.execute(
                        "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                        "VALUES (?, ?, ?, '{}', '', 'ready', ?)",
                        (f"i{number}", number, f"field {number}", added),
                    )
                old = add_labels(store, added, f"i{number}", Labels(before))
                human = Human(store, old, truth, rng, wanted - counts["edits"])
                human.correct()
                mine = read_labels(store, old).read()
                start = time.perf_counter()
                result = rebase(store, HUMAN, old, Labels(better))
                seconds += time.perf_counter() - start
                after = read_labels(store, result.labels_id).read()
                scores.append([f1(truth, labels) for labels in (before, mine, better, after)])
                counts.update({f"human {name}": n for name, n in human.done.items()})
                counts.update(result.counts())
                counts["edits"] += sum(result.counts().values())
                counts["lost"] += len(lost_edits(store, old, mine, after, result))
                counts.update(f"object {each.finding.kind} {each.finding.outcome}" for each in result.findings)
    return counts, np.mean(scores, axis=0), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--engines", nargs=2, metavar=("OLD", "NEW"))
    parser.add_argument("--data", type=Path, help="folder with images/ and labels/, for --engines")
    options = parser.parse_args()
    if (options.engines is None) != (options.data is None):
        parser.error("give --engines and --data together")
    for seed in options.seeds:
        counts, scores, seconds = replayed(seed, options.edits, options.engines, options.data)
        asked = counts["question"] / counts["edits"]
        print(f"seed {seed}: {counts['edits']} edits, {1 - asked:.1%} without a question, {counts['lost']} lost")
        print("  " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))
        for name, (half, strict) in zip(("old model", "corrected", "new model", "rebased"), scores, strict=True):
            print(f"  F1 of {name}: {half:.3f} at IoU 0.5, {strict:.3f} at 0.75")
        print(f"  {seconds:.1f} s")


if __name__ == "__main__":
    main()
