"""Quotients that are missing, not infinite or 0, where there is nothing to divide by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["quotient"]


def quotient(above: ArrayLike, below: ArrayLike, *, negative: bool = False) -> NDArray[np.float64]:
    """Return above / below as float64, NaN where `below` is not above 0; arrays are broadcast.

    Parameters
    ----------
    negative
        Whether `below` may be negative: then NaN only where it is 0 (or NaN).
    """
    upper, lower = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    out = np.full(upper.shape, np.nan)
    np.divide(upper, lower, out=out, where=lower != 0 if negative else lower > 0)
    return out
