"""`open_field`: a part of an image of a study, read from its tiles, with the contrast of the whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import Box, PartSource
from cellmetry.errors import LimitExceeded, MissingInput, ParameterError
from cellmetry.io.tile_store import tile_store
from cellmetry.pipeline.stored.opening import open_stored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.io.tile_store import TileStore
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["open_field", "read_box"]

_MOST_VALUES = 64 << 20


def open_field(store: Store, image: StoredImage, box: Box, t: int, planes: Iterable[int] | None) -> Image:
    """Return a box of one frame of an image as an image of its own.

    Parameters
    ----------
    planes
        Which planes along Z; all if None. One plane makes an image without Z.

    Raises
    ------
    MissingInput
        If the image was not read yet.
    ParameterError, LimitExceeded
        If there is no such place, or it has too many planes.
    """
    if image.pyramid is None or image.state != "ready":
        raise MissingInput(f"{image.name} was not read yet; ask again when it is.")
    opened, tiles = open_stored(store, image), tile_store(store.folder / image.pyramid)
    sizes = opened.sizes
    zs = list(range(sizes["Z"])) if planes is None else list(planes)
    if not (0 <= t < sizes["T"] and all(0 <= z < sizes["Z"] for z in zs)):
        raise ParameterError(f"{image.name} has {sizes['T']} frames and {sizes['Z']} planes, from 0.")
    if not (0 <= box.y0 < box.y1 <= sizes["Y"] and 0 <= box.x0 < box.x1 <= sizes["X"]):
        raise ParameterError(f"The box {tuple(box)} is not inside {image.name} of {sizes['Y']} × {sizes['X']} pixels.")
    if len(zs) * sizes["C"] * box.shape[0] * box.shape[1] > _MOST_VALUES:
        raise LimitExceeded(f"{len(zs)} planes of {sizes['C']} channels are too much at once; take a smaller field.")
    last = tiles.levels[-1].shape
    whole = Box(0, last[-2], 0, last[-1])
    source = PartSource(
        _stack(tiles, 0, t, range(sizes["C"]), zs, box),
        _stack(tiles, len(tiles.levels) - 1, t, range(sizes["C"]), zs, whole),
    )
    axes = "".join(axis for axis in opened.axes if axis != "T" and (axis != "Z" or len(zs) > 1))
    return replace(opened, source=source, axes=axes)


def _stack(tiles: TileStore, level: int, t: int, channels: Iterable[int], zs: Iterable[int], box: Box) -> NDArray[Any]:
    """Return an array of the axes T, C, Z, Y, X."""
    return np.stack([np.stack([read_box(tiles, level, (t, c, z), box) for z in zs]) for c in channels])[None]


def read_box(tiles: TileStore, level: int, plane: tuple[int, int, int], box: Box) -> NDArray[Any]:
    """Return the pixels of a box of one plane (t, c, z) at a level, shape (Y, X)."""
    lead = dict(zip("TCZ", plane, strict=True))
    front = tuple(lead[axis] for axis in tiles.axes[:-2])
    found = tiles.levels[level]
    height, width = found.tile[-2:]
    out = np.empty(box.shape, found.dtype)
    for row, column in product(
        range(box.y0 // height, -(-box.y1 // height)), range(box.x0 // width, -(-box.x1 // width))
    ):
        whole = Box(row * height, (row + 1) * height, column * width, (column + 1) * width)
        inside = Box(max(box.y0, whole.y0), min(box.y1, whole.y1), max(box.x0, whole.x0), min(box.x1, whole.x1))
        part = tiles.tile(level, (*front, row, column)).reshape(height, width)
        out[inside.within(box).slices] = part[inside.within(whole).slices]
    return out
