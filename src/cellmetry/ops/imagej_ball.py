"""The rolling ball of ImageJ: a background under which a ball of stated radius rolls, on a shrunken copy of a plane.

The idea is that of S. R. Sternberg, Biomedical image processing, Computer 16(1), 22–34 (1983): the image is a
landscape, and the background is what a ball touches that rolls below it. ImageJ rolls a square patch from the top of
the ball under the lowest pixel of each block; sizes, trims and the order of float32 operations are those that it
documents, since its results are to be met to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ball", "imagej_ball", "mean_3x3", "roll_ball"]

_SIZES = ((10.0, 1, 24), (30.0, 2, 24), (100.0, 4, 32), (np.inf, 8, 40))
"""Up to which radius the image is shrunk by how much, and how many per cent of the ball are trimmed on each side."""


class Ball(NamedTuple):
    """The part of a ball that rolls.

    Parameters
    ----------
    shrink
        By which the plane is shrunk before.
    patch
        Height of the ball's surface above its centre, in grey levels, square with an odd side; float32.
    """

    shrink: int
    patch: NDArray[np.float32]

    @property
    def reach(self) -> int:
        """Pixels of the shrunken plane from the centre of the patch to its side."""
        return len(self.patch) // 2

    @property
    def margin_px(self) -> int:
        """How far from a pixel others can lie that have a say in its background, smoothing included."""
        return self.shrink * (2 * self.reach + 2) + 1


def imagej_ball(radius_px: float) -> Ball:
    """Return the ball that ImageJ rolls for a radius; for radii below 1 that of 1."""
    shrink, trim_percent = next((shrink, trim) for limit, shrink, trim in _SIZES if radius_px <= limit)
    radius = max(1.0, radius_px / shrink)
    reach = int(np.floor(radius - int(trim_percent * radius) // 100 + 0.5))
    offset = np.arange(-reach, reach + 1)
    squared = radius * radius - offset[:, None] ** 2 - offset[None, :] ** 2
    return Ball(shrink, np.sqrt(np.maximum(squared, 0.0)).astype(np.float32))


def roll_ball(pixels: NDArray[np.float32], ball: Ball) -> NDArray[np.float32]:
    """Return the background of a plane: what the ball touches from below, same shape, float32.

    Between the pixels of the shrunken plane, and to its border, it is interpolated linearly.
    """
    low = pixels if ball.shrink == 1 else _block_minimum(pixels, ball.shrink)
    centres = _lowest(np.pad(low, 2 * ball.reach, constant_values=np.inf), ball.patch)
    opened = -_lowest(-centres, ball.patch)
    return opened if ball.shrink == 1 else _enlarge(opened, pixels.shape, ball.shrink)


def _enlarge(small: NDArray[np.float32], shape: tuple[int, ...], shrink: int) -> NDArray[np.float32]:
    rows, columns = (_weights(size, shrink) for size in shape)
    out: NDArray[np.float32] = _interpolate(small, *rows, *columns)
    return out


def _weights(size: int, shrink: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each pixel of an axis the first of the two shrunken ones between which it lies, and that one's share.

    Near the border the share is above 1 or below 0: the line through the two is continued.
    """
    last = max(-(-size // shrink) - 2, 0)
    place = np.arange(size)
    first = np.clip((place - shrink // 2) // shrink, 0, last)
    share = 1 - ((place + 0.5) / shrink - (first + 0.5))
    return first, share.astype(np.float32)


@njit(cache=True, nogil=True)
def mean_3x3(pixels: Any) -> Any:
    """Return the means of 3 × 3 pixels, along rows and then along columns; at the border pixels count twice."""
    third = np.float32(0.33333333)
    height, width = pixels.shape
    rows, out = np.empty_like(pixels), np.empty_like(pixels)
    for y in range(height):
        line = pixels[y]
        for x in range(1, width - 1):
            rows[y, x] = (line[x - 1] + line[x] + line[x + 1]) * third
        rows[y, 0] = (line[0] + line[0] + line[min(1, width - 1)]) * third
        rows[y, width - 1] = (line[max(0, width - 2)] + line[width - 1] + line[width - 1]) * third
    for y in range(height):
        above, here, below = rows[max(0, y - 1)], rows[y], rows[min(height - 1, y + 1)]
        for x in range(width):
            out[y, x] = (above[x] + here[x] + below[x]) * third
    return out


@njit(cache=True, nogil=True)
def _block_minimum(pixels: Any, block: int) -> Any:
    """Return the lowest pixel of each square of `block` × `block`; those cut by the border use what they have."""
    height, width = pixels.shape
    out = np.full((-(-height // block), -(-width // block)), np.inf, np.float32)
    for y in range(height):
        line, low = pixels[y], out[y // block]
        for x in range(width):
            low[x // block] = min(low[x // block], line[x])
    return out


@njit(cache=True, nogil=True)
def _lowest(padded: Any, patch: Any) -> Any:
    """Return the minimum of pixels − patch for each place that the patch has within `padded`."""
    size = patch.shape[0]
    height, width = padded.shape[0] - size + 1, padded.shape[1] - size + 1
    out = np.full((height, width), np.inf, np.float32)
    for y in range(height):
        row = out[y]
        for dy in range(size):
            for dx in range(size):
                lift, line = patch[dy, dx], padded[y + dy, dx : dx + width]
                for x in range(width):
                    value = line[x] - lift
                    row[x] = value if value < row[x] else row[x]
    return out


@njit(cache=True, nogil=True)
def _interpolate(small: Any, first_y: Any, share_y: Any, first_x: Any, share_x: Any) -> Any:
    """Return the values between those of `small`, along rows and then along columns."""
    one = np.float32(1)
    height, width = small.shape
    rows = np.empty((height, first_x.size), np.float32)
    for y in range(height):
        for x in range(first_x.size):
            a = first_x[x]
            rows[y, x] = small[y, a] * share_x[x] + small[y, min(a + 1, width - 1)] * (one - share_x[x])
    out = np.empty((first_y.size, first_x.size), np.float32)
    for y in range(first_y.size):
        upper, lower = rows[first_y[y]], rows[min(first_y[y] + 1, height - 1)]
        share = share_y[y]
        for x in range(first_x.size):
            out[y, x] = upper[x] * share + lower[x] * (one - share)
    return out
