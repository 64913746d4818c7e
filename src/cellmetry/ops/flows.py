"""Flows to the cell's centre: what a network learns, and how labels are read off what it predicts.

After Stringer et al. 2021 (Cellpose, doi:10.1038/s41592-020-01018-x), changed in three ways. Targets take the
logarithm of the diffusion, so that far ends of long cells keep a direction. A path is followed a few Euler steps
only, then goes on as the path of the pixel it has reached: as good on noisy flows and four times as fast. And where
a path lies enters in whole numbers alone: a cell's labels depend on the pixels around it, not on where a tile begins.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import fastremap
import numpy as np
from numba import njit
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.joining import Joining, join_pieces
from cellmetry.ops.sinks import assign_sinks
from cellmetry.ops.tiles import CLOSED, Sides
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FlowDecoding", "decode_flows", "flow_errors", "flow_targets"]

_STEPS = 4
"""Euler steps, of at most one pixel, after which a path goes on as that of the nearest pixel."""
_SHORTEST_STEP = 0.4
"""A path whose step has been halved below this, in pixels, has arrived."""
_LEAST_ROWS = 128
"""A thread is not worth starting for fewer."""
_SHORTEST_FLOW = 1e-3
"""Flow below this has no direction; networks predict lengths up to 1."""


class FlowDecoding(Parameters):
    """How labels are read off a foreground probability and a flow."""

    foreground_threshold: float = Field(default=0.5, ge=0, le=1)
    """Pixels of at least this probability belong to a cell."""
    sink_radius_px: int = Field(default=2, ge=1, le=16)
    """Sinks nearer to each other than this, in working pixels, are one cell."""
    min_area_px: int = Field(default=12, ge=1)
    """Smaller objects, in working pixels, are dropped."""
    max_flow_error: float | None = Field(default=None, gt=0)
    """Objects whose flow differs more than this from that of their shape (mean squared) are dropped; 0.4 is usual."""
    joining: Joining | None = Joining()
    """How pieces of one cell are put together, and what is no cell left out, where the network predicts a density too;
    None for never."""


def flow_targets(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Return the unit vector towards the cell's centre for every labelled pixel, shape (2, Y, X): y, then x.

    Heat spreads inside each object from the object's pixel nearest to its median position while the object's
    outside stays cold; the vector is the gradient of the heat's logarithm. It is 0 on background, at an exact
    centre, and in parts of an object that do not touch the part with its centre.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise LabelsError(f"Flows are made from whole-number labels of one plane, not {labels.dtype} {labels.shape}.")
    compact, names = fastremap.renumber(np.ascontiguousarray(labels).astype(np.uint32), preserve_zero=True)
    compact = compact.astype(np.int32)
    return _targets(compact, _boxes(compact, len(names) - (0 in names)))


def decode_flows(
    foreground: NDArray[np.float32],
    flow: NDArray[np.float32],
    options: FlowDecoding | None = None,
    *,
    density: NDArray[np.float32] | None = None,
    open_sides: Sides = CLOSED,
) -> NDArray[np.int32]:
    """Return labels, shape (Y, X): pixels whose flow leads to the same sink are one object, numbered from 1.

    Parameters
    ----------
    foreground
        Probability that a pixel belongs to a cell, shape (Y, X). NaN counts as background.
    flow
        Direction to the cell's centre, y then x, shape (2, Y, X); paths follow the direction of any above 0.001, while
        joining takes lengths below 1 for doubt.
    density
        Cells per pixel, shape (Y, X), without which pieces are neither put together nor dropped; None if not
        known.
    open_sides
        Where the image goes on beyond the arrays; what touches such a side is not dropped for its looks.
    """
    options = options or FlowDecoding()
    if flow.shape != (2, *foreground.shape):
        raise ParameterError(f"A flow of shape {flow.shape} does not fit a foreground of shape {foreground.shape}.")
    inside = foreground >= options.foreground_threshold
    ends = _path_ends(_hops(inside, np.ascontiguousarray(flow, np.float32), _STEPS))
    labels = assign_sinks(inside, ends, options.sink_radius_px)
    if density is not None and options.joining is not None:
        labels = join_pieces(labels, foreground, flow, density, options.joining, open_sides=open_sides)
    areas = np.bincount(labels.ravel(), minlength=1)
    keep = areas >= options.min_area_px
    if options.max_flow_error is not None:
        keep &= flow_errors(labels, flow) <= options.max_flow_error
    return _renumber(labels, keep)


def flow_errors(labels: NDArray[np.int32], flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return for each id from 0 the mean squared difference between `flow` and the flow of the object's shape.

    0 is a perfect fit, 2 what random directions give, 4 the exact opposite; ids that do not occur have 0.
    """
    flow = flow.astype(np.float64)
    length = np.hypot(flow[0], flow[1])
    unit = np.divide(flow, length, out=np.zeros_like(flow), where=length > 0)
    squares = ((unit - flow_targets(labels)) ** 2).sum(axis=0)
    areas = np.bincount(labels.ravel(), minlength=1)
    return np.bincount(labels.ravel(), weights=squares.ravel(), minlength=1) / np.maximum(areas, 1)


