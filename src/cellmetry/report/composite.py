"""An image as an 8-bit RGB picture: contrast per channel, channels mixed in their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.report.colours import parse_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["contrast_limits", "mix_channels", "show_colour", "stretch"]


def contrast_limits(plane: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """Return the values at the percentiles `low` and `high` of the finite pixels; the extremes if those are equal."""
    values = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
    if values.size == 0:
        return 0.0, 0.0
    bottom, top = (float(value) for value in np.percentile(values, (low, high)))
    return (bottom, top) if top > bottom else (float(values.min()), float(values.max()))


def stretch(plane: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Return `plane` with the limits at 0 and 1, cut off beyond; all 0 where they are equal; not-a-number is 0."""
    low, high = limits
    if not high > low:
        return np.zeros(plane.shape, np.float32)
    scaled = (plane.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    shown: NDArray[np.float32] = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    return shown


def mix_channels(planes: Sequence[NDArray[np.float32]], colours: Sequence[str]) -> NDArray[np.uint8]:
    """Return the channels (0 to 1) in their colours, added, shape (Y, X, 3)."""
    total = np.zeros((*planes[0].shape, 3), np.float32)
    for plane, colour in zip(planes, colours, strict=True):
        total += plane[..., None] * parse_colour(colour)
    return _as_bytes(np.minimum(total, 1, out=total))


def show_colour(planes: Sequence[NDArray[Any]], bit_depth: int, dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    """Return a colour picture as it is: its full range at 0 to 255, no stretching; floats count from 0 to 1."""
    top = 1.0 if dtype.kind == "f" else float(2 ** min(bit_depth, 8 * dtype.itemsize) - 1)
    scaled = np.stack([stretch(plane, (0.0, top)) for plane in planes], axis=-1)
    return _as_bytes(scaled)


def _as_bytes(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    rgb: NDArray[np.uint8] = np.rint(shares * 255).astype(np.uint8)
    return rgb
