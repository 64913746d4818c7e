"""Pictures of the worst errors: image, truth and prediction side by side, outlines coloured by what is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from cellmetry.core.image import Box
from cellmetry.errors import LabelsError
from cellmetry.learn.dataset import read_annotated, read_image, read_truth
from cellmetry.learn.image_scores import keep_annotated
from cellmetry.learn.pairs import is_pictured
from cellmetry.report.colours import colour_bytes
from cellmetry.report.composite import contrast_limits, mix_channels, stretch
from cellmetry.report.outlines import draw_outlines, map_objects
from cellmetry.report.rendering import enlarged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.learn.dataset import Item
    from cellmetry.learn.evaluate import Evaluation

__all__ = ["ERROR_COLOURS", "ErrorPicture", "draw_worst"]

ERROR_COLOURS = {
    "found": "#93a3b5",
    "missed": "#ffb000",
    "extra": "#ff5fd2",
    "split": "#35b6ff",
    "merged": "#4fe08a",
}
"""Colour of outlines by what became of an object; told apart by colour-blind readers by their lightness too."""

_PANEL = 400
_GAP = 4
_DIAMETERS = 7
_SMALLEST, _LARGEST = 80, 400
_GROUND = 38


class ErrorPicture(NamedTuple):
    """A part of an image with many errors.

    Parameters
    ----------
    image
        Name of the image.
    ap
        Its AP at IoU 0.5.
    errors
        How often each kind of error occurs in the part, by name.
    panels
        What stands side by side: Image (where it is known), Truth, Prediction.
    rgb
        The panels, uint8 (Y, X, 3).
    """

    image: str
    ap: float
    errors: dict[str, int]
    panels: tuple[str, ...]
    rgb: NDArray[np.uint8]


def draw_worst(evaluation: Evaluation, count: int = 6) -> Iterator[ErrorPicture]:
    """Yield the worst part of each of the `count` images of lowest AP at IoU 0.5, every modality taken in turn.

    The images are read again, one at a time; only those whose truth is labels are shown.
    """
    images, errors = evaluation.tables["images"], evaluation.tables["errors"]
    items = {item.name: item for item in evaluation.data_set.items}
    wrong = images[images["image"].isin(errors["image"])].sort_values("ap_50", kind="stable")
    turn = wrong.groupby("modality").cumcount()
    worst = wrong.iloc[np.argsort(turn.to_numpy(), kind="stable")[:count]]
    for name, ap in zip(worst["image"], worst["ap_50"], strict=True):
        yield _draw(evaluation, items[name], float(ap), errors[errors["image"] == name])


def _draw(evaluation: Evaluation, item: Item, ap: float, errors: pd.DataFrame) -> ErrorPicture:
    truth, predicted = _labels(evaluation, item)
    box = _worst_part(errors, truth)
    part = (slice(box.y0, box.y1), slice(box.x0, box.x1))
    times = max(1, round(_PANEL / max(box.y1 - box.y0, box.x1 - box.x0)))
    ground = enlarged(_ground(item, truth.shape, part), times)
    sides = []
    for side, labels in (("truth", truth), ("prediction", predicted)):
        kinds = errors[errors["object_of"] == side].set_index("label")["error"].to_dict()
        sides.append(_outlined(ground, enlarged(labels[part], times), kinds))
    panels = {"Image": ground} if is_pictured(item) else {}
    panels |= dict(zip(("Truth", "Prediction"), sides, strict=True))
    return ErrorPicture(item.name, ap, _errors_in(errors, box), tuple(panels), _side_by_side([*panels.values()]))


def _labels(evaluation: Evaluation, item: Item) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return true and predicted labels, without the objects that were ignored."""
    truth, predicted, annotated = read_truth(item), evaluation.predictor(item), read_annotated(item)
    if annotated is None:
        return truth, predicted
    return keep_annotated(truth, annotated), keep_annotated(predicted, annotated)


def _worst_part(errors: pd.DataFrame, truth: NDArray[Any]) -> Box:
    """Return the square with most errors, about seven true objects wide, inside the image."""
    areas = np.unique(truth[truth > 0], return_counts=True)[1]
    usual = float(np.median(areas)) if areas.size else float(errors["area_px"].median())
    side = int(np.clip(_DIAMETERS * np.sqrt(4 * usual / np.pi), _SMALLEST, _LARGEST))
    points = errors[["centroid_y_px", "centroid_x_px"]].to_numpy(np.float64)
    near = KDTree(points).query_ball_point(points, side / 2, p=np.inf, return_length=True)
    centre = points[int(np.argmax(near))]
    y0, y1 = _inside(centre[0], side, truth.shape[0])
    x0, x1 = _inside(centre[1], side, truth.shape[1])
    return Box(y0, y1, x0, x1)


def _inside(centre: float, side: int, size: int) -> tuple[int, int]:
    start = int(np.clip(round(centre - side / 2), 0, max(0, size - side)))
    return start, min(size, start + side)


def _ground(item: Item, shape: tuple[int, ...], part: tuple[slice, slice]) -> NDArray[np.uint8]:
    """Return a part of the image in grey with its contrast stretched, or plain dark where it is not known."""
    if not is_pictured(item):
        return np.full((*np.zeros(shape, bool)[part].shape, 3), _GROUND, np.uint8)
    plane = read_image(item)
    if plane.shape != shape:
        raise LabelsError(
            f"{item.image} has the shape {plane.shape}, its truth {item.truth} {shape}; give its own image."
        )
    cut = plane[part]
    return mix_channels([stretch(cut, contrast_limits(cut, 0.5, 99.8))], ["#ffffff"])


def _outlined(rgb: NDArray[np.uint8], labels: NDArray[Any], kinds: dict[Any, str]) -> NDArray[np.uint8]:
    objects = map_objects(np.ascontiguousarray(labels, np.uint32))
    colours = np.stack([colour_bytes(ERROR_COLOURS[kinds.get(identity, "found")]) for identity in objects.ids.tolist()])
    wrong = np.array([identity in kinds for identity in objects.ids.tolist()])
    thin = draw_outlines(rgb, objects, colours, width=1.5)
    only = objects._replace(numbers=np.where(wrong[objects.numbers], objects.numbers, 0))
    return draw_outlines(thin, only, colours, width=2.5)


def _errors_in(errors: pd.DataFrame, box: Box) -> dict[str, int]:
    """Return how many errors of each kind have their centre in the part; a split or merge counts as one."""
    y, x = errors["centroid_y_px"], errors["centroid_x_px"]
    inside = errors[(y >= box.y0) & (y < box.y1) & (x >= box.x0) & (x < box.x1)]
    one = {"missed": "truth", "extra": "prediction", "split": "truth", "merged": "prediction"}
    counts = Counter(kind for kind, side in zip(inside["error"], inside["object_of"], strict=True) if one[kind] == side)
    return {kind: counts[kind] for kind in one if counts[kind]}


def _side_by_side(panels: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    gap = np.full((panels[0].shape[0], _GAP, 3), 120, np.uint8)
    parts = [part for panel in panels for part in (panel, gap)][:-1]
    return np.concatenate(parts, axis=1)
