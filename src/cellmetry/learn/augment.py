"""Changing image and truth together: turned, scaled, bent; then light, noise and blur for the image alone.

One pass over the pixels of the result reads every plane where it comes from. Directions are turned with the image:
a flow that points to the centre in the source points to it in the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from numba import njit
from pydantic import AfterValidator, Field
from scipy.ndimage import gaussian_filter

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STILL", "Augmentation", "Placement", "change_light", "cut", "draw_placement"]


def _rising(values: tuple[float, float]) -> tuple[float, float]:
    if not 0 < values[0] <= values[1]:
        raise ValueError("The first of two factors must be above 0 and not above the second.")
    return values


Factors = Annotated[tuple[float, float], AfterValidator(_rising)]
Chance = Annotated[float, Field(ge=0, le=1)]


class Augmentation(Parameters):
    """How images are varied while learning."""

    turn: bool = True
    """Turn by any angle and mirror."""
    scale: Factors = (0.6, 1.7)
    """Smallest and largest magnification."""
    diameters_px: Factors = (6.0, 140.0)
    """Magnifications that would bring an image's median cell outside of these are not used."""
    stretch: float = Field(default=0.15, ge=0, lt=1)
    """Largest difference of magnification between two directions."""
    elastic: float = Field(default=0.02, ge=0, le=0.2)
    """Bending: standard deviation of displacements as a part of the distance over which they change."""
    gain: Factors = (0.7, 1.4)
    """Smallest and largest contrast."""
    offset: float = Field(default=0.1, ge=0, le=1)
    """Largest shift of brightness."""
    gamma: Factors = (0.6, 1.6)
    """Smallest and largest exponent of brightness."""
    shading: float = Field(default=0.2, ge=0, le=1)
    """Largest change of brightness across the crop."""
    blur_px: float = Field(default=1.5, ge=0)
    """Largest standard deviation of blur."""
    blur_chance: Chance = 0.3
    """How often an image is blurred."""
    noise: float = Field(default=0.1, ge=0)
    """Largest standard deviation of noise."""
    noise_chance: Chance = 0.4
    """How often noise is added."""
    invert_chance: Chance = 0.15
    """How often bright and dark change places."""


STILL = Augmentation(
    turn=False,
    scale=(1, 1),
    stretch=0,
    elastic=0,
    gain=(1, 1),
    offset=0,
    gamma=(1, 1),
    shading=0,
    blur_chance=0,
    noise_chance=0,
    invert_chance=0,
)
"""Images as they are."""


class Placement(NamedTuple):
    """Where a crop comes from.

    Parameters
    ----------
    centre
        Of the crop, in source pixels, y and x.
    matrix
        Source pixels per pixel of the crop, shape (2, 2).
    bends
        Displacements in source pixels on a coarse grid over the crop, shape (2, n, n).
    """

    centre: NDArray[np.float64]
    matrix: NDArray[np.float64]
    bends: NDArray[np.float64]


_BENDS = 5
_FLOATS = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""Half-precision numbers by their bits: the planes lie on disk in half precision, which compiled code cannot read."""


def draw_placement(
    options: Augmentation,
    rng: np.random.Generator,
    centre: tuple[float, float],
    side: int,
    diameter_px: float,
    *,
    scale: float = 1.0,
) -> Placement:
    """Return where a crop of `side` pixels comes from, drawn at random.

    Parameters
    ----------
    diameter_px
        Median diameter of the source's cells, at a magnification of 1; NaN if unknown.
    scale
        Magnification about which magnifications are drawn.
    """
    magnification = scale * _draw_scale(options, rng, diameter_px * scale)
    angle = rng.uniform(0, 2 * np.pi) if options.turn else 0.0
    skew = rng.uniform(0, np.pi)
    unequal = np.sqrt(1 + rng.uniform(0, options.stretch))
    mirror = -1.0 if options.turn and rng.random() < 0.5 else 1.0
    matrix = (
        _rotation(skew) @ np.diag([unequal, 1 / unequal]) @ _rotation(angle - skew) @ np.diag([1.0, mirror])
    ) / magnification
    step = side / (_BENDS - 1) / magnification
    bends = rng.normal(0, options.elastic * step, (2, _BENDS, _BENDS)) if options.elastic else np.zeros((2, 2, 2))
    return Placement(np.asarray(centre, np.float64), matrix, bends)


def _draw_scale(options: Augmentation, rng: np.random.Generator, diameter_px: float) -> float:
    """Return a magnification, evenly drawn between its bounds' logarithms."""
    low, high = options.scale
    if np.isfinite(diameter_px):
        smallest, largest = options.diameters_px
        low, high = max(low, smallest / diameter_px), min(high, largest / diameter_px)
        if low > high:
            return float(np.clip(1.0, min(low, high), max(low, high)))
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def cut(planes: NDArray[np.float16], placement: Placement, side: int) -> NDArray[np.float32]:
    """Return the crop of `side` pixels at this place, float32 (7, side, side); only the part that it needs is read.

    Beyond the edges of the image the image goes on as in a mirror, and the importance is 0.
    """
    halves = np.asarray(planes).view(np.uint16)
    there_and_back = np.stack([placement.matrix, np.linalg.inv(placement.matrix)])
    return _cut(halves, _FLOATS, placement.centre, there_and_back, placement.bends, side)


