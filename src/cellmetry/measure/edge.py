"""Edge: how steeply a channel changes at the boundary of each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.options import MeasureOptions

__all__ = ["edge"]


@njit(cache=True, nogil=True)
def _sobel(plane: Any, y: int, x: int) -> Any:
    """Return the change of intensity per pixel at (y, x); beyond the field its edge is repeated."""
    up, down = max(y - 1, 0), min(y + 1, plane.shape[0] - 1)
    left, right = max(x - 1, 0), min(x + 1, plane.shape[1] - 1)
    a, b, c = np.float64(plane[up, left]), np.float64(plane[up, x]), np.float64(plane[up, right])
    d, f = np.float64(plane[y, left]), np.float64(plane[y, right])
    g, h, i = np.float64(plane[down, left]), np.float64(plane[down, x]), np.float64(plane[down, right])
    along_y = (g + 2 * h + i) - (a + 2 * b + c)
    along_x = (c + 2 * f + i) - (a + 2 * d + g)
    return np.sqrt(along_y * along_y + along_x * along_x) / 8


@njit(cache=True, nogil=True)
def _edge_gradients(plane: Any, padded: Any, labels: Any, runs: Any) -> Any:
    start, _, y, x0, x1 = runs
    out = np.full(labels.size, np.nan)
    for k in range(labels.size):
        label = labels[k]
        total, n = 0.0, 0
        for i in range(start[k], start[k + 1]):
            row = y[i] + 1
            for x in range(x0[i], x1[i]):
                first_or_last = x - x0[i] == 0 or x1[i] - x == 1
                if first_or_last or padded[row - 1, x + 1] != label or padded[row + 1, x + 1] != label:
                    slope = _sobel(plane, y[i], x)
                    if np.isfinite(slope):
                        total += slope
                        n += 1
        if n:
            out[k] = total / n
    return out


def edge(block: Block, pixels: NDArray[Any], _options: MeasureOptions) -> dict[str, NDArray[Any]]:
    """Return the mean Sobel gradient over the boundary pixels of each object."""
    return {"edge_gradient": _edge_gradients(pixels[0], block.padded, block.objects.ids, block.runs)}
