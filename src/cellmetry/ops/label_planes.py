"""Parts of a label image by the plane of the image that they lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.core.labels import Labels

__all__ = ["labels_in"]


def labels_in(labels: Labels, box: Box, *, t: int = 0, z: int = 0) -> NDArray[np.uint32]:
    """Return the labels in `box` of a plane; those without T or Z, or with one plane along it, lie on every plane."""
    place = {"T": t, "Z": z}
    lead = [min(place[axis], size - 1) for axis, size in zip(labels.axes[:-2], labels.shape[:-2], strict=True)]
    return np.ascontiguousarray(labels.array[(*lead, *box.slices)], dtype=np.uint32)
