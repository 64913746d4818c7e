"""Brightness as networks are given it, in training and at inference alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["stretch_between"]


def stretch_between(pixels: NDArray[np.float32], low: ArrayLike, high: ArrayLike) -> NDArray[np.float32]:
    """Return pixels with `low` at 0 and `high` at 1, float32; values beyond are kept.

    Where `high` is not above `low`, values are only moved. Limits are numbers, or arrays that broadcast to the pixels.
    """
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    return np.asarray((pixels - low) / np.where(high > low, high - low, 1), dtype=np.float32)
