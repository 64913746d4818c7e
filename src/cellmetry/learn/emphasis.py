"""Which pixels count more while learning: scores count cells, so small ones and contacts must not be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from scipy.ndimage import maximum_filter, minimum_filter

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Emphasis", "importance_of"]

_LEAST = 0.7
_FEWEST_PIXELS = 8


class Emphasis(Parameters):
    """How much pixels count that few cells have or that tell cells apart."""

    small: float = Field(default=0.5, ge=0, le=1)
    """Pixels of a cell count (usual area of the image / its area) to this power: 0 for all alike, 1 for cells alike."""
    most: float = Field(default=3.0, ge=1, le=50)
    """Largest such factor."""
    around_px: int = Field(default=0, ge=0, le=20)
    """How far around a small cell its factor holds as well, so that its outline is learnt and not only its inside."""
    contacts: float = Field(default=1.0, ge=1, le=50)
    """Factor where two cells are near each other (Ronneberger et al. 2015 weigh such gaps alike)."""
    contact_px: int = Field(default=2, ge=1, le=20)
    """How near."""


def importance_of(labels: NDArray[Any], options: Emphasis) -> NDArray[np.float32]:
    """Return how much each pixel counts, float32 of the labels' shape (Y, X): 1 on background and usual cells.

    Parameters
    ----------
    labels
        True cells, whole numbers, 0 is background.
    """
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    if not areas.any():
        return np.ones(labels.shape, np.float32)
    usual = np.median(areas[areas > 0])
    of_id = ((usual / np.maximum(areas, _FEWEST_PIXELS)) ** options.small).clip(_LEAST, options.most)
    of_id[0] = 1.0
    found = of_id[labels].astype(np.float32)
    if options.around_px:
        found = np.maximum(found, _largest_around(np.where(found > 1, found, 0), options.around_px))
    if options.contacts > 1:
        found[_contacts(labels, options.contact_px)] *= options.contacts
    return np.asarray(found, np.float32)


def _largest_around(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    return np.asarray(maximum_filter(values, 2 * reach + 1, mode="constant"), np.float32)


def _contacts(labels: NDArray[Any], reach: int) -> NDArray[np.bool_]:
    """Return where at least two cells lie within the reach."""
    ids = labels.astype(np.int64)
    size, none = 2 * reach + 1, ids.max() + 1
    highest = maximum_filter(ids, size, mode="constant")
    lowest = minimum_filter(np.where(ids > 0, ids, none), size, mode="constant", cval=none)
    return np.asarray((highest > 0) & (lowest < highest))
