"""Pictures of drawn outlines to labels: closed lines on a ground of the other shade, as in BBBC007, 009, 018 and 030.

What a line surrounds is an object. Lines that touch make one drawing, whose enclosed areas are objects side by side; a
drawing inside an object is nested in it. Outlines that run into the edge of the picture enclose nothing by themselves:
see `OutlineForm.border`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import cc3d
import numpy as np
from pydantic import Field
from scipy import ndimage
from skimage.measure import regionprops

from cellmetry.core.step import Parameters
from cellmetry.errors import DamagedFile
from cellmetry.ops.distance import nearest_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OutlineForm", "Outlined", "labels_from_outlines"]

_SOLID = 0.8
_SLIVER = 0.05


class OutlineForm(Parameters):
    """How outlines are drawn in a picture, and what counts as an object."""

    lines: Literal["auto", "bright", "dark"] = "auto"
    """Shade of the lines; ``auto`` takes the shade whose parts are thinner."""
    line_pixels: Literal["split", "object", "background"] = "split"
    """Who gets the pixels of a line: the nearest area on either side (``split``; the object if both are equally near),
    the nearest object, or nobody."""
    nested: Literal["objects", "holes"] = "objects"
    """What an outline inside an object is: another object, or a hole."""
    border: Literal["objects", "background"] = "objects"
    """What areas at the edge of the picture are. ``objects``: those that look like cells cut by the edge (no larger
    than the largest whole object, no smaller than a twentieth of the median one, and with hardly a dent: 80 % of
    their convex hull) are objects, larger ones are background, and the rest is left open (`Outlined.unsure`);
    ``background``: all are background."""
    least_area_px: int = Field(default=10, ge=1)
    """Smaller enclosed areas are gaps between lines, not objects."""
    thickest_line_px: int = Field(default=15, ge=1)
    """A picture with thicker lines is refused: it is not a drawing of outlines."""


class Outlined(NamedTuple):
    """Labels made from outlines.

    Parameters
    ----------
    labels
        int32 (Y, X), ids from 1 in reading order of the objects' first pixels.
    unsure
        bool (Y, X): areas at the edge that may be background or cells cut by it.
    at_border
        Objects that the edge of the picture cuts.
    small_areas
        Enclosed areas that were too small to be objects.
    open_lines
        Drawings that enclose nothing and reach no edge: an outline with a gap loses its object.
    """

    labels: NDArray[np.int32]
    unsure: NDArray[np.bool_]
    at_border: int
    small_areas: int
    open_lines: int


class _Areas(NamedTuple):
    """Areas between lines, numbered from 1 in `image`; per number (0 unused) its pixels and if it is at the edge."""

    image: NDArray[np.uint32]
    pixels: NDArray[np.int64]
    at_edge: NDArray[np.bool_]


def labels_from_outlines(picture: NDArray[Any], form: OutlineForm | None = None) -> Outlined:
    """Return the objects that closed lines in a grey picture (Y, X) surround.

    The picture is cut at half its range. Lines connect across corners, areas only along sides.

    Raises
    ------
    DamagedFile
        If neither shade consists of lines thin enough.
    """
    form = form or OutlineForm()
    lines = _lines(picture, form)
    areas = _areas(lines)
    drawings = _components(lines, 8)
    depth, enclosed = _depths(areas, drawings)
    small = (areas.pixels < form.least_area_px) & (depth > 0)
    objects = (depth > 0) & ~small & ((depth % 2 == 1) | (form.nested == "objects"))
    cut, unsure = _cut_cells(areas, objects, form)
    ids = np.cumsum(objects | cut) * (objects | cut)
    labels = _with_lines(areas, ids, small, form.line_pixels)
    return Outlined(labels, unsure[areas.image], int(cut.sum()), int(small[1:].sum()), _open_lines(drawings, enclosed))


def _lines(picture: NDArray[Any], form: OutlineForm) -> NDArray[np.bool_]:
    if not picture.size or picture.min() == picture.max():
        return np.zeros(picture.shape, bool)
    low, high = float(picture.min()), float(picture.max())
    bright = picture > low + (high - low) / 2
    widths = {"bright": _thickest(bright), "dark": _thickest(~bright)}
    shade = min(widths, key=lambda each: widths[each]) if form.lines == "auto" else form.lines
    if widths[shade] > form.thickest_line_px:
        raise DamagedFile(
            f"this is no drawing of outlines: its {shade} parts are up to {widths[shade]:.0f} pixels thick, lines may "
            f"have {form.thickest_line_px} (thickest_line_px). Filled cells are imported as labels."
        )
    return bright if shade == "bright" else ~bright


def _thickest(mask: NDArray[np.bool_]) -> float:
    """Return the width in pixels of the widest place; the edge of the picture does not narrow it."""
    if mask.all() or not mask.any():
        return float("inf") if mask.any() else 0.0
    return 2 * float(np.max(ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge")))) - 1


def _components(mask: NDArray[np.bool_], connectivity: Literal[4, 8]) -> NDArray[np.uint32]:
    if not mask.any():
        return np.zeros(mask.shape, np.uint32)
    found: NDArray[np.uint32] = cc3d.connected_components(  # type: ignore[assignment]
        mask, connectivity=connectivity, out_dtype=np.uint32
    )
    return found


def _areas(lines: NDArray[np.bool_]) -> _Areas:
    image = _components(~lines, 4)
    pixels = np.bincount(image.ravel(), minlength=1)
    pixels[0] = 0
    return _Areas(image, pixels, _at_edge(image))


def _at_edge(numbers: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return for each number whether it occurs at the edge of the picture; not for 0."""
    found = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    for side in (numbers[:1], numbers[-1:], numbers[:, :1], numbers[:, -1:]):
        found[side] = True
    found[0] = False
    return found


