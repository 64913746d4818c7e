"""Outlines of generated cells as numbers, and the painting of many of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ANGLES", "Outlines", "Painted", "Warp", "paint", "roughen", "sprout", "wavy"]

ANGLES = 128
"""Directions in which an outline's radius is held."""


_ROUGH = {-2: 0.14, -1: 0.48, 0: 0.7, 1: 0.48, 2: 0.14}
"""Weights that make a ragged edge about three directions wide, their squares summing to 1."""


class Warp(NamedTuple):
    """By how many pixels each place of the field is displaced before outlines are drawn: float32 (Y, X) each."""

    y: NDArray[np.float32]
    x: NDArray[np.float32]


@dataclass(frozen=True)
class Outlines:
    """Cells as numbers, one row a cell.

    An outline is the unit circle with a radius for each direction, stretched to the semi-axes, bent and turned.

    Parameters
    ----------
    centre
        float64 (n, 2): y, x in pixels.
    axes
        float64 (n, 2): semi-axes along and across the cell's direction, in pixels.
    angle
        float64 (n,): direction from X towards Y, in radians.
    radius
        float32 (n, `ANGLES`): relative radius, mean about 1.
    bend
        float64 (n,): how far the tips are shifted sideways, as a part of the width.
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    angle: NDArray[np.float64]
    radius: NDArray[np.float32]
    bend: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centre)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> Outlines:
        """Return some of the cells."""
        return Outlines(self.centre[rows], self.axes[rows], self.angle[rows], self.radius[rows], self.bend[rows])

    def scaled(self, factor: float | NDArray[np.float64]) -> Outlines:
        """Return the cells with other sizes around the same centres."""
        return replace(self, axes=self.axes * np.reshape(factor, (-1, 1)))


class Painted(NamedTuple):
    """What `paint` gives.

    Parameters
    ----------
    owner
        int32 (Y, X): 1 + row of the cell to which a pixel belongs, 0 = none.
    depth
        float32 (Y, X): distance from the owner's centre as a part of its radius in that direction; 1 outside.
    light
        float32 (Y, X): sum of the light of all cells, also of covered ones.
    """

    owner: NDArray[np.int32]
    depth: NDArray[np.float32]
    light: NDArray[np.float32]


def wavy(rng: np.random.Generator, n: int, amount: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Return `n` relative radii of smooth irregular outlines, which deviate by about `amount` from 1."""
    order = np.arange(2, 8)
    share = 1.0 / order**1.3
    height = rng.normal(0, 1, (n, len(order))) * share * np.reshape(amount, (-1, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, len(order)))
    turn = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    waves = (height[:, :, None] * np.cos(order[None, :, None] * turn - phase[:, :, None])).sum(axis=1)
    return np.asarray(np.maximum(1 + waves, 0.35), dtype=np.float32)


def sprout(
    rng: np.random.Generator, radius: NDArray[np.float32], expected: float, *, length: float, width: float
) -> NDArray[np.float32]:
    """Return relative radii with protrusions, about `expected` a cell.

    `length` is in radii, `width` (standard deviation) in radians; a protrusion is wide at its base and ends blunt.
    """
    grown = radius.copy()
    turn = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    most = int(rng.poisson(expected, len(radius)).max(initial=0))
    for _ in range(most):
        here = rng.random(len(radius)) < expected / max(most, 1)
        at = rng.uniform(0, 2 * np.pi, (len(radius), 1))
        apart = np.abs((turn - at + np.pi) % (2 * np.pi) - np.pi)
        wide = width * rng.lognormal(0, 0.35, (len(radius), 1))
        tip = np.exp(-0.5 * (apart / wide) ** 2) + 0.25 * np.exp(-0.5 * (apart / (2.5 * wide)) ** 2)
        grown += (here[:, None] * length * rng.lognormal(-0.2, 0.5, (len(radius), 1)) * tip).astype(np.float32)
    return np.minimum(grown, np.float32(4.0))


