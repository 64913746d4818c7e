"""Blur: how wide the edges in an object and at its outline are, whatever its brightness, size and noise."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter

from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["blur_px", "reach_of_scale"]

_TRUNCATE = 4.0
_RESPONSE_OF_NOISE = 6.0 / SD_OF_MAD  # √Σ of the squared weights of Immerkær's kernel, as a median


def reach_of_scale(scale_px: float) -> int:
    """Return how far in px from a pixel the values lie that decide its part in the blur."""
    return int(_TRUNCATE * scale_px + 0.5) + 2


@njit(cache=True, nogil=True)
def _slopes(plane: Any, y: int, x: int) -> Any:
    """Return the squared gradient and the squared Laplacian; beyond the part its edge is repeated."""
    up, down = max(y - 1, 0), min(y + 1, plane.shape[0] - 1)
    left, right = max(x - 1, 0), min(x + 1, plane.shape[1] - 1)
    n, s, w, e = plane[up, x], plane[down, x], plane[y, left], plane[y, right]
    along_y, along_x = (s - n) / 2, (e - w) / 2
    laplacian = n + s + w + e - 4 * plane[y, x]
    return along_y * along_y + along_x * along_x, laplacian * laplacian


@njit(cache=True, nogil=True)
def _response(plane: Any, y: int, x: int) -> Any:
    """Return the absolute response of Immerkær's kernel, which is blind to planes, ramps and most edges."""
    up, down = max(y - 1, 0), min(y + 1, plane.shape[0] - 1)
    left, right = max(x - 1, 0), min(x + 1, plane.shape[1] - 1)
    corners = np.float64(plane[up, left]) + plane[up, right] + plane[down, left] + plane[down, right]
    sides = np.float64(plane[up, x]) + plane[down, x] + plane[y, left] + plane[y, right]
    return abs(corners - 2 * sides + 4 * np.float64(plane[y, x]))


@njit(cache=True, nogil=True)
def _energies(image: Any, smooth: Any, runs: Any, largest: int) -> Any:
    """Return per object: mean squared gradient, mean squared Laplacian (both of `smooth`), variance of the noise."""
    start, z, y, x0, x1 = runs
    out = np.full((start.size - 1, 3), np.nan)
    responses = np.empty(largest, np.float64)
    for k in range(start.size - 1):
        n = 0
        gradients = laplacians = 0.0
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i], x1[i]):
                gradient, laplacian = _slopes(smooth[z[i]], y[i], x)
                response = _response(image[z[i]], y[i], x)
                if np.isfinite(gradient) and np.isfinite(laplacian) and np.isfinite(response):
                    gradients += gradient
                    laplacians += laplacian
                    responses[n] = response
                    n += 1
        if n:
            noise = np.median(responses[:n]) / _RESPONSE_OF_NOISE
            out[k, 0], out[k, 1], out[k, 2] = gradients / n, laplacians / n, noise * noise
    return out


@lru_cache(maxsize=8)
def _noise_gains(scale_px: float) -> tuple[float, float]:
    """Return the mean squared gradient and Laplacian that white noise of variance 1 has after smoothing."""
    half = reach_of_scale(scale_px)
    point = np.zeros((2 * half + 1, 2 * half + 1))
    point[half, half] = 1
    smooth = gaussian_filter(point, scale_px, mode="constant", truncate=_TRUNCATE)
    padded = np.pad(smooth, 1)
    along_y, along_x = (padded[2:] - padded[:-2])[:, 1:-1] / 2, (padded[:, 2:] - padded[:, :-2])[1:-1] / 2
    laplacian = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4 * smooth
    return float((along_y**2 + along_x**2).sum()), float((laplacian**2).sum())


def blur_px(block: Block, pixels: NDArray[Any], scale_px: float) -> NDArray[np.float64]:
    """Return the blur of the edges in each object, in px; missing where nothing is seen above the noise.

    For an edge blurred by a Gaussian of standard deviation s, the energy of the gradient is 2 s² times the energy
    of the Laplacian, whatever the height of the edge. Both energies are taken after smoothing by `scale_px`, which
    widens s² by scale_px² and is taken off again, and without what noise adds to them. The noise is that of the object:
    the median of the absolute response of Immerkær's kernel over 6 · 0.6745.

    References
    ----------
    Elder & Zucker, IEEE Trans. Pattern Anal. 20 (1998) 699-716 (blur from gradient and second derivative); Pertuz, Puig
    & Garcia, Pattern Recognit. 46 (2013) 1415-1432 (energies as measures of focus); Immerkær, Comput. Vis. Image
    Underst. 64 (1996) 300-302 (noise).
    """
    smooth = np.stack([gaussian_filter(plane, scale_px, output=np.float64, truncate=_TRUNCATE) for plane in pixels])
    largest = int(max(1, block.areas.max(initial=0)))
    gradient, laplacian, noise = _energies(pixels, smooth, block.runs, largest).T
    of_gradient, of_laplacian = _noise_gains(scale_px)
    above, below = gradient - of_gradient * noise, laplacian - of_laplacian * noise
    seen = (above > 0) & (below > 0)
    squared = np.divide(above, 2 * below, out=np.full(above.shape, np.nan), where=seen) - scale_px**2
    blur: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return blur
