"""How sharp, saturated and full an image is, from a few parts of it: cheap numbers to sort out what cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, laplace

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Quality", "judge_pixels"]

_TOPS = (255, 1023, 4095, 16383, 65535)
"""Largest values that detectors have."""


class Quality(NamedTuple):
    """Numbers of one channel.

    Parameters
    ----------
    sharpness
        Part of the variance that is fine detail above the noise; to be compared between images of one kind.
    saturated
        Part of the pixels at the detector's largest value.
    contrast
        Height of the brightest (or depth of the darkest) pixels over the usual one, in units of the noise; noise alone
        has about 3.
    """

    sharpness: float
    saturated: float
    contrast: float


def judge_pixels(pixels: NDArray[Any], largest: float | None = None) -> Quality:
    """Return the numbers of one plane or a part of it.

    Parameters
    ----------
    largest
        Largest value of the detector; if left out, the largest pixel, where that is one that detectors have.
    """
    values = np.nan_to_num(pixels.astype(np.float32))
    if values.size == 0 or values.shape[0] < 3 or values.shape[1] < 3:
        return Quality(0.0, 0.0, 0.0)
    top = float(values.max())
    limit = largest if largest is not None else top if top in _TOPS else np.inf
    noise = max(_noise(values), 1e-6 * max(abs(top), 1.0))
    low, middle, high = (float(each) for each in np.percentile(values, (0.2, 50, 99.8)))
    contrast = max(high - middle, middle - low) / noise
    return Quality(_sharpness(values, noise), float((values >= limit).mean()), contrast)


def _noise(values: NDArray[np.float32]) -> float:
    """Return the standard deviation of the noise, from differences of neighbours to theirs in turn."""
    second = values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]
    return float(np.median(np.abs(second)) * 1.4826 / np.sqrt(6))


def _sharpness(values: NDArray[np.float32], noise: float) -> float:
    """Return the variance of the second derivative, less what noise gives, as a part of the whole variance."""
    smooth = gaussian_filter(values, 1.0)
    fine = float(np.var(laplace(smooth))) - 0.112 * noise**2
    return max(fine, 0.0) / max(float(np.var(smooth)), 1e-12)
