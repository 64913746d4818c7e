"""Edges of objects as a target to learn: a line of exact width inside every object, both lines where two touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import edt
import numpy as np

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["boundary_targets"]


def boundary_targets(labels: NDArray[np.integer[Any]], *, width_px: float = 1.0) -> NDArray[np.bool_]:
    """Return which pixels lie at the edge of their object, shape (Y, X).

    A pixel is at the edge if the nearest pixel that is not of its object is at most `width_px` away (between pixel
    centres), so a straight edge is exactly `width_px` pixels wide, and an object thinner than two widths is edge
    throughout. Each of two touching objects has an edge of its own. The border of the image is no edge, since
    objects go on beyond it. Ids of any size count.

    Raises
    ------
    ParameterError
        If the width is below one pixel, or the labels are not one plane of whole numbers.
    """
    if not width_px >= 1:
        raise ParameterError(f"An edge is at least 1 pixel wide, not {width_px:g}.")
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ParameterError(f"Edges are of one plane of whole numbers, not {labels.dtype} of shape {labels.shape}.")
    depth = edt.edt(np.ascontiguousarray(labels), black_border=False, parallel=1)
    edge: NDArray[np.bool_] = (labels != 0) & (depth <= width_px)
    return edge
