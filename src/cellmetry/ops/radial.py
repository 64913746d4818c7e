"""Where a pixel lies in or beside its cell: signed distance from the boundary, and per cent from centre to boundary.

A pixel of a cell is as far inside as its centre is from the nearest pixel that is not of this cell (background or a
touching neighbour alike), less half a pixel, since the boundary runs between the two; it counts negative. A pixel of
the background belongs to the nearest cell (the lower id of two) and is as far outside as its centre is from that
cell's nearest pixel, less half a pixel. Where pixels are not square, half a pixel is half of the shorter side. In per
cent, 0 is the cell's deepest pixel and 100 its boundary; outside goes on at the same rate, so 120 is beyond the
boundary by a fifth of the cell's depth.

The image's border is no boundary: what lies beyond is unknown. A pixel nearer to the border than to the boundary could
in truth be nearer to a boundary (or, outside, to a cell) that is not seen, and a cell that meets the border could be
deeper than what is seen of it. A range holds a pixel only if it does so whatever lies beyond.

Ends of ranges are compared with a tolerance of a ten-millionth of a pixel (or per cent), so that −1.5 px and −0.3 µm
at 0.2 µm are one place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import edt
import numpy as np
from numba import njit

from cellmetry.errors import ParameterError
from cellmetry.ops.distance import nearest_with_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = [
    "Depths",
    "Positions",
    "RadialRange",
    "checked_range",
    "deepest_pixels",
    "inside_distances",
    "parse_radial",
    "place_pixels",
    "select_range",
    "sure_positions",
]

RadialUnit = Literal["percent", "px", "um"]

_SLACK = 1e-7
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_FORM = re.compile(rf"(?P<inner>{_NUMBER})\s*:\s*(?P<outer>{_NUMBER})\s*(?P<unit>px|um|µm|%)?")


class RadialRange(NamedTuple):
    """A range of positions, from `inner` up to, but without, `outer`.

    Its unit is ``percent`` (0 at the centre, 100 at the boundary, more outside), or ``px`` or ``um``: the signed
    distance from the boundary, negative inside.
    """

    inner: float
    outer: float
    unit: RadialUnit = "percent"


def parse_radial(text: str) -> RadialRange:
    """Return the range that a text means: ``90:100`` (per cent), ``-0.5:0.5um`` or ``-2:0px`` (from the boundary).

    Raises
    ------
    ParameterError
        If it has another form, or does not rise.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ParameterError(
            f"A radial range is inner:outer in per cent (90:100), or a signed distance from the boundary in µm "
            f"(-0.5:0.5um) or pixels (-2:0px), not {text!r}."
        )
    units: dict[str | None, RadialUnit] = {"px": "px", "um": "um", "µm": "um", "%": "percent", None: "percent"}
    return checked_range(RadialRange(float(found["inner"]), float(found["outer"]), units[found["unit"]]))


def checked_range(wanted: RadialRange) -> RadialRange:
    """Return the range if it rises and, in per cent, does not begin below 0.

    Raises
    ------
    ParameterError
        If it does not.
    """
    if not wanted.inner < wanted.outer:
        raise ParameterError(f"A radial range goes from inner to outer, not from {wanted.inner:g} to {wanted.outer:g}.")
    if wanted.unit == "percent" and wanted.inner < 0:
        raise ParameterError(f"A radial range in per cent begins at 0, the centre, or above, not at {wanted.inner:g}.")
    return wanted


class Positions(NamedTuple):
    """Where the pixels of a part of a plane lie; all of shape (Y, X).

    Parameters
    ----------
    owner
        The cell of the pixel, or the nearest one within reach; 0 elsewhere.
    distance
        Signed distance from the owner's boundary, negative inside, in the unit of the sides; NaN where there is none.
    border
        Distance from the nearest pixel centre outside of the image.
    half
        Half a pixel in the same unit.
    """

    owner: NDArray[np.uint32]
    distance: NDArray[np.float64]
    border: NDArray[np.float32]
    half: float

    def rows(self, start: int, stop: int) -> Positions:
        """Return some rows of it."""
        part = slice(start, stop)
        return Positions(self.owner[part], self.distance[part], self.border[part], self.half)


class Depths(NamedTuple):
    """How deep cells are, in the unit of distances; row k is that of the k-th cell.

    Parameters
    ----------
    length
        What is 100 % from centre to boundary; 0 throughout where positions are distances themselves.
    cut
        Whether the cell meets the image's border, so that it may be deeper than what is seen.
    """

    length: NDArray[np.float64]
    cut: NDArray[np.bool_]


def inside_distances(
    labels: NDArray[np.uint32], shape: tuple[int, int], sides: tuple[float, float]
) -> NDArray[np.float64]:
    """Return how far each pixel of a cell is from the nearest pixel that is not of it, between centres; 0 outside.

    Parameters
    ----------
    labels
        A part of a plane of `shape` that holds its cells whole.
    sides
        Height and width of a pixel: (1, 1), or in µm.
    """
    square = sides[0] == sides[1]  # then squares are whole numbers, exact in 32 bits, and the side comes in afterwards
    steps, unit = ((1.0, 1.0), sides[0]) if square else (sides, 1.0)
    squared = edt.edtsq(np.ascontiguousarray(labels), anisotropy=steps, black_border=False, parallel=1)
    far = np.hypot(*shape) * max(sides)
    return np.asarray(np.minimum(unit * np.sqrt(squared.astype(np.float64)), far))


