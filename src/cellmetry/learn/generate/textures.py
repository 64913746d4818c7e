"""Random textures with a given grain, as float32 images; every function draws from the generator it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fibres", "log_uniform", "slope", "smooth_noise", "specks"]

_FINE = 3.0


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between `low` and `high`, drawn evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], grain_px: float) -> NDArray[np.float32]:
    """Return noise of mean about 0 and standard deviation about 1 whose details are about `grain_px` wide.

    White noise blurred by a Gaussian; coarse grains are drawn on a coarser grid and enlarged.
    """
    step = max(1.0, grain_px / _FINE)
    coarse = (int(np.ceil(shape[0] / step)) + 3, int(np.ceil(shape[1] / step)) + 3)
    sigma = grain_px / step / 2
    noise = rng.standard_normal(coarse, dtype=np.float32)
    if sigma > 0.3:
        noise = gaussian_filter(noise, sigma, mode="wrap") * np.float32(2 * np.sqrt(np.pi) * max(sigma, 0.4))
    if step > 1:
        noise = zoom(noise, step, order=3, mode="nearest")
    return np.ascontiguousarray(noise[: shape[0], : shape[1]])


def slope(rng: np.random.Generator, shape: tuple[int, int], amount: float) -> NDArray[np.float32]:
    """Return uneven illumination of mean about 1: a tilt, a vignette and slow waves, together about ± `amount`."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5, 2)
    tilt = np.cos(angle) * x + np.sin(angle) * y
    vignette = 0.7 - ((y - middle[0]) ** 2 + (x - middle[1]) ** 2)
    waves = smooth_noise(rng, shape, 0.6 * max(shape))
    weights = rng.dirichlet([1.0, 1.0, 1.0]) * amount
    light: NDArray[np.float32] = 1 + weights[0] * tilt + weights[1] * vignette + 0.6 * weights[2] * waves
    return np.maximum(light, np.float32(0.05)).astype(np.float32)


def fibres(
    rng: np.random.Generator, shape: tuple[int, int], grain_px: float, *, stretch: float = 6.0
) -> NDArray[np.float32]:
    """Return noise of mean about 0 and deviation about 1 drawn out along slowly turning lines."""
    side = int(1.5 * max(shape))
    noise = rng.standard_normal((side, side), dtype=np.float32)
    noise = gaussian_filter(noise, (grain_px / 2, grain_px * stretch / 2), mode="wrap")
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    bend = 0.06 * max(shape)
    y += bend * smooth_noise(rng, shape, 0.5 * max(shape))
    x += bend * smooth_noise(rng, shape, 0.5 * max(shape))
    turned = (np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x)
    drawn = map_coordinates(noise, turned, order=1, mode="grid-wrap")
    return np.asarray((drawn - drawn.mean()) / (drawn.std() + 1e-9), dtype=np.float32)


def specks(
    rng: np.random.Generator, where: NDArray[np.float32], expected: float, size_px: float
) -> NDArray[np.float32]:
    """Return soft spots of height about 1 and standard deviation `size_px`, about `expected` of them, where `where`.

    `where` weighs the pixels, at least 0.
    """
    weight = np.cumsum(where, dtype=np.float64)
    spots = np.zeros(where.size, np.float32)
    if weight[-1] > 0:
        n = int(rng.poisson(expected))
        at = np.minimum(np.searchsorted(weight, rng.random(n) * weight[-1], side="right"), where.size - 1)
        np.add.at(spots, at, rng.lognormal(0.0, 0.4, n).astype(np.float32))
    height = np.float32(1 + 2 * np.pi * size_px**2)
    return np.asarray(gaussian_filter(spots.reshape(where.shape), size_px, truncate=3.5) * height, dtype=np.float32)