@njit(cache=True, nogil=True)
def _cut(
    halves: NDArray[np.uint16],
    floats: NDArray[np.float32],
    centre: NDArray[np.float64],
    there_and_back: NDArray[np.float64],
    bends: NDArray[np.float64],
    side: int,
) -> NDArray[np.float32]:  # pragma: no cover - compiled
    count, height, width = halves.shape
    matrix, inverse = there_and_back[0], there_and_back[1]
    area = abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])
    cells = bends.shape[1] - 1
    out = np.zeros((count, side, side), np.float32)
    for row in range(side):
        v = (row + 0.5) / side * cells
        i = min(int(v), cells - 1)
        for column in range(side):
            u = (column + 0.5) / side * cells
            j = min(int(u), cells - 1)
            dy, dx = row - (side - 1) / 2, column - (side - 1) / 2
            y = centre[0] + matrix[0, 0] * dy + matrix[0, 1] * dx + _between(bends[0], i, j, v - i, u - j)
            x = centre[1] + matrix[1, 0] * dy + matrix[1, 1] * dx + _between(bends[1], i, j, v - i, u - j)
            outside = y < -0.5 or y > height - 0.5 or x < -0.5 or x > width - 0.5
            y, x = _mirror(y, height), _mirror(x, width)
            i0, j0 = min(int(y), max(height - 2, 0)), min(int(x), max(width - 2, 0))
            out[0, row, column] = _between_halves(halves[0], floats, i0, j0, y - i0, x - j0)
            if outside:
                continue
            out[1, row, column] = _between_halves(halves[1], floats, i0, j0, y - i0, x - j0) * area
            near_y, near_x = int(y + 0.5), int(x + 0.5)
            for plane in range(2, count):
                out[plane, row, column] = floats[halves[plane, near_y, near_x]]
            flow_y = inverse[0, 0] * out[3, row, column] + inverse[0, 1] * out[4, row, column]
            flow_x = inverse[1, 0] * out[3, row, column] + inverse[1, 1] * out[4, row, column]
            length = np.sqrt(flow_y * flow_y + flow_x * flow_x)
            if length > 0:
                out[3, row, column], out[4, row, column] = flow_y / length, flow_x / length
    return out


@njit(cache=True, nogil=True)
def _between(plane: NDArray[np.float64], i: int, j: int, v: float, u: float) -> float:  # pragma: no cover - compiled
    upper = plane[i, j] * (1 - u) + plane[i, j + 1] * u
    lower = plane[i + 1, j] * (1 - u) + plane[i + 1, j + 1] * u
    return float(upper * (1 - v) + lower * v)


@njit(cache=True, nogil=True)
def _between_halves(
    plane: NDArray[np.uint16], floats: NDArray[np.float32], i: int, j: int, v: float, u: float
) -> float:  # pragma: no cover - compiled
    i1, j1 = min(i + 1, plane.shape[0] - 1), min(j + 1, plane.shape[1] - 1)
    upper = floats[plane[i, j]] * (1 - u) + floats[plane[i, j1]] * u
    lower = floats[plane[i1, j]] * (1 - u) + floats[plane[i1, j1]] * u
    return float(upper * (1 - v) + lower * v)


@njit(cache=True, nogil=True)
def _mirror(position: float, size: int) -> float:  # pragma: no cover - compiled
    last = size - 1
    if 0 <= position <= last:
        return position
    if last == 0:
        return 0.0
    position = abs(position) % (2 * last)
    return 2 * last - position if position > last else position


def change_light(image: NDArray[np.float32], options: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the image, shape (Y, X), background near 0 and brightest near 1, as another microscope might show it."""
    image = _bend_brightness(image, np.exp(rng.uniform(*np.log(options.gamma))))
    if rng.random() < options.blur_chance:
        image = gaussian_filter(image, rng.uniform(0, options.blur_px))
    if options.shading:
        image = image * _shade(image.shape, options.shading, rng)
    if rng.random() < options.noise_chance:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, options.noise))
    if rng.random() < options.invert_chance:
        image = 1 - image
    gain = np.exp(rng.uniform(*np.log(options.gain)))
    return np.asarray((image - 0.5) * gain + 0.5 + rng.uniform(-options.offset, options.offset), np.float32)


def _bend_brightness(image: NDArray[np.float32], gamma: float) -> NDArray[np.float32]:
    return np.asarray(np.where(image > 0, np.abs(image) ** np.float32(gamma), image), np.float32)


def _shade(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> NDArray[np.float32]:
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, strength)
    y, x = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32) for size in shape), indexing="ij")
    return np.asarray(1 + slope * (np.cos(angle) * y + np.sin(angle) * x), np.float32)