def place_pixels(
    labels: NDArray[np.uint32],
    inside: NDArray[np.float64],
    place: tuple[Box, tuple[int, int]],
    *,
    sides: tuple[float, float],
    reach: float,
) -> Positions:
    """Return where the pixels of a part of a plane lie.

    Exact for cells that the part holds whole and for pixels at least `reach` away from its cut sides.

    Parameters
    ----------
    labels
        Those of the part.
    inside
        What `inside_distances` returned for them.
    place
        Where the part lies, and height and width of the plane.
    sides
        Height and width of a pixel: (1, 1), or in µm.
    reach
        How far outside of cells pixels are told to them; 0 for none.
    """
    half = min(sides) / 2
    nearest, away = np.zeros((0, 0), np.uint32), np.zeros((0, 0))
    if reach > 0:
        nearest, away = nearest_with_distance(labels, reach + half, sides=sides)
    owner, distance = _merge(labels, inside, nearest, away, half)
    return Positions(owner, distance, _border_distance(*place, sides), half)


@njit(cache=True, nogil=True)
def deepest_pixels(index: Any, inside: Any, count: int) -> Any:
    """Return the largest of `inside` for each of `count` cells; `index` says which each pixel belongs to, -1 none."""
    deepest = np.zeros(count, np.float64)
    for i in range(index.size):
        if index[i] >= 0 and inside[i] > deepest[index[i]]:
            deepest[index[i]] = inside[i]
    return deepest


@njit(cache=True, nogil=True)
def _merge(labels: Any, inside: Any, nearest: Any, away: Any, half: float) -> Any:
    """Return owners and signed distances from those of the pixels inside and outside of cells."""
    height, width = labels.shape
    owner = labels.copy()
    distance = np.full((height, width), np.nan, np.float64)
    for y in range(height):
        for x in range(width):
            if labels[y, x] != 0:
                distance[y, x] = half - inside[y, x]
            elif nearest.size and nearest[y, x] != 0:
                owner[y, x] = nearest[y, x]
                distance[y, x] = away[y, x] - half
    return owner, distance


def _border_distance(box: Box, shape: tuple[int, int], sides: tuple[float, float]) -> NDArray[np.float32]:
    """Return the distance of each pixel of `box` from the nearest pixel centre outside of a plane of `shape`."""
    y, x = np.arange(box.y0, box.y1), np.arange(box.x0, box.x1)
    rows = np.minimum(y + 1, shape[0] - y) * sides[0]
    columns = np.minimum(x + 1, shape[1] - x) * sides[1]
    return np.minimum(rows[:, None], columns[None, :]).astype(np.float32)


@njit(cache=True, nogil=True)
def select_range(positions: Any, index: Any, depths: Any, limits: Any, clip: bool) -> Any:
    """Return the ids of the pixels from limits[0] up to limits[1], uint32; a pixel counts only if surely so.

    Parameters
    ----------
    index
        Row of each pixel's owner in `depths`, shape (Y, X).
    clip
        Whether pixels outside of cells are left out.
    """
    owner, distance, border, half = positions
    length, cut = depths
    out = np.zeros(owner.shape, np.uint32)
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            if owner[y, x] == 0:
                continue
            far = distance[y, x]
            outside = far > 0
            if outside and (clip or _hidden(far, border[y, x], half)):
                continue
            near = max(far, half - border[y, x]) if not outside else far
            k = index[y, x]
            slack = _SLACK * 2 * half
            if length[k] > 0:
                far, near, slack = 100 * (1 + far / length[k]), 100 * (1 + near / length[k]), _SLACK
                if cut[k]:  # a deeper cell would have the pixel nearer to 100
                    far, near = (100.0, far) if outside else (far, 100.0 - 2 * slack)
            if limits[0] - slack <= far and near < limits[1] - slack:
                out[y, x] = owner[y, x]
    return out


@njit(cache=True, nogil=True)
def _hidden(distance: float, border: float, half: float) -> bool:
    """Return whether the image's border may hide a boundary, or a cell, that is nearer than the one that is seen."""
    return border < (abs(distance) + half) * (1 - _SLACK)


@njit(cache=True, nogil=True)
def sure_positions(positions: Any, index: Any, depths: Any) -> Any:
    """Return the position of each pixel, float64; NaN where it has no owner or the image's border leaves it unsure.

    Positions are a little too large, by the tolerance, so that one at the start of a window is in it.

    Parameters
    ----------
    index, depths
        As in `select_range`: in per cent where the length is above 0, else the signed distance.
    """
    owner, distance, border, half = positions
    length, cut = depths
    out = np.full(owner.shape, np.nan, np.float64)
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            away = distance[y, x]
            if owner[y, x] == 0 or _hidden(away, border[y, x], half):
                continue
            k = index[y, x]
            if length[k] == 0:
                out[y, x] = away + _SLACK * 2 * half
            elif not cut[k]:
                out[y, x] = 100 * (1 + away / length[k]) + _SLACK
    return out
