"""Images that show the same or touching pieces of the world, found from pixels, so that a split keeps them together.

Three kinds of links: the same field (also at another bit depth, size, inverted, turned by right angles or mirrored, and
later frames of it), crops that overlap, and tiles that touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import fft
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cellmetry.core.progress import SILENT
from cellmetry.learn.thumbnails import block_means, detail, tones
from cellmetry.learn.tile_borders import Borders, find_neighbours, take_borders
from cellmetry.learn.tile_overlaps import find_overlaps, reduce_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress

__all__ = ["Link", "connected_groups", "find_links"]

_SIDE = 32
_SMOOTH = 4.0
_SAME_FIELD = 0.6
_NEAR, _BEYOND_SHIFTS = 2, 0.65
"""Shifts in pixels of thumbnails that count as none; how much of the misfit at all others may be left without one."""
_FEWEST_PLACES, _NEARLY_PERFECT = 3.0, 0.98
_ROWS, _PAIRS = 2048, 4096

LinkKind = Literal["same field", "overlapping crops", "neighbouring tiles"]


class Link(NamedTuple):
    """Two images, by their places in the order given, that must not be parted."""

    first: int
    second: int
    kind: LinkKind
    score: float


@dataclass(frozen=True)
class _Traits:
    """What is kept of an image: small enough that those of all images lie in memory."""

    thumbnail: NDArray[np.float32]
    negative: NDArray[np.float32]
    reduced: NDArray[np.float32]
    borders: Borders


def find_links(
    read: Callable[[int], NDArray[np.float32]], count: int, *, progress: Progress = SILENT
) -> tuple[Link, ...]:
    """Return all pairs of near-duplicates among `count` images; ``read(i)`` gives the grey plane (Y, X) of image i.

    Notes
    -----
    Each image is read once, and again while a suspected overlap is checked. Time grows with the square of `count`:
    about 40 s for 700 images of 0.1 to 1 megapixel on one core.
    """
    if count < 2:
        return ()
    progress.start("looking for near-duplicates: reading", count)
    traits = []
    for index in range(count):
        plane = read(index)
        traits.append(_Traits(_thumbnail(plane), _thumbnail(-plane), reduce_plane(plane), take_borders(plane)))
        progress.advance()
    same = _same_fields([each.thumbnail for each in traits], [each.negative for each in traits])
    links = [Link(a, b, "same field", score) for a, b, score in same]
    touching = find_neighbours([each.borders for each in traits])
    links += [Link(min(a, b), max(a, b), "neighbouring tiles", score) for a, b, score in touching]
    known = {(link.first, link.second) for link in links}
    overlapping = find_overlaps(read, [each.reduced for each in traits], progress=progress)
    links += [Link(a, b, "overlapping crops", score) for a, b, score in overlapping if (a, b) not in known]
    return tuple(sorted(links))


def connected_groups(count: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the number of its group for each of `count` things, groups being what `pairs` connect."""
    ends = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _thumbnail(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a field as 32 × 32 block means of its tones without the large-scale light, of norm 1; 0 if flat."""
    small = detail(block_means(tones(plane), (_SIDE, _SIDE)), _SMOOTH)
    norm = float(np.linalg.norm(small))
    return small / np.float32(norm) if norm > 1e-6 else np.zeros_like(small)


def _same_fields(
    thumbnails: Sequence[NDArray[np.float32]], negatives: Sequence[NDArray[np.float32]]
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of which the thumbnail of one correlates with the other, or its negative, in one of 8 orientations.

    The tones of a negative are not those of the image with the sign changed, since their root is taken: a negative has
    a thumbnail of its own.
    """
    flat = np.stack(thumbnails).reshape(len(thumbnails), -1)
    turned = [*_orientations(np.stack(thumbnails)), *_orientations(np.stack(negatives))]
    for start in range(0, len(flat), _ROWS):
        some = flat[start : start + _ROWS]
        best, which = np.full((len(some), len(flat)), -1, np.float32), np.zeros((len(some), len(flat)), np.int8)
        for number, each in enumerate(turned):
            found = some @ each.T
            which[found > best] = number
            np.maximum(best, found, out=best)
        rows, columns = np.nonzero(np.triu(best > _SAME_FIELD, start + 1))
        for at in range(0, len(rows), _PAIRS):
            pairs = list(zip(rows[at : at + _PAIRS].tolist(), columns[at : at + _PAIRS].tolist(), strict=True))
            others = np.stack([turned[which[pair]][pair[1]] for pair in pairs])
            proven = _is_one_field(some[rows[at : at + _PAIRS]], others)
            for (row, column), holds in zip(pairs, proven, strict=True):
                if holds:
                    yield row + start, column, float(best[row, column])


def _is_one_field(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pairs of thumbnails, a row each, are alike as only the same field is.

    Cells in rows and columns (printed patterns, wells, generated images) fit as well if one is shifted by a step: then
    the fit says that both are such patterns, no more. And one bright object may lie at the same place by chance: where
    fewer than three places of 64 make up the fit, it must be nearly perfect.
    """
    one, other = (each.reshape(-1, _SIDE, _SIDE) for each in (first, second))
    shifted = fft.irfft2(np.conj(fft.rfft2(one)) * fft.rfft2(other), (_SIDE, _SIDE))
    fit = shifted[:, 0, 0].copy()
    near = np.r_[-_NEAR : _NEAR + 1]
    shifted[:, near[:, np.newaxis], near] = -1
    alone = 1 - fit < _BEYOND_SHIFTS * (1 - shifted.max(axis=(1, 2), initial=-1))
    places = np.maximum((one * other).reshape(-1, 8, _SIDE // 8, 8, _SIDE // 8).sum(axis=(2, 4)), 0)
    number = places.sum(axis=(1, 2)) ** 2 / np.maximum((places**2).sum(axis=(1, 2)), 1e-30)
    return np.asarray(alone & ((number >= _FEWEST_PLACES) | (fit > _NEARLY_PERFECT)))


def _orientations(stack: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield pictures (n, Y, X) turned by right angles and mirrored, eight times, each as a row of numbers."""
    for each in (stack, stack[:, :, ::-1]):
        for quarters in range(4):
            yield np.rot90(each, quarters, (1, 2)).reshape(len(stack), -1)