def _renumber(labels: NDArray[np.int32], keep: NDArray[np.bool_]) -> NDArray[np.int32]:
    keep[0] = False
    names = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return names[labels]


@njit(cache=True, nogil=True)
def _boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """Return first and last row and column of each id from 1, shape (count, 4)."""
    boxes = np.empty((count, 4), np.int64)
    boxes[:, 0], boxes[:, 2] = labels.shape[0], labels.shape[1]
    boxes[:, 1] = boxes[:, 3] = -1
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x]:
                box = boxes[labels[y, x] - 1]
                box[0], box[1] = min(box[0], y), max(box[1], y)
                box[2], box[3] = min(box[2], x), max(box[3], x)
    return boxes


@njit(cache=True, nogil=True)
def _targets(labels: NDArray[np.int32], boxes: NDArray[np.int64]) -> NDArray[np.float32]:  # pragma: no cover
    out = np.zeros((2, *labels.shape), np.float32)
    for index in range(boxes.shape[0]):
        y0, y1, x0, x1 = boxes[index]
        inside = np.zeros((y1 - y0 + 3, x1 - x0 + 3))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                inside[y - y0 + 1, x - x0 + 1] = labels[y, x] == index + 1
        heat = _diffuse(inside, _centre(inside))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                if labels[y, x] == index + 1:
                    out[0, y, x], out[1, y, x] = _ascent(heat, y - y0 + 1, x - x0 + 1)
    return out


@njit(cache=True, nogil=True)
def _centre(inside: NDArray[np.float64]) -> tuple[int, int]:  # pragma: no cover - compiled
    """Return the object's pixel nearest to the median of its rows and columns, the first of equals."""
    middle_y, middle_x = _median(inside.sum(axis=1)), _median(inside.sum(axis=0))
    best, nearest = np.inf, (0, 0)
    for y in range(inside.shape[0]):
        for x in range(inside.shape[1]):
            distance = (y - middle_y) ** 2 + (x - middle_x) ** 2
            if inside[y, x] and distance < best:
                best, nearest = distance, (y, x)
    return nearest


@njit(cache=True, nogil=True)
def _median(counts: NDArray[np.float64]) -> float:  # pragma: no cover - compiled
    total, seen, low = counts.sum(), 0.0, -1
    for index in range(counts.size):
        seen += counts[index]
        if low < 0 and 2 * seen >= total:
            low = index
        if 2 * seen > total:
            return 0.5 * (low + index)
    return 0.0


@njit(cache=True, nogil=True)
def _diffuse(inside: NDArray[np.float64], centre: tuple[int, int]) -> NDArray[np.float64]:  # pragma: no cover
    """Return the heat after as many steps as Cellpose takes: each pixel becomes the mean of its 3 × 3 block."""
    height, width = inside.shape
    heat, rows, share = np.zeros((height, width)), np.zeros((height, width)), inside / 9
    for _ in range(2 * (height + width - 4)):
        heat[centre] += 1
        for y in range(height):
            for x in range(width - 2):
                rows[y, x] = heat[y, x] + heat[y, x + 1] + heat[y, x + 2]
        for y in range(height - 2):
            for x in range(width - 2):
                heat[y + 1, x + 1] = (rows[y, x] + rows[y + 1, x] + rows[y + 2, x]) * share[y + 1, x + 1]
    return heat


@njit(cache=True, nogil=True)
def _ascent(heat: NDArray[np.float64], y: int, x: int) -> tuple[float, float]:  # pragma: no cover - compiled
    if heat[y, x] == 0:
        return 0.0, 0.0
    here = np.log(heat[y, x])
    slopes = (
        _slope(heat[y - 1, x], here, heat[y + 1, x]),
        _slope(heat[y, x - 1], here, heat[y, x + 1]),
    )
    length = np.hypot(slopes[0], slopes[1])
    if length < 1e-9:
        return 0.0, 0.0
    return slopes[0] / length, slopes[1] / length


@njit(cache=True, nogil=True)
def _slope(before: float, here: float, after: float) -> float:  # pragma: no cover - compiled
    """Return the slope of the logarithm, taken on one side where the other is outside the object."""
    if before > 0 and after > 0:
        return float(0.5 * (np.log(after) - np.log(before)))
    if after > 0:
        return float(np.log(after) - here)
    if before > 0:
        return float(here - np.log(before))
    return 0.0


