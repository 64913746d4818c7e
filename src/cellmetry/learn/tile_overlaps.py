"""Crops of one field that overlap: found on reduced images by correlation over all shifts, proven on full ones.

The correlation at each shift is normalised by what the overlap itself holds (Padfield, IEEE Trans. Image Process.
21, 2706, 2012). Both crops must have the same scale and orientation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter

from cellmetry.core.progress import SILENT
from cellmetry.learn.thumbnails import block_means, detail, tones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress

    Plane = NDArray[np.float32]

__all__ = ["find_overlaps", "reduce_plane"]

_REDUCE = 8
_BLUR = 0.9
"""Of the reduced planes, in their pixels: so that crops whose shift is no multiple of 8 still look alike."""
_SMOOTH = 4.0
_SMALLEST_SHARE = 0.2
_POOREST = 0.3
_SUSPECT = 0.65
_MOST_SUSPECTS = 3
_BLOCK = 256
_SHIFT = 2 * _REDUCE
_COARSE, _FINE = 0.9, 0.6
_SERIES, _SERIES_FINE, _SERIES_SHARE = 0.7, 0.3, 0.6
_GRID = (6, 6)
_FEWEST_PLACES = 4.0
_KEPT_PLANES = 64


class _Suspect(NamedTuple):
    """Two images that may overlap: pixel (y, x) of the first lies at (y + dy, x + dx) of the second."""

    score: float
    first: int
    second: int
    dy: int
    dx: int


def reduce_plane(plane: Plane) -> Plane:
    """Return the plane reduced 8 ×, without uneven light, with mean 0 and standard deviation 1; 0 if flat."""
    small = (max(1, plane.shape[0] // _REDUCE), max(1, plane.shape[1] // _REDUCE))
    inner = plane[: small[0] * _REDUCE, : small[1] * _REDUCE]
    left = detail(gaussian_filter(block_means(tones(inner), small), _BLUR), _SMOOTH)
    spread = float(left.std())
    return left / np.float32(spread) if spread > 1e-6 else np.zeros_like(left)


def find_overlaps(
    read: Callable[[int], Plane], reduced: Sequence[Plane], *, progress: Progress = SILENT
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of images that show a common part, with the correlation of what they share.

    A pair is proven if the shared part correlates above 0.9 and its fine texture, which look-alikes do not share,
    above 0.6; or, for images of one series, if most of the field correlates above 0.7 and its texture above 0.3. One
    bright object alone proves nothing: at least four places of the shared part must agree.
    """
    suspects = _foremost(sorted(_suspects(reduced, progress), reverse=True))

    @lru_cache(maxsize=_KEPT_PLANES)
    def bands(index: int) -> tuple[Plane, Plane]:
        smooth = uniform_filter(tones(read(index)), 3)
        return smooth - uniform_filter(smooth, 65), smooth - uniform_filter(smooth, 9)

    progress.start("looking for near-duplicates: overlaps", len(suspects))
    for suspect in sorted(suspects, key=lambda each: each[1:]):
        score = _proof(bands(suspect.first), bands(suspect.second), suspect)
        if score is not None:
            yield suspect.first, suspect.second, score
        progress.advance()


def _foremost(suspects: Sequence[_Suspect]) -> list[_Suspect]:
    """Return the best suspects of each image."""
    taken: dict[int, int] = defaultdict(int)
    kept = []
    for each in suspects:
        if min(taken[each.first], taken[each.second]) < _MOST_SUSPECTS:
            kept.append(each)
        taken[each.first] += 1
        taken[each.second] += 1
    return kept


