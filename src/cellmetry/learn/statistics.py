"""What is in a data set and what is wrong with it, before anything is trained: counts, sizes, problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.spatial import cKDTree

from cellmetry.core.columns import Column
from cellmetry.core.labels import labels_from_array
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters
from cellmetry.errors import InputError
from cellmetry.learn.dataset import read_annotated, read_image, read_truth
from cellmetry.ops.relabel import parts_per_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import DataSet, Item

__all__ = ["ITEM_COLUMNS", "CheckOptions", "DataSetCheck", "Problem", "Severity", "check_data_set"]

Severity = Literal["error", "warning", "note"]

ITEM_COLUMNS = (
    Column("name", "", "Name of the item.", "cellmetry dataset check"),
    Column("height", "px", "Height of the image.", "cellmetry dataset check"),
    Column("width", "px", "Width of the image.", "cellmetry dataset check"),
    Column("objects", "", "Objects in its labels, or points.", "cellmetry dataset check"),
    Column("median_area_px", "px", "Median area of its objects.", "cellmetry dataset check"),
    Column("covered", "", "Share of the image that its objects cover.", "cellmetry dataset check"),
    Column("tiny", "", "Objects that are far smaller than usual in the data set.", "cellmetry dataset check"),
    Column("disconnected", "", "Objects in several parts that do not touch.", "cellmetry dataset check"),
    Column("overlapping", "", "Objects that another surrounds, or points at one place.", "cellmetry dataset check"),
    Column("cut", "", "Objects that reach the border of the image.", "cellmetry dataset check"),
    Column("problem", "", "Why the item cannot be used; empty if it can.", "cellmetry dataset check"),
)


class CheckOptions(Parameters):
    """What counts as doubtful."""

    smallest_px: int = Field(default=10, ge=0)
    """Objects with fewer pixels are tiny, whatever the others are."""
    tiny_share: float = Field(default=0.05, ge=0, lt=1)
    """Objects smaller than this share of the median area of all objects are tiny."""
    same_point_px: float = Field(default=2.0, ge=0)
    """Points nearer to each other than this are at one place."""


class Problem(NamedTuple):
    """One thing that is wrong or doubtful."""

    severity: Severity
    kind: str
    item: str
    sentence: str


@dataclass(frozen=True)
class DataSetCheck:
    """What a check found.

    Parameters
    ----------
    items
        One row an item, with the columns of `ITEM_COLUMNS`.
    areas
        Areas in pixels of all objects.
    problems
        Errors first; any error makes the data set unusable.
    """

    items: pd.DataFrame
    areas: NDArray[np.int64]
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against training with it."""
        return not any(problem.severity == "error" for problem in self.problems)

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the whole data set, as plain values."""
        shares = (0.05, 0.5, 0.95)
        areas = np.quantile(self.areas, shares).tolist() if len(self.areas) else [None] * len(shares)
        counts = {name: int(self.items[name].sum()) for name in ("tiny", "disconnected", "overlapping", "cut")}
        return {
            "items": len(self.items),
            "objects": int(self.items["objects"].sum()),
            "area_px": dict(zip(("p05", "median", "p95"), areas, strict=True)),
            **counts,
            "usable": self.usable,
            "problems": [problem._asdict() for problem in self.problems],
        }


class _Look(NamedTuple):
    """What one item holds."""

    shape: tuple[int, int]
    areas: NDArray[np.int64]
    objects: int
    disconnected: int
    overlapping: int
    cut: int
    notes: tuple[tuple[Severity, str, str], ...] = ()


def check_data_set(
    data_set: DataSet, options: CheckOptions | None = None, *, progress: Progress = SILENT
) -> DataSetCheck:
    """Return what is in a data set and what is wrong with it; every image and every truth is read."""
    options = options or CheckOptions()
    progress.start("checking", len(data_set.items))
    looks: list[_Look | None] = []
    problems: list[Problem] = []
    for item in data_set.items:
        look, found = _look_at(item, options)
        looks.append(look)
        problems += [Problem(severity, kind, item.name, sentence) for severity, kind, sentence in found]
        progress.advance()
    areas = np.concatenate([np.zeros(0, np.int64), *(look.areas for look in looks if look)])
    limit = max(options.smallest_px, options.tiny_share * float(np.median(areas)) if len(areas) else 0.0)
    rows = [_row(item, look, limit) for item, look in zip(data_set.items, looks, strict=True)]
    table = pd.DataFrame(rows, columns=[column.name for column in ITEM_COLUMNS])
    errors = {problem.item: problem.sentence for problem in reversed(problems) if problem.severity == "error"}
    table["problem"] = [errors.get(item.name, "") for item in data_set.items]
    problems += _problems_of_objects(table, limit)
    if data_set.items and not table["objects"].any() and all(item.kind != "foreground" for item in data_set.items):
        problems.append(Problem("error", "no objects", "", "No item has any object; there is nothing to learn from."))
    order = {"error": 0, "warning": 1, "note": 2}
    return DataSetCheck(table, areas, tuple(sorted(problems, key=lambda each: order[each.severity])))


def _look_at(item: Item, options: CheckOptions) -> tuple[_Look | None, list[tuple[Severity, str, str]]]:
    """Return what an item holds, None if it cannot be used; and what is wrong with it."""
    try:
        image, truth, annotated = read_image(item), read_truth(item), read_annotated(item)
    except InputError as error:
        return None, [("error", "unreadable", str(error))]
    for what, array in (("truth", truth if item.kind != "points" else None), ("annotated region", annotated)):
        if array is not None and array.shape != image.shape:
            return None, [("error", "size mismatch", _mismatch(item, what, image, array))]
    if image.min() == image.max():
        return None, [("error", "flat image", f"{item.image} has the value {image.flat[0]:g} everywhere.")]
    look = _points(truth, image, options) if item.kind == "points" else _labels(truth, labelled=item.kind == "labels")
    found = list(look.notes)
    if look.objects == 0:
        found.append(("note", "empty", f"{item.name} has no object; that is right only if the image shows none."))
    return look, found


def _mismatch(item: Item, what: str, image: NDArray[Any], array: NDArray[Any]) -> str:
    sizes = [f"{shape[1]} × {shape[0]}" for shape in (array.shape, image.shape)]
    return f"The {what} of {item.name} is {sizes[0]} pixels, its image {sizes[1]}; both must be of one size."


def _labels(truth: NDArray[Any], *, labelled: bool) -> _Look:
    """Return what a label image holds; a foreground picture counts as one area without objects to judge."""
    shape = (truth.shape[0], truth.shape[1])
    if not labelled:
        return _Look(shape, np.zeros(0, np.int64), int(truth.any()), 0, 0, 0)
    ids, numbers = np.unique(truth, return_inverse=True)
    numbers = numbers.reshape(shape) + (0 if ids[:1] == 0 else 1)
    ids = ids[ids > 0]
    areas = np.bincount(numbers.ravel(), minlength=len(ids) + 1)[1:]
    parts = sum(int((count > 1).sum()) for _, count in parts_per_id(labels_from_array(truth)))
    edges = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    cut = len(np.unique(edges[edges > 0]))
    return _Look(shape, areas.astype(np.int64), len(ids), parts, _surrounded(numbers), cut)


def _surrounded(numbers: NDArray[np.int64]) -> int:
    """Return how many objects touch nothing but one single other object: they lie inside it."""
    padded = np.pad(numbers, 1, constant_values=0)
    first = np.concatenate([padded[:, :-1].ravel(), padded[:-1].ravel()])
    second = np.concatenate([padded[:, 1:].ravel(), padded[1:].ravel()])
    differ = first != second
    pairs = np.concatenate([np.stack([first, second])[:, differ], np.stack([second, first])[:, differ]], axis=1)
    neighbours = np.unique(pairs, axis=1)
    objects, counts = np.unique(neighbours[0], return_counts=True)
    alone = objects[(counts == 1) & (objects > 0)]
    background = neighbours[0][(neighbours[1] == 0) & (neighbours[0] > 0)]
    return len(np.setdiff1d(alone, background))


def _points(points: NDArray[np.float64], image: NDArray[np.float32], options: CheckOptions) -> _Look:
    shape = (image.shape[0], image.shape[1])
    outside = int(((points < -0.5) | (points > np.array(shape) - 0.5)).any(axis=1).sum())
    near = cKDTree(points).query_pairs(options.same_point_px, output_type="ndarray") if len(points) > 1 else []
    notes: tuple[tuple[Severity, str, str], ...] = ()
    if outside:
        notes = (("error", "outside", f"{outside} of {len(points)} points lie outside the image."),)
    return _Look(shape, np.zeros(0, np.int64), len(points), 0, len(near), 0, notes)


def _row(item: Item, look: _Look | None, limit: float) -> tuple[Any, ...]:
    if look is None:
        return (item.name, 0, 0, 0, np.nan, np.nan, 0, 0, 0, 0, "")
    median = float(np.median(look.areas)) if len(look.areas) else np.nan
    covered = float(look.areas.sum()) / (look.shape[0] * look.shape[1]) if len(look.areas) else np.nan
    tiny = int((look.areas < limit).sum())
    numbers = (tiny, look.disconnected, look.overlapping, look.cut)
    return (item.name, *look.shape, look.objects, median, covered, *numbers, "")


def _problems_of_objects(table: pd.DataFrame, limit: float) -> list[Problem]:
    words: Sequence[tuple[str, Severity, str]] = (
        ("tiny", "warning", f"Tiny objects, of fewer than {limit:.0f} pixels, which may be slips of the hand"),
        ("disconnected", "warning", "Objects in several parts that do not touch"),
        ("overlapping", "warning", "Objects inside another, or points at one place"),
        ("cut", "note", "Objects cut by the border of their image (they count as objects)"),
    )
    found = []
    for column, severity, sentence in words:
        total, worst = int(table[column].sum()), table.sort_values(column, ascending=False, kind="stable")
        if total:
            images, first = int((table[column] > 0).sum()), worst["name"].iloc[0]
            said = f"{sentence}: {total}, in {images} of {len(table)} images, most in {first}."
            found.append(Problem(severity, column, first, said))
    return found
