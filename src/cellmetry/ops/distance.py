"""Distances to labels: how far each background pixel is from the nearest object, and which it is, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import edt
import numpy as np
from numba import njit

from cellmetry.errors import PixelSizeNeeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import PixelSize

__all__ = ["Nearest", "nearest_labels", "nearest_with_distance", "sides_of"]

_FAR = np.iinfo(np.int32).max
_NARROW = 12  # pixels: so near, looking around costs less than a first map of distances
_NEARLY = 1 + 1e-5  # bounds are of 32 bits
_TOUCH = 1 + 1e-9  # so that 3 × 0.2 µm reaches 0.6 µm


class Nearest(NamedTuple):
    """The label nearest to each background pixel and how far it is, from pixel centre to pixel centre.

    Parameters
    ----------
    labels
        uint32; 0 within objects and out of reach.
    distance
        float64; 0 where `labels` is.
    """

    labels: NDArray[np.uint32]
    distance: NDArray[np.float64]


@njit(cache=True, nogil=True)
def _nearest_in_columns(labels: Any) -> Any:
    """Return for each pixel the rows to the nearest labelled pixel of its column and that label, the lower of two."""
    height, width = labels.shape
    rows = np.full((height, width), _FAR, np.int32)
    found = np.zeros((height, width), np.uint32)
    last = np.full(width, -1, np.int64)
    for y in range(height):
        for x in range(width):
            if labels[y, x] != 0:
                last[x] = y
            if last[x] >= 0:
                rows[y, x], found[y, x] = y - last[x], labels[last[x], x]
    last[:] = -1
    for y in range(height - 1, -1, -1):
        for x in range(width):
            if labels[y, x] != 0:
                last[x] = y
            away = last[x] - y
            if last[x] >= 0 and (away < rows[y, x] or (away == rows[y, x] and labels[last[x], x] < found[y, x])):
                rows[y, x], found[y, x] = away, labels[last[x], x]
    return rows, found


@njit(cache=True, nogil=True)
def _nearest_in_row(up: Any, found: Any, x: int, limit: float, side: float) -> Any:
    """Return the squared distance and label nearest to a pixel of one row, looking outwards as far as can matter.

    `up` holds the squared distance of each pixel from the nearest labelled one of its column, infinity for none.
    """
    best, label = limit, np.uint32(0)
    if up[x] <= best:
        best, label = up[x], found[x]
    step = 1
    while True:
        across = (step * side) ** 2
        left, right = x - step, x + step
        if across > best or (left < 0 and right >= up.size):
            return best, label
        if left >= 0:
            distance = up[left] + across
            if distance < best or (distance == best and (label == 0 or found[left] < label)):
                best, label = distance, found[left]
        if right < up.size:
            distance = up[right] + across
            if distance < best or (distance == best and (label == 0 or found[right] < label)):
                best, label = distance, found[right]
        step += 1


def _nearest_in_band(labels: NDArray[np.uint32], limits: tuple[float, float], sides: tuple[float, float]) -> Any:
    """Return for each background pixel its nearest label, if farther than limits[0] up to limits[1], and how far."""
    if limits[1] > _NARROW * min(sides):
        bound = edt.edt(labels == 0, anisotropy=sides, black_border=False, parallel=1)
    else:
        bound = np.full(labels.shape, limits[1], np.float32)
    return _find_nearest(labels, bound, limits, sides)


@njit(cache=True, nogil=True)
def _find_nearest(labels: Any, bound: Any, limits: Any, sides: Any) -> Any:
    """Return the same, from about how far each pixel is; beyond the limit nothing is looked for."""
    rows, found = _nearest_in_columns(labels)
    inner, outer = (limits[0] * _TOUCH) ** 2, (limits[1] * _TOUCH) ** 2
    height, width = labels.shape
    out = np.zeros((height, width), np.uint32)
    away = np.zeros((height, width), np.float64)
    up = np.empty(width, np.float64)
    for y in range(height):
        for x in range(width):
            up[x] = np.inf if rows[y, x] == _FAR else (rows[y, x] * sides[0]) ** 2
        for x in range(width):
            if labels[y, x] != 0 or bound[y, x] > limits[1] * _NEARLY:
                continue
            best, label = _nearest_in_row(up, found[y], x, min(outer, (bound[y, x] * _NEARLY) ** 2), sides[1])
            if label != 0 and inner < best:
                out[y, x], away[y, x] = label, np.sqrt(best)
    return out, away


def nearest_with_distance(
    labels: NDArray[np.uint32], up_to: float, *, sides: tuple[float, float] = (1.0, 1.0)
) -> Nearest:
    """Return, at each background pixel of a plane, the label nearest to it and its distance, up to a reach.

    Distances are Euclidean, from pixel centre to pixel centre; of two labels at the same distance the lower wins.

    Parameters
    ----------
    up_to
        Reach, in the unit of `sides`.
    sides
        Height and width of a pixel.
    """
    part = np.ascontiguousarray(labels, dtype=np.uint32)
    return Nearest(*_nearest_in_band(part, (0.0, float(up_to)), (float(sides[0]), float(sides[1]))))


def nearest_labels(
    labels: NDArray[np.uint32],
    beyond: float,
    up_to: float,
    *,
    sides: tuple[float, float] = (1.0, 1.0),
    band: int = 2048,
) -> NDArray[np.uint32]:
    """Return, at each background pixel of a plane, the label nearest to it; 0 out of reach.

    Distances are Euclidean, from pixel centre to pixel centre; of two labels at the same distance the lower wins.
    The plane is worked through in bands of rows, which changes nothing in the result.

    Parameters
    ----------
    beyond, up_to
        Pixels at distances above the first, and up to the second, get a label; in the unit of `sides`.
    sides
        Height and width of a pixel.
    band
        Rows at a time.
    """
    height = labels.shape[0]
    margin = int(up_to / sides[0]) + 2
    out = np.zeros(labels.shape, np.uint32)
    for y0 in range(0, height, band):
        first, last = max(0, y0 - margin), min(height, y0 + band + margin)
        part = np.ascontiguousarray(labels[first:last])
        made, _ = _nearest_in_band(part, (float(beyond), float(up_to)), (float(sides[0]), float(sides[1])))
        out[y0 : y0 + band] = made[y0 - first : min(y0 + band, height) - first]
    return out


def sides_of(pixel_size: PixelSize, *, um: bool, what: str) -> tuple[float, float]:
    """Return height and width of a pixel: in µm, or (1, 1).

    Raises
    ------
    PixelSizeNeeded
        If µm are wanted and the pixel size is unknown.
    """
    if not um:
        return 1.0, 1.0
    if pixel_size.x is None or pixel_size.y is None:
        raise PixelSizeNeeded(what, "the image (or label image)")
    return pixel_size.y, pixel_size.x
