"""Outline: what each object's boundary pixels see around them, counted in one pass.

From these counts come the Crofton perimeter, scikit-image's `perimeter` and the Euler number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["Outline", "crofton", "outline_of", "skimage_perimeter"]

_AROUND_Y = np.array([-1, -1, -1, 0, 0, 1, 1, 1])
_AROUND_X = np.array([-1, 0, 1, -1, 1, -1, 0, 1])
_COLUMNS = 8


class Outline(NamedTuple):
    """Counts over the boundary of each object, one value an object.

    `across`, `down`, `falling` and `rising` are crossings of the boundary by lines through all pixel centres along
    X, along Y and along the two diagonals. `straight`, `diagonal` and `mixed` are boundary pixels by the kind of
    their link (see `skimage_perimeter`). `euler4` is four times the Euler number.
    """

    across: NDArray[np.int64]
    down: NDArray[np.int64]
    falling: NDArray[np.int64]
    rising: NDArray[np.int64]
    straight: NDArray[np.int64]
    diagonal: NDArray[np.int64]
    mixed: NDArray[np.int64]
    euler4: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _is_boundary(padded: Any, label: int, y: int, x: int) -> Any:
    """Whether a pixel of the object has another label, or none, beyond one of its four sides."""
    return (
        padded[y - 1, x] != label or padded[y + 1, x] != label or padded[y, x - 1] != label or padded[y, x + 1] != label
    )


@njit(cache=True, nogil=True)
def _link(padded: Any, label: int, y: int, x: int) -> int:
    """Return 10 for each diagonal, 2 for each straight neighbour that is a boundary pixel of the object, plus 1."""
    code = 1
    for i in range(8):
        ny, nx = y + _AROUND_Y[i], x + _AROUND_X[i]
        if padded[ny, nx] == label and _is_boundary(padded, label, ny, nx):
            code += 2 if _AROUND_Y[i] == 0 or _AROUND_X[i] == 0 else 10
    return code


@njit(cache=True, nogil=True)
def _euler_of_quad(second: bool, opposite: bool, third: bool) -> int:
    """Return four times the Euler number of a 2 × 2 quad that has one pixel set for certain (8-connected)."""
    found = int(second) + int(opposite) + int(third)
    if found == 0:
        return 1
    if found == 1:
        return -2 if opposite else 0
    return -1 if found == 2 else 0


@njit(cache=True, nogil=True)
def _euler(same: Any) -> int:
    """Return what a pixel adds to four times the Euler number: quads in which it comes first in raster order."""
    nw, n, ne, w, e, sw, s, se = same
    total = _euler_of_quad(e, se, s)
    if not w:
        total += _euler_of_quad(False, sw, s)
    if not (n or ne):
        total += _euler_of_quad(e, False, False)
    if not (nw or n or w):
        total += 1
    return total


@njit(cache=True, nogil=True)
def _count_pixel(padded: Any, label: int, y: int, x: int, row: Any) -> None:
    same = (
        padded[y - 1, x - 1] == label,
        padded[y - 1, x] == label,
        padded[y - 1, x + 1] == label,
        padded[y, x - 1] == label,
        padded[y, x + 1] == label,
        padded[y + 1, x - 1] == label,
        padded[y + 1, x] == label,
        padded[y + 1, x + 1] == label,
    )
    if same[0] and same[1] and same[2] and same[3] and same[4] and same[5] and same[6] and same[7]:
        return
    row[0] += 2 - same[3] - same[4]
    row[1] += 2 - same[1] - same[6]
    row[2] += 2 - same[0] - same[7]
    row[3] += 2 - same[2] - same[5]
    row[7] += _euler(same)
    if same[1] and same[3] and same[4] and same[6]:
        return
    link = _link(padded, label, y, x)
    row[4] += link in (5, 7, 15, 17, 25, 27)
    row[5] += link in (21, 33)
    row[6] += link in (13, 23)


@njit(cache=True, nogil=True)
def _count(padded: Any, labels: Any, runs: Any) -> Any:
    start, _, y, x0, x1 = runs
    out = np.zeros((start.size - 1, _COLUMNS), np.int64)
    for k in range(start.size - 1):
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i] + 1, x1[i] + 1):
                _count_pixel(padded, labels[k], y[i] + 1, x, out[k])
    return out


def outline_of(block: Block) -> Outline:
    """Return the counts over the boundary of each object of a plane."""
    return Outline(*_count(block.padded, block.objects.ids, block.runs).T)


def crofton(outline: Outline, height: float = 1.0, width: float = 1.0) -> NDArray[np.float64]:
    """Return the perimeter by Crofton's formula from lines in four directions, in the unit of the pixel's sides.

    Each direction is weighted by the angle it stands for and the distance between its lines, so pixels that are
    not square are treated rightly. For square pixels this is scikit-image's ``perimeter_crofton(directions=4)``.
    Legland, Kiêu & Devaux, Image Anal. Stereol. 26 (2007) 83-92.
    """
    slope = np.arctan2(height, width)
    between = height * width / np.hypot(height, width)
    straight = slope * height * outline.across + (np.pi / 2 - slope) * width * outline.down
    total: NDArray[np.float64] = (straight + np.pi / 4 * between * (outline.falling + outline.rising)) / 2
    return total


def skimage_perimeter(outline: Outline) -> NDArray[np.float64]:
    """Return the length of the line through the centres of the boundary pixels, as scikit-image's `perimeter`.

    Benkrid, Crookes & Benkrid, "Design and FPGA implementation of a perimeter estimator", IMVIP 2000.
    """
    total: NDArray[np.float64] = outline.straight + np.sqrt(2) * outline.diagonal + (1 + np.sqrt(2)) / 2 * outline.mixed
    return total
