"""Neighbouring tiles of one field: the last row or column of one image goes on in the first of another."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Borders", "find_neighbours", "take_borders"]

_SHORTEST = 32
_SURE = 0.95
_LIKELY = 0.85
_MARGIN = 2.0
_JUMP = 1.5
_STEP = 1.6
_TINY = 1e-3


class Borders(NamedTuple):
    """The two outermost lines at each side of an image, float64, outermost first."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]


def take_borders(plane: NDArray[np.float32]) -> Borders:
    """Return the border lines of a plane (Y, X), each of shape (2, length)."""
    values = plane.astype(np.float64)
    return Borders(values[:, :2].T, values[:, :-3:-1].T, values[:2], values[:-3:-1])


def find_neighbours(borders: Sequence[Borders]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of images that touch along a side, with the correlation of the two lines that meet there.

    Two lines meet if each is the other's best match, if they differ no more than two adjacent lines inside one
    image do (in the values of the file, and in what a linear fit leaves), and if they correlate above 0.95, or
    above 0.85 where every other line fits at least twice as badly. Flat borders correlate with nothing.
    """
    for end, start in (("right", "left"), ("bottom", "top")):
        by_length = defaultdict(list)
        for index, each in enumerate(borders):
            if getattr(each, end).shape[1] >= _SHORTEST and len(getattr(each, end)) == 2:
                by_length[getattr(each, end).shape[1]].append(index)
        for members in by_length.values():
            ends = np.stack([getattr(borders[index], end) for index in members])
            starts = np.stack([getattr(borders[index], start) for index in members])
            for a, b, score in _meeting(ends, starts):
                yield members[a], members[b], score


def _meeting(ends: NDArray[np.float64], starts: NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Yield which end meets which start; shapes (n, 2, length)."""
    match = _correlation(ends[:, 0], starts[:, 0])
    np.fill_diagonal(match, -1.0)
    partner = match.argmax(axis=1)
    mutual = match.argmax(axis=0)[partner] == np.arange(len(match))
    a = np.flatnonzero(mutual & (match.max(axis=1) > _LIKELY))
    b = partner[a]
    kept = _continues(ends[a], starts[b], match[a, b]) & _stands_out(match, a, b)
    yield from ((int(i), int(j), float(match[i, j])) for i, j in zip(a[kept], b[kept], strict=True))


def _continues(ends: NDArray[np.float64], starts: NDArray[np.float64], match: NDArray[np.float64]) -> NDArray[np.bool_]:
    inner = np.minimum(_row_correlation(ends), _row_correlation(starts))
    smooth = (1 - match) <= _STEP * (1 - inner + _TINY)
    jump = np.sqrt(np.mean((ends[:, 0] - starts[:, 0]) ** 2, axis=1))
    step = np.sqrt([np.mean(np.diff(each, axis=1) ** 2, axis=(1, 2)) for each in (ends, starts)]).max(axis=0)
    found: NDArray[np.bool_] = smooth & (jump <= _JUMP * step)
    return found


def _stands_out(match: NDArray[np.float64], a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
    others = match.copy()
    others[a, b] = -1.0
    second = np.maximum(others[a].max(axis=1), others[:, b].max(axis=0)) if len(a) else np.zeros(0)
    found = match[a, b]
    return (found > _SURE) | ((1 - second) >= _MARGIN * (1 - found))


def _standard(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = lines - lines.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(centred, axis=-1, keepdims=True)
    flat = norm <= 1e-9 * (1 + np.abs(lines).max(axis=-1, keepdims=True))
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, norm))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = _standard(a) @ _standard(b).T
    return product


def _row_correlation(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    lines = _standard(pairs)
    product: NDArray[np.float64] = (lines[:, 0] * lines[:, 1]).sum(axis=1)
    return product