def _suspects(reduced: Sequence[Plane], progress: Progress) -> Iterator[_Suspect]:
    by_shape = defaultdict(list)
    for index, plane in enumerate(reduced):
        by_shape[plane.shape].append(index)
    blocks = [
        members[start : start + _BLOCK] for members in by_shape.values() for start in range(0, len(members), _BLOCK)
    ]
    progress.start("looking for near-duplicates: comparing", len(blocks) * (len(blocks) + 1) // 2)
    for place, first in enumerate(blocks):
        for second in blocks[place:]:
            yield from _compare(reduced, first, second)
            progress.advance()


@dataclass(frozen=True)
class _Spectra:
    """Fourier transforms of a block of equally large images, padded; and of the rectangle that they fill."""

    values: NDArray[np.complex64]
    squares: NDArray[np.complex64]
    filled: NDArray[np.complex64]


def _spectra(planes: Plane, padded: tuple[int, int]) -> _Spectra:
    parts = (fft.rfft2(each, padded) for each in (planes, planes**2, np.ones(planes.shape[1:], np.float32)))
    return _Spectra(*parts)


def _compare(reduced: Sequence[Plane], first: list[int], second: list[int]) -> Iterator[_Suspect]:
    """Yield the pairs of two blocks that correlate at some shift, once each."""
    stacks = [np.stack([reduced[index] for index in block]) for block in (first, second)]
    (h1, w1), (h2, w2) = (stack.shape[1:] for stack in stacks)
    padded = (fft.next_fast_len(h1 + h2 - 1, real=True), fft.next_fast_len(w1 + w2 - 1, real=True))
    a, b = (_spectra(stack, padded) for stack in stacks)
    area = fft.irfft2(np.conj(a.filled) * b.filled, padded)
    allowed = area >= _SMALLEST_SHARE * min(h1 * w1, h2 * w2)
    of_first = _norm(fft.irfft2(np.conj(a.squares) * b.filled, padded), area, allowed)
    of_second = _norm(fft.irfft2(np.conj(a.filled) * b.squares, padded), area, allowed)
    for place, index in enumerate(first):
        rest = place + 1 if first is second else 0
        if rest == len(second):
            continue
        shifts = fft.irfft2(np.conj(a.values[place]) * b.values[rest:], padded)
        shifts *= of_second[rest:]
        shifts *= of_first[place]
        flat = shifts.reshape(len(shifts), -1)
        best = flat.argmax(axis=1)
        for other in np.flatnonzero(flat[np.arange(len(flat)), best] > _SUSPECT):
            dy, dx = divmod(int(best[other]), padded[1])
            dy, dx = dy - padded[0] * (dy >= h2), dx - padded[1] * (dx >= w2)
            pair = (index, second[rest + int(other)])
            sign = 1 if pair[0] < pair[1] else -1
            score = float(flat[other, best[other]])
            yield _Suspect(score, min(pair), max(pair), sign * dy * _REDUCE, sign * dx * _REDUCE)


def _norm(energy: Plane, area: Plane, allowed: NDArray[np.bool_]) -> Plane:
    """Return 1 / norm of what lies in the overlap at each shift; an overlap that is poor in detail counts less."""
    least = np.where(allowed, np.maximum(energy, _POOREST * area), 1)
    return np.where(allowed, 1 / np.sqrt(least), 0).astype(np.float32)


def _proof(first: tuple[Plane, Plane], second: tuple[Plane, Plane], suspect: _Suspect) -> float | None:
    """Return the correlation of the overlap at full resolution if it proves that both show the same."""
    coarse = _overlap(first[0], second[0], suspect.dy, suspect.dx)
    move = _residual_shift(*coarse)
    dy, dx = suspect.dy + move[0], suspect.dx + move[1]
    a, b = _overlap(first[0], second[0], dy, dx)
    share = a.size / min(first[0].size, second[0].size)
    if share < _SMALLEST_SHARE / 2:
        return None
    score = _correlation(a, b)
    fine = _correlation(*_overlap(first[1], second[1], dy, dx))
    crops = score > _COARSE and fine > _FINE
    series = score > _SERIES and fine > _SERIES_FINE and share > _SERIES_SHARE
    return score if (crops or series) and _agreeing_places(a, b) >= _FEWEST_PLACES else None


def _agreeing_places(a: Plane, b: Plane) -> float:
    """Return the effective number of places, of 36, that contribute to the correlation."""
    product = np.maximum(block_means((a - a.mean()) * (b - b.mean()), _GRID), 0)
    return float(product.sum() ** 2 / max(float((product**2).sum()), 1e-30))


def _overlap(a: Plane, b: Plane, dy: int, dx: int) -> tuple[Plane, Plane]:
    y0, x0 = max(0, -dy), max(0, -dx)
    y1, x1 = min(a.shape[0], b.shape[0] - dy), min(a.shape[1], b.shape[1] - dx)
    return a[y0:y1, x0:x1], b[y0 + dy : y1 + dy, x0 + dx : x1 + dx]


def _residual_shift(a: Plane, b: Plane) -> tuple[int, int]:
    """Return by how many pixels, at most 16 each way, `b` must still be moved to fit best."""
    padded = [fft.next_fast_len(size + _SHIFT, real=True) for size in a.shape]
    product = np.conj(fft.rfft2(a - a.mean(), padded)) * fft.rfft2(b - b.mean(), padded)
    near = np.roll(fft.irfft2(product, padded), (_SHIFT, _SHIFT), axis=(0, 1))[: 2 * _SHIFT + 1, : 2 * _SHIFT + 1]
    dy, dx = np.unravel_index(near.argmax(), near.shape)
    return int(dy) - _SHIFT, int(dx) - _SHIFT


def _correlation(a: Plane, b: Plane) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm > 1e-9 else 0.0
