"""The one module that imports bioio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bioio
import numpy as np
from bioio_base.exceptions import UnsupportedFileFormatError

from cellmetry.core.image import Channel, PixelSize
from cellmetry.io.failures import reading
from cellmetry.io.reader import StoredScene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.io.reader import Index

__all__ = ["bioio_scenes", "takes"]


def takes(path: str) -> bool:
    """Return whether an installed plug-in takes the file."""
    try:
        bioio.BioImage.determine_plugin(path)
    except (UnsupportedFileFormatError, FileNotFoundError):
        return False
    return True


def bioio_scenes(path: str) -> list[StoredScene]:
    """Return the scenes of a file as bioio reads them."""
    image = bioio.BioImage(path)
    scenes = []
    for number, name in enumerate(image.scenes):
        image.set_scene(number)
        sizes, axes = image.physical_pixel_sizes, str(image.dims.order)
        store = _BioioStore(path, number, tuple(image.shape), np.dtype(image.dtype), axes)
        channels = tuple(Channel(str(channel)) for channel in image.channel_names or ())
        size = _stated(PixelSize(sizes.X, sizes.Y, sizes.Z))
        note = "This file was read by an installed bioio reader; check its channels and pixel size."
        scenes.append(StoredScene(store, axes, str(name), channels, size, warnings=(note,)))
    return scenes


def _stated(size: PixelSize) -> PixelSize:
    """Return the pixel size; unknown where it is 1 × 1, which several bioio readers say of files that say nothing."""
    return PixelSize(None, None, size.z) if size.x == size.y == 1.0 else size


class _BioioStore:
    """An `ArrayStore` that opens bioio for each read."""

    def __init__(self, path: str, scene: int, shape: tuple[int, ...], dtype: np.dtype[Any], axes: str) -> None:
        self.path, self.scene, self.shape, self.dtype, self.axes = path, scene, shape, dtype, axes
        self.level_sizes = ((shape[axes.index("Y")], shape[axes.index("X")]),)

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region."""
        with reading(self.path):
            image = bioio.BioImage(self.path)
            image.set_scene(self.scene)
            return np.asarray(image.dask_data[index])
