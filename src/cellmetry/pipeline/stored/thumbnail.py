"""`thumbnail`: an image of a study as a small picture, made of its coarsest tiles alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import MissingInput
from cellmetry.io.pictures import thumbnail_webp
from cellmetry.io.tile_store import tile_store
from cellmetry.report.colours import object_colours
from cellmetry.report.composite import contrast_limits, mix_channels, show_colour, stretch
from cellmetry.study.store.label_pixels import read_tile
from cellmetry.study.store.label_tiles import Tile

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["thumbnail"]

_CONTRAST = (0.5, 99.7)
_MOST_CHANNELS = 8
_TINT = 0.45
_DARK = 110


def thumbnail(store: Store, image: StoredImage, side: int, labels: LabelSet | None = None) -> bytes:
    """Return a WebP picture that fits into a square of `side` pixels: first frame, middle plane, automatic contrast.

    Parameters
    ----------
    labels
        Drawn over it in the colours of their ids.

    Raises
    ------
    MissingInput
        If the image was not read yet, or could not be.
    """
    if image.pyramid is None or image.state != "ready":
        raise MissingInput(f"There is no picture of {image.name} yet: it was not read.")
    rgb = _coloured(image, _coarse_planes(store, image))
    if labels is not None:
        rgb = _tinted(rgb, _coarse_labels(store, image, labels, rgb.shape[:2]))
    return thumbnail_webp(rgb, side)


def _coarse_planes(store: Store, image: StoredImage) -> list[NDArray[Any]]:
    """Return each channel of the middle plane at the level that is one tile."""
    tiles = tile_store(store.folder / str(image.pyramid))
    last = tiles.levels[-1]
    sizes = dict(zip(tiles.axes, last.shape, strict=True))
    lead = {"T": 0, "Z": sizes.get("Z", 1) // 2}
    found = []
    for channel in range(min(sizes.get("C", 1), _MOST_CHANNELS)):
        place = tuple({**lead, "C": channel}[axis] for axis in tiles.axes[:-2])
        whole = tiles.tile(len(tiles.levels) - 1, (*place, 0, 0))
        found.append(whole.reshape(last.tile[-2:])[: sizes["Y"], : sizes["X"]])
    return found


def _coloured(image: StoredImage, planes: list[NDArray[Any]]) -> NDArray[np.uint8]:
    header = image.header
    if header.get("colour") and len(planes) == 3:
        return show_colour(planes, int(header.get("bit_depth") or 8), planes[0].dtype)
    shares = [stretch(plane, contrast_limits(plane, *_CONTRAST)) for plane in planes]
    return mix_channels(shares, [each["colour"] for each in header["channels"][: len(planes)]])


def _coarse_labels(store: Store, image: StoredImage, labels: LabelSet, shape: tuple[int, ...]) -> NDArray[np.uint32]:
    sizes = dict(zip(image.header["axes"], image.header["shape"], strict=True))
    z = min(sizes.get("Z", 1) // 2, labels.size("Z") - 1)
    found = read_tile(store, labels, Tile(labels.levels - 1, 0, z, 0, 0))
    there = (-(-size // (1 << labels.levels - 1)) for size in labels.plane_shape)
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, there, strict=True))
    return found[rows][:, columns]


def _tinted(rgb: NDArray[np.uint8], ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
    there = ids > 0
    colours = object_colours(ids[there], rgb[there].mean(axis=1) < _DARK)
    out = rgb.copy()
    out[there] = np.rint(rgb[there] * (1 - _TINT) + colours * _TINT).astype(np.uint8)
    return out
