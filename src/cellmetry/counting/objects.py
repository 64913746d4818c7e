"""Objects of one plane as points: id, area and centroid, read band by band so that labels may lie on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels

__all__ = ["BAND", "PlaneObjects", "label_bands", "plane_objects"]

BAND = 1024
"""Rows that are read at a time."""


class PlaneObjects(NamedTuple):
    """Objects of a plane in the order of their ids.

    Parameters
    ----------
    centres
        Row and column of the centroid in pixels, shape (n, 2); 0, 0 is the middle of the first pixel.
    areas
        Pixels.
    """

    centres: NDArray[np.float64]
    areas: NDArray[np.int64]


def label_bands(labels: Labels, t: int, z: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the first row and the ids of each band of a plane; labels without Z or T are the same in every plane."""
    wanted, sizes = {"T": t, "Z": z}, dict(zip(labels.axes, labels.shape, strict=True))
    lead = tuple(min(wanted[axis], sizes[axis] - 1) for axis in labels.axes[:-2])
    for y in range(0, labels.shape[-2], BAND):
        yield y, np.asarray(labels.array[(*lead, slice(y, y + BAND), slice(None))])


def plane_objects(labels: Labels, t: int = 0, z: int = 0) -> PlaneObjects:
    """Return the objects of one plane."""
    parts = [_sums(band, y) for y, band in label_bands(labels, t, z)]
    ids = np.concatenate([part[0] for part in parts])
    sums = np.concatenate([part[1] for part in parts])
    unique, place = np.unique(ids, return_inverse=True)
    total = np.stack([np.bincount(place, weights=column, minlength=unique.size) for column in sums.T], axis=1)
    return PlaneObjects(total[:, 1:] / total[:, :1], total[:, 0].astype(np.int64))


def _sums(band: NDArray[Any], first_row: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the ids in a band, and for each its pixels, sum of rows and sum of columns."""
    y, x = np.nonzero(band)
    ids, place = np.unique(band[y, x], return_inverse=True)
    weights = (np.ones(len(y)), y + float(first_row), x.astype(np.float64))
    return ids, np.stack([np.bincount(place, weights=each, minlength=ids.size) for each in weights], axis=1)
