"""What training reads of an item: its image, stretched as at inference, and its targets, made once and kept on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from cellmetry.core.progress import SILENT
from cellmetry.errors import LabelsError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.opening import split_address
from cellmetry.learn.dataset import read_annotated, read_image, read_truth
from cellmetry.learn.emphasis import Emphasis, importance_of
from cellmetry.ops.boundaries import boundary_targets
from cellmetry.ops.density import density_from_labels, density_from_points
from cellmetry.ops.flows import flow_targets
from cellmetry.ops.stretch import stretch_between

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.learn.dataset import Item, TruthKind
    from cellmetry.models.card import Head

__all__ = [
    "HEADS_OF_TRUTH",
    "PLANES",
    "ItemArrays",
    "TrainingField",
    "make_planes",
    "median_diameter",
    "prepare_fields",
    "read_item",
    "stretch",
]

PLANES = ("image", "density", "foreground", "flow_y", "flow_x", "boundary", "importance")
"""Planes of a field, in order; the first two are interpolated when a field is turned, the others taken as they are."""
DENSITY_UNIT = 1000.0
"""Densities are kept per this many pixels, so that half precision holds them."""
HEADS_OF_TRUTH: dict[TruthKind, frozenset[Head]] = {
    "labels": frozenset({"foreground", "flow", "density", "boundary"}),
    "foreground": frozenset({"foreground"}),
    "points": frozenset({"density"}),
}
"""What can be learnt from each kind of truth."""

_FORMAT = 4
_POINT_SIGMA = 0.18
"""Width of a point's Gaussian as a part of the distance to its nearest neighbours: what sigma² = 0.1 · area is to
closely packed round cells."""


class ItemArrays(NamedTuple):
    """What the files of an item hold.

    Parameters
    ----------
    image
        Grey values as in the file, float32 (Y, X).
    truth
        As `cellmetry.learn.dataset.read_truth` gives it.
    annotated
        Where the truth is known, bool (Y, X); None for everywhere.
    """

    image: NDArray[np.float32]
    truth: NDArray[Any]
    annotated: NDArray[np.bool_] | None


class FieldSizes(NamedTuple):
    """Numbers of a field that sampling needs.

    Parameters
    ----------
    height, width
        In pixels.
    cells
        How many it has.
    diameter_px
        Median diameter of its cells, of a circle of equal area; NaN where that is unknown.
    """

    height: int
    width: int
    cells: int
    diameter_px: float


@dataclass(frozen=True)
class TrainingField:
    """One item ready to learn from.

    Parameters
    ----------
    data, name, modality
        Data set and item, and its kind of microscopy.
    heads
        What its truth can teach.
    sizes
        As sampling needs them.
    path
        Its planes, float16 of shape (7, Y, X) as in `PLANES`, read from disk as needed.
    """

    data: str
    name: str
    modality: str
    heads: frozenset[Head]
    sizes: FieldSizes
    path: Path

    def planes(self) -> NDArray[np.float16]:
        """Return the planes without reading them yet."""
        planes: NDArray[np.float16] = np.load(self.path, mmap_mode="r")
        return planes


def stretch(image: NDArray[np.float32], percentiles: tuple[float, float]) -> NDArray[np.float32]:
    """Return the image with these percentiles of its finite pixels at 0 and 1, as engines are given it."""
    finite = np.isfinite(image)
    values = image[finite]
    if not values.size:
        raise LabelsError("The image has no finite pixel.")
    low, high = np.percentile(values, percentiles)
    filled = np.where(finite, image, values.min())
    return stretch_between(filled, low, high)


def prepare_fields(
    items: Iterable[tuple[str, Item]],
    folder: Path,
    *,
    percentiles: tuple[float, float],
    emphasis: Emphasis | None = None,
    progress: Progress = SILENT,
) -> list[TrainingField]:
    """Return fields of the items, given with the names of their data sets; targets found in `folder` are used again.

    Raises
    ------
    InputError
        If a file cannot be read, or truth and image differ in size; names the file.
    """
    pairs = list(items)
    progress.start("Preparing images", len(pairs))
    fields = []
    for data, item in pairs:
        fields.append(_prepare(data, item, folder, percentiles, emphasis or Emphasis()))
        progress.advance()
    return fields


def _prepare(
    data: str, item: Item, folder: Path, percentiles: tuple[float, float], emphasis: Emphasis
) -> TrainingField:
    path = folder / f"{_key(data, item, percentiles, emphasis)}.npy"
    sizes_path = path.with_suffix(".sizes.npy")
    if not sizes_path.is_file():
        planes, sizes = make_planes(item, percentiles, emphasis)
        with atomic_write(path) as part, part.open("wb") as file:
            np.save(file, planes)
        with atomic_write(sizes_path) as part, part.open("wb") as file:
            np.save(file, np.asarray(sizes, np.float64))
    height, width, cells, diameter = np.load(sizes_path)
    sizes = FieldSizes(int(height), int(width), int(cells), float(diameter))
    return TrainingField(data, item.name, item.modality, HEADS_OF_TRUTH[item.kind], sizes, path)


def _key(data: str, item: Item, percentiles: tuple[float, float], emphasis: Emphasis) -> str:
    """Return what changes whenever the planes of an item would."""
    stamps = [_stamp(path) for path in (item.image, item.truth, item.annotated) if path is not None]
    what = (_FORMAT, data, item.name, item.kind, item.channel, percentiles, emphasis.model_dump(), stamps)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:24]


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = Path(split_address(path).path).stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def read_item(item: Item) -> ItemArrays:
    """Return the image of an item with its truth, once they fit each other.

    Raises
    ------
    LabelsError
        If truth or annotated region and image differ in size, or points lie outside; names the files.
    """
    arrays = ItemArrays(read_image(item), read_truth(item), read_annotated(item))
    shape = arrays.image.shape
    if item.kind == "points":
        outside = int(((arrays.truth < -0.5) | (arrays.truth > np.array(shape) - 0.5)).any(axis=1).sum())
        if outside:
            raise LabelsError(
                f"{item.truth}: {outside} of {len(arrays.truth)} points lie outside the image {item.image} of "
                f"{shape[1]} × {shape[0]} pixels."
            )
    else:
        _refuse_other_size(arrays.truth, item.truth, "truth", arrays.image, item)
    if arrays.annotated is not None:
        _refuse_other_size(arrays.annotated, item.annotated, "the annotated region", arrays.image, item)
    return arrays


def _refuse_other_size(
    array: NDArray[Any], path: Path | None, what: str, image: NDArray[np.float32], item: Item
) -> None:
    if array.shape != image.shape:
        raise LabelsError(
            f"{path} is {array.shape[1]} × {array.shape[0]} pixels wide and high, its image {item.image} "
            f"{image.shape[1]} × {image.shape[0]}; {what} must have the size of its image."
        )


def make_planes(
    item: Item, percentiles: tuple[float, float], emphasis: Emphasis | None = None
) -> tuple[NDArray[np.float16], FieldSizes]:
    """Return the planes of an item, float16 (7, Y, X) as in `PLANES`, and its sizes.

    Raises
    ------
    LabelsError
        If truth and image do not fit each other.
    """
    image, truth, annotated = read_item(item)
    planes = dict.fromkeys(PLANES, np.zeros(image.shape, np.float32))
    planes["image"] = stretch(image, percentiles)
    planes["importance"] = np.ones(image.shape, np.float32)
    diameter = None
    if item.kind == "labels":
        _label_planes(truth, planes, emphasis or Emphasis())
        diameter = median_diameter(truth)
        cells = len(np.unique(truth[truth > 0]))
    elif item.kind == "foreground":
        planes["foreground"] = truth.astype(np.float32)
        cells = 0
    else:
        cells = len(truth)
        planes["density"] = _point_density(truth, image.shape) * DENSITY_UNIT
    if annotated is not None:
        planes["importance"] = planes["importance"] * annotated
    stack = np.stack([planes[name] for name in PLANES]).clip(-60000, 60000).astype(np.float16)
    return stack, FieldSizes(image.shape[0], image.shape[1], cells, diameter or float("nan"))


def median_diameter(labels: NDArray[Any]) -> float | None:
    """Return the diameter of a circle as large as the median object of a label image; None if there is none."""
    areas = np.bincount(labels.ravel())[1:]
    present = areas[areas > 0]
    return float(2 * np.sqrt(np.median(present) / np.pi)) if present.size else None


def _label_planes(labels: NDArray[Any], planes: dict[str, NDArray[np.float32]], emphasis: Emphasis) -> None:
    """Fill the planes that labels give."""
    inside = labels > 0
    planes["foreground"] = inside.astype(np.float32)
    planes["flow_y"], planes["flow_x"] = flow_targets(labels)
    planes["density"] = density_from_labels(labels) * DENSITY_UNIT
    planes["boundary"] = boundary_targets(labels).astype(np.float32)
    if inside.any():
        planes["importance"] = importance_of(labels, emphasis)


def _point_density(points: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the density of points, whose cells are taken to be as large as the usual distance between neighbours."""
    sigma = 0.05 * min(shape)
    if len(points) > 1:
        gaps = cKDTree(points).query(points, k=2)[0][:, 1]
        sigma = _POINT_SIGMA * float(np.median(gaps))
    return density_from_points(points, (shape[0], shape[1]), sigma_px=max(sigma, 1.0))
