"""How far two pictures of the same field are shifted against each other (phase correlation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_gradient_magnitude

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Shift", "measure_shift"]

_WHITENING = 0.5


class Shift(NamedTuple):
    """By how many pixels the second picture must be moved to lie on the first.

    Parameters
    ----------
    y, x
        Rows down and columns right, to about a tenth of a pixel.
    sharpness
        Height of the correlation's peak above its mean, in standard deviations: above about 9 the shift can be trusted.
    """

    y: float
    x: float
    sharpness: float

    @property
    def length_px(self) -> float:
        """Distance in pixels."""
        return float(np.hypot(self.y, self.x))


def measure_shift(first: NDArray[Any], second: NDArray[Any], *, largest_px: int = 40, smooth_px: float = 1.5) -> Shift:
    """Return the shift between two pictures of one field, also if one shows bright what the other shows dark.

    The strength of their edges is compared, not their brightness, by phase correlation (Kuglin and Hines 1975) with
    the spectrum only partly whitened, against noise. Shifts beyond `largest_px` are not looked for.

    Raises
    ------
    ParameterError
        If the pictures differ in size.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ParameterError(f"A shift is measured between planes of one size, not {first.shape} and {second.shape}.")
    one, other = (fft.rfft2(_edges(plane, smooth_px), workers=1) for plane in (first, second))
    cross = one * np.conj(other)
    strength = np.abs(cross)
    if not strength.max() > 0:
        return Shift(0.0, 0.0, 0.0)
    surface = fft.irfft2(cross / np.maximum(strength, 1e-9 * strength.max()) ** _WHITENING, s=first.shape, workers=1)
    reach = [min(largest_px, (size - 1) // 2) for size in first.shape]
    near = np.roll(surface, reach, axis=(0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1]
    y, x = np.unravel_index(int(near.argmax()), near.shape)
    spread = float(surface.std())
    sharpness = float((near[y, x] - surface.mean()) / spread) if spread > 0 else 0.0
    return Shift(
        float(y - reach[0] + _vertex(near[:, x], int(y))), float(x - reach[1] + _vertex(near[y], int(x))), sharpness
    )


def _edges(plane: NDArray[Any], smooth_px: float) -> NDArray[np.float32]:
    """Return how steep the picture is at each pixel, of mean 0, fading out towards the border."""
    steep = np.sqrt(gaussian_gradient_magnitude(plane.astype(np.float32), smooth_px))
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in plane.shape))
    return np.asarray((steep - steep.mean()) * window, dtype=np.float32)


def _vertex(values: NDArray[Any], at: int) -> float:
    """Return how far beside `at` a parabola through three values has its top."""
    if not 0 < at < len(values) - 1:
        return 0.0
    low, top, high = (float(values[at + step]) for step in (-1, 0, 1))
    bend = low - 2 * top + high
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))
