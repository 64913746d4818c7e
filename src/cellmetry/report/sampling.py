"""Reading a plane at the size of a picture, part by part, so that a huge plane never lies in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["Scaling", "choose_scaling", "sample_labels", "sample_plane"]

_BAND_PIXELS = 1 << 24


class Scaling(NamedTuple):
    """How a plane becomes a picture: blocks of `reduce`² pixels are averaged, then repeated `enlarge`² times."""

    reduce: int
    enlarge: int

    @property
    def factor(self) -> float:
        """Pixels of the picture per pixel of the image."""
        return self.enlarge / self.reduce


def choose_scaling(image: Image, *, largest: int, smallest: int) -> Scaling:
    """Return the scaling that brings the long side to at most `largest` and, by whole steps, near `smallest`."""
    side = max(image.sizes["Y"], image.sizes["X"])
    if side <= largest:
        return Scaling(1, max(1, min(round(smallest / side), 8)))
    reduce = -(-side // largest)
    if len(image.source.level_shapes) > 1:
        reduce = 1 << (reduce - 1).bit_length()
    return Scaling(reduce, 1)


def sample_plane(image: Image, reduce: int, *, t: int, c: int, z: int) -> NDArray[Any]:
    """Return a plane whose pixels are averages of `reduce` × `reduce` pixels, as stored if `reduce` is 1.

    Reads the coarsest resolution level that serves, and bands of it; float32 if averaged.
    """
    if reduce == 1:
        return image.plane(t=t, c=c, z=z)
    level, rest = _level_for(image, reduce)
    height, width = image.source.level_shapes[level]
    shape = (-(-image.sizes["Y"] // reduce), -(-image.sizes["X"] // reduce))
    rows = max(1, _BAND_PIXELS // (width * rest)) * rest
    bands = []
    for y in range(0, height, rows):
        box = Box(y, min(y + rows, height), 0, width)
        bands.append(_block_means(image.source.read(t, c, z, box, level), rest))
    out = np.concatenate(bands)[: shape[0], : shape[1]]
    missing = [(0, full - size) for full, size in zip(shape, out.shape, strict=True)]
    return np.pad(out, missing, mode="edge")


def sample_labels(labels: Labels, reduce: int, *, t: int, z: int) -> NDArray[np.uint32]:
    """Return a plane of ids at the centre of each block of `reduce` × `reduce` pixels; none is averaged."""
    wanted = {"T": t, "Z": z}
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    lead = tuple(min(wanted[axis], sizes[axis] - 1) for axis in labels.axes[:-2])
    height, width = labels.shape[-2:]
    columns = np.minimum(np.arange(0, width, reduce) + reduce // 2, width - 1)
    rows = max(1, _BAND_PIXELS // (width * reduce)) * reduce
    bands = []
    for y in range(0, height, rows):
        part = np.asarray(labels.array[(*lead, slice(y, y + rows), slice(None))])
        picked = np.minimum(np.arange(0, len(part), reduce) + reduce // 2, len(part) - 1)
        bands.append(part[picked][:, columns].astype(np.uint32, copy=False))
    return np.concatenate(bands)


def _level_for(image: Image, reduce: int) -> tuple[int, int]:
    """Return the coarsest level that is reduced by a divisor of `reduce`, and what remains to be averaged."""
    height, width = image.source.level_shapes[0]
    best = (0, reduce)
    for level, (rows, columns) in enumerate(image.source.level_shapes):
        ratio = round(height / rows)
        exact = abs(rows * ratio - height) < ratio and abs(columns * ratio - width) < ratio
        if exact and reduce % ratio == 0 and reduce // ratio < best[1]:
            best = (level, reduce // ratio)
    return best


def _block_means(plane: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Return the mean of each block; pixels that are not a number do not count, a block without others is NaN."""
    defined = ~np.isnan(plane) if plane.dtype.kind == "f" else None
    if defined is None or defined.all():
        counts = [np.diff(np.arange(0, size + side, side).clip(max=size)) for size in plane.shape]
        return (_block_sums(plane, side) / np.outer(*counts)).astype(np.float32)
    number = _block_sums(defined, side)
    sums = _block_sums(np.where(defined, plane, 0), side)
    means = np.full(sums.shape, np.nan, np.float32)
    np.divide(sums, number, out=means, where=number > 0, casting="same_kind")
    return means


def _block_sums(plane: NDArray[Any], side: int) -> NDArray[np.float64]:
    starts = [np.arange(0, size, side) for size in plane.shape]
    rows = np.add.reduceat(plane, starts[0], axis=0, dtype=np.float64)
    sums: NDArray[np.float64] = np.add.reduceat(rows, starts[1], axis=1)
    return sums
