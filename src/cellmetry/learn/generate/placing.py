"""Where cells lie: random places that neither overlap too much nor look drawn up in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from cellmetry.learn.generate.textures import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PACKED", "Layout", "place"]

PACKED = 0.62
"""Part of the area that circles cover when placed at random until none fits any more, with a little overlap."""

_TRIES = 25
_MOST = 6000
_TAILS = np.array([-2.2, 2.2])


class Layout(NamedTuple):
    """How cells lie.

    Parameters
    ----------
    density
        Number of cells as a part of what has room.
    spread
        Standard deviation of the logarithm of their size.
    gap
        Least distance of two centres in sums of their radii: 1 = touching, below = overlapping.
    clumping
        Part of the cells that are put beside another.
    patchy
        How uneven the density is over the field, 0 to 1.
    """

    density: float
    spread: float
    gap: float = 0.9
    clumping: float = 0.3
    patchy: float = 0.5


def _scatter(
    rng: np.random.Generator, shape: tuple[int, int], radius_px: NDArray[np.float64], layout: Layout
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return centres (n, 2) of the cells that found a place, and which of `radius_px` they are."""
    margin = float(radius_px.max(initial=1.0))
    extent = np.array([shape[0] + 2 * margin, shape[1] + 2 * margin])
    field = smooth_noise(rng, (64, 64), float(rng.uniform(12, 40)))
    chance = np.clip(1 - layout.patchy * (0.5 - 0.8 * field), 0.02, 1).astype(np.float32)
    draws = rng.random((len(radius_px), _TRIES, 5)).astype(np.float32)
    centre, held = _throw(draws, radius_px, extent, chance, (float(layout.gap), float(layout.clumping)))
    return centre[held] - margin, np.flatnonzero(held)


def place(
    rng: np.random.Generator, shape: tuple[int, int], diameter_px: float, layout: Layout
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres (n, 2) and radii (n,), in pixels, of cells of about `diameter_px`."""
    area = (shape[0] + diameter_px) * (shape[1] + diameter_px)
    asked = PACKED * layout.density * area / (np.pi * (layout.gap * diameter_px / 2) ** 2)
    n = int(np.clip(round(asked), 1, _MOST))
    radius = diameter_px / 2 * np.exp(np.clip(rng.normal(0, layout.spread, n), *(layout.spread * _TAILS)))
    centre, held = _scatter(rng, shape, radius, layout)
    return centre, radius[held]


@njit(cache=True, nogil=True)
def _throw(
    draws: NDArray[np.float32],
    radius: NDArray[np.float64],
    extent: NDArray[np.float64],
    chance: NDArray[np.float32],
    how: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    gap, clumping = how
    centre, held = np.zeros((len(radius), 2)), np.zeros(len(radius), np.bool_)
    for i in range(len(radius)):
        for t in range(draws.shape[1]):
            u = draws[i, t]
            y, x = u[0] * extent[0], u[1] * extent[1]
            beside = i > 0 and u[2] < clumping and held[int(u[3] * i)]
            if beside:
                j = int(u[3] * i)
                apart = (radius[i] + radius[j]) * (gap + 0.06 * u[0])
                y = centre[j, 0] + apart * np.sin(2 * np.pi * u[4])
                x = centre[j, 1] + apart * np.cos(2 * np.pi * u[4])
            if y < 0 or x < 0 or y >= extent[0] or x >= extent[1]:
                continue
            spot = chance[int(y / extent[0] * len(chance)), int(x / extent[1] * len(chance))]
            if not beside and u[4] > spot:
                continue
            if _is_free(centre, held, radius, (i, y, x, gap)):
                centre[i, 0], centre[i, 1], held[i] = y, x, True
                break
    return centre, held


@njit(cache=True, nogil=True)
def _is_free(
    centre: NDArray[np.float64],
    held: NDArray[np.bool_],
    radius: NDArray[np.float64],
    new: tuple[int, float, float, float],
) -> bool:
    i, y, x, gap = new
    for j in range(i):
        if not held[j]:
            continue
        least = gap * (radius[i] + radius[j])
        dy, dx = centre[j, 0] - y, centre[j, 1] - x
        if dy * dy + dx * dx < least * least:
            return False
    return True