def _depths(areas: _Areas, drawings: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many drawings surround each area (0: reaches the edge), and for each drawing if it encloses one.

    Areas and drawings alternate from the edge inwards: an area touches the drawing around it and those within it, and a
    drawing the area around it and those that it encloses.
    """
    pairs = _contacts(areas.image, drawings)
    depth = np.full(areas.pixels.size, -1)
    depth[areas.at_edge] = 0
    now = _at_edge(drawings)
    reached, encloses = np.zeros_like(now), np.zeros_like(now)
    level = 0
    while True:
        now[pairs[depth[pairs[:, 0]] == level, 1]] = True
        now &= ~reached
        if not now.any():
            return np.maximum(depth, 0), encloses
        reached |= now
        inner = pairs[now[pairs[:, 1]] & (depth[pairs[:, 0]] == -1)]
        depth[inner[:, 0]] = level + 1
        encloses[inner[:, 1]] = True
        now = np.zeros_like(reached)
        level += 1


def _contacts(areas: NDArray[np.uint32], drawings: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the pairs of an area and a drawing that touch along a side, each once."""
    found = []
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        for here, there in ((first, second), (second, first)):
            touching = (areas[here] > 0) & (drawings[there] > 0)
            found.append(np.column_stack([areas[here][touching], drawings[there][touching]]))
    return np.unique(np.concatenate(found), axis=0).astype(np.int64)


def _cut_cells(areas: _Areas, objects: NDArray[np.bool_], form: OutlineForm) -> tuple[NDArray[np.bool_], ...]:
    """Return which areas at the edge are cells cut by it, and which may be; large ones are neither."""
    cut, whole = np.zeros_like(objects), areas.pixels[objects]
    if form.border == "background":
        return cut, cut
    most = int(whole.max()) if whole.size else int(areas.pixels[areas.at_edge].max(initial=1)) - 1
    fewest = max(form.least_area_px, _SLIVER * float(np.median(whole)) if whole.size else 0)
    small = areas.at_edge & (areas.pixels <= most)
    candidates = small & (areas.pixels >= fewest)
    if candidates.any():
        numbers = np.where(candidates[areas.image], areas.image, 0).astype(np.int64)
        found: list[Any] = regionprops(numbers)  # type: ignore[no-untyped-call]
        cut[[each.label for each in found if min(each.image.shape) < 3 or each.solidity >= _SOLID]] = True
    return cut, small & ~cut


def _with_lines(areas: _Areas, ids: NDArray[np.int64], small: NDArray[np.bool_], rule: str) -> NDArray[np.int32]:
    labels = ids[areas.image].astype(np.int32)
    line = (areas.image == 0) | small[areas.image]
    if rule == "background" or not line.any():
        return labels
    ground = int(ids.max(initial=0)) + 1
    known = np.where((labels == 0) & ~line & (rule == "split"), ground, labels)
    nearest = nearest_labels(known.astype(np.uint32), 0, _thickest(line) + 2)
    given = np.where(line, nearest, labels)
    return np.where(given == ground, 0, given).astype(np.int32)


def _open_lines(drawings: NDArray[np.uint32], encloses: NDArray[np.bool_]) -> int:
    return int((~encloses & ~_at_edge(drawings))[1:].sum())