@njit(cache=True, nogil=True)
def _padded(inside: NDArray[np.bool_], flow: NDArray[np.float32]) -> NDArray[np.float32]:  # pragma: no cover - compiled
    """Return the flow as (Y + 2, X + 2, 2), 0 outside the foreground and where it is not finite."""
    height, width = inside.shape
    out = np.zeros((height + 2, width + 2, 2), np.float32)
    for y in range(height):
        for x in range(width):
            if inside[y, x] and np.isfinite(flow[0, y, x]) and np.isfinite(flow[1, y, x]):
                out[y + 1, x + 1, 0], out[y + 1, x + 1, 1] = flow[0, y, x], flow[1, y, x]
    return out


def _hops(inside: NDArray[np.bool_], flow: NDArray[np.float32], steps: int) -> NDArray[np.int32]:
    """Return the flat index of the pixel nearest to where each pixel's path is after `steps`, -1 on background.

    Bands of rows are followed at the same time, in as many threads as the settings allow.
    """
    padded, allowed = _padded(inside, flow), np.pad(inside, 1)
    hops = np.full(inside.size, -1, np.int32)
    height = inside.shape[0]
    threads = min(current_settings().threads, max(1, height // _LEAST_ROWS))
    edges = [height * band // threads for band in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda y0, y1: _hop_rows(allowed, padded, (y0, y1), steps, hops), edges[:-1], edges[1:]))
    return hops


@njit(cache=True, nogil=True)
def _hop_rows(
    allowed: NDArray[np.bool_], padded: NDArray[np.float32], rows: tuple[int, int], steps: int, hops: NDArray[np.int32]
) -> None:  # pragma: no cover - compiled
    width = allowed.shape[1] - 2
    for y in range(rows[0], rows[1]):
        for x in range(width):
            if allowed[y + 1, x + 1]:
                end_y, end_x = _path_end(allowed, padded, (y + 1, x + 1), steps)
                hops[y * width + x] = (end_y - 1) * width + end_x - 1


@njit(cache=True, nogil=True)
def _path_ends(hops: NDArray[np.int32]) -> NDArray[np.int32]:  # pragma: no cover - compiled
    """Return where hopping on from each pixel ends: the first pixel, in raster order, of the circle it runs into."""
    ends, walk = np.full(hops.size, -1, np.int32), np.full(hops.size, -1, np.int32)
    for start in range(hops.size):
        if hops[start] < 0 or ends[start] >= 0:
            continue
        here = start
        while ends[here] < 0 and walk[here] != start:
            walk[here] = start
            here = hops[here]
        end = ends[here]
        if end < 0:
            end, on = here, hops[here]
            while on != here:
                end, on = min(end, on), hops[on]
        here = start
        while ends[here] < 0:
            ends[here] = end
            here = hops[here]
    return ends


@njit(cache=True, nogil=True, error_model="numpy")
def _path_end(
    allowed: NDArray[np.bool_], flow: NDArray[np.float32], start: tuple[int, int], steps: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Return where one path is at the end. The step halves where the flow turns back or leads to background.

    A position is a pixel (`y`, `x`) and what is beyond it (`part_y`, `part_x` in 0..1), so that rounding is the
    same wherever the path lies.
    """
    y, x = start
    part_y, part_x, last_y, last_x, step = 0.0, 0.0, 0.0, 0.0, 1.0
    for _ in range(steps):
        fy, fx = _direction(flow, y, x, part_y, part_x)
        if fy * last_y + fx * last_x < 0:
            step *= 0.5
        if step < _SHORTEST_STEP or (fy == 0 and fx == 0):
            break
        new_y, new_x = part_y + step * fy, part_x + step * fx
        down, right = int(new_y >= 1) - int(new_y < 0), int(new_x >= 1) - int(new_x < 0)
        new_y, new_x = new_y - down, new_x - right
        if allowed[y + down + int(new_y >= 0.5), x + right + int(new_x >= 0.5)]:
            y, x, part_y, part_x, last_y, last_x = y + down, x + right, new_y, new_x, fy, fx
        else:
            step *= 0.5
    return y + int(part_y >= 0.5), x + int(part_x >= 0.5)


@njit(cache=True, nogil=True, error_model="numpy")
def _direction(
    flow: NDArray[np.float32], y: int, x: int, part_y: float, part_x: float
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Return the unit vector of the flow between four pixels, 0 where it is too short to have a direction."""
    here, right = (1 - part_y) * (1 - part_x), (1 - part_y) * part_x
    below, across = part_y * (1 - part_x), part_y * part_x
    fy = here * flow[y, x, 0] + right * flow[y, x + 1, 0] + below * flow[y + 1, x, 0] + across * flow[y + 1, x + 1, 0]
    fx = here * flow[y, x, 1] + right * flow[y, x + 1, 1] + below * flow[y + 1, x, 1] + across * flow[y + 1, x + 1, 1]
    length = np.sqrt(fy * fy + fx * fx)
    if length < _SHORTEST_FLOW:
        return 0.0, 0.0
    return fy / length, fx / length
