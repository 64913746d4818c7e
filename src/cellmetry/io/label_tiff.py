"""Label images as TIFF: readable by Fiji, napari and every script, with the pixel size kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.image import PixelSize
    from cellmetry.core.labels import Labels

__all__ = ["label_dtype", "largest_id", "ome_scale", "resolution_tags", "write_label_tiff"]

TILE = 1024
"""Side of the tiles in which large label images are read and written."""

_PLANE_AT_ONCE = 1 << 26
_IMAGEJ_BYTES = 2_000_000_000
_LEVEL = {"level": 6}


LINKED_Z = "linked_z"
"""Entry of ImageJ's description that says whether an id means the same object in every plane along Z."""


def read_linked_z(path: Path) -> bool | None:
    """Return whether the label TIFF says that ids run through Z; None if it does not say."""
    with tifffile.TiffFile(path) as file:
        said = (file.imagej_metadata or {}).get(LINKED_Z)
    return None if said is None else said == "yes"


def write_label_tiff(labels: Labels, path: Path) -> None:
    """Write `labels` as TIFF: uint16, or uint32 where ids pass 65,535; compressed by zlib.

    16-bit images are ImageJ hyperstacks (unit, spacing, frames), 32-bit ones and those above 2 GB OME-TIFF, since
    ImageJ's form has neither. Planes above 64 megapixels are written tile by tile in constant memory.
    """
    dtype = label_dtype(largest_id(labels))
    tiled = labels.shape[-1] * labels.shape[-2] > _PLANE_AT_ONCE
    ome = dtype.itemsize > 2 or int(np.prod(labels.shape)) * dtype.itemsize > _IMAGEJ_BYTES
    with (
        atomic_write(path) as temporary,
        tifffile.TiffWriter(temporary, ome=ome, imagej=not ome, bigtiff=_needs_big(labels, dtype)) as writer,
    ):
        writer.write(
            (part.astype(dtype, copy=False) for part in (_tiles(labels) if tiled else _planes(labels))),
            shape=labels.shape,
            dtype=dtype,
            tile=(TILE, TILE) if tiled else None,
            photometric="minisblack",
            compression="zlib",
            compressionargs=_LEVEL,
            metadata=_metadata(labels, ome=ome),
            **resolution_tags(labels.pixel_size, per_cm=ome),
        )


def largest_id(labels: Labels) -> int:
    """Return the largest id, 0 if there is none; reads lazy labels part by part."""
    if isinstance(labels.array, np.ndarray):
        return int(labels.array.max(initial=0))
    return max((int(part.max(initial=0)) for part in _tiles(labels)), default=0)


def label_dtype(largest: int) -> np.dtype[Any]:
    """Return the type in which ids up to `largest` are stored: uint16, or uint32 past 65,535."""
    return np.dtype(np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32)


def resolution_tags(pixel_size: PixelSize, *, per_cm: bool) -> dict[str, Any]:
    """Return tifffile's resolution arguments: pixels per cm, or per µm as ImageJ has it; none if unknown."""
    if pixel_size.x is None or pixel_size.y is None:
        return {}
    scale = 1e4 if per_cm else 1.0
    return {
        "resolution": (scale / pixel_size.x, scale / pixel_size.y),
        "resolutionunit": "CENTIMETER" if per_cm else None,
    }


def _needs_big(labels: Labels, dtype: np.dtype[Any]) -> bool:
    return int(np.prod(labels.shape)) * dtype.itemsize > 2 * _IMAGEJ_BYTES


def _metadata(labels: Labels, *, ome: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": labels.axes}
    if labels.linked_z is not None and not ome:
        metadata[LINKED_Z] = "yes" if labels.linked_z else "no"
    return metadata | (ome_scale(labels.pixel_size) if ome else _imagej_scale(labels))


def _imagej_scale(labels: Labels) -> dict[str, Any]:
    size = labels.pixel_size
    scale: dict[str, Any] = {"unit": "um"} if size.known else {}
    return scale | ({"spacing": size.z} if size.z is not None and "Z" in labels.axes else {})


def ome_scale(size: PixelSize) -> dict[str, Any]:
    """Return the attributes of OME-XML that state the pixel size in µm; none for an unknown axis."""
    known = {axis: value for axis, value in size._asdict().items() if value is not None}
    return {
        key: value
        for axis, um in known.items()
        for key, value in ((f"PhysicalSize{axis.upper()}", um), (f"PhysicalSize{axis.upper()}Unit", "µm"))
    }


def _planes(labels: Labels) -> Iterator[NDArray[Any]]:
    for lead in np.ndindex(*labels.shape[:-2]):
        yield np.asarray(labels.array[(*lead, slice(None), slice(None))])


def _tiles(labels: Labels) -> Iterator[NDArray[Any]]:
    height, width = labels.shape[-2:]
    for lead in np.ndindex(*labels.shape[:-2]):
        for y in range(0, height, TILE):
            for x in range(0, width, TILE):
                yield np.asarray(labels.array[(*lead, slice(y, y + TILE), slice(x, x + TILE))])