def roughen(rng: np.random.Generator, radius: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Return relative radii with a ragged edge."""
    noise = rng.standard_normal(radius.shape).astype(np.float32)
    ragged = np.sum([weight * np.roll(noise, shift, axis=1) for shift, weight in _ROUGH.items()], axis=0)
    return np.asarray(np.maximum(radius * (1 + amount * ragged), 0.3), dtype=np.float32)


def paint(
    outlines: Outlines,
    warp: Warp,
    *,
    light: NDArray[np.float64] | None = None,
    edge: float = 0.2,
    in_front: bool = False,
) -> Painted:
    """Return which cell each pixel belongs to, how deep it lies in it, and the summed light of the cells.

    Parameters
    ----------
    light
        (n,) brightness of each cell; 1 if not given.
    edge
        Part of the radius over which a cell's light rises to its full brightness; at the edge it is half of it.
    in_front
        Whether later cells cover earlier ones; otherwise a pixel goes to the cell in which it lies deeper.
    """
    shape = warp.y.shape
    painted = Painted(np.zeros(shape, np.int32), np.ones(shape, np.float32), np.zeros(shape, np.float32))
    brightness = np.ones(len(outlines)) if light is None else np.asarray(light, np.float64)
    numbers = np.column_stack([outlines.centre, outlines.axes, outlines.angle, outlines.bend, brightness])
    _paint(numbers, outlines.radius, warp, painted, (float(edge), bool(in_front)))
    return painted


@njit(cache=True, nogil=True)
def _relative(cell: NDArray[np.float64], radius: NDArray[np.float32], dy: float, dx: float) -> float:
    """Return the distance from the centre as a part of the outline's radius in that direction."""
    c, s = np.cos(cell[4]), np.sin(cell[4])
    u = (c * dx + s * dy) / cell[2]
    v = (c * dy - s * dx) / cell[3] - cell[5] * (u * u - 0.4)
    distance = np.sqrt(u * u + v * v)
    if distance < 1e-9:
        return 0.0
    place = np.arctan2(v, u) * (len(radius) / (2 * np.pi)) + len(radius)
    low = int(np.floor(place))
    part = place - low
    r = radius[low % len(radius)] * (1 - part) + radius[(low + 1) % len(radius)] * part
    relative: float = distance / r
    return relative


@njit(cache=True, nogil=True)
def _reach(cell: NDArray[np.float64], radius: NDArray[np.float32]) -> float:
    """Return a distance from the centre beyond which the outline does not go."""
    most = float(radius.max())
    reach: float = max(cell[2], cell[3] * (1 + abs(cell[5]) * most * most)) * most + 2
    return reach


@njit(cache=True, nogil=True)
def _paint(
    cells: NDArray[np.float64],
    radius: NDArray[np.float32],
    warp: Warp,
    painted: Painted,
    how: tuple[float, bool],
) -> None:
    edge, in_front = how
    height, width = warp.y.shape
    slack = max(np.abs(warp.y).max(), np.abs(warp.x).max())
    for i in range(len(cells)):
        reach = _reach(cells[i], radius[i]) * (1 + edge / 2) + slack
        y0, y1 = max(0, int(cells[i, 0] - reach)), min(height, int(cells[i, 0] + reach) + 2)
        x0, x1 = max(0, int(cells[i, 1] - reach)), min(width, int(cells[i, 1] + reach) + 2)
        for y in range(y0, y1):
            for x in range(x0, x1):
                dy, dx = y + warp.y[y, x] - cells[i, 0], x + warp.x[y, x] - cells[i, 1]
                if dy * dy + dx * dx > reach * reach:
                    continue
                d = np.float32(_relative(cells[i], radius[i], dy, dx))
                if d >= 1 + edge / 2:
                    continue
                painted.light[y, x] += cells[i, 6] * min(1.0, (1 + edge / 2 - d) / edge)
                if d < 1 and (in_front or d < painted.depth[y, x]):
                    painted.depth[y, x] = d
                    painted.owner[y, x] = i + 1
