"""Pieces of one cell put together again, by how much of a cell each holds: the integral of the predicted density.

Flows err towards too many pieces: a second sink in a long or large cell makes two of it. A density map that sums to
the number of cells tells: a piece that holds less than half a cell belongs to a neighbour that it touches, unless
both together would be clearly more than one cell; a piece with hardly any density is no cell.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DensityMerging", "merge_by_density"]


class DensityMerging(Parameters):
    """Which pieces are put together, and which are left out."""

    merge_below: float = Field(default=0.5, ge=0, le=1)
    """Pieces that hold less of a cell than this are joined to the neighbour that they touch most."""
    at_most: float = Field(default=1.3, gt=0)
    """Pieces are not joined if together they would hold more cells than this."""
    drop_below: float = Field(default=0.1, ge=0, le=1)
    """Pieces that hold less of a cell than this, after joining, are dropped."""


_DEFAULT = DensityMerging()


def merge_by_density(
    labels: NDArray[np.int32], density: NDArray[np.float32], options: DensityMerging = _DEFAULT
) -> NDArray[np.int32]:
    """Return labels, shape (Y, X), of which pieces of one cell are joined and those without a cell dropped.

    The piece with least density comes first, again and again; it joins the neighbour with which it shares most of
    its border (of equals the one with the lower id) and takes that one's id. Ids that are left stay as they are.

    Parameters
    ----------
    labels
        int32 (Y, X); ids need not be consecutive.
    density
        Cells per pixel, float32 (Y, X).
    """
    if labels.shape != density.shape:
        raise ParameterError(f"A density of shape {density.shape} does not fit labels of shape {labels.shape}.")
    held = np.asarray(np.bincount(labels.ravel(), weights=density.ravel(), minlength=1), np.float64)
    held[0] = 0.0
    first, second, border = _contacts(labels)
    owner = _join(held, first, second, border, options.merge_below, options.at_most)
    keep = held >= options.drop_below
    keep[0] = False
    names = np.where(keep[owner], owner, 0).astype(np.int32)
    return names[labels]


def _contacts(labels: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of ids that touch along pixel edges, and how many edges they share; each pair both ways."""
    size = int(labels.max(initial=0)) + 1
    codes = []
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        touching = (one != other) & (one > 0) & (other > 0)
        a, b = one[touching].astype(np.int64), other[touching].astype(np.int64)
        codes += [a * size + b, b * size + a]
    pairs, border = np.unique(np.concatenate(codes), return_counts=True)
    return pairs // size, pairs % size, border


@njit(cache=True, nogil=True)
def _join(
    held: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    border: NDArray[np.int64],
    below: float,
    most: float,
) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """Join pieces, adding up what they hold in `held` at the id that is left; return the id left for each id.

    Joined pieces form a ring, through which the neighbours of all of them are found.
    """
    count = held.size
    owner, ring = np.arange(count), np.arange(count)
    starts = np.searchsorted(first, np.arange(count + 1))
    shared = np.zeros(count, np.int64)
    waiting = [(held[piece], piece) for piece in range(1, count) if held[piece] < below]
    heapq.heapify(waiting)
    while waiting:
        amount, piece = heapq.heappop(waiting)
        if owner[piece] != piece or amount != held[piece]:
            continue
        members = [piece]
        while ring[members[-1]] != piece:
            members.append(ring[members[-1]])
        touched = _sum_borders(members, owner, starts, second, border, shared)
        best = -1
        for other in touched:
            longer = best < 0 or shared[other] > shared[best] or (shared[other] == shared[best] and other < best)
            if other != piece and longer and held[piece] + held[other] <= most:
                best = other
        for other in touched:
            shared[other] = 0
        if best < 0:
            continue
        for member in members:
            owner[member] = best
        ring[piece], ring[best] = ring[best], ring[piece]
        held[best], held[piece] = held[best] + held[piece], 0.0
        if held[best] < below:
            heapq.heappush(waiting, (held[best], best))
    return owner


@njit(cache=True, nogil=True)
def _sum_borders(
    members: list[int],
    owner: NDArray[np.int64],
    starts: NDArray[np.int64],
    second: NDArray[np.int64],
    border: NDArray[np.int64],
    shared: NDArray[np.int64],
) -> list[int]:  # pragma: no cover - compiled
    """Add up in `shared` the border between the members and each id around them; return those ids."""
    touched = []
    for member in members:
        for place in range(starts[member], starts[member + 1]):
            other = owner[second[place]]
            shared[other] += border[place]
            touched.append(other)
    return touched
